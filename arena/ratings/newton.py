"""Newton's method for the convex losses of the rating models, with halved steps where a full one would overshoot. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arena.ratings.outcomes import Floats

TOLERANCE = 1e-10
"""Largest step, in logits, at which a fit has settled: 2e-8 rating points."""
ROUNDING = 1e-15
"""Share of the loss below which a step can win nothing: a flat curvature makes long steps of the last digits."""
LOSS_ROUNDING = 1e-12
"""Share of the loss within which two losses may differ by rounding alone."""
RIDGE = 1e-12
"""Share of the steepest curvature that is added in all directions where there is none in one."""
LONGEST_STEP = 2.0
"""Logits that a round moves at most. Where the curvature is next to nothing, a full step would end where it is nothing."""
MAX_ROUNDS = 200
"""Far more than needed: a convex loss takes 5 to 7 rounds, an unbeaten competitor with a million wins some 20."""
MAX_HALVINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """A loss at one point, with its first and second derivatives: K parameters."""

    loss: float
    gradient: Floats
    """(K,)"""
    curvature: Floats
    """(K, K), positive definite"""

    def __add__(self, other: Slope) -> Slope:
        """The sum of two losses over the same parameters."""
        return Slope(self.loss + other.loss, self.gradient + other.gradient, self.curvature + other.curvature)


def minimum(slope_at: Callable[[Floats], Slope], start: Floats) -> Floats:
    """(K,) where the convex loss is least.

    Raises:
        ArithmeticError: it did not settle within `MAX_ROUNDS`; no board should be shown then.
    """
    at, slope = start, slope_at(start)
    for _ in range(MAX_ROUNDS):
        step = _full_step(slope)
        longest = float(np.max(np.abs(step), initial=0.0))
        if longest <= TOLERANCE or float(slope.gradient @ step) <= ROUNDING * (1.0 + abs(slope.loss)):
            return at - step
        at, slope = _descended(slope_at, at, slope, step * min(1.0, LONGEST_STEP / longest))
    raise ArithmeticError(f"the fit did not settle within {MAX_ROUNDS} rounds")


def _full_step(slope: Slope) -> Floats:
    try:
        return np.asarray(np.linalg.solve(slope.curvature, slope.gradient), dtype=np.float64)
    except np.linalg.LinAlgError:
        # Flat to the last digit in some direction: a touch of curvature there keeps the step one that goes down.
        steepest = float(np.max(np.diag(slope.curvature))) or 1.0
        held = slope.curvature + RIDGE * steepest * np.eye(len(slope.gradient))
        return np.asarray(np.linalg.solve(held, slope.gradient), dtype=np.float64)


def _descended(slope_at: Callable[[Floats], Slope], at: Floats, slope: Slope, step: Floats) -> tuple[Floats, Slope]:
    """The next point: the step, halved until it does not overshoot."""
    share = 1.0
    for _ in range(MAX_HALVINGS):
        tried = at - share * step
        there = slope_at(tried)
        if _is_better(slope, there, share * step):
            return tried, there
        share /= 2
    raise ArithmeticError("the loss does not fall along Newton's step")


def _is_better(here: Slope, there: Slope, step: Floats) -> bool:
    """Whether the loss falls as a convex one must (Armijo); by the slope, where the loss shows rounding only.

    Source: the approximate Wolfe conditions of Hager & Zhang 2005, SIAM J. Optim. 16.
    """
    promised, fallen = float(here.gradient @ step), here.loss - there.loss
    noise = LOSS_ROUNDING * (1.0 + abs(here.loss))
    if abs(fallen) > noise:
        return fallen >= 1e-4 * promised
    return float(there.gradient @ step) >= -0.5 * promised
