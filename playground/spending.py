"""What was spent, as the doors ask for it: today, the Costs page, the ledger by pages, and unknowns settled by hand.

Slow work leaves the event loop. What is shown leaves out runs of a battle that waits for its voter; limits count them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlite_utils import Database

from playground import limits
from playground.limits import Limit
from playground.refusals import operators_only
from playground.services import LOCAL_OWNER, Services
from storage import costs, days, ledger, ledger_pages
from storage import limits as stored_limits
from storage.costs import By, Compared, PaidImages, Part, Step, Sum
from storage.ledger import LedgerTotals
from storage.ledger_pages import Cursor, LedgerEntry, LedgerFilter
from storage.limits import Standing
from storage.records import LimitSpan

LINES_SHOWN = 25
RECENT_DAYS = 30
_CSV_LINES = 2_000
_ZONE_CHANGE_S = 600.0
"""So long counting a million lines anew may take; no door is open yet."""


@dataclass(frozen=True, slots=True)
class Period:
    """What the bars cover."""

    days: int
    step: Step


PERIODS = {"30": Period(30, "day"), "90": Period(90, "day"), "365": Period(365, "month")}


@dataclass(frozen=True, slots=True)
class Today:
    """What the header says of money."""

    totals: LedgerTotals
    limit_microusd: int | None
    """Of the day, of all together or of this visitor; `None`: there is none."""


@dataclass(frozen=True, slots=True)
class Costs:
    """All that the Costs page shows but its ledger, at one moment."""

    day: date
    """Today, where the operator is."""
    zone: str
    today: Sum
    month: Sum
    all_time: Sum
    paid: PaidImages
    """Of the last 30 days."""
    favourites: int
    """Favourite images."""
    parts: tuple[Part, ...]
    compared: tuple[Compared, ...]
    """Of the last 30 days."""
    limits: tuple[Limit, ...]
    standing: Standing
    hides: bool
    """A blind battle waits, so that what limits are held against may not be told to the last digit."""


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


async def today(services: Services, owner: str) -> Today:
    """What the owner's runs of today cost, where the operator is. To be shown, not to hold against a limit."""
    at = services.now()
    span: LimitSpan = "visitor_day" if services.settings.mode == "public" else "day"

    def read(db: Database) -> Today:
        limit = limits.tightest(services.settings, stored_limits.all_set(db), [span])
        totals = ledger.totals(db, owner, days.day_of(at, days.zone_of(db)), blind_at=at)
        return Today(totals, limit.amount_microusd if limit else None)

    return await asyncio.to_thread(services.store.read, read)


async def of_owner(services: Services, owner: str, by: By, period: Period, session: str) -> Costs:
    """What the owner spent, with bars by `by` over the period."""
    at = services.now()

    def read(db: Database) -> Costs:
        day = date.fromisoformat(days.day_of(at, days.zone_of(db)))
        recent = (day - timedelta(days=RECENT_DAYS - 1)).isoformat()
        since = day - timedelta(days=period.days - 1)
        since = since if period.step == "day" else since.replace(day=1)
        hidden = ledger.hidden_lines(db, owner, at)
        return Costs(
            day=day,
            zone=days.zone_of(db).key,
            today=costs.sum_of(db, owner, day.isoformat(), hidden=hidden),
            month=costs.sum_of(db, owner, f"{day:%Y-%m}", hidden=hidden),
            all_time=costs.sum_of(db, owner, hidden=hidden),
            favourites=costs.favourites(db, owner),
            paid=costs.paid_images(db, owner, recent, hidden=hidden),
            parts=tuple(costs.parts(db, owner, since.isoformat(), by, period.step, hidden=hidden)),
            compared=tuple(costs.compared(db, owner, recent, hidden=hidden)),
            limits=limits.in_force(services.settings, stored_limits.all_set(db)),
            standing=stored_limits.standing(db, owner, session, at),
            hides=bool(hidden),
        )

    return await asyncio.to_thread(services.store.read, read)


