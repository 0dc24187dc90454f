"""Memory that is free goes back to the system: images leave holes in the C library's heap, which it would keep."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from functools import cache

GIVE_BACK_S = 20.0
"""Seconds between two times; each takes some milliseconds of a thread, and none of Python's lock."""


def give_back() -> bool:
    """Whether anything went back; never where the C library has no such call (it is glibc's)."""
    trim = _trim()
    return trim is not None and trim(0) == 1


async def keep_giving_back() -> None:
    """Until it is cancelled."""
    while _trim() is not None:
        await asyncio.sleep(GIVE_BACK_S)
        await asyncio.to_thread(give_back)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):
        return None
    return found
