"""Davidson's ratings: Bradley-Terry in which a tie is an outcome of its own, not half a win to each. Pure.

With strengths i and j in logits and g = i - j, P(i wins) = e^(g/2) / D, P(j wins) = e^(-g/2) / D, P(tie) = nu / D and
D = e^(g/2) + e^(-g/2) + nu. The tie parameter nu is fitted with the strengths; nu / (nu + 2) of the battles between equals
end in a tie. Half-won ties squeeze the scale, these do not. The loss is convex in strengths and log nu, so Newton's method
finds the one maximum.

Source: Davidson 1970, "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", JASA 65.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace

import numpy as np

from arena.ratings import bradley_terry
from arena.ratings.covariance import inverse
from arena.ratings.fit import Fit, assembled
from arena.ratings.newton import Slope, minimum
from arena.ratings.outcomes import Floats, Grouped, directed_sums, laplacian, points
from arena.ratings.prior import FORCED_PRIOR, PRIOR, UNBOUNDED_VARIANCE, standing, tether
from arena.ratings.scale import chances


def fit(rows: Grouped, *, prior: float = PRIOR) -> Fit:
    """Ratings with their covariances and the tie parameter.

    `prior` as in Bradley-Terry; nu itself has none. Without any tie nu is 0 and the fit is Bradley-Terry's. With nothing but
    ties nu would be infinite: then `FORCED_PRIOR` games between equals, half of them tied, hold it. With `prior` 0 there may
    be no finite maximum though everybody took points from everybody (nu and a gap can grow together, if all votes of that
    pair went one way); then too the least prior is used and `is_forced` says so.

    Raises:
        ValueError: the prior is negative.
    """
    if not np.any(rows.score == 0.5):
        return replace(bradley_terry.fit(rows, prior=prior), tie_parameter=0.0)
    scored, tied = points(rows), ties(rows)
    tie_prior = 0.0 if np.any(rows.score != 0.5) else FORCED_PRIOR
    held = standing(scored, prior)
    at = None if held.prior else _plain(scored, tied, tie_prior)
    if at is None:
        held = replace(held, prior=held.prior or FORCED_PRIOR, is_forced=prior == 0)
        at = parameters_of(scored, tied, start_of(scored, tied), prior=held.prior, tie_prior=tie_prior)
    return assembled(
        rows,
        held,
        at,
        whole=slope(at, scored, tied, prior=held.prior, tie_prior=tie_prior),
        votes=slope_of_votes(at, scored, tied),
        meat=_meat(rows, at),
        is_tie_fitted=True,
    )


def _plain(scored: Floats, tied: Floats, tie_prior: float) -> Floats | None:
    """(M + 1,) the maximum without a prior; `None` where it is not finite, so that the search only runs out of digits."""
    with suppress(ArithmeticError, np.linalg.LinAlgError):
        at = parameters_of(scored, tied, start_of(scored, tied), prior=0.0, tie_prior=tie_prior)
        variances = np.diag(inverse(slope(at, scored, tied, prior=0.0, tie_prior=tie_prior).curvature))
        if variances.min() > 0 and variances.max() < UNBOUNDED_VARIANCE:
            return at
    return None


def ties(rows: Grouped) -> Floats:
    """(M, M) ties between each two, weighted; each tie stands in one of the two places."""
    return directed_sums(rows, rows.weight * (rows.score == 0.5))


def start_of(scored: Floats, tied: Floats) -> Floats:
    """(M + 1,) equal strengths, and the logarithm of the nu that gives equals about this share of ties."""
    won = max(float(scored.sum() - tied.sum()), FORCED_PRIOR / 2)
    return np.append(np.zeros(len(scored)), math.log(2 * float(tied.sum()) / won))


def parameters_of(scored: Floats, tied: Floats, start: Floats, *, prior: float, tie_prior: float) -> Floats:
    """(M + 1,) likeliest strengths, not centred, and log nu; the priors must keep them finite.

    `tie_prior`: games between equals, half of them tied.
    """
    return minimum(lambda at: slope(at, scored, tied, prior=prior, tie_prior=tie_prior), start)


def slope(at: Floats, scored: Floats, tied: Floats, *, prior: float, tie_prior: float) -> Slope:
    """Penalised loss at `at` (M + 1,) for the points `scored` and the games `tied` (M, M)."""
    held = tether(at[:-1], prior, float(scored.sum()) / max(len(scored), 1))
    ties_held = _tie_tether(float(at[-1]), tie_prior)
    own = Slope(
        held.loss + ties_held.loss,
        np.append(held.gradient, ties_held.gradient),
        _bordered(held.curvature, np.zeros(len(scored)), float(ties_held.curvature[0, 0])),
    )
    return slope_of_votes(at, scored, tied) + own


def slope_of_votes(at: Floats, scored: Floats, tied: Floats) -> Slope:
    """Loss at `at` (M + 1,), without priors; its curvature is the covariance of each game's points and ties.

    Every term is what one outcome left unexplained: differences of large sums would drown a competitor who hardly lost.
    """
    strengths, log_nu = at[:-1], float(at[-1])
    ahead = strengths[:, None] - strengths[None, :]
    p_win, p_tie = chances(ahead, math.exp(log_nu))
    p_lose, ties_of = p_win.T, tied + tied.T
    won = scored - ties_of / 2
    games = won + won.T + ties_of
    # Each pair stands in sums over ties and games twice, once from each side.
    of_wins = np.logaddexp(np.logaddexp(0.0, -ahead), log_nu - ahead / 2)
    of_ties = np.logaddexp(0.0, np.logaddexp(ahead / 2, -ahead / 2) - log_nu)
    missed = won * (p_lose + p_tie / 2)
    uneven = ties_of * (p_win - p_lose) / 2
    curvature = _bordered(
        laplacian(games * (p_win * p_lose + (p_win + p_lose) * p_tie / 4) / 2),
        (games * p_tie * (p_lose - p_win) / 2).sum(axis=1),
        float(np.sum(games * p_tie * (p_win + p_lose))) / 2,
    )
    return Slope(
        float(np.sum(won * of_wins) + np.sum(ties_of * of_ties) / 2),
        np.append(
            missed.sum(axis=0) - missed.sum(axis=1) + uneven.sum(axis=1),
            float(np.sum(won * p_tie) - np.sum(ties_of * (p_win + p_lose)) / 2),
        ),
        curvature,
    )


def residuals(rows: Grouped, at: Floats) -> tuple[Floats, Floats]:
    """By how much the points of side a, and the ties, are more than expected in each row: (R,) and (R,)."""
    p_win, p_tie = chances(at[rows.a] - at[rows.b], math.exp(at[-1]))
    return rows.score - (p_win + p_tie / 2), (rows.score == 0.5) - p_tie


def _meat(rows: Grouped, at: Floats) -> Floats:
    """(M + 1, M + 1) sum over votes of the outer products of their scores: B of the sandwich."""
    points_over, ties_over = residuals(rows, at)
    mixed = directed_sums(rows, rows.squared * points_over * ties_over)
    return _bordered(
        laplacian(directed_sums(rows, rows.squared * points_over * points_over)),
        mixed.sum(axis=1) - mixed.sum(axis=0),
        float(np.sum(rows.squared * ties_over * ties_over)),
    )


def _bordered(inner: Floats, border: Floats, corner: float) -> Floats:
    """(M + 1, M + 1) the symmetric matrix of `inner` (M, M), `border` (M,) and `corner`."""
    whole = np.empty((len(inner) + 1, len(inner) + 1))
    whole[:-1, :-1] = inner
    whole[-1, :-1] = whole[:-1, -1] = border
    whole[-1, -1] = corner
    return whole


def _tie_tether(log_nu: float, games: float) -> Slope:
    """Loss of so many games between equals, half of them tied; one parameter."""
    p_tie = 1 / (1 + 2 * math.exp(-log_nu))
    loss = games * (float(np.logaddexp(math.log(2), log_nu)) - log_nu / 2)
    return Slope(loss, np.array([games * (p_tie - 0.5)]), np.array([[games * p_tie * (1 - p_tie)]]))
