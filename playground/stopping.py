"""Stop, pressed at one process for runs that another one carries: asked for in a row, so that it is not lost, and told."""

from __future__ import annotations

import asyncio
from functools import partial

from playground.events import Hub
from playground.services import Services
from storage import carriers, stops
from storage.engine import Database
from storage.workers import Worker

STOP = "stop"
"""The news that there is something to stop."""
_WAIT_S = 10.0
"""So long whoever pressed waits for the end; what was asked for holds beyond it."""
_LOOK_S = 0.5


async def stop_elsewhere(
    services: Services,
    worker: Worker,
    hub: Hub,
    owner: str,
    why: str,
    *,
    run_id: str | None = None,
    group_id: str | None = None,
) -> int:
    """Has others stop the owner's run, those of a group, or all that they carry; how many. Returns when they have ended, or
    will without being waited for any longer.
    """
    if not services.store.is_shared:
        return 0
    store, now = services.store, services.now()

    def look(db: Database) -> list[str]:
        return carriers.carried_elsewhere(db, owner, worker.worker_id, run_id=run_id, group_id=group_id)

    asked = await asyncio.to_thread(store.read, look)
    if not asked:
        return 0
    await asyncio.to_thread(store.write, partial(stops.ask, run_ids=asked, why=why, at=now))
    worker.tell(STOP)
    are_open = partial(stops.are_open, run_ids=asked)
    with hub.listening() as queue:
        loop = asyncio.get_running_loop()
        until = loop.time() + _WAIT_S
        while loop.time() < until and await asyncio.to_thread(store.read, are_open):
            try:
                async with asyncio.timeout(_LOOK_S):
                    await queue.get()
            except TimeoutError:
                continue
    return len(asked)
