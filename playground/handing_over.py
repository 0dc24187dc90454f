"""Runs that wait for their owner's key at one replica while the owner comes with it to another one: they change hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial

from playground.recovery import found_of
from playground.resuming import Resumption
from playground.services import Services
from storage import carriers
from storage.workers import Worker

KEY, GIVEN = "key", "given"
"""The news that an owner has come with a key to a replica, and that a run is that replica's now."""


class Handover:
    """What one process gives to others and gets of them. Lives on the engine's event loop."""

    def __init__(self, services: Services, worker: Worker, resumption: Resumption) -> None:
        self._services, self._worker, self._resumption = services, worker, resumption
        self._owners: dict[str, str] = {}
        self._given: set[str] = set()
        self._loose: set[str] = set()
        """Runs of this process that it did not know at the look before."""

    def ask(self, owner: str) -> None:
        """Has others give what of the owner's waits for a key there."""
        self._worker.tell(f"{KEY} {owner} {self._worker.worker_id}")

    def on_news(self, kind: str, about: str) -> None:
        """Notes what `look` then does."""
        match kind, about.split():
            case ["key", [owner, worker]]:
                self._owners[owner] = worker
            case ["given", [worker, run_id]] if worker == self._worker.worker_id:
                self._given.add(run_id)

    async def look(self, carried: Callable[[], Collection[str]]) -> None:
        """Gives what was asked for, and goes on with what was given. `carried`: ids of runs that are known here.

        Raises: StoreError.
        """
        owners, self._owners = self._owners, {}
        for owner, worker in owners.items():
            for run_id in self._resumption.parked.of_owner(owner):
                await self._give(run_id, worker)
        if self._services.store.is_shared:
            await self._take(carried)

    async def _give(self, run_id: str, worker: str) -> None:
        write = partial(carriers.hand_over, run_id=run_id, from_worker=self._worker.worker_id, worker=worker)
        if await asyncio.to_thread(self._services.store.write, write):
            self._resumption.parked.take(run_id)
            self._worker.tell(f"{GIVEN} {worker} {run_id}")

    async def _take(self, carried: Callable[[], Collection[str]]) -> None:
        """What is this process's and not known here was given; where nobody said so, it is what two looks have seen."""
        read = partial(carriers.carried_by, worker=self._worker.worker_id)
        mine = await asyncio.to_thread(self._services.store.read, read)
        loose = {run.run_id for run in mine} - {*carried()} - self._resumption.under_way
        sure = loose & (self._given | self._loose)
        self._given, self._loose = set(), loose - sure
        for run in mine:
            if run.run_id in sure:
                await self._resumption.go_on(await asyncio.to_thread(found_of, self._services, run))
