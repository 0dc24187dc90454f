"""A run of the app from submit to end: database, ledger, header check, thumbnail. For information; no peer does this.

The provider's places are raised to 64: as shipped only five calls to OpenAI are under way at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from providers.catalog import Catalog
from providers.rows import CATALOG
from tests.harness import Harness

_WIDE = Catalog(tuple(replace(row, max_concurrent=64) for row in CATALOG.providers), CATALOG.models, CATALOG.offers)


@asynccontextmanager
async def calls(base_url: str, folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """See `benchmarks.contenders.__main__`."""
    one = Harness(folder / "data", openai_url=base_url, catalog=_WIDE)

    async def call() -> None:
        await one.one(size="1024x1024", quality="low")

    yield call
    await one.stop()
    one.close()
