"""Leaderboards as they are asked for: votes out of the store, rated, with what else is known of the competitors.

Votes on images of the Demo provider are boards of their own, so that drawn images never move a real rating.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from arena import elo_days
from arena.category_board import is_pooled, leaning, leans
from arena.left_out import LeftOut, left_out
from arena.levels import Level, competitor
from arena.ratings.elo import START
from arena.ratings.method import Method, votes_digest
from arena.ratings.outcomes import SCORE_OF_A, CountedRow, VoteRow, scores_that_count
from arena.ratings.rated import Rated, RatedRow, rate_counts
from arena.standing import Meetings, Separation, meetings, separations
from playground.services import Services
from providers.catalog import Catalog
from storage import battles, category_votes, tallies, votes
from storage.battles import OfferFacts
from storage.elo_days import EloDay
from storage.engine import Database
from storage.records import BoardName, Question
from storage.tallies import BoardFilter, SideTally


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """Which board, and how it is made."""

    board: BoardName = "generate"
    demo: bool | None = None
    """Drawn or real models; `None`: real ones when they have votes."""
    question: Question = "better"
    category: str | None = None
    level: Level = "offer"
    since: str | None = None
    """UTC text."""
    until: str | None = None
    voter: str | None = None
    """Only this voter's votes."""
    method: Method = Method()

    @property
    def leans(self) -> bool:
        """Whether its ratings follow from other categories' votes too, if there are any."""
        return self.category is not None and leans(self.method)

    @property
    def of_all_votes(self) -> BoardQuery:
        """The board of all votes that the ratings of this one can follow from: of all categories, where it leans on them."""
        return replace(self, category=None) if self.leans else self

    def filter(self, *, is_demo: bool) -> BoardFilter:
        """The votes it counts."""
        return BoardFilter(self.board, is_demo, self.question, self.category, self.since, self.until, self.voter)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A rated row with what else is known of its competitor."""

    rated: RatedRow
    elo: float
    mean_cost_microusd: int | None
    """Mean cost of an image in recent battles; `None` when the cost of none is known."""
    p50_ms: int | None
    """Median latency in recent battles; `None` when none was measured."""

    @property
    def win_rate(self) -> float | None:
        """Wins and half of what was undecided, as a share of all battles: 0 to 1; `None` without battles."""
        row = self.rated
        return (row.wins + (row.ties + row.both_bad) / 2) / row.battles if row.battles else None

    @property
    def both_bad_rate(self) -> float | None:
        """Share of battles in which both sides were called bad: 0 to 1; `None` without battles."""
        return self.rated.both_bad / self.rated.battles if self.rated.battles else None

    @property
    def points_per_dollar(self) -> float | None:
        """Rating points that a dollar buys; `None` when no cost is known, or none is charged."""
        cost = self.mean_cost_microusd
        return self.rated.rating / (cost / 1_000_000) if cost else None


@dataclass(frozen=True, slots=True)
class Board:
    """One leaderboard."""

    query: BoardQuery
    is_demo: bool
    rated: Rated
    rows: tuple[BoardRow, ...]
    votes: int
    """Counted votes on this board."""
    same_competitor: int
    """Votes between two images of one competitor at this level; they say nothing of it."""
    left_out: LeftOut
    categories: Mapping[str, int]
    """Votes by category, of everybody and at any time."""
    questions: Mapping[Question, int]
    """Answers by question, of everybody and at any time."""
    meetings: Meetings
    separations: tuple[Separation, ...]
    days: tuple[EloDay, ...] = field(default=())
    """Elo by day, over the votes of this board that count."""
    has_demo: bool = False
    """Whether there are counted votes on drawn images, for this board."""
    has_real: bool = False
    is_pooled: bool = False
    """Whether the ratings of this category lean on those of the others."""


async def leaderboard(services: Services, query: BoardQuery) -> Board:
    """The board. Reads sums, or where dates or a voter are asked for, the votes."""

    def read(db: Database) -> tuple[Board, list[EloDay] | None]:
        found = read_board(db, services, query)
        if not keeps_days(query):
            return found, list(found.days)
        return found, elo_days.kept_whole(db, query.filter(is_demo=found.is_demo), query.level)

    found, days = await asyncio.to_thread(services.store.read, read)
    if days is not None:
        return with_days(found, days)

    wanted, competing = query.filter(is_demo=found.is_demo), competing_on(services, query)

    def bring_up(db: Database) -> list[EloDay]:
        return elo_days.brought_up(db, wanted, query.level, competing)

    await asyncio.to_thread(elo_days.catch_up, services.store, wanted, query.level, competing)
    return with_days(found, await asyncio.to_thread(services.store.write, bring_up))


def with_days(board: Board, days: Sequence[EloDay]) -> Board:
    """The board with these days of Elo, whose last stands in its rows."""
    ratings = days[-1].ratings if days else {}
    rows = tuple(replace(row, elo=ratings.get(row.rated.competitor, START)) for row in board.rows)
    return replace(board, days=tuple(days), rows=rows)


async def has_voted(services: Services, voter: str) -> bool:
    """Whether this voter has ever voted."""

    def read(db: Database) -> bool:
        return votes.has_voted(db, voter)

    return await asyncio.to_thread(services.store.read, read)


async def digest(services: Services, query: BoardQuery) -> str:
    """SHA-256 of the votes the board is made of, in their order, as `leaderboard --votes` prints it for the same votes."""

    def read(db: Database) -> str:
        return sha256(db, services, query)

    return await asyncio.to_thread(services.store.read, read)


def sha256(db: Database, services: Services, query: BoardQuery) -> str:
    """The same. Blocking."""
    wanted, competing = filter_of(db, query), competing_on(services, query)
    if query.category is not None and query.leans:
        by_category = _by_category(category_votes.grouped(db, wanted), competing)
        if is_pooled(query.method, query.category, by_category):
            return votes_digest(
                (a, b, outcome, category)
                for *sides, outcome, category in category_votes.in_order(db, wanted)
                if (a := competing(*sides[:2])) != (b := competing(*sides[2:]))
            )
    return votes_digest(_votes(db, wanted, competing))


def all_votes(db: Database, services: Services, query: BoardQuery) -> list[VoteRow]:
    """The board's votes in their order. Blocking."""
    return list(_votes(db, filter_of(db, query), competing_on(services, query)))


