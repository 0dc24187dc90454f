"""Boards as pages ask for them: counted votes out of the store, replayed and ranked.

Votes on images of the Demo provider are boards of their own, so that drawn pictures never move a real rating.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from arena import elo
from arena.leaderboard import Row, ranked
from playground.services import Services
from providers.catalog import Catalog, UnknownOffer
from storage import battles
from storage.battles import OfferFacts
from storage.records import Battle, Operation


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A ranked row with what else is known of its offer."""

    row: Row
    mean_cost_microusd: int | None
    """Mean cost of an image in recent battles; `None` when the cost of none is known."""
    p50_ms: int | None
    """Median latency in recent battles; `None` when none was measured."""


@dataclass(frozen=True, slots=True)
class Board:
    """One leaderboard."""

    operation: Operation
    is_demo: bool
    rows: tuple[BoardRow, ...]
    votes: int
    """Counted votes on this board."""
    left_out: int
    """Votes in the store that do not count."""
    has_demo: bool
    """Whether there are counted votes on drawn images, for this operation."""
    has_real: bool
    """Whether there are counted votes on images of real models, for this operation."""


@dataclass(frozen=True, slots=True)
class RatingChange:
    """Ratings of both sides before and after one vote, on their board."""

    a_before: float
    a_after: float
    b_before: float
    b_after: float


async def leaderboard(services: Services, *, operation: Operation, demo: bool | None = None) -> Board:
    """The board for an operation. `demo` chooses drawn or real models; `None`: real ones when they have votes."""

    def read(db: Database) -> Board:
        return _board(db, operation, demo=demo)

    return await asyncio.to_thread(services.store.read, read)


async def has_voted(services: Services, voter: str) -> bool:
    """Whether this voter has ever voted."""

    def read(db: Database) -> bool:
        return battles.has_voted(db, voter)

    return await asyncio.to_thread(services.store.read, read)


def rating_change(db: Database, battle: Battle, seq: int, outcome: str | None) -> RatingChange:
    """What the vote placed at `seq` changed: all counted votes of the board before it are replayed, then this one.

    Outcome `None`: the vote does not count and changes nothing.

    Raises:
        ValueError: a vote of the store has an unknown outcome.
    """
    replay = elo.EloReplay()
    for vote in battles.in_order(db, battle.operation, is_demo=battle.is_demo, before=seq):
        replay.take(vote)
    a_before, b_before = (replay.ratings.get(offer, elo.START) for offer in (battle.offer_a, battle.offer_b))
    if outcome is None:
        return RatingChange(a_before, a_before, b_before, b_before)
    replay.take((battle.offer_a, battle.offer_b, outcome))
    return RatingChange(a_before, replay.ratings[battle.offer_a], b_before, replay.ratings[battle.offer_b])


def competitor_name(catalog: Catalog, offer_id: str) -> str:
    """The offer in words, as "GPT Image 2 at OpenAI"; the offer itself when it left the catalogue."""
    try:
        offer = catalog.offer(offer_id)
    except UnknownOffer:
        return offer_id
    return f"{catalog.spec(offer).name} at {catalog.provider(offer.provider_id).name}"


def _board(db: Database, operation: Operation, *, demo: bool | None) -> Board:
    sizes = battles.board_sizes(db)
    has_real, has_demo = (operation, False) in sizes, (operation, True) in sizes
    is_demo = demo if demo is not None else has_demo and not has_real
    ratings = elo.replay(battles.in_order(db, operation, is_demo=is_demo))
    rows = ranked(battles.pair_counts(db, operation, is_demo=is_demo), ratings)
    facts = battles.recent_facts(db, operation, is_demo=is_demo)
    return Board(
        operation=operation,
        is_demo=is_demo,
        rows=tuple(_with_facts(row, [fact for fact in facts if fact.offer == row.competitor]) for row in rows),
        votes=sizes.get((operation, is_demo), 0),
        left_out=battles.left_out(db),
        has_demo=has_demo,
        has_real=has_real,
    )


def _with_facts(row: Row, facts: Sequence[OfferFacts]) -> BoardRow:
    costs = [fact.cost_microusd for fact in facts if fact.cost_microusd is not None]
    times = [fact.latency_ms for fact in facts if fact.latency_ms is not None]
    return BoardRow(
        row,
        mean_cost_microusd=round(statistics.fmean(costs)) if costs else None,
        p50_ms=round(statistics.median(times)) if times else None,
    )
