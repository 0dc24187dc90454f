"""Watching runs until they have ended: news as they come, and a look at the store now and then, whoever carries them out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from playground.events import Hub, RunEvent
from playground.services import Services
from storage import runs
from storage.engine import Database

_LOOK_AGAIN_S = 2.0
"""A run may also end in another process, whose news may not reach this one."""


async def news_of(services: Services, hub: Hub, owner: str, group_id: str | None) -> AsyncIterator[RunEvent]:
    """News of the owner's group, or of all their groups, until none of its runs is open."""
    with hub.listening() as queue:
        while await _is_unfinished(services, owner, group_id):
            # Whether all have ended is asked when one has, and now and then.
            while (event := await _next(queue, owner, group_id)) is not None:
                yield event
                if event.what == "finished":
                    break


async def _is_unfinished(services: Services, owner: str, group_id: str | None) -> bool:
    def read(db: Database) -> list[str]:
        return runs.unfinished_groups(db, owner)

    found = await asyncio.to_thread(services.store.read, read)
    return group_id in found if group_id else bool(found)


async def _next(queue: asyncio.Queue[RunEvent | None], owner: str, group_id: str | None) -> RunEvent | None:
    """The next event that concerns the watcher, or `None` when it is time to look at the store again."""
    try:
        async with asyncio.timeout(_LOOK_AGAIN_S):
            while (event := await queue.get()) is not None:
                if event.owner == owner and group_id in (None, event.group_id):
                    return event
    except TimeoutError:
        pass
    return None