def _votes(db: Database, wanted: BoardFilter, competing: elo_days.Competing) -> Iterable[VoteRow]:
    for row in votes.in_order(db, wanted):
        a, b = competing(row.offer_a, row.quality_a), competing(row.offer_b, row.quality_b)
        if a != b:
            yield a, b, row.outcome


def competing_on(services: Services, query: BoardQuery) -> elo_days.Competing:
    """Who competes on the board for an offer at a quality."""
    known: dict[tuple[str, str], str] = {}

    def competing(offer: str, quality: str) -> str:
        key = (offer, quality)
        if key not in known:
            known[key] = competitor(services.catalog, query.level, offer, quality)
        return known[key]

    return competing


def keeps_days(query: BoardQuery) -> bool:
    """Whether the Elo days of such a board are kept between visits: those of all votes on the first question."""
    is_all = query.filter(is_demo=False).is_summed and query.category is None and query.question == "better"
    return is_all and scores_that_count(query.method.ties, query.method.both_bad).keys() == SCORE_OF_A.keys()


def filter_of(db: Database, query: BoardQuery) -> BoardFilter:
    """The votes that the board of `query` counts. Blocking."""
    return query.filter(is_demo=_is_demo(query, tallies.board_sizes(db)))


def _is_demo(query: BoardQuery, sizes: Mapping[tuple[BoardName, bool], int]) -> bool:
    if query.demo is not None:
        return query.demo
    return (query.board, True) in sizes and (query.board, False) not in sizes


@dataclass(frozen=True, slots=True)
class Sums:
    """Where a board's votes are read, added up."""

    grouped: Callable[[Database, BoardFilter], list[SideTally]]
    by_category: Callable[[Database, BoardFilter], dict[str, list[SideTally]]]


KEPT = Sums(tallies.grouped, category_votes.grouped)
"""From the sums that are kept, where there are any."""
ANEW = Sums(tallies.grouped_votes, category_votes.grouped_votes)
"""From the votes themselves."""


