"""Whether side a wins more than its competitors should: Bradley-Terry with an advantage for the side. Pure.

P(side a takes the point) = sigmoid(strength of a - strength of b + advantage). Sides are drawn by a fair coin, so the
advantage should be 0; one that is not tells of the page or of the voters, and it cancels out of the ratings.

Source: the order effect of Davidson & Beaver 1977, as in the R package BradleyTerry2.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np

from arena.ratings.covariance import inverse, sandwich
from arena.ratings.maturity import MIN_BATTLES, PROVISIONAL_HALF_WIDTH
from arena.ratings.newton import Slope, minimum
from arena.ratings.outcomes import Floats, Grouped, directed_sums, laplacian, points
from arena.ratings.prior import FORCED_PRIOR, PRIOR, UNBOUNDED_VARIANCE, standing, tether
from arena.ratings.scale import POINTS_PER_LOGIT, Z95, log_sigmoid, sigmoid

Verdict = Literal["bias", "hint", "few", "none"]
"""A bias; a hint of one; too few votes to tell; no sign of one."""
ALARM_Z = 3.0
SAME = 1e-9
"""Share under which a curvature counts as none."""


@dataclass(frozen=True, slots=True, eq=False)
class SideBias:
    """Advantage of side a."""

    delta: float
    """In logits; above 0: side a takes more than it should."""
    se: float
    """Sandwich standard error of `delta`."""
    information_se: float
    """The usual standard error, which takes a half-won tie for noisier than it is."""
    strengths: Floats
    """(M,) logits with mean 0, freed of the advantage."""

    @property
    def delta_points(self) -> float:
        """The advantage in rating points."""
        return POINTS_PER_LOGIT * self.delta

    @property
    def z(self) -> float:
        """The advantage in standard errors."""
        return self.delta / self.se if self.se else 0.0

    @property
    def alarms(self) -> bool:
        """Whether chance hardly does that: beyond 3 standard errors."""
        return abs(self.z) > ALARM_Z

    @property
    def verdict(self) -> Verdict:
        """What can be said of it. That there is no sign of one is only said where one that matters would have shown."""
        if self.alarms:
            return "bias"
        if abs(self.z) > Z95:
            return "hint"
        return "few" if Z95 * POINTS_PER_LOGIT * self.se > PROVISIONAL_HALF_WIDTH else "none"


def side_bias(rows: Grouped, *, prior: float = PRIOR) -> SideBias | None:
    """The advantage of side a, fitted together with the strengths; `None` without votes.

    The advantage has the same prior as a competitor when one is in use, so it is finite even if side a took every point.
    With `prior` 0 the least prior is used where the likelihood has no finite maximum.

    Raises:
        ValueError: the prior is negative.
    """
    if not len(rows.count):
        return None
    won, lost = (directed_sums(rows, rows.weight * share) for share in (rows.score, 1 - rows.score))
    held = standing(points(rows), prior)
    at, used = _fitted(won, lost, held.prior)
    information = inverse(_slope(at, won, lost, used).curvature)
    of_votes = _slope_of_votes(at, won, lost).curvature
    variance = 0.0
    if is_told_apart := _is_told_apart(of_votes):
        variance = float(sandwich(of_votes, _meat(rows, at), held.islands)[-1, -1])
    if not is_told_apart or _is_blind(rows):
        variance = max(variance, float(information[-1, -1]))
    return SideBias(
        delta=float(at[-1]),
        se=math.sqrt(max(variance, 0.0)),
        information_se=math.sqrt(float(information[-1, -1])),
        strengths=at[:-1] - at[:-1].mean(),
    )


def _fitted(won: Floats, lost: Floats, prior: float) -> tuple[Floats, float]:
    """(M + 1,) likeliest strengths and advantage, not centred, and the prior that was used."""
    start = np.zeros(len(won) + 1)
    if not prior:
        # Sides can leave no finite maximum though strengths alone have one; then the first way finds no end.
        with suppress(ArithmeticError, np.linalg.LinAlgError):
            plain = minimum(lambda at: _slope(at, won, lost, 0.0), start)
            if 0 < inverse(_slope(plain, won, lost, 0.0).curvature)[-1, -1] < UNBOUNDED_VARIANCE:
                return plain, 0.0
    used = prior or FORCED_PRIOR
    return minimum(lambda at: _slope(at, won, lost, used), start), used


def _is_told_apart(curvature: Floats) -> bool:
    """Whether the votes tell the advantage from strengths: not if each of them always stood on the same side."""
    own, shared = float(curvature[-1, -1]), curvature[:-1, -1]
    left = own - float(shared @ np.linalg.pinv(curvature[:-1, :-1], rcond=SAME, hermitian=True) @ shared)
    return left > SAME * own


def _is_blind(rows: Grouped) -> bool:
    """Whether the spread of the votes says nothing: few of them, all points on one side, or only ties."""
    return rows.votes < MIN_BATTLES or not (np.any(rows.score == 1) and np.any(rows.score == 0))


def _slope(at: Floats, won: Floats, lost: Floats, prior: float) -> Slope:
    held = tether(at[:-1], prior, float(won.sum() + lost.sum()) / len(won))
    own = tether(at[-1:], prior, 0.0)  # without a prior, 0 games leave the advantage free
    gradient = np.concatenate([held.gradient, own.gradient])
    curvature = np.zeros((len(at), len(at)))
    curvature[:-1, :-1], curvature[-1:, -1:] = held.curvature, own.curvature
    return _slope_of_votes(at, won, lost) + Slope(held.loss + own.loss, gradient, curvature)


def _slope_of_votes(at: Floats, won: Floats, lost: Floats) -> Slope:
    """Loss for what side a `won` and `lost` (M, M), side a in the rows; `at` (M + 1,) ends with the advantage."""
    strengths, delta = at[:-1], at[-1]
    ahead = strengths[:, None] - strengths[None, :] + delta
    p = sigmoid(ahead)
    rest = sigmoid(-ahead)
    loss = -float(np.sum(won * log_sigmoid(ahead) + lost * log_sigmoid(-ahead)))
    fell_short = won * rest - lost * p
    q = (won + lost) * p * rest
    gradient = np.concatenate([fell_short.sum(axis=0) - fell_short.sum(axis=1), [-fell_short.sum()]])
    return Slope(loss, gradient, _outer(q))


def _meat(rows: Grouped, at: Floats) -> Floats:
    residual = rows.score - sigmoid(at[rows.a] - at[rows.b] + at[-1])
    return _outer(directed_sums(rows, rows.squared * residual * residual))


def _outer(figures: Floats) -> Floats:
    """(M + 1, M + 1) sum of figure * x x' over the directed pairs (M, M); x is 1 for a, -1 for b, 1 for the advantage."""
    size = len(figures)
    table = np.empty((size + 1, size + 1))
    table[:size, :size] = laplacian(figures)
    table[size, :size] = table[:size, size] = figures.sum(axis=1) - figures.sum(axis=0)
    table[size, size] = figures.sum()
    return table
