"""Whether the kept days of Elo are what a replay of the votes gives. Changes nothing. Blocking."""

from __future__ import annotations

from itertools import product

from arena import elo_days
from arena.board import BoardQuery, competing_on
from arena.board_choices import BOARDS, LEVELS
from arena.ratings.method import METHOD_VERSION
from playground.services import Services
from storage import elo_days as kept_days
from storage import votes
from storage.elo_days import EloDay
from storage.engine import Database
from storage.verify import Problem

SAME_POINTS = 1e-6
"""Rating points by which two replays may differ."""


def stale_days(services: Services) -> list[Problem]:
    """Each kept day that the votes do not bear out."""

    def read(db: Database) -> list[Problem]:
        queries = [
            (BoardQuery(board, level=level), is_demo)
            for board, level, is_demo in product(BOARDS.values(), LEVELS.values(), (False, True))
        ]
        return [problem for query, is_demo in queries for problem in _of_board(db, services, query, is_demo=is_demo)]

    return services.store.read(read)


def _of_board(db: Database, services: Services, query: BoardQuery, *, is_demo: bool) -> list[Problem]:
    wanted = query.filter(is_demo=is_demo)
    kept = kept_days.kept(db, wanted, query.level, METHOD_VERSION)
    if not kept:
        return []
    rows = votes.in_order(db, wanted, before=kept[-1].last_seq + 1)
    fresh = {day.day: day for day in elo_days.replayed(rows, competing_on(services, query))}
    name = f"{query.board}{' demo' if is_demo else ''} by {query.level}"
    return [
        Problem(
            "elo_day_differs",
            f"{name} {day.day}",
            'the Elo kept for this day is not what its votes give; "Recount" on the Leaderboard mends it',
        )
        for day in kept
        if not _is_same(day, fresh.get(day.day))
    ]


def _is_same(day: EloDay, fresh: EloDay | None) -> bool:
    return (
        fresh is not None
        and (day.votes, day.last_seq) == (fresh.votes, fresh.last_seq)
        and day.ratings.keys() == fresh.ratings.keys()
        and all(abs(points - fresh.ratings[name]) < SAME_POINTS for name, points in day.ratings.items())
    )