def read_board(db: Database, services: Services, query: BoardQuery, *, sums: Sums = KEPT) -> Board:
    """The board, by its votes as `sums` reads them; without Elo where the days of that are kept. Blocking."""
    sizes = tallies.board_sizes(db)
    is_demo = _is_demo(query, sizes)
    wanted = query.filter(is_demo=is_demo)
    competing = competing_on(services, query)
    counts, same = _counts(sums.grouped(db, wanted), competing)
    rated, pooled = _rated(db, query, counts, sums, competing)
    facts = _facts(battles.recent_facts(db, query.board, is_demo=is_demo), competing)
    found = Board(
        query=query,
        is_demo=is_demo,
        rated=rated,
        rows=tuple(_row(row, facts.get(row.competitor, ())) for row in rated.rows),
        votes=rated.votes,
        same_competitor=same,
        left_out=left_out(db, services.clock()),
        categories=tallies.categories(db, query.board, is_demo=is_demo),
        questions=tallies.questions(db, query.board, is_demo=is_demo),
        meetings=meetings(rated),
        separations=separations(rated),
        has_demo=(query.board, True) in sizes,
        has_real=(query.board, False) in sizes,
        is_pooled=pooled,
    )
    return found if keeps_days(query) else with_days(found, _replayed(db, wanted, query.method, competing))


def _rated(
    db: Database, query: BoardQuery, counts: Sequence[CountedRow], sums: Sums, competing: elo_days.Competing
) -> tuple[Rated, bool]:
    """The ratings, and whether they lean on other categories."""
    if query.category is not None and query.leans:
        by_category = _by_category(sums.by_category(db, filter_of(db, query)), competing)
        if is_pooled(query.method, query.category, by_category):
            return leaning(query.category, by_category, query.method), True
    method = query.method
    # Elo needs the votes in their order, and stands beside whatever method was chosen.
    return rate_counts(counts, replace(method, kind="bradley-terry") if method.kind == "elo" else method), False


def _by_category(sums: Mapping[str, Sequence[SideTally]], competing: elo_days.Competing) -> dict[str, list[CountedRow]]:
    return {category: _counts(rows, competing)[0] for category, rows in sums.items()}


def _counts(sums_by_side: Sequence[SideTally], competing: elo_days.Competing) -> tuple[list[CountedRow], int]:
    """(side a, side b, outcome, votes) at the board's level, in rows that may repeat, and votes that met themselves there."""
    sides = {one[:2] for one in sums_by_side} | {one[2:4] for one in sums_by_side}
    names = {side: competing(*side) for side in sides}
    rows: list[CountedRow] = [
        (names[offer_a, quality_a], names[offer_b, quality_b], outcome, votes)
        for offer_a, quality_a, offer_b, quality_b, outcome, votes in sums_by_side
    ]
    counts = [row for row in rows if row[0] != row[1]]
    return counts, sum(row[3] for row in rows if row[0] == row[1])


def _replayed(db: Database, wanted: BoardFilter, method: Method, competing: elo_days.Competing) -> list[EloDay]:
    allowed = scores_that_count(method.ties, method.both_bad)
    return elo_days.replayed((row for row in votes.in_order(db, wanted) if row.outcome in allowed), competing)


def _facts(rows: Iterable[OfferFacts], competing: elo_days.Competing) -> dict[str, list[OfferFacts]]:
    found: dict[str, list[OfferFacts]] = {}
    for row in rows:
        found.setdefault(competing(row.offer, row.quality), []).append(row)
    return found


def _row(row: RatedRow, facts: Sequence[OfferFacts]) -> BoardRow:
    costs = [fact.cost_microusd for fact in facts if fact.cost_microusd is not None]
    times = [fact.latency_ms for fact in facts if fact.latency_ms is not None]
    return BoardRow(
        row,
        elo=START,
        mean_cost_microusd=round(statistics.fmean(costs)) if costs else None,
        p50_ms=round(statistics.median(times)) if times else None,
    )


def competitor_name(catalog: Catalog, offer_id: str) -> str:
    """The offer in words, as "GPT Image 2 at OpenAI"; the offer itself when it left the catalogue."""
    try:
        offer = catalog.offer(offer_id)
    except ValueError:
        return offer_id
    return f"{catalog.spec(offer).name} at {catalog.provider(offer.provider_id).name}"
