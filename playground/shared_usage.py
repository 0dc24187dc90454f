"""What visitors used, counted over all replicas: in the database that they share, for an hour.

Visitors and addresses stand there under a hash keyed by the store's own salt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from playground.settings import Settings
from playground.usage import MINE, SHARED, WINDOW_S, Kind, Usage, UseRefused, network_of
from storage import install, uses
from storage.database import Store
from storage.engine import Database
from storage.errors import StoreError

log = logging.getLogger(__name__)

_NOT_COUNTED = "The server's database does not answer. Nothing was done; try again in a moment."
_AGAIN_IN_S = 5.0


class SharedUsage(Usage):
    """Counts in the store. Safe to use from several threads."""

    uncounted_bytes: int = 1_000_000

    def __init__(self, settings: Settings, clock: Callable[[], datetime], store: Store) -> None:
        super().__init__(settings, clock)
        self._store = store
        self._key = store.read(install.voter_salt)

    async def count(self, kind: Kind, owner: str, amount: int = 1, *, address: str = "") -> None:
        """As `take`. Raises: UseRefused, also where it cannot be counted now."""
        if not self._is_counting or not self._limit(kind):
            return
        try:
            await asyncio.to_thread(self._store.write, self._job(kind, owner, amount, address))
        except StoreError as error:
            log.warning("what a visitor does could not be counted, so it was refused: %s", error)
            raise UseRefused(_NOT_COUNTED, again_in_s=_AGAIN_IN_S) from error

    def _hashed(self, address: str) -> str:
        return uses.subject(self._key, network_of(address))

    def _job(self, kind: Kind, owner: str, amount: int, address: str, /) -> Callable[[Database], None]:
        limit, mine = self._limit(kind), uses.subject(self._key, owner)
        with self._lock:
            hashed = self._hashed(address) if address else self._subject(owner).address
        is_shared = bool(hashed and self._limits.address)
        now = self._clock().timestamp()
        after_ms = round((now - WINDOW_S) * 1000)

        def used(db: Database, subject: str) -> list[tuple[float, int]]:
            return [(at_ms / 1000, count) for at_ms, count in uses.recent(db, subject, kind, after_ms)]

        def take(db: Database) -> None:
            if not self._is_counting or not limit:
                return
            uses.forget(db, after_ms)
            self._refuse_over(kind, used(db, mine), limit, amount, now, whose=MINE)
            if is_shared:
                self._refuse_over(kind, used(db, hashed), limit * self._limits.address, amount, now, whose=SHARED)
            uses.add(db, [mine, hashed] if is_shared else [mine], kind, round(now * 1000), amount)

        return take


def usage_of(settings: Settings, clock: Callable[[], datetime], store: Store) -> Usage:
    """In memory, or in the store where other replicas may count there too."""
    return SharedUsage(settings, clock, store) if store.is_shared else Usage(settings, clock)
