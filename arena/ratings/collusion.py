"""Voters who push one competitor together: each within what one voter may do, all of them beyond what chance does. Pure.

For each competitor it is counted how many voters lean to it by more than two and a half standard errors. Of voters who all see
alike one in 160 does. How many more do for reasons of taste, the others tell who lean away from it: tastes spread to both
sides, pushing goes to one. Where the count is out of all proportion, whoever leans so far is found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

import numpy as np

from arena.ratings.voter_checks import MIN_FAVOURITE_BATTLES, Finding, Leanings

LEAN_Z = 2.5
"""Standard errors from which on a voter may be one of those who push."""
MIN_TOGETHER = 3
RARER_THAN = 1e-5
"""So unlikely must the count be for honest voters: boards have dozens of competitors, and are looked at again and again."""


Spread = Callable[[str, Collection[str]], float]
"""(competitor, voters) -> how far the other voters' leanings spread, on the board without these; see `taste_spread`."""


def pushed_together(lean: Leanings, spread: Spread, known: Mapping[str, int]) -> list[Finding]:
    """Findings of the kind "favourite". `known`: competitor -> voters that were found to push it and are not among these."""
    found = []
    looked_at = lean.met >= MIN_FAVOURITE_BATTLES
    for one, name in enumerate(lean.competitors):
        already = known.get(name, 0)
        (voters,) = np.nonzero(looked_at[:, one] & (lean.z[:, one] > LEAN_Z))
        to, size = len(voters) + already, int(looked_at[:, one].sum()) + already
        if len(voters) == 0 or to < MIN_TOGETHER or at_least(to, size, _share_beyond(1.0)) > RARER_THAN:
            continue
        share = _share_beyond(spread(name, {lean.voters[voter] for voter in voters}))
        if at_least(to, size, share) > RARER_THAN:
            continue
        found += [
            Finding(
                lean.voters[voter],
                "favourite",
                float(lean.z[voter, one]),
                f"Takes {name!r} for better than others do, in {lean.met[voter, one]:.0f} battles"
                f" ({lean.z[voter, one]:.1f} standard errors), and so do {to - 1} more of {size} voters.",
                name,
            )
            for voter in voters.tolist()
        ]
    return found


def taste_spread(lean: Leanings, competitor: str) -> float:
    """Standard deviation of the z of voters who lean away from the competitor: 1 where all see alike, and never less."""
    one = lean.competitors.index(competitor)
    z = lean.z[lean.met[:, one] >= MIN_FAVOURITE_BATTLES, one]
    below = z[z < 0]
    return max(1.0, float(np.sqrt(np.mean(below**2)))) if len(below) else 1.0


def _share_beyond(spread: float) -> float:
    """Share of honest voters beyond `LEAN_Z` where z spreads so far."""
    return 0.5 * math.erfc(LEAN_Z / spread / math.sqrt(2))


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
