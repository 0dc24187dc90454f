"""Steps that run to their end even when whoever waits for them is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[None, None, T]) -> tuple[T, bool]:
    """The work's result, and whether the caller was cancelled meanwhile; the caller decides what that means."""
    task = asyncio.ensure_future(work)
    was_cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            was_cancelled = True
    return task.result(), was_cancelled
