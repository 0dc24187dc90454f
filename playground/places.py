"""Places at a provider: how many calls may be under way, who is next in line, and whether it is left in peace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from playground.breakers import Breakers
from playground.seats import NoOthers, Seats, SharedSeats
from playground.services import Services
from providers.catalog import Catalog
from storage.workers import Worker


class Places:
    """One line for each provider. Lives on one event loop.

    Where several replicas share a store, whoever is next here waits in the line of all of them. Whether a provider is to be
    left in peace each process finds out for itself.
    """

    def __init__(self, catalog: Catalog, seats: Seats) -> None:
        self._free: Mapping[str, asyncio.Semaphore] = {
            row.provider_id: asyncio.Semaphore(row.max_concurrent) for row in catalog.providers
        }
        self.breakers = Breakers(time.monotonic)
        self.seats = seats
        self._line: dict[str, list[str]] = {row.provider_id: [] for row in catalog.providers}

    @asynccontextmanager
    async def place(self, provider_id: str, run_id: str) -> AsyncIterator[None]:
        """Waits in the provider's line, then holds one of its places."""
        line, free = self._line[provider_id], self._free[provider_id]
        line.append(run_id)
        try:
            await free.acquire()
            try:
                seat_id = await self.seats.take(provider_id)
            except BaseException:
                free.release()
                raise
        finally:
            line.remove(run_id)
        try:
            yield
        finally:
            free.release()
            self.seats.give_back(seat_id, provider_id)

    def in_line(self, provider_id: str, run_id: str) -> int | None:
        """Place in the provider's line from 1, or `None` when the run does not wait. Lines of other replicas are not seen."""
        line = self._line.get(provider_id, [])
        return line.index(run_id) + 1 if run_id in line else None


def places_of(services: Services, worker: Worker) -> Places:
    """The places of this process, counted together with those of other replicas where there may be any."""
    if not services.store.is_shared:
        return Places(services.catalog, NoOthers())
    most = {row.provider_id: row.max_concurrent for row in services.catalog.providers if not row.is_here}
    return Places(services.catalog, SharedSeats(services.store, worker, services.new_id, most))
