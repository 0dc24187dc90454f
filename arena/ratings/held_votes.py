"""Votes held against the board without their voter: what the other voters leave unexplained of them. Pure.

A vote's residual is the score of side a less the score that the board expects. Each voter is held against the board without
its own votes, to first order: one Newton step with the curvature scaled to the votes that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypedDict

import numpy as np

from arena.ratings.covariance import inverse
from arena.ratings.fit import Fit
from arena.ratings.method import BothBad, Ties
from arena.ratings.outcomes import Floats, Ints, check, scores_that_count
from arena.ratings.scale import chances

MIN_VOTES = 20
"""Votes that count from which on a voter is looked at by itself."""
SLIPS = 0.05
"""No outcome is held for rarer than this: people slip, and one slip against the odds must not outweigh all other votes."""


class Ballot(NamedTuple):
    """One vote with who cast it."""

    voter: str
    a: str
    b: str
    outcome: str
    decided_ms: int | None = None
    """From both images seen to the answer; `None` when nobody measured it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What votes count as, and what side a has by its place."""

    ties: Ties = "half"
    both_bad: BothBad = "tie"
    advantage: float = 0.0
    """Logits that side a has with everybody, so that the page's bias is not held against a voter."""
    least: int = MIN_VOTES
    """Votes that count from which on a voter is read."""
    is_among: bool = True
    """Whether the votes are among those behind the board, so that each voter's own have to be taken out of it first."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """R votes of V voters on a board of M competitors, held against it without their voter."""

    voters: tuple[str, ...]
    """In the order of their first votes."""
    competitors: tuple[str, ...]
    voter: Ints
    """(R,) index into `voters`."""
    a: Ints
    """(R,) index into `competitors` of the one on side a."""
    b: Ints
    score: Floats
    """(R,) what side a scored: 1, 0.5 or 0."""
    residual: Floats
    """(R,) `score` less what was expected of it."""
    variance: Floats
    """(R,) of the score, at least: half-won ties make it smaller than this, so a z errs on the side of silence."""
    ahead: Floats
    """(R,) logits by which side a is expected to be ahead."""
    unsure: Floats
    """(R,) variance of `ahead`, as the votes of the others leave it open."""
    tie_parameter: float
    """Davidson's nu; 0 where ties are half wins."""

    @property
    def votes(self) -> Floats:
        """(V,) votes that count."""
        return self.sums(np.ones(len(self.voter)))

    def sums(self, figures: Floats) -> Floats:
        """(V,) sums of `figures` (R,) by voter."""
        return np.bincount(self.voter, weights=figures, minlength=len(self.voters)).astype(np.float64)

    def shifted(self, by: Floats) -> Held:
        """The same votes held against a board on which each competitor stands higher `by` so many logits (M,)."""
        return replace(self, **_expected(self.score, self.ahead + by[self.a] - by[self.b], self.tie_parameter))

    def by_competitor(self, for_a: Floats, for_b: Floats) -> Floats:
        """(V, M) sums by voter and competitor of the figures (R,) of the one on side a, and of the one on side b."""
        size = len(self.competitors)
        return _cells(self.voter, self.a, for_a, len(self.voters), size) + _cells(
            self.voter, self.b, for_b, len(self.voters), size
        )


def held(ballots: Sequence[Ballot], fit: Fit, reading: Reading) -> Held:
    """The votes of those who cast enough, held against the board `fit`.

    Raises:
        BadVote: an outcome is unknown, or a competitor meets itself; the row is named, counted from 1.
        ValueError: a competitor is not on the board.
    """
    voters, voter, a, b, score = _read(ballots, fit, reading)
    size, nu = len(fit.names), fit.tie_parameter or 0.0
    won, tied = chances(fit.strengths[a] - fit.strengths[b] + reading.advantage, nu)
    missed = (score - won - tied / 2) * reading.is_among
    pulled = _cells(voter, a, missed, len(voters), size) - _cells(voter, b, missed, len(voters), size)
    share = reading.is_among * np.bincount(voter, minlength=len(voters)) / max(float(fit.tally.battles.sum()) / 2, 1.0)
    left = 1 - np.minimum(share, 0.5)
    bread = inverse(fit.curvature)[:size, :size]
    without = fit.strengths - pulled @ bread / left[:, None]
    ahead = without[voter, a] - without[voter, b] + reading.advantage
    return Held(
        voters=tuple(voters),
        competitors=fit.names,
        voter=voter,
        a=a,
        b=b,
        score=score,
        unsure=np.asarray((bread[a, a] + bread[b, b] - 2 * bread[a, b]) / left[voter]),
        tie_parameter=nu,
        **_expected(score, ahead, nu),
    )


class _Expected(TypedDict):
    residual: Floats
    variance: Floats
    ahead: Floats


def _expected(score: Floats, ahead: Floats, nu: float) -> _Expected:
    """What a board expects of votes with these scores (R,), where side a stands `ahead` (R,)."""
    won, tied = chances(ahead, nu)
    expected = np.clip(won + tied / 2, SLIPS, 1 - SLIPS)
    return {
        "residual": score - expected,
        # Davidson's model knows how often a tie comes, and so how little the score varies.
        "variance": np.maximum(expected * (1 - expected) - tied / 4, SLIPS * (1 - SLIPS)),
        "ahead": np.log(expected / (1 - expected)),
    }


def _read(ballots: Sequence[Ballot], fit: Fit, reading: Reading) -> tuple[list[str], Ints, Ints, Ints, Floats]:
    """The voters who cast enough, and of each of their votes: voter, side a, side b, score."""
    place = {name: index for index, name in enumerate(fit.names)}
    scores = scores_that_count(reading.ties, reading.both_bad)
    voters: dict[str, int] = {}
    rows: list[tuple[int, int, int, float]] = []
    for row, (voter, a, b, outcome, _) in enumerate(ballots, start=1):
        check(row, a, b, outcome)
        if a not in place or b not in place:
            raise ValueError(f"vote {row}: {a!r} against {b!r} is not on this board")
        if outcome in scores:
            rows.append((voters.setdefault(voter, len(voters)), place[a], place[b], scores[outcome]))
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    who = table[:, 0].astype(np.intp)
    table = table[np.bincount(who, minlength=len(voters))[who] >= reading.least]
    kept, index = np.unique(table[:, 0].astype(np.intp), return_inverse=True)
    names = list(voters)
    return [names[one] for one in kept.tolist()], index, _whole(table[:, 1]), _whole(table[:, 2]), table[:, 3]


def _whole(column: Floats) -> Ints:
    return column.astype(np.intp)


def _cells(voter: Ints, competitor: Ints, figures: Floats, voters: int, size: int) -> Floats:
    """(V, M) sums of `figures` (R,) by voter and competitor."""
    sums = np.bincount(voter * size + competitor, weights=figures, minlength=voters * size)
    return sums.astype(np.float64).reshape(-1, size)
