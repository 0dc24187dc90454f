"""Votes as arrays: equal votes grouped, competitors sorted by name. Pure.

Every rating method reads the same `Grouped` rows, so what counts as a tie is decided once, here. The rows are sorted; the
order in which votes came leaves no trace, not even in the last digit of a rating.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from arena.ratings.method import BothBad, Ties

Outcome = Literal["a", "b", "tie", "both_bad"]

SCORE_OF_A: dict[str, float] = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5}
"""What side a scores; side b scores the rest. Both bad counts as a tie here and is also told apart on the board."""

VoteRow = tuple[str, str, str]
"""(competitor on side a, competitor on side b, outcome)."""
CountedRow = tuple[str, str, str, int]
"""(competitor on side a, competitor on side b, outcome, how many votes)."""

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]


OUTCOMES: tuple[str, ...] = get_args(Outcome)
_SCORES = np.array([SCORE_OF_A[outcome] for outcome in OUTCOMES])


class BadVote(ValueError):
    """A vote that cannot be rated. The message names its row, counted from 1, and can be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Distinct (side a, side b, score) rows with their counts, sorted; R rows over M competitors."""

    names: tuple[str, ...]
    """The M competitors, sorted. One whose votes are all left out stands here too."""
    a: Ints
    """(R,) index into `names` of the competitor on side a."""
    b: Ints
    score: Floats
    """(R,) what side a scored: 1, 0.5 or 0."""
    count: Floats
    """(R,) votes in the row."""
    weight: Floats
    """(R,) sum of the votes' weights; the same as `count` unless weights were given."""
    squared: Floats
    """(R,) sum of the squares of the votes' weights; the sandwich needs it."""

    @property
    def votes(self) -> float:
        """How many votes there are."""
        return float(self.count.sum())


@dataclass(frozen=True, slots=True, eq=False)
class CastVotes:
    """Votes as they were cast, whatever a method makes of them: R rows, which may repeat, over M competitors."""

    names: tuple[str, ...]
    """The M competitors, sorted."""
    a: Ints
    """(R,) index into `names` of the competitor on side a."""
    b: Ints
    outcome: Ints
    """(R,) index into `OUTCOMES`."""
    count: Floats
    """(R,) votes in the row."""

    @property
    def score(self) -> Floats:
        """(R,) what side a scored: 1, 0.5 or 0."""
        return _SCORES[self.outcome]

    def times(self, outcome: Outcome) -> tuple[Floats, Floats]:
        """How often each competitor had this outcome on side a, and on side b: (M,) and (M,)."""
        size, votes = len(self.names), self.count * (self.outcome == OUTCOMES.index(outcome))
        return _sums(self.a, votes, size), _sums(self.b, votes, size)


def check(row: int, a: str, b: str, outcome: str) -> None:
    """Passes a vote that can be rated; `row` counts from 1.

    Raises:
        BadVote: the outcome is none of the four, or a competitor meets itself.
    """
    if outcome not in SCORE_OF_A:
        known = ", ".join(get_args(Outcome))
        raise BadVote(f"vote {row}: outcome {outcome!r} is unknown; expected one of {known}")
    if a == b:
        raise BadVote(f"vote {row}: {a!r} cannot meet itself")


def check_rows(votes: Iterable[VoteRow], *, distinct: Iterable[VoteRow]) -> None:
    """Passes votes that can be rated; `distinct` are those among them, so that a million are looked at once for each kind.

    Raises:
        BadVote: as `check`, for the first such row of `votes`, counted from 1.
    """
    if any(outcome not in SCORE_OF_A or a == b for a, b, outcome in distinct):
        for row, (a, b, outcome) in enumerate(votes, start=1):
            check(row, a, b, outcome)


