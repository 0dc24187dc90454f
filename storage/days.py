"""On which day money counts: the day of its reservation where the operator is, summer time and all.

The zone is kept in the store, so that a page and a command count alike whatever their environments say.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from storage.engine import Database
from storage.money_steps import SUMS
from storage.rows import fetch_one

UTC_NAME = "UTC"
"""The zone of a store for which nobody chose one."""


def time_zone(db: Database) -> str | None:
    """IANA name of the zone that days are counted in; `None`: nobody chose one, and UTC stands in."""
    row = fetch_one(db, "select value from install where name = 'time_zone'")
    return str(row["value"]) if row else None


def set_time_zone(db: Database, name: str) -> int:
    """Counts days in that zone from now on and in all lines that are there; how many lines moved to another day.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    zone = ZoneInfo(name)
    before = time_zone(db) or UTC_NAME
    db.conn.execute(
        "insert into install (name, value) values ('time_zone', ?) on conflict (name) do update set value = excluded.value",
        (name,),
    )
    if name == before:
        return 0

    lines = db.conn.execute("select ledger_id, reserved_at, day from ledger").fetchall()
    moved = [[ledger_id, day] for ledger_id, at, before in lines if (day := day_of(at, zone)) != before]
    if moved:
        db.conn.execute(
            "update ledger set day = m.value ->> 1 from json_each(?) as m where ledger.ledger_id = m.value ->> 0",
            (json.dumps(moved),),
        )
        make_anew(db)
    return len(moved)


def make_anew(db: Database) -> None:
    """Puts what the lines say in the place of the sums."""
    for statement in ("delete from spend_days", "delete from spend_spans", *SUMS):
        db.conn.execute(statement)


def zone_of(db: Database) -> ZoneInfo:
    """The zone that days are counted in."""
    return _zone(time_zone(db) or UTC_NAME)


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_of(at: str, zone: ZoneInfo) -> str:
    """The day of a moment (UTC text) in that zone, as `2026-11-21`."""
    return datetime.fromisoformat(at).astimezone(zone).date().isoformat()


def end_of_day(at: str, zone: ZoneInfo) -> datetime:
    """When the day of that moment (UTC text) is over there, in UTC: 23 to 25 hours after it began."""
    return _midnight(datetime.fromisoformat(at).astimezone(zone).date() + timedelta(days=1), zone)


def end_of_month(at: str, zone: ZoneInfo) -> datetime:
    """When the month of that moment (UTC text) is over there, in UTC."""
    first = datetime.fromisoformat(at).astimezone(zone).date().replace(day=1)
    return _midnight((first + timedelta(days=32)).replace(day=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day. Where the clocks skip midnight itself, Python takes the moment they jump from."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
