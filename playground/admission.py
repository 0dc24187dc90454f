"""Whether a visitor may begin more runs now: how many at once, how many in an hour, and how much room their images take."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

from playground.refusals import PlanRefused
from playground.services import Services
from playground.usage import UseRefused
from providers.checks import Problem
from storage import carriers, footprint
from storage.engine import Database

FIELD = "limit"
"""Under which the problem is told."""
Check = Callable[[Database], None]
"""What is counted in the store, by the transaction that writes the runs. Raises: PlanRefused."""


class Door:
    """Stands before the engine, on its event loop. In local mode it is always open."""

    def __init__(self, services: Services, worker_id: str) -> None:
        self._services = services
        self._worker_id = worker_id
        self._coming: Counter[str] = Counter()
        """owner -> runs that were let in and are not yet among those under way."""

    async def admit(self, owner: str, count: int, running: Callable[[str], int]) -> Check:
        """Lets so many runs in and counts them; `entered` must be called once they are under way.

        Raises: PlanRefused when the owner has reached a limit; then nothing is counted.
        """
        usage = self._services.usage
        is_public = self._services.settings.mode == "public"
        held = await asyncio.to_thread(self._services.store.read, _bytes_of(owner)) if is_public else 0
        here = running(owner) + self._coming[owner]
        try:
            usage.refuse_storage(held)
            usage.refuse_running(here, count)
        except UseRefused as error:
            raise _told(error) from error
        self._coming[owner] += count
        with ExitStack() as undoing:
            # Whatever ends this early, and be it that whoever asked is gone: nobody would call `entered`.
            undoing.callback(self.entered(owner, count), None)
            try:
                take = await self._services.counted_use("runs", owner, count)
            except UseRefused as error:
                raise _told(error) from error
            undoing.pop_all()
        is_shared = is_public and self._services.store.is_shared

        def check(db: Database) -> None:
            try:
                if is_shared:
                    elsewhere = carriers.carried_elsewhere(db, owner, self._worker_id)
                    usage.refuse_running(here + len(elsewhere), count)
                take(db)
            except UseRefused as error:
                raise _told(error) from error

        return check

    def entered(self, owner: str, count: int) -> Callable[[object], None]:
        """Called when the runs that were admitted are under way, or will never be."""

        def done(_task: object) -> None:
            self._coming[owner] -= count
            if self._coming[owner] <= 0:
                del self._coming[owner]

        return done


def _told(error: UseRefused) -> PlanRefused:
    return PlanRefused((Problem(FIELD, str(error)),))


def _bytes_of(owner: str) -> Callable[[Database], int]:
    def read(db: Database) -> int:
        return footprint.bytes_of_owner(db, owner)

    return read