def group_votes(
    votes: Sequence[VoteRow],
    *,
    ties: Ties = "half",
    both_bad: BothBad = "tie",
    competitors: Collection[str] = (),
    weights: Sequence[float] | None = None,
) -> Grouped:
    """The votes, grouped. `competitors` are listed even without a vote.

    `weights` holds one positive number for each vote, as the inverse of the chance with which its pair was drawn; they are
    scaled so that those of the votes that count sum to the number of these votes.

    Raises:
        BadVote: as `check`; the first such row is named.
        ValueError: there are not as many weights as votes, or one is not positive and finite.
    """
    counts: Counter[VoteRow] = Counter(votes)
    check_rows(votes, distinct=counts)
    names = _names(counts, competitors)
    if weights is None:
        return _grouped(names, ((*vote, count, count, count) for vote, count in counts.items()), ties, both_bad)
    given = np.asarray(weights, dtype=np.float64)
    if len(given) != len(votes) or not np.all(np.isfinite(given) & (given > 0)):
        raise ValueError(f"expected {len(votes)} positive weights, one for each vote")
    rows = ((*vote, 1, one, one * one) for vote, one in zip(votes, given.tolist(), strict=True))
    return _scaled(_grouped(names, rows, ties, both_bad))


def group_counts(
    counts: Iterable[CountedRow], *, ties: Ties = "half", both_bad: BothBad = "tie", competitors: Collection[str] = ()
) -> Grouped:
    """Votes that were counted elsewhere, as by SQL, grouped; `competitors` are listed even without a vote.

    Raises:
        BadVote: as `check`, or a count is negative; the row of `counts` is named.
    """
    return grouped(cast_votes(counts, competitors=competitors), ties=ties, both_bad=both_bad)


def cast_votes(counts: Iterable[CountedRow], *, competitors: Collection[str] = ()) -> CastVotes:
    """Votes that were counted elsewhere, as arrays; `competitors` are listed even without a vote.

    Raises:
        BadVote: as `check`, or a count is negative; the row of `counts` is named.
    """
    kept = list(counts)
    firsts, seconds, outcomes, numbers = zip(*kept, strict=True) if kept else ((), (), (), ())
    names = tuple(sorted({*firsts, *seconds, *competitors}))
    place = {name: index for index, name in enumerate(names)}
    a, b = (np.fromiter(map(place.__getitem__, side), np.intp, len(kept)) for side in (firsts, seconds))
    count = np.array(numbers, dtype=np.float64)
    if not set(outcomes) <= SCORE_OF_A.keys() or np.any(a == b) or np.any(count < 0):
        for row, (*vote, number) in enumerate(kept, start=1):
            check(row, *vote)
            if number < 0:
                raise BadVote(f"vote {row}: {number} votes are fewer than none")
    return CastVotes(names, a, b, np.fromiter(map(OUTCOMES.index, outcomes), np.intp, len(kept)), count)


def grouped(votes: CastVotes, *, ties: Ties = "half", both_bad: BothBad = "tie") -> Grouped:
    """The votes, grouped, without those that do not count."""
    counts = np.isin(votes.outcome, [OUTCOMES.index(one) for one in scores_that_count(ties, both_bad)])
    counts &= votes.count > 0
    cells = (votes.a * len(votes.names) + votes.b) * 3 + np.rint(2 * votes.score).astype(np.intp)
    return _summed(votes.names, cells[counts], [votes.count[counts]] * 3)


def merged(parts: Sequence[Grouped]) -> Grouped:
    """The rows of all parts as one board; none gives a board of nobody.

    Raises:
        ValueError: the parts are not over the same competitors.
    """
    names = parts[0].names if parts else ()
    if any(part.names != names for part in parts):
        raise ValueError("the parts of a board must be over the same competitors")
    if not parts:
        return _summed((), np.empty(0, dtype=np.intp), [np.empty(0)] * 3)
    cells = [(part.a * len(names) + part.b) * 3 + np.rint(2 * part.score).astype(np.intp) for part in parts]
    return _summed(names, np.concatenate(cells), np.hstack([(one.count, one.weight, one.squared) for one in parts]))


