"""Places at a provider: how many calls may be under way, who is next in line, and whether it is left in peace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from playground.breakers import Breakers
from providers.catalog import Catalog


class Places:
    """One line for each provider. Lives on one event loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._free: Mapping[str, asyncio.Semaphore] = {
            row.provider_id: asyncio.Semaphore(row.max_concurrent) for row in catalog.providers
        }
        self.breakers = Breakers(time.monotonic)
        self._line: dict[str, list[str]] = {row.provider_id: [] for row in catalog.providers}

    @asynccontextmanager
    async def place(self, provider_id: str, run_id: str) -> AsyncIterator[None]:
        """Waits in the provider's line, then holds one of its places."""
        line = self._line[provider_id]
        line.append(run_id)
        try:
            await self._free[provider_id].acquire()
        finally:
            line.remove(run_id)
        try:
            yield
        finally:
            self._free[provider_id].release()

    def in_line(self, provider_id: str, run_id: str) -> int | None:
        """Place in the provider's line from 1, or `None` when the run does not wait."""
        line = self._line.get(provider_id, [])
        return line.index(run_id) + 1 if run_id in line else None
