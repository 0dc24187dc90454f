"""How often one caller may ask for something to be made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_CALLERS = 10_000
"""Callers whose pace is remembered; whoever was quiet longest is forgotten first."""
_MINUTE_S = 60.0


class TooOften(Exception):
    """The caller has to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Too many calls that make images in one minute. Wait {wait_s:.0f} s.")
        self.wait_s = wait_s


@dataclass(slots=True)
class Pace:
    """How many calls that make something each caller had in the last minute. For one event loop."""

    per_minute: int
    monotonic: Callable[[], float] = time.monotonic
    _of: dict[str, deque[float]] = field(default_factory=dict)

    def take(self, owner: str) -> None:
        """Counts a call. Raises: TooOften when the caller had its share."""
        now = self.monotonic()
        recent = self._of.pop(owner, None) or deque()
        while recent and recent[0] <= now - _MINUTE_S:
            recent.popleft()
        # Put behind all others, so that the first is who was quiet longest.
        self._of[owner] = recent
        if len(self._of) > MAX_CALLERS:
            del self._of[next(iter(self._of))]
        if len(recent) >= self.per_minute:
            raise TooOften(recent[0] + _MINUTE_S - now)
        recent.append(now)
