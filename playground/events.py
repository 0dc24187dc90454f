"""News of runs, from the engine to whoever watches. News is a hint to look again: the truth is in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

What = Literal["queued", "started", "waiting", "partial", "image", "finished"]

_BACKLOG = 1000
"""A watcher that is this far behind loses news; it looks at the store anyway."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something happened to a run."""

    group_id: str
    run_id: str
    owner: str
    what: What


class Hub:
    """Hands events to all who listen. Lives on one event loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[RunEvent]] = set()

    def publish(self, event: RunEvent) -> None:
        """Tells every listener; never waits."""
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(event)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[RunEvent]]:
        """A queue that receives all events from now on."""
        queue: asyncio.Queue[RunEvent] = asyncio.Queue(_BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
