"""What was spent, as the doors ask for it: today, and in which zone days are counted. Slow work leaves the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlite_utils import Database

from playground import limits
from playground.services import Services
from storage import days, ledger
from storage import limits as stored_limits
from storage.ledger import LedgerTotals
from storage.records import LimitSpan

_ZONE_CHANGE_S = 600.0
"""So long counting a million lines anew may take; no door is open yet."""


def keep_days(services: Services) -> None:
    """Sees to it that days are counted in the operator's time zone. Blocking; for the start of a process.

    A zone of the environment is kept in the store and moves what is there; without one the store's stays, so that a command
    and a page count alike. A new store takes this machine's.
    """
    settings = services.settings
    kept = services.store.read(days.time_zone)
    wanted = settings.time_zone or kept or settings.machine_zone
    if wanted == kept:
        return

    def write(db: Database) -> int:
        return days.set_time_zone(db, wanted)

    services.store.write(write, timeout_s=_ZONE_CHANGE_S)


@dataclass(frozen=True, slots=True)
class Today:
    """What the header says of money."""

    totals: LedgerTotals
    limit_microusd: int | None
    """Of the day, of all together or of this visitor; `None`: there is none."""


async def today(services: Services, owner: str) -> Today:
    """What the owner's runs of today cost, where the operator is. To be shown, not to hold against a limit: runs of a battle
    count once its makers are known.
    """
    at = services.now()
    span: LimitSpan = "visitor_day" if services.settings.mode == "public" else "day"

    def read(db: Database) -> Today:
        limit = limits.tightest(services.settings, stored_limits.all_set(db), [span])
        totals = ledger.totals(db, owner, days.day_of(at, days.zone_of(db)), blind_at=at)
        return Today(totals, limit.amount_microusd if limit else None)

    return await asyncio.to_thread(services.store.read, read)
