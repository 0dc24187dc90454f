"""Voters who push one competitor together: each within what one voter may do, all of them beyond what chance does. Pure.

For each competitor it is counted how many voters lean to it by more than two standard errors beyond chance and taste, or by
more than two and a half, and so on. How many honest ones do, the others tell who lean away from it: opinions spread to both
sides, pushing goes to one. Where a count is out of all proportion, those who lean far are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

import numpy as np

from arena.ratings.outcomes import Floats
from arena.ratings.tastes import MIN_BATTLES_WITH, Leanings
from arena.ratings.voter_checks import Finding

LEAN_Z = (2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
"""Standard errors beyond which voters are counted."""
SURE_Z = 2.75
"""Standard errors from which on one of them is found."""
MIN_TOGETHER = 3
DEGREES = 20
"""Of freedom, even, in how opinions spread: some honest voters are fonder of something than a normal spread allows."""
RARER_THAN = 1e-5
"""So unlikely must the count be for honest voters: boards have dozens of competitors, and are looked at again and again."""


Spread = Callable[[str, Collection[str]], float]
"""(competitor, voters) -> how far the other voters' leanings spread, on the board without these; see `lean_spread`."""


def pushed_together(lean: Leanings, spread: Spread, known: Mapping[str, int]) -> list[Finding]:
    """Findings of the kind "favourite". `known`: competitor -> voters that were found to push it and are not among these."""
    found = []
    looked_at = lean.met >= MIN_BATTLES_WITH
    for one, name in enumerate(lean.competitors):
        already = known.get(name, 0)
        size = int(looked_at[:, one].sum()) + already
        leaning = np.where(looked_at[:, one], lean.z[:, one], -np.inf)
        voters = _together(lean, leaning, (name, size, already), spread)
        found += [
            Finding(
                lean.voters[voter],
                "favourite",
                float(lean.z[voter, one]),
                f"Takes {name!r} for better than others do, in {lean.met[voter, one]:.0f} battles"
                f" ({lean.z[voter, one]:.1f} standard errors), and so do {len(voters) + already - 1} more of {size} voters.",
                name,
            )
            for voter in voters
        ]
    return found


def _together(lean: Leanings, leaning: Floats, about: tuple[str, int, int], spread: Spread) -> list[int]:
    """Places of the voters who push; `leaning` (V,) and `about`: the competitor, voters who met it, and those known to push."""
    name, size, already = about
    for cut in LEAN_Z:
        voters = np.flatnonzero(leaning > cut)
        to = len(voters) + already
        if not len(voters) or to < MIN_TOGETHER:
            return []
        if at_least(to, size, _share_beyond(cut, 1.0)) > RARER_THAN:
            continue
        share = _share_beyond(cut, spread(name, {lean.voters[voter] for voter in voters.tolist()}))
        if at_least(to, size, share) <= RARER_THAN:
            sure: list[int] = voters[leaning[voters] > SURE_Z].tolist()
            # Their own votes hold the board up against which they lean: without the first of them the others lean further.
            first: list[int] = voters[np.argsort(-leaning[voters], kind="stable")][:MIN_TOGETHER].tolist()
            return sure or ([] if already else first)
    return []


def lean_spread(lean: Leanings, competitor: str) -> float:
    """Standard deviation of the z of voters who lean away from the competitor: 1 where all is chance and taste, never less."""
    one = lean.competitors.index(competitor)
    z = lean.z[lean.met[:, one] >= MIN_BATTLES_WITH, one]
    below = z[z < 0]
    return max(1.0, float(np.sqrt(np.mean(below**2)))) if len(below) else 1.0


def _share_beyond(cut: float, spread: float) -> float:
    """Share of honest voters beyond `cut` where z spreads so far, by Student's t: tastes have longer tails than a normal.

    Source: Abramowitz & Stegun 26.7.4.
    """
    t = cut / spread
    sine, cosine = t / math.sqrt(DEGREES + t * t), DEGREES / (DEGREES + t * t)
    within, term = 0.0, sine
    for even in range(2, DEGREES + 1, 2):
        within += term
        term *= cosine * (even - 1) / even
    return (1 - within) / 2


def at_least(count: int, of: int, share: float) -> float:
    """Chance that of so many at least `count` do what each does with the chance `share`."""
    if share >= 1.0:
        return 1.0
    log_share, log_rest = math.log(share), math.log1p(-share)
    return math.fsum(
        math.exp(
            math.lgamma(of + 1) - math.lgamma(n + 1) - math.lgamma(of - n + 1) + n * log_share + (of - n) * log_rest
        )
        for n in range(count, of + 1)
    )
