"""What was spent, as the doors ask for it: today, and in which zone days are counted. Slow work leaves the event loop."""

from __future__ import annotations

import asyncio

from sqlite_utils import Database

from playground.services import Services
from storage import days, ledger
from storage.ledger import LedgerTotals

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


async def today(services: Services, owner: str) -> LedgerTotals:
    """What the owner's runs of today cost, where the operator is: settled, reserved, unknown. To be shown, not to hold against
    a limit: runs of a battle count once its makers are known.
    """
    at = services.now()

    def read(db: Database) -> LedgerTotals:
        return ledger.totals(db, owner, days.day_of(at, days.zone_of(db)), blind_at=at)

    return await asyncio.to_thread(services.store.read, read)
