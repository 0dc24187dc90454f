"""When tests take place: whatever the hour and date of their run, they begin on one noon."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""Models that retire on 1 December 2026 are still there, and no test lasts until midnight."""
_BEGUN = time.monotonic()


def since_noon() -> datetime:
    """A clock that goes on as time does, for all processes of the application that one test builds."""
    return NOON + timedelta(seconds=time.monotonic() - _BEGUN)
