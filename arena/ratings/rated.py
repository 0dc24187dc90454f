"""A board from votes, by any method: ratings, bounds, ranks, chances, and what to be careful with. Pure.

Wins, losses and ties are told as they were cast, whatever the method makes of them. A rank is by overlap of intervals where
there are any, by rating otherwise. Side bias is Bradley-Terry's under each method; a board by Elo has no other figure that
the votes' order could not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from arena.ratings import bradley_terry, davidson, elo
from arena.ratings.bootstrap import bootstrap
from arena.ratings.cautions import Caution
from arena.ratings.fit import Fit
from arena.ratings.fragility import Fragility, fragility
from arena.ratings.maturity import Maturity, Seen, maturity
from arena.ratings.method import Method
from arena.ratings.outcomes import (
    CastVotes,
    CountedRow,
    Floats,
    Grouped,
    Ints,
    VoteRow,
    cast_votes,
    check_rows,
    grouped,
    scores_that_count,
)
from arena.ratings.ranking import normal_draws, p_best, rank_intervals, ranks_by_overlap, ranks_by_rating
from arena.ratings.side_bias import SideBias, side_bias


@dataclass(frozen=True, slots=True)
class RatedRow:
    """One competitor of a board."""

    competitor: str
    rating: float
    low: float | None
    """Lower bound of the 95% interval, as `high`; `None` under a method without intervals."""
    high: float | None
    rank: int
    rank_best: int | None
    """Best and worst place in 95% of the boards that the votes leave possible; `None` without intervals."""
    rank_worst: int | None
    battles: int
    """All that were voted on: wins, losses, ties and both bad."""
    wins: int
    losses: int
    ties: int
    both_bad: int
    p_best: float | None
    """Chance of standing first, 0 to 1; `None` without intervals."""
    maturity: Maturity
    cautions: frozenset[Caution]

    @property
    def is_provisional(self) -> bool:
        """Whether too little is known for the row to be taken at its word."""
        return self.maturity == "provisional"


@dataclass(frozen=True, slots=True)
class Rated:
    """A board."""

    method: Method
    votes: int
    """All votes, those that the method leaves out included."""
    counted: int
    """Votes that count under the method."""
    rows: tuple[RatedRow, ...]
    """By rating, best first; equal ratings by name."""
    side_bias: SideBias | None
    """`None` without votes that count."""
    fragility: Fragility | None
    """`None` without two competitors and votes that count, and for Elo."""
    tie_parameter: float | None
    """Davidson's nu; `None` for the other methods."""
    islands: tuple[tuple[str, ...], ...]
    """Groups without a battle between them, the largest first. More than one: ratings compare within a group only."""
    cast: CastVotes
    """All votes, as they were cast."""
    fit: Fit
    """The fit behind the board; for Elo, Bradley-Terry's of the same votes, which says how well each competitor is known."""


def rate(votes: Sequence[VoteRow], method: Method, *, competitors: Collection[str] = ()) -> Rated:
    """The board of `votes`, in the order in which they were cast; `competitors` are listed even without a vote.

    Raises:
        BadVote: an outcome is unknown, or a competitor meets itself; the row is named, counted from 1.
    """
    counts = Counter(votes)
    check_rows(votes, distinct=counts)
    counted = [(*vote, count) for vote, count in counts.items()]
    if method.kind != "elo":
        return rate_counts(counted, method, competitors=competitors)
    allowed = scores_that_count(method.ties, method.both_bad)
    leaves_out = not allowed.keys() >= {outcome for *_, outcome in counts}
    ratings = elo.replay([vote for vote in votes if vote[2] in allowed] if leaves_out else votes)
    by_kind = cast_votes(counted, competitors=competitors)
    rows = grouped(by_kind, ties=method.ties, both_bad=method.both_bad)
    fit = bradley_terry.fit(rows, prior=method.prior)
    return _board(by_kind, rows, fit, method, _Placed.by_rating(_in_order(rows.names, ratings)))


