"""Voters whose votes do not look like judgements: found by what the board leaves unexplained of them. Pure.

Summed up over a voter's votes, what the board does not explain stays within a few standard errors of 0 for whoever looks at
the images: of chance and, where a voter may have opinions of its own, of tastes. A finding is a reason to leave a voter out
and to say so, never a proof; whoever many pushed together also moved the board, so fit again without those found and look
once more.

Source: the residual tests follow the anomalous users of arXiv 2403.04132, section 5.1, and the rigging of 2501.17858.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from arena.ratings.fit import Fit
from arena.ratings.held_votes import MIN_VOTES, Ballot, Held, Reading, held
from arena.ratings.likelier import Battles
from arena.ratings.outcomes import Floats
from arena.ratings.tastes import CLOSELY, LEAST, MIN_BATTLES_WITH, Leanings, Tastes, leanings, tastes_of

FAVOURITE_Z = 5.0
LEFT_Z = 5.0
AGREEMENT_Z = -4.0
FAST_MS = 500
"""Under it nobody compared two images: to tell whether one image holds an animal takes 445 ms (Thorpe et al. 1996)."""
FAST_SHARE = 0.1
"""Votes of an honest voter that may be so fast, by slips of the finger."""
FAST_Z = 5.0

Kind = Literal["favourite", "left", "agreement", "fast"]


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


def findings(
    ballots: Sequence[Ballot], fit: Fit, reading: Reading | None = None, *, tastes: Tastes | None = None
) -> list[Finding]:
    """What is odd, by voter and kind. `fit` is the board of these votes and maybe others, read as `reading` says.

    `tastes`: how far honest voters differ; `None`: as far as these do.

    Raises:
        BadVote: an outcome is unknown, or a competitor meets itself; the row is named, counted from 1.
        ValueError: a competitor is not on the board.
    """
    votes = held(ballots, fit, reading or Reading())
    known = tastes or tastes_of(votes)
    lean, usual = leanings(votes, known), known.held(votes)
    found = [*_favourites(lean), *_lefts(usual), *_disagreements(usual, known), *_fast(ballots)]
    return sorted(found, key=lambda one: (one.voter, one.kind, -abs(one.z)))


def _z(total: Floats, variance: Floats) -> Floats:
    return np.asarray(total / np.sqrt(np.where(variance > 0, variance, 1.0)))


def _favourites(lean: Leanings) -> list[Finding]:
    return [
        Finding(
            lean.voters[voter],
            "favourite",
            float(lean.z[voter, one]),
            f"Takes {lean.competitors[one]!r} for better than all others do, in {lean.met[voter, one]:.0f} battles"
            f" ({lean.z[voter, one]:.1f} standard errors; {FAVOURITE_Z:g} are allowed).",
            lean.competitors[one],
        )
        for voter, one in np.argwhere((lean.z > FAVOURITE_Z) & (lean.met >= MIN_BATTLES_WITH)).tolist()
    ]


def _lefts(votes: Held) -> list[Finding]:
    z = _z(votes.sums(votes.residual), votes.sums(votes.variance))
    return [
        Finding(
            votes.voters[voter],
            "left",
            float(z[voter]),
            f"Chooses side {'A' if z[voter] > 0 else 'B'} whatever stands there"
            f" ({abs(z[voter]):.1f} standard errors; {LEFT_Z:g} are allowed).",
        )
        for voter in np.flatnonzero(np.abs(z) > LEFT_Z).tolist()
    ]


def _disagreements(votes: Held, tastes: Tastes) -> list[Finding]:
    z = agreement(votes, tastes)
    return [
        Finding(
            votes.voters[voter],
            "agreement",
            float(z[voter]),
            f"Votes by chance or against all others ({z[voter]:.1f} standard errors; {AGREEMENT_Z:g} is allowed).",
        )
        for voter in np.flatnonzero(z < AGREEMENT_Z).tolist()
    ]


def agreement(votes: Held, tastes: Tastes) -> Floats:
    """(V,) how much more, or less, each voter goes with the others than expected, in standard errors.

    The opinion looked for is d, by which a voter goes with the others 1 + d times as much as they expect: -1 is by chance, -2
    against them all. Tastes that happen to lie across the board's order move d too; and where the others are not sure who is
    ahead, nobody can wholly agree with them.
    """
    weighed = votes.variance * votes.ahead
    information = votes.sums(weighed * votes.ahead)
    across = votes.by_competitor(weighed, -weighed)
    by_taste = tastes.spread**2 * (across**2).sum(axis=1)
    missing = votes.sums(votes.variance * (votes.unsure + 2 * tastes.spread**2 / tastes.crowd))
    z = _z(votes.sums(votes.residual * votes.ahead) + missing, information + by_taste)
    against = np.flatnonzero(z < -CLOSELY)
    if len(against):
        label = np.full(len(votes.voters), -1, dtype=np.intp)
        label[against] = np.arange(len(against))
        theirs = label[votes.voter] >= 0
        ahead = votes.ahead[theirs]
        cast = Battles(label[votes.voter][theirs], ahead, ahead, votes.score[theirs])
        usual = np.maximum(by_taste[against] / information[against] ** 2, LEAST**2)
        z[against] = -cast.likelier(1 / usual, -missing[against] / information[against])
    return z


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
