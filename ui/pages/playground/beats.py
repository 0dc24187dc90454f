"""When a watcher of runs looks at the store: soon after there was news, but not so often that the browser only redraws."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from playground.events import RunEvent

SHOW_EVERY_S = 1 / 6
GATHER_S, LULL_S, GATHER_AT_MOST_S = 0.08, 0.04, 0.25
"""Where several runs are under way their answers often come together, and each showing costs the browser as much as a picture
does: so the first waits so long for the others, and until there was no news for a moment.
"""
PAINT_S = 0.35
"""So long the browser is left alone with pictures of several runs that came together: their figures follow after that."""
LOOK_AGAIN_S = 2.0
"""How often a watcher looks though no news came: the line moves when somebody else's run ends."""


async def beats(news: AsyncIterator[RunEvent], seen: set[str], running: Callable[[], int]) -> AsyncGenerator[None]:
    """One beat for all events of a moment, one now and then without any, and a last one at the end. `running`: how many runs
    are under way.
    """
    happened, pictures = asyncio.Event(), set[str]()

    async def listen() -> None:
        async for event in news:
            seen.add(event.group_id)
            if event.what == "image":
                pictures.add(event.run_id)
            happened.set()

    listener = asyncio.create_task(listen())
    listener.add_done_callback(lambda _: happened.set())
    try:
        while not listener.done():
            has_waited = happened.is_set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(happened.wait(), LOOK_AGAIN_S)
                if running() > 1:
                    await _gather(happened, 0 if has_waited else GATHER_S)
            happened.clear()
            pause_s = PAINT_S if len(pictures) > 1 else SHOW_EVERY_S
            pictures.clear()
            yield
            await asyncio.sleep(pause_s)
        await listener
        yield
    finally:
        listener.cancel()


async def _gather(happened: asyncio.Event, at_least_s: float) -> None:
    """Waits so long, and until there was no news for a moment."""
    clock = asyncio.get_running_loop().time
    end = clock() + at_least_s
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GATHER_AT_MOST_S):
            while True:
                happened.clear()
                await asyncio.wait_for(happened.wait(), max(LULL_S, end - clock()))
