"""The scale of ratings: strengths in logits, ratings in points, and what a gap is worth in a battle. Pure.

A rating is 1000 + 173.7178 * strength, so 400 points are ten to one; strengths have mean 0 over the competitors listed.
"""

from __future__ import annotations

import math

import numpy as np

from arena.ratings.elo import BASE, SCALE
from arena.ratings.outcomes import Floats

POINTS_PER_LOGIT = SCALE / math.log(BASE)
"""173.7178 rating points."""
Z95 = 1.96
"""Standard errors on each side of a 95% interval."""


def sigmoid(logits: Floats | float) -> Floats:
    """1 / (1 + exp(-logits)), exact for large ones of either sign."""
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(np.asarray(logits) >= 0, 1.0, small) / (1.0 + small))


def log_sigmoid(logits: Floats) -> Floats:
    """Logarithm of `sigmoid`, finite for all finite logits."""
    return np.asarray(np.minimum(logits, 0.0) - np.log1p(np.exp(-np.abs(logits))))


def chances(ahead: Floats, tie_parameter: float) -> tuple[Floats, Floats]:
    """Chances of a win and of a tie for one who is `ahead` by so many logits; same shape as `ahead`.

    Source: Davidson 1970; a tie parameter of 0 is Bradley-Terry.
    """
    # Divided by the larger of the two worths, so that nothing overflows.
    top = np.abs(ahead) / 2
    won, tied = np.exp(ahead / 2 - top), tie_parameter * np.exp(-top)
    whole = won + np.exp(-ahead / 2 - top) + tied
    return np.asarray(won / whole), np.asarray(tied / whole)


def expected_score(ahead: Floats, tie_parameter: float | None = None) -> Floats:
    """Score that is expected of one who is `ahead` by so many logits, ties as half; same shape as `ahead`.

    `tie_parameter`: of Davidson's model; `None` for Bradley-Terry.
    """
    won, tied = chances(np.asarray(ahead, dtype=np.float64), tie_parameter or 0.0)
    return won + tied / 2


def score_at(gap_points: float, tie_parameter: float | None = None) -> float:
    """What the higher of two is expected to take over the other, `gap_points` apart: 0 to 1, ties as half."""
    return float(expected_score(np.array(gap_points / POINTS_PER_LOGIT), tie_parameter))
