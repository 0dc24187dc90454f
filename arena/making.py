"""Battles whose images are being made: found again by a page that was opened anew, waited for, stopped."""

from __future__ import annotations

import asyncio

from arena import opening
from arena.opening import BlindBattle
from playground import library
from playground.engine import Engine
from playground.library import GroupView
from playground.services import Services
from storage import runs
from storage.engine import Database
from storage.records import Group

_LOOK_AGAIN_S = 0.2
_LOOKS = 50
"""So often is looked for a battle whose images are there: making its copies takes a second or two."""


async def being_made(services: Services, voter: str) -> GroupView | None:
    """The newest battle of the voter's whose images are being made, as the group of its runs; `None` when there is none."""

    def read(db: Database) -> list[Group]:
        found = [runs.get_group(db, group_id, voter) for group_id in runs.unfinished_groups(db, voter)]
        return [group for group in found if group is not None and group.kind == "battle"]

    found = await asyncio.to_thread(services.store.read, read)
    return await library.group(services, found[-1].group_id, voter) if found else None


async def wait_for(services: Services, engine: Engine, voter: str, group_id: str) -> BlindBattle | None:
    """The battle that is made by these runs, once it is there: for a page that was opened again meanwhile. `None` when
    none came of them.
    """
    async for _ in engine.follow(group_id, voter):
        pass
    made = await library.group(services, group_id, voter)
    images = {image.image_id for view in made.runs for image in view.images} if made else set()
    for _ in range(_LOOKS if len(images) > 1 else 0):
        found = await asyncio.to_thread(opening.newest_open, services, voter)
        if found is not None and found[0].image_a in images:
            return await asyncio.to_thread(opening.show, services, found[0], found[1].view)
        await asyncio.sleep(_LOOK_AGAIN_S)
    return None


async def stop_making(services: Services, engine: Engine, voter: str) -> None:
    """Stops the runs of the voter's battles that are being made; what was sent may still be billed."""
    while group := await being_made(services, voter):
        if not await engine.cancel_all(voter, group.group.group_id):
            return
