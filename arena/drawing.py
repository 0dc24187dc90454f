"""Draws by what a vote would tell: chances from the votes that are there, and two offers for a new battle."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import get_args

from arena.offers import Meeting, draw_two
from arena.pairing import Chances, League
from arena.ratings.outcomes import group_counts
from arena.ratings.sampling import pair_chances
from playground.services import Services, timestamp
from storage import outages, tallies
from storage.engine import Database
from storage.records import BoardName
from storage.tallies import BoardFilter

OUTAGE = timedelta(minutes=30)
"""Failures of this time speak against an offer."""

_BOARDS: dict[str, BoardName] = {name: name for name in get_args(BoardName)}


async def draw_offers(
    services: Services,
    voter: str,
    ready: Sequence[str],
    first: str | None,
    second: str | None,
    *,
    board: BoardName = "generate",
) -> Meeting | None:
    """Two offers for a new battle of the voter's, drawn by what a vote on them would tell; `None` when no two of these choices
    can meet.
    """

    def read(db: Database) -> Meeting | None:
        failing = outages.failing_offers(db, voter, since=timestamp(services.clock() - OUTAGE))
        chances = chances_of(db, failing)
        return draw_two(ready, first, second, services.rng, board=board, failing=failing, chances=chances)

    return await asyncio.to_thread(services.store.read, read)


def chances_of(db: Database, failing: Collection[str]) -> Chances:
    """How likely each two offers are to meet: by what a vote on them would tell, newcomers more often, `failing` never
    while there are others. Use it up within the read job. Blocking.
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