@dataclass(frozen=True, slots=True)
class Everybody:
    """What all owners spent together, for the operator."""

    day: date
    zone: str
    today: Sum
    month: Sum
    all_time: Sum
    limits: tuple[Limit, ...]
    standing: Standing


async def of_everybody(services: Services, session: str) -> Everybody:
    """What all owners spent together, with all limits there are, those of visitors among them."""
    at = services.now()
    settings = replace(services.settings, mode="public")

    def read(db: Database) -> Everybody:
        day = date.fromisoformat(days.day_of(at, days.zone_of(db)))
        return Everybody(
            day=day,
            zone=days.zone_of(db).key,
            today=costs.sum_of(db, None, day.isoformat()),
            month=costs.sum_of(db, None, f"{day:%Y-%m}"),
            all_time=costs.sum_of(db, None),
            limits=limits.in_force(settings, stored_limits.all_set(db)),
            standing=stored_limits.standing(db, LOCAL_OWNER, session, at),
        )

    return await asyncio.to_thread(services.store.read, read)


async def lines_of(services: Services, wanted: LedgerFilter, limit: int) -> list[LedgerEntry]:
    """The newest lines, battles that wait for a vote included: for the operator."""

    def read(db: Database) -> list[LedgerEntry]:
        return ledger_pages.page(db, wanted, limit=limit)

    return await asyncio.to_thread(services.store.read, read)


@dataclass(frozen=True, slots=True)
class LedgerView:
    """A page of the ledger."""

    entries: tuple[LedgerEntry, ...]
    next: Cursor | None
    """`None`: this is the last page."""
    offers: tuple[str, ...]
    """All that the ledger has lines of."""


async def ledger_page(services: Services, wanted: LedgerFilter, before: Cursor | None) -> LedgerView:
    """Lines of `wanted.owner`, newest first."""
    at = services.now()

    def read(db: Database) -> LedgerView:
        found = ledger_pages.page(db, wanted, limit=LINES_SHOWN + 1, before=before, blind_at=at)
        shown = found[:LINES_SHOWN]
        more = ledger_pages.cursor_of(shown[-1]) if len(found) > LINES_SHOWN else None
        owner = wanted.owner or ""
        offers = costs.offers_with_lines(db, owner, hidden=ledger.hidden_lines(db, owner, at))
        return LedgerView(tuple(shown), more, tuple(offers))

    return await asyncio.to_thread(services.store.read, read)


def all_lines(services: Services, wanted: LedgerFilter) -> Iterator[list[LedgerEntry]]:
    """Every line, newest first, some at a time, so that memory stays small however long the ledger. Blocking."""
    at, before = services.now(), None
    while True:
        cursor = before

        def read(db: Database, cursor: Cursor | None = cursor) -> list[LedgerEntry]:
            return ledger_pages.page(db, wanted, limit=_CSV_LINES, before=cursor, blind_at=at)

        found = services.store.read(read)
        if found:
            yield found
        if len(found) < _CSV_LINES:
            return
        before = ledger_pages.cursor_of(found[-1])


async def zone(services: Services) -> str:
    """IANA name of the zone that days are counted in."""

    def read(db: Database) -> str:
        return days.zone_of(db).key

    return await asyncio.to_thread(services.store.read, read)


async def local_day(services: Services) -> str:
    """Today, where the operator is, as `2026-11-21`."""
    at = services.now()

    def read(db: Database) -> str:
        return days.day_of(at, days.zone_of(db))

    return await asyncio.to_thread(services.store.read, read)


async def settle_by_hand(
    services: Services, owner: str, ledger_id: str, amount_microusd: int, note: str, *, is_operator: bool = False
) -> bool:
    """Writes what an unknown line turned out to have cost; false if it is none, or known by now.

    The line keeps who did it and when.

    Raises: NotYours unless `owner` is the operator: limits count what is unknown, so a visitor must not settle it.
    """
    operators_only(owner, is_operator=is_operator)
    at = services.now()

    def write(db: Database) -> bool:
        return ledger.settle_by_hand(db, ledger_id, None, amount_microusd, by=owner, at=at, note=note)

    return await asyncio.to_thread(services.store.write, write)
