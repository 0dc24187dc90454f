"""What every use case is handed: settings, store, client, catalogue, keys, clock, ids and randomness.

Clock, ids and randomness are values, so that a test decides them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime

from ulid import ULID

from playground.keys import KeyRing
from playground.owners import LOCAL_OWNER as LOCAL_OWNER
from playground.settings import Settings
from playground.shared_usage import usage_of
from playground.unsaved import Unsaved
from playground.usage import Kind, Usage
from providers.catalog import Catalog
from providers.client import Client
from storage.database import Store
from storage.engine import Database

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Services:
    """The composed parts; made once by `app.py`, and by each test."""

    settings: Settings
    store: Store
    client: Client
    catalog: Catalog
    keys: KeyRing
    clock: Clock
    """Current time, UTC."""
    new_id: Callable[[], str]
    """A fresh lower-case ULID."""
    rng: random.Random
    kept: tuple[Store, str] | None = None
    """In a private session, the store of what is kept and this process's name in its ledger: what is spent there counts
    towards limits here.
    """
    counted: InitVar[Usage | None] = None
    """Where uses are counted already; a count of its own where none is given."""
    usage: Usage = field(init=False)
    """What visitors have used of this server."""

    unsaved: Unsaved = field(init=False, default_factory=Unsaved)
    """What waits for a disk that takes nothing."""

    def __post_init__(self, counted: Usage | None) -> None:
        object.__setattr__(self, "usage", counted or usage_of(self.settings, self.clock, self.store))

    async def counted_use(self, kind: Kind, owner: str, amount: int = 1) -> Callable[[Database], None]:
        """Counts a use of the owner's that goes with what is written to the store: now, or by the job that is returned, which
        belongs into the transaction of what is written.

        Raises: UseRefused, as the job does, when that would pass a limit; then nothing is counted.
        """
        # What is written in a private session goes elsewhere than where uses are counted.
        return await self.usage.counted(kind, owner, amount, is_apart=self.kept is not None)

    def now(self) -> str:
        """Current time as stored: `2026-08-21T10:15:30.123Z`."""
        return timestamp(self.clock())


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def new_ulid() -> str:
    """A lower-case ULID: 26 characters that sort by time."""
    return str(ULID()).lower()


def timestamp(moment: datetime) -> str:
    """The moment as UTC text with milliseconds and `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