def rate_counts(counts: Iterable[CountedRow], method: Method, *, competitors: Collection[str] = ()) -> Rated:
    """The board of votes that were counted elsewhere, as by SQL; `competitors` are listed even without a vote.

    Raises:
        BadVote: as `rate`; the row of `counts` is named.
        ValueError: the method is Elo, which needs the votes in their order.
    """
    if method.kind == "elo":
        raise ValueError("Elo needs the votes in their order; use `rate`")
    votes = cast_votes(counts, competitors=competitors)
    rows = grouped(votes, ties=method.ties, both_bad=method.both_bad)
    fit = (davidson if method.kind == "davidson" else bradley_terry).fit(rows, prior=method.prior)
    return _board(votes, rows, fit, method, _placed(rows, fit, method))


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Ratings with what the method says of their places; each array is (M,), `None` without intervals."""

    ratings: Floats
    ranks: Ints
    low: Floats | None = None
    high: Floats | None = None
    best: Ints | None = None
    worst: Ints | None = None
    leads: Floats | None = None

    @classmethod
    def by_rating(cls, ratings: Floats) -> _Placed:
        """Places of a board without intervals."""
        return cls(ratings, ranks_by_rating(ratings))


def _in_order(names: Sequence[str], ratings: dict[str, float]) -> Floats:
    return np.array([ratings.get(name, elo.START) for name in names], dtype=np.float64)


def _placed(rows: Grouped, fit: Fit, method: Method) -> _Placed:
    if method.interval == "none":
        return _Placed.by_rating(fit.ratings)
    if method.interval == "bootstrap":
        redrawn = bootstrap(rows, fit, seed=method.seed)
        draws, (low, high) = redrawn.draws, redrawn.interval()
    else:
        draws, (low, high) = normal_draws(fit, seed=method.seed), fit.interval()
    best, worst = rank_intervals(draws)
    return _Placed(fit.ratings, ranks_by_overlap(low, high), low, high, best, worst, p_best(draws))


def _board(votes: CastVotes, rows: Grouped, fit: Fit, method: Method, placed: _Placed) -> Rated:
    told = _told(votes)
    made = [_row(index, rows, fit, placed, told[index]) for index in range(len(rows.names))]
    return Rated(
        method=method,
        votes=round(votes.count.sum()),
        counted=round(rows.votes),
        rows=tuple(sorted(made, key=lambda row: (-row.rating, row.competitor))),
        side_bias=side_bias(rows, prior=method.prior),
        fragility=None if method.kind == "elo" else fragility(rows, fit),
        tie_parameter=fit.tie_parameter,
        islands=fit.islands,
        fit=fit,
        cast=votes,
    )


def _row(index: int, rows: Grouped, fit: Fit, placed: _Placed, told: _Told) -> RatedRow:
    low, high = _at(placed.low, index), _at(placed.high, index)
    # A board without intervals is no better known than one with them.
    half_width = (
        float(fit.interval()[1][index] - fit.ratings[index]) if low is None or high is None else (high - low) / 2
    )
    seen = Seen(float(fit.tally.battles[index]), int(fit.tally.opponents[index]), half_width)
    return RatedRow(
        competitor=rows.names[index],
        rating=float(placed.ratings[index]),
        low=low,
        high=high,
        rank=int(placed.ranks[index]),
        rank_best=None if placed.best is None else int(placed.best[index]),
        rank_worst=None if placed.worst is None else int(placed.worst[index]),
        battles=sum(told),
        wins=told.wins,
        losses=told.losses,
        ties=told.ties,
        both_bad=told.both_bad,
        p_best=_at(placed.leads, index),
        maturity=maturity(seen, len(rows.names)),
        cautions=fit.cautions[index],
    )


def _at(figures: Floats | None, index: int) -> float | None:
    return None if figures is None else float(figures[index])


class _Told(NamedTuple):
    """How a competitor's battles ended."""

    wins: int
    losses: int
    ties: int
    both_bad: int


def _told(votes: CastVotes) -> list[_Told]:
    """For each competitor, (M,)."""
    (a_on_a, a_on_b), (b_on_a, b_on_b) = votes.times("a"), votes.times("b")
    ties, both_bad = (sum(votes.times(outcome)) for outcome in ("tie", "both_bad"))
    columns = np.array([a_on_a + b_on_b, a_on_b + b_on_a, ties, both_bad]).T
    return [_Told(*row) for row in np.rint(columns).astype(int).tolist()]
