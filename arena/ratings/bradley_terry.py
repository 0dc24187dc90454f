"""Bradley-Terry ratings: the strengths under which the votes were likeliest. Pure.

P(a takes the point from b) = sigmoid(strength of a - strength of b); a tie is half a point to each. Newton's method on
grouped rows, so a million votes cost as much as a thousand.

Source: Bradley & Terry 1952; Chiang et al. 2024, arXiv 2403.04132, section 4 (the fit and its sandwich covariance).
"""

from __future__ import annotations

import numpy as np

from arena.ratings.fit import Fit, assembled
from arena.ratings.newton import Slope, minimum
from arena.ratings.outcomes import Floats, Grouped, directed_sums, laplacian, points
from arena.ratings.prior import PRIOR, standing, tether
from arena.ratings.scale import log_sigmoid, sigmoid


def fit(rows: Grouped, *, prior: float = PRIOR, start: Floats | None = None) -> Fit:
    """Ratings with their covariances.

    `prior` 0 gives the plain maximum of the likelihood. Where that is not finite (somebody unbeaten, an island, nobody's
    battles), the least prior of `FORCED_PRIOR` games is used instead, `is_forced` says so, and those whom it keeps finite are
    under the caution "unbounded". `start` (M,) may hold the uncentred strengths of an earlier fit.

    Raises:
        ValueError: the prior is negative.
    """
    scored = points(rows)
    held = standing(scored, prior)
    at = strengths_of(scored, held.prior, np.zeros(len(rows.names)) if start is None else start)
    return assembled(
        rows,
        held,
        at,
        whole=slope(at, scored, held.prior),
        votes=slope_of_votes(at, scored),
        meat=_meat(rows, at),
    )


def strengths_of(scored: Floats, prior: float, start: Floats) -> Floats:
    """(M,) likeliest strengths, not centred. The prior must keep them finite: `standing` gives one that does."""
    return minimum(lambda at: slope(at, scored, prior), start)


def slope(strengths: Floats, scored: Floats, prior: float) -> Slope:
    """Penalised loss at `strengths` (M,) for what was `scored` (M, M)."""
    games = float(scored.sum()) / max(len(scored), 1)
    return slope_of_votes(strengths, scored) + tether(strengths, prior, games)


def slope_of_votes(strengths: Floats, scored: Floats) -> Slope:
    """Loss at `strengths` (M,) for what was `scored` (M, M), without a prior."""
    ahead = strengths[:, None] - strengths[None, :]
    p = sigmoid(ahead)
    missed = scored * p.T
    loss = -float(np.sum(scored * log_sigmoid(ahead)))
    return Slope(loss, missed.sum(axis=0) - missed.sum(axis=1), laplacian(scored * p * p.T))


def _meat(rows: Grouped, strengths: Floats) -> Floats:
    """(M, M) sum over votes of the outer products of their scores: B of the sandwich."""
    residual = rows.score - sigmoid(strengths[rows.a] - strengths[rows.b])
    return laplacian(directed_sums(rows, rows.squared * residual * residual))