def pair_balanced(rows: Grouped, *, floor: int = 50) -> Grouped:
    """The rows with each pair's votes weighted by 1 / max(votes of the pair, `floor`), so that no pair rules the board.

    The weights are scaled to sum to the number of votes. Never mixed with the plain board.
    Source: arena-rank 0.1.1, its reweighting.
    """
    size = len(rows.names)
    low, high = np.minimum(rows.a, rows.b), np.maximum(rows.a, rows.b)
    met = np.bincount(low * size + high, weights=rows.count, minlength=size * size)
    one = 1.0 / np.maximum(met[low * size + high], float(floor))
    return _scaled(replace(rows, weight=rows.count * one, squared=rows.count * one * one))


def points(rows: Grouped) -> Floats:
    """(M, M) what the row's competitor scored against the column's, weighted."""
    return directed_sums(rows, rows.weight * rows.score) + directed_sums(rows, rows.weight * (1 - rows.score)).T


def directed_sums(rows: Grouped | CastVotes, figures: Floats) -> Floats:
    """(M, M) sums of `figures` (R,) by the competitors on side a (row) and side b (column)."""
    size = len(rows.names)
    return _sums(rows.a * size + rows.b, figures, size * size).reshape(size, size)


def laplacian(figures: Floats) -> Floats:
    """(M, M) sum of figure * x x' over the pairs of `figures` (M, M), where x is 1 for one of the pair and -1 for the other."""
    both = figures + figures.T
    return np.asarray(np.diag(both.sum(axis=1)) - both)


def _names(votes: Iterable[VoteRow], competitors: Collection[str]) -> tuple[str, ...]:
    seen = set(competitors)
    for a, b, _ in votes:
        seen.add(a)
        seen.add(b)
    return tuple(sorted(seen))


def _grouped(
    names: tuple[str, ...],
    rows: Iterable[tuple[str, str, str, float, float, float]],
    ties: Ties,
    both_bad: BothBad,
) -> Grouped:
    """Rows (a, b, outcome, count, weight, squared weight), which may repeat, as arrays."""
    place = {name: index for index, name in enumerate(names)}
    scores = scores_that_count(ties, both_bad)
    size = len(names)
    kept = [
        ((place[a] * size + place[b]) * 3 + round(2 * scores[outcome]), *figures)
        for a, b, outcome, *figures in rows
        if outcome in scores and figures[0]
    ]
    # Sorted first: sums of weights would otherwise depend on the order of votes in their last digit.
    table = np.array(sorted(kept), dtype=np.float64).reshape(-1, 4)
    return _summed(names, table[:, 0].astype(np.intp), list(table.T[1:]))


def _summed(names: tuple[str, ...], cells: Ints, figures: Sequence[Floats] | Floats) -> Grouped:
    """Rows by cell ((a * M + b) * 3 + twice the score), with the sums of the three figures in each."""
    distinct, row = np.unique(cells, return_inverse=True)
    count, weight, squared = (_sums(row, column, len(distinct)) for column in figures)
    pairs, doubled = np.divmod(distinct, 3)
    a, b = np.divmod(pairs, max(len(names), 1))
    return Grouped(names, a, b, doubled / 2, count, weight, squared)


def _sums(places: Ints, figures: Floats, size: int) -> Floats:
    """(size,) sums of `figures` by the place each belongs to."""
    return np.bincount(places, weights=figures, minlength=size).astype(np.float64)


def scores_that_count(ties: Ties = "half", both_bad: BothBad = "tie") -> dict[str, float]:
    """What side a scores, by the outcomes that count; the others are left out. `ties` "drop" drops both kinds of tie."""
    left_out = {"tie", "both_bad"} if ties == "drop" else {"both_bad"} if both_bad == "drop" else set()
    return {outcome: score for outcome, score in SCORE_OF_A.items() if outcome not in left_out}


def _scaled(rows: Grouped) -> Grouped:
    total = float(rows.weight.sum())
    by = rows.votes / total if total else 1.0
    return replace(rows, weight=rows.weight * by, squared=rows.squared * by * by)
