"""A board made from nothing but its votes, held against the board that is shown.

Sums and Elo days are kept so that a board comes quickly; both follow from the votes. Here they are made anew, and what
differs is told and mended.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from arena import board, elo_days
from arena.board import Board, BoardQuery
from arena.ratings.method import METHOD_VERSION
from playground.services import Services
from storage import elo_days as kept_days
from storage import tallies, votes
from storage.elo_days import EloDay
from storage.engine import Database

SAME_POINTS = 1e-6
"""Rating points by which two ways to the same number may differ."""


@dataclass(frozen=True, slots=True)
class Recount:
    """What making a board anew came to."""

    votes: int
    """Votes read."""
    competitors: int
    days: int
    """Days of Elo replayed."""
    wrong_sums: int
    """Kept sums, over all boards, that the votes did not bear out; they are mended."""
    wrong_days: int
    """Kept days of Elo that the replay did not bear out; they are mended."""
    wrong_ratings: int
    """Rows of the board whose numbers changed."""

    @property
    def is_same(self) -> bool:
        """Whether every number came out as it was."""
        return not (self.wrong_sums or self.wrong_days or self.wrong_ratings)


@dataclass(frozen=True, slots=True)
class _Found:
    shown: Board
    fresh: Board
    kept: list[EloDay]
    replayed: list[EloDay]
    wrong_sums: int


async def recount(services: Services, query: BoardQuery) -> tuple[Board, Recount]:
    """The board from its votes alone, and how it compares with what was kept. Reads every vote of the board."""
    # Brought up first, so that days are compared that are there.
    await board.leaderboard(services, query)

    def read(db: Database) -> _Found:
        return _read(db, services, query)

    found = await asyncio.to_thread(services.store.read, read)
    wrong_days = _differing(found.kept, found.replayed) if board.keeps_days(query) else 0
    if found.wrong_sums:
        await asyncio.to_thread(services.store.write, tallies.make_anew)

    def keep(db: Database) -> None:
        _keep(db, query, found)

    if board.keeps_days(query):
        await asyncio.to_thread(services.store.write, keep)
    return found.fresh, Recount(
        votes=found.fresh.votes,
        competitors=len(found.fresh.rows),
        days=len(found.fresh.days),
        wrong_sums=found.wrong_sums,
        wrong_days=wrong_days,
        wrong_ratings=_wrong_ratings(found.shown, found.fresh),
    )


def _read(db: Database, services: Services, query: BoardQuery) -> _Found:
    """Both boards, and all that is compared, as they stood at one moment."""
    shown = board.read_board(db, services, query)
    fresh = board.read_board(db, services, query, sums=board.ANEW)
    kept: list[EloDay] = []
    if board.keeps_days(query):
        wanted = query.filter(is_demo=fresh.is_demo)
        kept = kept_days.kept(db, wanted, query.level, METHOD_VERSION)
        replayed = elo_days.replayed(votes.in_order(db, wanted), board.competing_on(services, query))
        shown, fresh = board.with_days(shown, kept), board.with_days(fresh, replayed)
    held, true = tallies.held(db), tallies.recounted(db)
    wrong = sum(1 for key in held.keys() | true.keys() if held.get(key, 0) != true.get(key, 0))
    return _Found(shown, fresh, kept, list(fresh.days), wrong)


def _keep(db: Database, query: BoardQuery, found: _Found) -> None:
    """Empties the board's days and puts the replayed ones there, unless a vote came or went in the meantime."""
    wanted = query.filter(is_demo=found.fresh.is_demo)
    if kept_days.kept(db, wanted, query.level, METHOD_VERSION) == found.kept:
        kept_days.forget(db, wanted, query.level)
        kept_days.keep(db, wanted, query.level, METHOD_VERSION, found.replayed)


def _differing(kept: list[EloDay], replayed: list[EloDay]) -> int:
    by_day = {day.day: day for day in replayed}
    return sum(1 for day in kept if not _is_same_day(day, by_day.get(day.day)))


def _is_same_day(one: EloDay, other: EloDay | None) -> bool:
    return (
        other is not None
        and one.ratings.keys() == other.ratings.keys()
        and all(abs(points - other.ratings[name]) < SAME_POINTS for name, points in one.ratings.items())
    )


def _wrong_ratings(shown: Board, fresh: Board) -> int:
    before = {row.rated.competitor: row for row in shown.rows}
    return sum(
        1
        for row in fresh.rows
        if (old := before.get(row.rated.competitor)) is None
        or abs(old.rated.rating - row.rated.rating) >= SAME_POINTS
        or abs(old.elo - row.elo) >= SAME_POINTS
    )
