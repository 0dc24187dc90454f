"""What was spent, as the doors ask for it: today, the Costs page, the ledger by pages, and unknowns settled by hand.

Slow work leaves the event loop. What is shown leaves out runs of a battle that waits for its voter; limits count them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from playground import limits
from playground.limits import Limit
from playground.refusals import NotYours, operators_only
from playground.services import LOCAL_OWNER, Services
from storage import costs, days, ledger, ledger_pages
from storage import limits as stored_limits
from storage.costs import By, Compared, PaidImages, Part, Step, Sum
from storage.engine import Database
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
    """What the bars cover: so many days, or twelve months with this one."""

    days: int
    step: Step


PERIODS = {"30": Period(30, "day"), "90": Period(90, "day"), "365": Period(365, "month")}


def first_day(today: date, period: Period) -> date:
    """Where the bars begin."""
    if period.step == "day":
        return today - timedelta(days=period.days - 1)
    year, month = divmod(today.year * 12 + today.month - 12, 12)
    return date(year, month + 1, 1)


@dataclass(frozen=True, slots=True)
class Today:
    """What the header says of money."""

    totals: LedgerTotals
    limit_microusd: int | None
    """Of the day, of all together or of this visitor; `None`: there is none, or not all that was spent counts towards it."""


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
    is_public: bool
    day_counts: bool
    """Whether all of today's money counts towards limits: where the app is public, only what the server's keys pay does."""
    month_counts: bool


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
    is_public = services.settings.mode == "public"
    span: LimitSpan = "visitor_day" if is_public else "day"

    def read(db: Database) -> Today:
        limit = limits.tightest(services.settings, stored_limits.all_set(db), [span])
        day = days.day_of(at, days.zone_of(db))
        totals = ledger.totals(db, owner, day, blind_at=at)
        if is_public and limit and _spent(db, owner, day) != _standing(services, db, owner, "", at).of(span):
            limit = None
        return Today(totals, limit.amount_microusd if limit else None)

    return await asyncio.to_thread(services.store.read, read)


def _spent(db: Database, owner: str, span: str) -> int:
    """Settled, reserved and unknown money of an owner's day or month, whether it counts towards a limit or not."""
    found = costs.sum_of(db, owner, span)
    return found.settled_microusd + found.reserved_microusd + found.unknown_microusd


def _standing(services: Services, db: Database, owner: str, session: str, at: str) -> Standing:
    """What limits are held against: where the app is public, what the server's keys pay."""
    return stored_limits.standing(db, owner, session, at, only_server=services.settings.mode == "public")


async def of_owner(services: Services, owner: str, by: By, period: Period, session: str) -> Costs:
    """What the owner spent, with bars by `by` over the period."""
    at = services.now()

    def read(db: Database) -> Costs:
        day = date.fromisoformat(days.day_of(at, days.zone_of(db)))
        recent = (day - timedelta(days=RECENT_DAYS - 1)).isoformat()
        since = first_day(day, period)
        hidden = ledger.hidden_lines(db, owner, at)
        standing, is_public = _standing(services, db, owner, session, at), services.settings.mode == "public"
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
            standing=standing,
            hides=bool(hidden),
            is_public=is_public,
            day_counts=not is_public or _spent(db, owner, day.isoformat()) == standing.visitor_day_microusd,
            month_counts=not is_public or _spent(db, owner, f"{day:%Y-%m}") == standing.visitor_month_microusd,
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
            standing=_standing(services, db, LOCAL_OWNER, session, at),
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


@dataclass(frozen=True, slots=True)
class OthersUnknown:
    """What nobody knows the cost of and is not the operator's own, for the operator."""

    entries: tuple[tuple[str, LedgerEntry], ...]
    """Whose, and the line, without its prompt."""
    next: Cursor | None
    count: int
    """Of all pages."""
    held_microusd: int


async def unknown_of_others(
    services: Services, owner: str, before: Cursor | None, *, is_operator: bool
) -> OthersUnknown:
    """A page of such lines, newest first. Raises: NotYours unless `owner` is the operator."""
    operators_only(owner, is_operator=is_operator)

    def read(db: Database) -> OthersUnknown:
        found = ledger_pages.unknown_of_others(db, owner, limit=LINES_SHOWN + 1, before=before)
        shown = found[:LINES_SHOWN]
        every, own = costs.sum_of(db, None), costs.sum_of(db, owner)
        return OthersUnknown(
            entries=tuple(shown),
            next=ledger_pages.cursor_of(shown[-1][1]) if len(found) > LINES_SHOWN else None,
            count=every.unknown - own.unknown,
            held_microusd=every.unknown_microusd - own.unknown_microusd,
        )

    return await asyncio.to_thread(services.store.read, read)


def can_settle(services: Services, entry: LedgerEntry, *, is_operator: bool) -> bool:
    """Whether the owner of the line may settle it: what the server's keys pay counts towards limits, so only the operator."""
    return entry.state == "unknown" and (is_operator or (services.settings.mode == "public" and not entry.is_served))


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

    The line keeps who did it and when. A visitor settles what their own keys pay, whose bill only they can see. What the
    server's keys pay counts towards limits, so that only the operator settles it.

    Raises: NotYours for a line that `owner` may not settle.
    """
    is_visitor = services.settings.mode == "public" and not is_operator
    if not is_visitor:
        operators_only(owner, is_operator=is_operator)
    whose, not_of = (owner, stored_limits.SERVER) if is_visitor else (None, "")
    at = services.now()

    def write(db: Database) -> bool:
        return ledger.settle_by_hand(db, ledger_id, whose, amount_microusd, by=owner, at=at, note=note, not_of=not_of)

    done = await asyncio.to_thread(services.store.write, write)
    if is_visitor and not done:
        raise NotYours("Only what your own keys pay, and nobody knows the cost of, is yours to settle.")
    return done
