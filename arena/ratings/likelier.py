"""How much likelier votes are under any opinion than under a usual one. Pure.

An opinion d moves each of a voter's battles by d times a known amount x. Usual ones are normal, with a mean and a precision:

    T = min_d [(d - mean)^2 * precision - 2 l(d)] - min_d [(d - mean)^2 / WIDE^2 - 2 l(d)]

with l the log likelihood of the battles. For few votes the root of T is the total of what is unexplained over its standard
error; unlike that it neither stops growing where somebody decides always alike, nor runs off where hardly any vote was open.

Source: the large-deviation rate of a normal mixture; as a ratio of likelihoods, Wilks 1938.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.ratings.outcomes import Floats, Ints
from arena.ratings.scale import log_sigmoid, sigmoid

WIDE = 10.0
"""Standard deviation of opinions that are held for anything but usual."""
_SETTLED = 1e-4
_MAX_STEPS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Battles:
    """E battles, each of one of C opinions."""

    opinion: Ints
    """(E,) index of the opinion."""
    ahead: Floats
    """(E,) logits by which the one who is scored is expected to be ahead."""
    moved: Floats
    """(E,) logits that one unit of the opinion adds to that."""
    score: Floats
    """(E,) 1, 0.5 or 0."""

    def likelier(self, precision: Floats, mean: Floats) -> Floats:
        """(C,) roots of T for usual opinions of this `precision` (C,) and `mean` (C,)."""
        usual, any_at_all = self._least(precision, mean), self._least(np.full(len(precision), 1 / WIDE**2), mean)
        return np.asarray(np.sqrt(np.maximum(usual - any_at_all, 0.0)))

    def _least(self, precision: Floats, mean: Floats) -> Floats:
        """(C,) the least of (d - mean)^2 * precision - 2 l(d) over opinions d."""
        at = mean.copy()
        for _ in range(_MAX_STEPS):
            p = sigmoid(self.ahead + at[self.opinion] * self.moved)
            slope = self._sums((self.score - p) * self.moved, len(at)) - precision * (at - mean)
            step = slope / (self._sums(p * (1 - p) * self.moved**2, len(at)) + precision)
            at = at + np.clip(step, -1.0, 1.0)
            if np.max(np.abs(step), initial=0.0) < _SETTLED:
                break
        ahead = self.ahead + at[self.opinion] * self.moved
        likely = self._sums(self.score * log_sigmoid(ahead) + (1 - self.score) * log_sigmoid(-ahead), len(at))
        return np.asarray(precision * (at - mean) ** 2 - 2 * likely)

    def _sums(self, figures: Floats, count: int) -> Floats:
        return np.bincount(self.opinion, weights=figures, minlength=count).astype(np.float64)
