"""Chances for a draw from the votes that are there. Blocking."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import get_args

from sqlite_utils import Database

from arena.pairing import Chances, League
from arena.ratings.outcomes import group_counts
from arena.ratings.sampling import pair_chances
from storage import tallies
from storage.records import BoardName
from storage.tallies import BoardFilter

_BOARDS: dict[str, BoardName] = {name: name for name in get_args(BoardName)}


def chances_of(db: Database, failing: Collection[str]) -> Chances:
    """How likely each two offers are to meet: by what a vote on them would tell, newcomers more often, `failing` never
    while there are others. Use it up within the read job.
    """

    def chances(league: League, meetings: Sequence[tuple[str, str]]) -> Sequence[float]:
        board, is_demo = league
        counted = tallies.grouped(db, BoardFilter(_BOARDS[board], is_demo))
        wanted = {frozenset(pair) for pair in meetings}
        rows = group_counts(
            [(one.offer_a, one.offer_b, one.outcome, one.votes) for one in counted if one.offer_a != one.offer_b],
            competitors={offer for pair in meetings for offer in pair},
        )
        left = {pair for pair in wanted if not pair & set(failing)} or wanted
        found = pair_chances(rows, among=[(min(pair), max(pair)) for pair in left])
        named = {
            frozenset((found.names[first], found.names[second])): float(chance)
            for first, second, chance in zip(found.first, found.second, found.probability, strict=True)
        }
        return [named.get(frozenset(pair), 0.0) for pair in meetings]

    return chances
