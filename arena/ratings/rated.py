"""A board from votes, by any method: ratings, bounds, ranks, chances, and what to be careful with. Pure.

Wins, losses and ties are told as they were cast, whatever the method makes of them. A rank is by overlap of intervals where
there are any, by rating otherwise. Side bias is Bradley-Terry's under each method; a board by Elo has no other figure that
the votes' order could not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from arena.ratings import bradley_terry, davidson, elo
from arena.ratings.bootstrap import bootstrap
from arena.ratings.cautions import Caution
from arena.ratings.fit import Fit, Gap
from arena.ratings.fragility import Fragility, fragility
from arena.ratings.maturity import Maturity, Seen, maturity
from arena.ratings.method import Method
from arena.ratings.outcomes import (
    CastVotes,
    CountedRow,
    Floats,
    Grouped,
    VoteRow,
    cast_votes,
    check_rows,
    grouped,
    scores_that_count,
)
from arena.ratings.places import Place, by_draws, by_rating
from arena.ratings.ranking import normal_draws
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
    """Best and worst place in 95% of the boards that the votes leave possible; `None` without intervals, and for who stands on
    another island than most.
    """
    rank_worst: int | None
    battles: int
    """All that were voted on: wins, losses, ties and both bad."""
    wins: int
    losses: int
    ties: int
    both_bad: int
    p_best: float | None
    """Chance of standing first, 0 to 1; `None` as `rank_best`."""
    maturity: Maturity
    cautions: frozenset[Caution]

    @property
    def is_provisional(self) -> bool:
        """Whether too little is known for the row to be taken at its word."""
        return self.maturity == "provisional"


class Gauge(Protocol):
    """Says how far two competitors are apart."""

    def gap(self, first: str, second: str) -> Gap:
        """How far `first` is above `second`."""
        ...


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
    """`None` without two competitors and votes that count; where one of the first two stands on another island than most; for
    Elo; and where ratings lean on other votes.
    """
    tie_parameter: float | None
    """Davidson's nu; `None` for the other methods."""
    islands: tuple[tuple[str, ...], ...]
    """Groups without a battle between them, the largest first. More than one: ratings compare within a group only."""
    cast: CastVotes
    """All votes, as they were cast."""
    fit: Gauge
    """How far competitors are apart: the fit behind the board; for Elo, Bradley-Terry's of the same votes."""
    forced_prior: float | None = None
    """Games of the least prior, which is in use where none was asked for but the ratings would not be finite."""


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
    return _board(by_kind, rows, fit, method, by_rating(_in_order(rows.names, ratings)))


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


def _in_order(names: Sequence[str], ratings: dict[str, float]) -> Floats:
    return np.array([ratings.get(name, elo.START) for name in names], dtype=np.float64)


def _placed(rows: Grouped, fit: Fit, method: Method) -> list[Place]:
    if method.interval == "none":
        return by_rating(fit.ratings)
    if method.interval == "bootstrap":
        redrawn = bootstrap(rows, fit, seed=method.seed)
        return by_draws(fit.ratings, redrawn.interval(), redrawn.draws, fit.cautions)
    return by_draws(fit.ratings, fit.interval(), normal_draws(fit, seed=method.seed), fit.cautions)


def _board(votes: CastVotes, rows: Grouped, fit: Fit, method: Method, places: Sequence[Place]) -> Rated:
    told = _told(votes)
    made = [_row(index, rows, fit, places[index], told[index]) for index in range(len(rows.names))]
    if method.kind == "elo":
        # Nothing of it follows from a prior, so none decides anything.
        made = [replace(row, cautions=row.cautions - {"unbounded"}) for row in made]
    return Rated(
        method=method,
        votes=round(votes.count.sum()),
        counted=round(rows.votes),
        rows=tuple(sorted(made, key=lambda row: (-row.rating, row.competitor))),
        side_bias=side_bias(rows, prior=method.prior),
        fragility=None if method.kind == "elo" else _fragility(rows, fit),
        tie_parameter=fit.tie_parameter,
        islands=fit.islands,
        fit=fit,
        cast=votes,
        forced_prior=fit.prior if fit.is_forced and method.kind != "elo" else None,
    )


def _fragility(rows: Grouped, fit: Fit) -> Fragility | None:
    found = fragility(rows, fit)
    first = {found.leader, found.runner_up} if found else set()
    apart = {name for name, cautions in zip(fit.names, fit.cautions, strict=True) if "island" in cautions}
    return None if first & apart else found


def _row(index: int, rows: Grouped, fit: Fit, place: Place, told: _Told) -> RatedRow:
    low, high = place.low, place.high
    # A board without intervals is no better known than one with them.
    half_width = (
        float(fit.interval()[1][index] - fit.ratings[index]) if low is None or high is None else (high - low) / 2
    )
    seen = Seen(float(fit.tally.battles[index]), int(fit.tally.opponents[index]), half_width)
    return RatedRow(
        competitor=rows.names[index],
        rating=place.rating,
        low=low,
        high=high,
        rank=place.rank,
        rank_best=place.best,
        rank_worst=place.worst,
        battles=sum(told),
        wins=told.wins,
        losses=told.losses,
        ties=told.ties,
        both_bad=told.both_bad,
        p_best=place.p_best,
        maturity=maturity(seen, len(rows.names)),
        cautions=fit.cautions[index],
    )


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
