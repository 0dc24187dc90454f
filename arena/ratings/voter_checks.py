"""Voters whose votes do not look like judgements: found by what the board leaves unexplained of them. Pure.

A vote's residual is the score of side a less the score that the board expects. Summed up over a voter's votes it stays
within a few standard errors of 0 for whoever looks at the images. Each voter is held against the board without its own
votes, to first order: one Newton step with the curvature scaled to the votes that are left. A finding is a reason to leave a
voter out and to say so, never a proof; whoever many pushed together also moved the board, so fit again without those
found and look once more.

Source: the residual tests follow the anomalous users of arXiv 2403.04132, section 5.1, and the rigging of 2501.17858.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from arena.ratings.covariance import inverse
from arena.ratings.fit import Fit
from arena.ratings.outcomes import BothBad, Floats, Ints, Ties, check, scores_that_count
from arena.ratings.scale import chances

MIN_VOTES = 20
"""Votes that count from which on a voter is looked at; for speed, votes whose time is known."""
MIN_FAVOURITE_BATTLES = 5
FAVOURITE_Z = 5.0
LEFT_Z = 5.0
AGREEMENT_Z = -4.0
FAST_MS = 500
"""Under it nobody compared two images: to tell whether one image holds an animal takes 445 ms (Thorpe et al. 1996)."""
FAST_SHARE = 0.1
"""Votes of an honest voter that may be so fast, by slips of the finger."""
FAST_Z = 5.0
SLIPS = 0.05
"""No outcome is held for rarer than this: people slip, and one slip against the odds must not outweigh all other votes."""

Kind = Literal["favourite", "left", "agreement", "fast"]


class Ballot(NamedTuple):
    """One vote with who cast it."""

    voter: str
    a: str
    b: str
    outcome: str
    decided_ms: int | None = None
    """From both images seen to the answer; `None` when nobody measured it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd about a voter."""

    voter: str
    kind: Kind
    z: float
    """In standard errors; for each kind, beyond its threshold."""
    words: str
    """A sentence that can be shown."""
    about: str | None = None
    """The competitor of a "favourite"; `None` for the other kinds."""


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """V voters with enough votes, and how they stand to M competitors."""

    voters: tuple[str, ...]
    competitors: tuple[str, ...]
    z: Floats
    """(V, M) what the voter gave the competitor beyond what the others expect, in standard errors."""
    met: Floats
    """(V, M) battles of the voter's with the competitor."""


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """V voters with enough votes, and their R votes."""

    voters: list[str]
    voter: Ints
    """(R,) index into `voters`."""
    a: Ints
    b: Ints
    score: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Votes (R,) held against the board without their voter."""

    residual: Floats
    variance: Floats
    """Of the score, at least: half-won ties make it smaller than this, so a z errs on the side of silence."""
    ahead: Floats
    """Logits by which side a is expected to be ahead."""


def findings(
    ballots: Sequence[Ballot],
    fit: Fit,
    *,
    ties: Ties = "half",
    both_bad: BothBad = "tie",
    advantage: float = 0.0,
) -> list[Finding]:
    """What is odd, by voter and kind. `fit` is the board of these votes, read with the same `ties` and `both_bad`.

    `advantage`: logits that side a has with everybody, so that the page's bias is not held against a voter.

    Raises:
        BadVote: an outcome is unknown, or a competitor meets itself; the row is named, counted from 1.
        ValueError: a competitor is not on the board.
    """
    read = _read(ballots, fit, scores_that_count(ties, both_bad))
    held = _held(read, fit, advantage)
    found = [*_favourites(read, held, fit), *_lefts(read, held), *_disagreements(read, held), *_fast(ballots)]
    return sorted(found, key=lambda one: (one.voter, one.kind, -abs(one.z)))


def _read(ballots: Sequence[Ballot], fit: Fit, scores: dict[str, float]) -> _Read:
    place = {name: index for index, name in enumerate(fit.names)}
    voters: dict[str, int] = {}
    rows: list[tuple[int, int, int, float]] = []
    for row, (voter, a, b, outcome, _) in enumerate(ballots, start=1):
        check(row, a, b, outcome)
        if a not in place or b not in place:
            raise ValueError(f"vote {row}: {a!r} against {b!r} is not on this board")
        if outcome in scores:
            rows.append((voters.setdefault(voter, len(voters)), place[a], place[b], scores[outcome]))
    return _with_enough(list(voters), np.array(rows, dtype=np.float64).reshape(-1, 4))


def _with_enough(voters: list[str], table: Floats) -> _Read:
    """The rows (voter, a, b, score) of `table` (N, 4) whose voter has enough of them."""
    voter = table[:, 0].astype(np.intp)
    table = table[np.bincount(voter, minlength=len(voters))[voter] >= MIN_VOTES]
    kept, index = np.unique(table[:, 0].astype(np.intp), return_inverse=True)
    first, second = table[:, 1].astype(np.intp), table[:, 2].astype(np.intp)
    return _Read([voters[one] for one in kept.tolist()], index, first, second, table[:, 3])


def _held(read: _Read, fit: Fit, advantage: float) -> _Held:
    size, nu = len(fit.names), fit.tie_parameter or 0.0
    won, tied = chances(fit.strengths[read.a] - fit.strengths[read.b] + advantage, nu)
    residual = read.score - won - tied / 2
    pulled = _by_voter(read, read.a, residual, size) - _by_voter(read, read.b, residual, size)
    votes = np.bincount(read.voter, minlength=len(read.voters))
    share = np.minimum(votes / max(float(fit.tally.battles.sum()) / 2, 1.0), 0.5)
    without = fit.strengths - pulled @ inverse(fit.curvature)[:size, :size] / (1 - share)[:, None]
    ahead = without[read.voter, read.a] - without[read.voter, read.b] + advantage
    won, tied = chances(ahead, nu)
    expected = np.clip(won + tied / 2, SLIPS, 1 - SLIPS)
    # Davidson's model knows how often a tie comes, and so how little the score varies.
    variance = np.maximum(expected * (1 - expected) - tied / 4, SLIPS * (1 - SLIPS))
    return _Held(read.score - expected, variance, np.log(expected / (1 - expected)))


def _by_voter(read: _Read, competitor: Ints, figures: Floats, size: int) -> Floats:
    """(V, M) sums of `figures` (R,) by voter and competitor."""
    cells = len(read.voters) * size
    sums = np.bincount(read.voter * size + competitor, weights=figures, minlength=cells)
    return sums.astype(np.float64).reshape(-1, size)


def _sums(read: _Read, figures: Floats) -> Floats:
    """(V,) sums of `figures` (R,)."""
    return np.bincount(read.voter, weights=figures, minlength=len(read.voters)).astype(np.float64)


def _z(total: Floats, variance: Floats) -> Floats:
    return np.asarray(total / np.sqrt(np.where(variance > 0, variance, 1.0)))


def leanings(
    ballots: Sequence[Ballot], fit: Fit, *, ties: Ties = "half", both_bad: BothBad = "tie", advantage: float = 0.0
) -> Leanings:
    """How far each voter takes each competitor for better than the others do. Arguments and errors as `findings`."""
    read = _read(ballots, fit, scores_that_count(ties, both_bad))
    return _leanings(read, _held(read, fit, advantage), fit)


def _leanings(read: _Read, held: _Held, fit: Fit) -> Leanings:
    size = len(fit.names)
    met = _by_voter(read, read.a, np.ones(len(read.a)), size) + _by_voter(read, read.b, np.ones(len(read.a)), size)
    total = _by_voter(read, read.a, held.residual, size) - _by_voter(read, read.b, held.residual, size)
    z = _z(total, _by_voter(read, read.a, held.variance, size) + _by_voter(read, read.b, held.variance, size))
    return Leanings(tuple(read.voters), fit.names, z, met)


def _favourites(read: _Read, held: _Held, fit: Fit) -> list[Finding]:
    lean = _leanings(read, held, fit)
    return [
        Finding(
            read.voters[voter],
            "favourite",
            float(lean.z[voter, one]),
            f"Takes {fit.names[one]!r} for better than all others do, in {lean.met[voter, one]:.0f} battles"
            f" ({lean.z[voter, one]:.1f} standard errors; {FAVOURITE_Z:g} are allowed).",
            fit.names[one],
        )
        for voter, one in np.argwhere((lean.z > FAVOURITE_Z) & (lean.met >= MIN_FAVOURITE_BATTLES)).tolist()
    ]


def _lefts(read: _Read, held: _Held) -> list[Finding]:
    z = _z(_sums(read, held.residual), _sums(read, held.variance))
    return [
        Finding(
            read.voters[voter],
            "left",
            float(z[voter]),
            f"Chooses side {'A' if z[voter] > 0 else 'B'} whatever stands there"
            f" ({abs(z[voter]):.1f} standard errors; {LEFT_Z:g} are allowed).",
        )
        for voter in np.flatnonzero(np.abs(z) > LEFT_Z).tolist()
    ]


def _disagreements(read: _Read, held: _Held) -> list[Finding]:
    z = _z(_sums(read, held.residual * held.ahead), _sums(read, held.variance * held.ahead**2))
    return [
        Finding(
            read.voters[voter],
            "agreement",
            float(z[voter]),
            f"Votes by chance or against all others ({z[voter]:.1f} standard errors; {AGREEMENT_Z:g} is allowed).",
        )
        for voter in np.flatnonzero(z < AGREEMENT_Z).tolist()
    ]


def _fast(ballots: Sequence[Ballot]) -> list[Finding]:
    timed: dict[str, int] = {}
    fast: dict[str, int] = {}
    for ballot in ballots:
        if ballot.decided_ms is not None:
            timed[ballot.voter] = timed.get(ballot.voter, 0) + 1
            if ballot.decided_ms < FAST_MS:
                fast[ballot.voter] = fast.get(ballot.voter, 0) + 1
    found = []
    for voter, count in fast.items():
        votes = timed[voter]
        z = float((count - FAST_SHARE * votes) / (votes * FAST_SHARE * (1 - FAST_SHARE)) ** 0.5)
        if votes >= MIN_VOTES and z > FAST_Z:
            words = f"Decided {count} of {votes} votes in less than {FAST_MS} ms, too fast to compare two images."
            found.append(Finding(voter, "fast", z, words))
    return found
