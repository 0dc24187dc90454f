"""Several replicas over one PostgreSQL database and one store of images, as engines of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playground.image_store import ImageStore
from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.blob_places import read_place
from storage.records import RunView
from tests.harness import OFFER, Harness
from tests.playground.faulty_answers import Make, all_runs

LEASE_S = 1.0
PLAN = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)


@contextmanager
def replicas_over(database_url: str, folder: Path) -> Iterator[Make]:
    """Makes replicas over one database and one store of images, each with a data folder of its own."""
    made: list[Harness] = []
    images = ImageStore(read_place(f"file://{folder / 'images'}"), 1_000, False, None, None, None)

    def make(settings: Settings | None = None, **changes: Any) -> Harness:
        shared = replace(settings or Settings(), lease_s=LEASE_S, images=images)
        one = Harness(folder / f"replica{len(made)}", database_url=database_url, settings=shared, **changes)
        made.append(one)
        return one

    try:
        yield make
    finally:
        for one in made:
            one.close()


async def ended(one: Harness, seconds: float = 15.0) -> RunView:
    """The only run, as this replica sees it end."""
    async with asyncio.timeout(seconds):
        async for _ in one.engine.follow_owner(LOCAL_OWNER):
            pass
    (view,) = await all_runs(one)
    return view


async def stopped(*replicas: Harness) -> None:
    """All of them, without waiting for what is under way."""
    for one in replicas:
        await one.engine.close(0)
        await one.services.client.close()
