"""Places and what they are worth: rank by overlap, chance of being best, votes that would separate two. Pure."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

import numpy as np

from arena.ratings.fit import Fit
from arena.ratings.method import SEED
from arena.ratings.outcomes import Floats, Ints
from arena.ratings.scale import POINTS_PER_LOGIT, Z95, sigmoid

DRAWS = 5_000
"""Boards that are drawn for P(best): its standard error is at most 0.7 percent."""
SAME_RATING = 1e-9
"""Points within which two ratings differ by rounding only."""
POWER_Z = 0.84
"""With it, a gap that is there shows itself in 80% of tries."""


def ranks_by_overlap(low: Floats, high: Floats) -> Ints:
    """(M,) 1 + how many have their whole interval above this one's. Overlapping competitors can share a rank.

    Source: FastChat's `recompute_final_ranking`; arXiv 2403.04132, section 4, calls it the approximate ranking.
    """
    return np.asarray(1 + len(low) - np.searchsorted(np.sort(low), high, side="right"), dtype=np.intp)


def ranks_by_rating(ratings: Floats) -> Ints:
    """(M,) 1 + how many ratings are higher; those that differ by rounding only share a rank."""
    higher = np.searchsorted(np.sort(ratings), ratings + SAME_RATING, side="right")
    return np.asarray(1 + len(ratings) - higher, dtype=np.intp)


def z_of_all(competitors: int) -> float:
    """Standard errors on each side so that all intervals hold at once in 95% of boards (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.05 / (2 * max(competitors, 1)))


def normal_draws(fit: Fit, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """(draws, M) ratings in points that the votes leave possible: normal around the fit with its covariance."""
    return fit.ratings + normal_noise(fit.covariance, draws=draws, seed=seed)


def normal_noise(covariance: Floats, *, draws: int, seed: int) -> Floats:
    """(draws, M) errors in points, from a covariance in logits, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(_standard_normal(draws, len(covariance), seed) @ (POINTS_PER_LOGIT * root.T))


@functools.lru_cache(maxsize=4)
def _standard_normal(draws: int, size: int, seed: int) -> Floats:
    """(draws, size) numbers that are always the same: drawing them takes longer than all that is made of them."""
    numbers = np.random.default_rng(seed).standard_normal((draws, size))
    numbers.flags.writeable = False
    return numbers


def p_best(draws: Floats) -> Floats:
    """(M,) share of the drawn boards (D, M) that each competitor leads; a shared lead is split."""
    if not draws.size:
        return np.zeros(draws.shape[1])
    leads = draws == draws.max(axis=1, keepdims=True)
    return np.asarray((leads / leads.sum(axis=1, keepdims=True)).mean(axis=0))


def rank_intervals(draws: Floats, *, level: float = 0.95) -> tuple[Ints, Ints]:
    """Best and worst rank of each competitor, each (M,), in the middle `level` of the drawn boards (D, M)."""
    if not draws.size:
        nothing = np.zeros(draws.shape[1], dtype=np.intp)
        return nothing, nothing
    boards, size = draws.shape
    # Equal ratings come in all boards, where nothing is known of a gap, or in none: only then is the slower sort needed.
    order = np.argsort(-draws, axis=1, kind="stable" if len(np.unique(draws[0])) < size else "quicksort")
    # How often each competitor stood in each place or a better one; far cheaper than quantiles of all places.
    taken = np.bincount((order * size + np.arange(size)).ravel(), minlength=size * size).reshape(size, size)
    reached = taken.cumsum(axis=1)
    beyond = (1 - level) / 2
    best, worst = ((reached < round(share * boards, 6)).sum(axis=1) + 1 for share in (beyond, 1 - beyond))
    return best.astype(np.intp), worst.astype(np.intp)


def battles_to_separate(gap_points: float, *, tie_rate: float = 0.0) -> int | None:
    """Battles of two that show a gap of this size in 80% of tries, at 95%; `None` for no gap, which none can show.

    (1.96 + 0.84)^2 times the variance of one battle's score over the squared slope of its expected score: about 9,500
    battles for 10 points and 380 for 50. `tie_rate`: share of ties between the two, which make the score less noisy.
    """
    information = _information(gap_points, tie_rate)
    return math.ceil(_wanted(gap_points) / information) if gap_points else None


def more_battles_to_separate(gap_points: float, se_points: float, *, tie_rate: float = 0.0) -> int | None:
    """Further direct battles of two until their gap, if it stays, is 2.8 standard errors; 0 if it is already.

    `se_points`: standard error of the gap now. `None` for no gap.
    """
    if not gap_points:
        return None
    known = math.inf if se_points <= 0 else (POINTS_PER_LOGIT / se_points) ** 2
    return max(0, math.ceil((_wanted(gap_points) - known) / _information(gap_points, tie_rate)))


def _wanted(gap_points: float) -> float:
    """Precision (1 / logits squared) at which the gap is 2.8 standard errors."""
    return ((Z95 + POWER_Z) * POINTS_PER_LOGIT / gap_points) ** 2 if gap_points else math.inf


def _information(gap_points: float, tie_rate: float) -> float:
    """Precision that one direct battle adds: squared slope of its expected score over the variance of its score."""
    p = float(sigmoid(gap_points / POINTS_PER_LOGIT))
    even = p * (1 - p)
    # Ties take a quarter of their share off the variance; a score cannot vary less than that of the likeliest outcome.
    variance = max(even - tie_rate / 4, 0.01 * even)
    return even * even / variance
