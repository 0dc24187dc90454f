"""The prior that keeps ratings finite, and when it must. Pure.

Everyone also plays `prior` games, half of them won, against an opponent fixed at 0: that keeps thin, unbeaten and
never-winning competitors finite, and is soon outweighed.

Source: TTS Arena's `PRIOR_GAMES`; Ford 1957 for when the plain maximum of the likelihood is finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.ratings import connections
from arena.ratings.newton import Slope
from arena.ratings.outcomes import Floats
from arena.ratings.scale import log_sigmoid, sigmoid

PRIOR = 1.0
"""Games of each competitor, half won, against an opponent at 0."""
FORCED_PRIOR = 0.01
"""Games of the prior that is used where none was asked for but the likelihood has no finite maximum."""

UNBOUNDED_VARIANCE = 100.0
"""Logits squared from which on the variance of a parameter without a prior says that it has no finite maximum."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How competitors hang together, and the prior that follows from it."""

    islands: list[list[int]]
    """Groups of indices that battles connect, the largest first."""
    leagues: list[list[int]]
    """Groups of indices that took points from each other, the largest first."""
    prior: float
    """Games in use, for each competitor."""
    is_forced: bool
    """No prior was asked for, but the likelihood has no finite maximum."""


def standing(scored: Floats, prior: float) -> Standing:
    """Islands and leagues of what was `scored` (M, M), and the prior in use: `prior`, or the least one that is needed.

    Raises:
        ValueError: the prior is negative or no number.
    """
    if not 0 <= prior < np.inf:
        raise ValueError(f"a prior of {prior!r} games cannot be; expected 0 or more")
    leagues = connections.leagues(scored)
    is_forced = prior == 0 and (len(leagues) > 1 or not scored.any())
    return Standing(connections.islands(scored), leagues, FORCED_PRIOR if is_forced else prior, is_forced)


def tether(strengths: Floats, prior: float, games: float) -> Slope:
    """Loss of the prior's games. Without a prior: a pull of the mean to 0, which moves no difference of two strengths.

    `games` is the size of that pull; it should be of the order of what one competitor played, for the solver's sake.
    """
    size = len(strengths)
    if prior:
        p = sigmoid(strengths)
        loss = -prior / 2 * float(np.sum(log_sigmoid(strengths) + log_sigmoid(-strengths)))
        return Slope(loss, prior * (p - 0.5), np.diag(pull(strengths, prior)))
    even = games / max(size, 1)
    total = float(strengths.sum())
    return Slope(even * total * total / 2, np.full(size, even * total), np.full((size, size), even))


def pull(strengths: Floats, prior: float) -> Floats:
    """(M,) curvature that the prior gives each competitor."""
    return np.asarray(prior * sigmoid(strengths) * sigmoid(-strengths))
