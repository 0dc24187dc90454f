"""News of runs, from the engine to whoever watches, here or at another replica. News is a hint to look again: the truth is in
the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from storage.workers import Worker

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

    @property
    def news(self) -> str:
        """As other replicas are told: ids and no more."""
        return f"run {self.group_id} {self.run_id} {self.owner} {self.what}"


def event_of(news: str) -> RunEvent | None:
    """What another replica told, or `None` where it is about something else."""
    match news.split():
        case ["run", group_id, run_id, owner, what] if _is_known(what):
            return RunEvent(group_id, run_id, owner, what)
    return None


def _is_known(what: str) -> TypeGuard[What]:
    return what in get_args(What)


class Hub:
    """Hands events to all who listen. Lives on one event loop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._listeners: set[asyncio.Queue[RunEvent | None]] = set()

    def publish(self, event: RunEvent) -> None:
        """Tells every listener, and other replicas; never waits."""
        self.pass_on(event)
        self._worker.tell(event.news)

    def pass_on(self, event: RunEvent | None) -> None:
        """Tells every listener here; `None`: something may have been missed."""
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(event)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[RunEvent | None]]:
        """A queue that receives all events from now on."""
        queue: asyncio.Queue[RunEvent | None] = asyncio.Queue(_BACKLOG)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
