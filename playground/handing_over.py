"""Runs that wait for their owner's key at one replica while the owner comes with it to another one: they change hands.

Whoever is given a run finds it as its own while nothing in it carries it. So it finds runs that it could not take up, or whose
end it could not store.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection
from functools import partial

from playground.recovery import take_again
from playground.resuming import Resumption
from playground.services import Services
from storage import carriers
from storage.workers import Worker

KEY, GIVEN = "key", "given"
"""The news that an owner has come with a key to a replica, and that a run is that replica's now."""
_MOST_OWNERS = 5_000
"""Of whom it is remembered where they came with a key; who came longest ago is forgotten first."""


class Handover:
    """What one process gives to others and gets of them. Lives on the engine's event loop."""

    def __init__(self, services: Services, worker: Worker, resumption: Resumption) -> None:
        self._services, self._worker, self._resumption = services, worker, resumption
        self._owners: OrderedDict[str, str] = OrderedDict()
        """owner -> the other replica where they came with a key last, until something of theirs was to be given there: a run of
        theirs may be taken up, and wait here, only after that.
        """
        self._given: set[str] = set()
        self._loose: set[str] = set()
        """Runs of this process that it did not know at the look before."""

    def ask(self, owner: str) -> None:
        """Has others give what of the owner's waits for a key there, now or later."""
        self._owners.pop(owner, None)
        self._worker.tell(f"{KEY} {owner} {self._worker.worker_id}")

    def on_news(self, kind: str, about: str) -> None:
        """Notes what `look` then does."""
        match kind, about.split():
            case ["key", [owner, worker]]:
                self._owners[owner] = worker
                self._owners.move_to_end(owner)
                if len(self._owners) > _MOST_OWNERS:
                    self._owners.popitem(last=False)
            case ["given", [worker, run_id]] if worker == self._worker.worker_id:
                self._given.add(run_id)

    async def look(self, carried: Callable[[], Collection[str]]) -> None:
        """Gives what was asked for, and goes on with what was given. `carried`: ids of runs that are known here.

        Raises: StoreError.
        """
        for owner in self._resumption.parked.owners():
            if worker := self._owners.get(owner):
                await self._give_all(owner, worker)
        await self._take(carried)

    async def _give_all(self, owner: str, worker: str) -> None:
        for run_id in self._resumption.parked.of_owner(owner):
            await self._give(run_id, worker)
        # Once: two replicas that both lack a key would give a run to and fro.
        if self._owners.get(owner) == worker:
            del self._owners[owner]

    async def _give(self, run_id: str, worker: str) -> None:
        write = partial(carriers.hand_over, run_id=run_id, from_worker=self._worker.worker_id, worker=worker)
        if await asyncio.to_thread(self._services.store.write, write):
            self._resumption.parked.take(run_id)
            self._worker.tell(f"{GIVEN} {worker} {run_id}")

    async def _take(self, carried: Callable[[], Collection[str]]) -> None:
        """Goes on with what is this process's while nothing here knows it, or ends it: it was given, or could not be taken
        up or ended before. Where nobody said that it was given, two looks must have seen it, since others just come or go.
        """
        read = partial(carriers.carried_by, worker=self._worker.worker_id)
        given = {*self._given}
        mine = await asyncio.to_thread(self._services.store.read, read)
        self._given -= given
        loose = {*mine} - {*carried()} - self._resumption.under_way
        sure = loose & (given | self._loose)
        self._loose = loose - sure
        if sure:
            for found in await asyncio.to_thread(take_again, self._services, self._worker, sure):
                await self._resumption.go_on(found)
