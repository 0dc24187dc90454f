"""Where the Elo replay of a board's votes stood day by day, so that it need not begin at the first vote each time.

A cache: whatever changes older votes forgets what was replayed from there on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.engine import Database
from storage.rows import fetch, fetched
from storage.tallies import BoardFilter

_KEPT = """select day, last_seq, votes, ratings from elo_days
    where board = :board and is_demo = :is_demo and level = :level and method = :method"""

NEWEST = f"{_KEPT} order by day desc limit 1"
"""The last of what is kept for a board, level and method."""


@dataclass(frozen=True, slots=True)
class EloDay:
    """Elo ratings after the last counted vote of a day, or of a day that is not over."""

    day: str
    """UTC, `YYYY-MM-DD`."""
    last_seq: int
    votes: int
    ratings: dict[str, float]


def kept(db: Database, wanted: BoardFilter, level: str, method: str) -> list[EloDay]:
    """What is kept for a board of everybody's votes on the first question, oldest day first."""
    rows = fetch(db, f"{_KEPT} order by day", wanted.named | {"level": level, "method": method})
    return [_day(row) for row in rows]


def ask_newest(db: Database, named: Mapping[str, object]) -> Callable[[], EloDay | None]:
    """Asks for the last of what is kept, by the parameters of `NEWEST`; whoever calls what it gives has the answer."""
    asked = db.conn.execute(NEWEST, named)

    def answer() -> EloDay | None:
        return next(map(_day, fetched(asked)), None)

    return answer


def _day(row: dict[str, Any]) -> EloDay:
    return EloDay(row["day"], row["last_seq"], row["votes"], json.loads(row["ratings"]))


def keep(db: Database, wanted: BoardFilter, level: str, method: str, days: Sequence[EloDay]) -> None:
    """Keep these days, in place of what was kept of them, or by another method."""
    db.conn.execute(
        "delete from elo_days where board = ? and is_demo = ? and level = ? and method != ?",
        (wanted.board, int(wanted.is_demo), level, method),
    )
    db.conn.executemany(
        """insert into elo_days (board, is_demo, level, day, method, last_seq, votes, ratings)
        values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (board, is_demo, level, day) do update set
            method = excluded.method, last_seq = excluded.last_seq, votes = excluded.votes, ratings = excluded.ratings""",
        [
            (
                wanted.board,
                int(wanted.is_demo),
                level,
                day.day,
                method,
                day.last_seq,
                day.votes,
                json.dumps(day.ratings),
            )
            for day in days
        ],
    )


def forget(db: Database, wanted: BoardFilter, level: str) -> None:
    """Forget all that is kept of one board."""
    db.conn.execute(
        "delete from elo_days where board = ? and is_demo = ? and level = ?",
        (wanted.board, int(wanted.is_demo), level),
    )


def forget_from(db: Database, seq: int) -> None:
    """Forget what was replayed from vote `seq` on: it counts differently now."""
    db.conn.execute("delete from elo_days where last_seq >= ?", (seq,))
