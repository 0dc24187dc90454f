"""Voters of few votes, taken together: one person with many tokens pushes, and no token stands out by itself. Pure.

Who has too few votes to be looked at alone is held against the board of those who have enough, in groups of voters who came
one after the other: who makes tokens uses them in a row. What a group gives a competitor is summed up; its variance is that of
chance, of tastes, and of what the board itself is not sure of:

    sum_v [A_mm + t^2 sum_k A_mk^2]_v + [G C G]_mm

with A the curvature of a voter's votes, G that of all of the group, t the spread of tastes and C the covariance of the board.
Beyond `ALARM_Z` standard errors that is an alarm. Found are those of the group who each lean far to the competitor with enough
battles to tell, if they are more than chance explains; who has hardly voted is only part of the alarm.

Source: the combination of anomalous users in arXiv 2403.04132, section 5.1.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.ratings.collusion import MIN_TOGETHER, SURE_Z, lean_spread, pushed_together
from arena.ratings.covariance import inverse
from arena.ratings.fit import Fit
from arena.ratings.held_votes import MIN_VOTES, Ballot, Held, Reading, held
from arena.ratings.outcomes import Floats, Ints, laplacian
from arena.ratings.tastes import Leanings, Tastes, given, leanings
from arena.ratings.voter_checks import Finding

GROUP = 50
"""Voters who are taken together."""
STEP = 25
"""Voters by which one group begins after the other."""
ALARM_Z = 5.0


@dataclass(frozen=True, slots=True)
class Push:
    """A competitor that a group of newcomers takes for better than the others do."""

    competitor: str
    z: float
    """In standard errors, of the group that leans the furthest."""
    voters: int
    """Voters of that group who met it."""
    found: tuple[Finding, ...]
    """Those of all groups who lean so far that they are found by it."""


def pushes(ballots: Sequence[Ballot], fit: Fit, reading: Reading, tastes: Tastes) -> list[Push]:
    """What newcomers push, the gravest first. `ballots`: their votes, in order; `fit`: the others' board, over all competitors.

    Raises:
        BadVote, ValueError: as `held`.
    """
    votes = held(ballots, fit, reading)
    lean, seen, spread = leanings(votes, tastes), given(tastes.held(votes)), tastes.of(votes.competitors)
    own = seen.chance + spread**2 * seen.tastes
    board = inverse(fit.curvature)[: len(fit.names), : len(fit.names)]
    board = board + tastes.spread**2 / tastes.crowd * np.eye(len(board))
    by_voter = np.argsort(votes.voter, kind="stable")
    worst: dict[str, Push] = {}
    for first in range(0, max(len(votes.voters) - GROUP + STEP, 1), STEP):
        group = slice(first, first + GROUP)
        start, end = np.searchsorted(votes.voter[by_voter], (first, first + GROUP)).tolist()
        together = _curvature(votes, by_voter[start:end])
        variance = own[group].sum(axis=0) + np.diag(together @ board @ together)
        z = seen.total[group].sum(axis=0) / np.sqrt(np.where(variance > 0, variance, 1.0))
        met = (seen.met[group] > 0).sum(axis=0)
        alarming = np.flatnonzero((z > ALARM_Z) & (met >= MIN_TOGETHER)).tolist()
        found = _found(_cut(lean, group)) if alarming else []
        for one in alarming:
            name = votes.competitors[one]
            theirs = tuple(finding for finding in found if finding.about == name and finding.z > SURE_Z)
            worst[name] = _graver(worst.get(name), Push(name, float(z[one]), int(met[one]), theirs))
    return sorted(worst.values(), key=_z_of, reverse=True)


def _z_of(push: Push) -> float:
    return push.z


def _graver(before: Push | None, push: Push) -> Push:
    """The two groups' pushes of one competitor as one: the figures of the graver, and all who were found."""
    if before is None:
        return push
    found = {finding.voter: finding for finding in (*before.found, *push.found)}
    return replace(max(before, push, key=_z_of), found=tuple(found.values()))


def _curvature(votes: Held, rows: Ints) -> Floats:
    """(M, M) of these of the votes."""
    size = len(votes.competitors)
    cells = votes.a[rows] * size + votes.b[rows]
    sums = np.bincount(cells, weights=votes.variance[rows], minlength=size * size).astype(np.float64)
    return laplacian(sums.reshape(size, size))


def _cut(lean: Leanings, voters: slice) -> Leanings:
    return replace(lean, voters=lean.voters[voters], z=lean.z[voters], met=lean.met[voters])


def _found(lean: Leanings) -> list[Finding]:
    def spread(competitor: str, voters: Collection[str]) -> float:
        # Their votes are no part of the board, so it stays the same without them.
        others = [place for place, voter in enumerate(lean.voters) if voter not in voters]
        rest = replace(lean, voters=tuple(lean.voters[one] for one in others), z=lean.z[others], met=lean.met[others])
        return lean_spread(rest, competitor)

    return pushed_together(lean, spread, {})


def newcomers(ballots: Sequence[Ballot]) -> set[str]:
    """Voters with too few votes to be looked at alone."""
    cast: dict[str, int] = {}
    for one in ballots:
        cast[one.voter] = cast.get(one.voter, 0) + 1
    return {voter for voter, votes in cast.items() if votes < MIN_VOTES}
