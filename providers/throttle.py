"""Slowing down when a provider says so: calls of one key then go out one after another, not all at once again."""

from __future__ import annotations

from collections.abc import Callable

_SLOW_FOR_S = 60.0
_SHORTEST_GAP_S, _LONGEST_GAP_S = 0.5, 15.0


class Throttle:
    """The pace of one key at one provider. `now` gives seconds that only grow."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._next_at = 0.0
        self._gap_s = 0.0
        self._slow_until = 0.0
        self.taken = 0
        """How many calls the provider has taken."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is remembered any more."""
        return self._now() >= max(self._slow_until, self._next_at)

    def slow_down(self, wait_s: float) -> None:
        """The provider asked to wait: nothing goes out before, and then one call for each such time."""
        now = self._now()
        self._next_at = max(self._next_at, now + wait_s)
        self._gap_s = min(max(wait_s, _SHORTEST_GAP_S), _LONGEST_GAP_S)
        self._slow_until = now + _SLOW_FOR_S

    def turn_s(self) -> float:
        """Seconds until this call may go out; its place is taken by asking."""
        now = self._now()
        if now >= self._slow_until:
            return 0.0
        at = max(now, self._next_at)
        self._next_at = at + self._gap_s
        return at - now
