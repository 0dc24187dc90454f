"""Limits that a person set, and what they are held against: sums that are kept with each line of the ledger.

`standing` is six look-ups by key, of at most four rows each, however long the ledger. Whoever calls owns the transaction:
only what is read in the one that reserves can be held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from storage.days import day_of, end_of_day, end_of_month, zone_of
from storage.engine import Database
from storage.money_steps import EVERYBODY
from storage.records import LimitAction, LimitSpan
from storage.rows import changed, fetch, fetch_one

SERVER = "server "
"""Begins the session of lines that the server's keys pay for visitors; a day follows."""


@dataclass(frozen=True, slots=True)
class StoredLimit:
    """A limit as it was set on the page or at the command line."""

    span: LimitSpan
    amount_microusd: int
    action: LimitAction
    set_by: str
    set_at: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is settled, reserved and unknown together, in micro-dollars, at one moment."""

    session_microusd: int
    """Of the owner, reserved by this process."""
    day_microusd: int
    """Of everybody, this day where the operator is."""
    month_microusd: int
    visitor_day_microusd: int
    """Of the owner alone."""
    visitor_month_microusd: int
    day: str
    zone: str
    """IANA name of the zone the day is counted in."""
    day_ends_at: datetime
    """UTC."""
    month_ends_at: datetime

    def of(self, span: LimitSpan) -> int:
        """What counts towards a limit of that span; of a run nothing, as each is held against it by itself."""
        return {
            "run": 0,
            "session": self.session_microusd,
            "day": self.day_microusd,
            "month": self.month_microusd,
            "visitor_day": self.visitor_day_microusd,
            "visitor_month": self.visitor_month_microusd,
        }[span]


def together(one: Standing, other: Standing) -> Standing:
    """What two stores hold at the same moment; their session is one."""
    return replace(
        one,
        session_microusd=one.session_microusd + other.session_microusd,
        day_microusd=one.day_microusd + other.day_microusd,
        month_microusd=one.month_microusd + other.month_microusd,
        visitor_day_microusd=one.visitor_day_microusd + other.visitor_day_microusd,
        visitor_month_microusd=one.visitor_month_microusd + other.visitor_month_microusd,
    )


def standing(db: Database, owner: str, session: str, at: str, *, only_server: bool = False) -> Standing:
    """Where an owner and everybody stand at the moment `at` (UTC text). `only_server`: by what the server's keys pay for
    visitors, whose own bills are nobody else's.
    """
    zone = zone_of(db)
    day = day_of(at, zone)
    spans = {"session": f"session {session}", "day": f"day {day}", "month": f"month {day[:7]}"}
    if only_server:
        spans |= {"day": f"session {SERVER}{day}"}
    held = {(whose, name): _held(db, whose, span) for whose in (owner, EVERYBODY) for name, span in spans.items()}
    if only_server:
        held |= {(whose, "month"): _held_by_server(db, whose, day[:7]) for whose in (owner, EVERYBODY)}
    return Standing(
        session_microusd=held[owner, "session"],
        day_microusd=held[EVERYBODY, "day"],
        month_microusd=held[EVERYBODY, "month"],
        visitor_day_microusd=held[owner, "day"],
        visitor_month_microusd=held[owner, "month"],
        day=day,
        zone=zone.key,
        day_ends_at=end_of_day(at, zone),
        month_ends_at=end_of_month(at, zone),
    )


def server_session(db: Database, at: str) -> str:
    """Under which lines are counted together that the server's keys pay for visitors, on the day of that moment (UTC text)."""
    return f"{SERVER}{day_of(at, zone_of(db))}"


def _held_by_server(db: Database, owner: str, month: str) -> int:
    row = fetch_one(
        db,
        """select coalesce(sum(amount_microusd), 0) as amount from spend_spans
        where owner = :owner and span >= :first and span < :last""",
        {"owner": owner, "first": f"session {SERVER}{month}-", "last": f"session {SERVER}{month}-~"},
    )
    return int(row["amount"]) if row else 0


def _held(db: Database, owner: str, span: str) -> int:
    row = fetch_one(
        db, "select sum(amount_microusd) as held from spend_spans where owner = ? and span = ?", (owner, span)
    )
    return int(row["held"] or 0) if row else 0


def all_set(db: Database) -> list[StoredLimit]:
    """The limits that were set here, at most one for each span."""
    return [StoredLimit(**row) for row in fetch(db, "select * from limits order by span")]


def put(db: Database, limit: StoredLimit) -> None:
    """Sets a limit, in place of one that is there.

    Raises:
        sqlite3.IntegrityError: a negative amount, or an unknown span or action.
    """
    db.conn.execute(
        """insert into limits (span, amount_microusd, action, set_by, set_at) values (?, ?, ?, ?, ?)
        on conflict (span) do update set amount_microusd = excluded.amount_microusd, action = excluded.action,
            set_by = excluded.set_by, set_at = excluded.set_at""",
        (limit.span, limit.amount_microusd, limit.action, limit.set_by, limit.set_at),
    )


def remove(db: Database, span: LimitSpan) -> bool:
    """Takes a limit away; false if none was set here."""
    return changed(db, "delete from limits where span = :span", {"span": span})
