"""How often one caller may ask for something to be made."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.services import Services
from storage import install, uses
from storage.engine import Database

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

    async def count(self, owner: str) -> None:
        """As `take`, wherever it is counted."""
        self.take(owner)

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


class SharedPace(Pace):
    """The same over all replicas, counted in the store that they share."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.settings.calls_per_minute)
        self._services = services

    async def count(self, owner: str) -> None:
        """As `take`. Raises: StoreError, where it cannot be counted now."""
        now = self._services.clock().timestamp()

        def take(db: Database) -> None:
            caller = uses.subject(install.voter_salt(db), owner)
            uses.forget(db, round((now - uses.WINDOW_S) * 1000))
            recent = uses.recent(db, caller, "calls", round((now - _MINUTE_S) * 1000))
            if len(recent) >= self.per_minute:
                raise TooOften(recent[0][0] / 1000 + _MINUTE_S - now)
            uses.add(db, [caller], "calls", round(now * 1000), 1)

        await asyncio.to_thread(self._services.store.write, take)


def pace_of(services: Services) -> Pace:
    """In memory, or in the store where other replicas may count there too."""
    return SharedPace(services) if services.store.is_shared else Pace(services.settings.calls_per_minute)
