"""Bootstrap of ratings: the board fitted anew on votes drawn with replacement. Pure.

Drawing N votes with replacement is drawing the counts of the grouped rows at once (multinomial), and each refit starts where
the board stands. Redrawn votes say nothing where there are hardly any: what the guards of the fit add to its covariance is
added to the draws as noise.

Source: percentile intervals as in FastChat's `compute_bootstrap_bt`; Efron & Tibshirani 1993.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from arena.ratings.elo import START
from arena.ratings.fit import Fit
from arena.ratings.method import SEED
from arena.ratings.outcomes import Floats, Grouped
from arena.ratings.ranking import normal_noise
from arena.ratings.refits import Boards, refits
from arena.ratings.scale import POINTS_PER_LOGIT

ROUNDS = 1000
BATCH_CELLS = 60_000
"""Cells of the matrices that are worked on together; a few of them fit a cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Ratings of M competitors over all rounds."""

    names: tuple[str, ...]
    draws: Floats
    """(rounds, M) ratings in points; in each round the fit's `reference` has the mean that it has on the board."""

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper bounds, each (M,): the middle `level` of the draws."""
        beyond = (1 - level) / 2
        low, high = np.quantile(self.draws, [beyond, 1 - beyond], axis=0)
        return low, high


def bootstrap(rows: Grouped, fit: Fit, *, rounds: int = ROUNDS, seed: int = SEED) -> Bootstrap:
    """The board `fit` of `rows`, fitted anew on `rounds` draws of its votes; the same seed gives the same draws.

    Raises:
        ValueError: fewer than one round.
    """
    if rounds < 1:
        raise ValueError(f"{rounds} rounds are too few; expected 1 or more")
    found = np.tile(fit.strengths, (rounds, 1))
    if rows.votes:
        found = np.concatenate([refits(boards, fit) for boards in _drawn(rows, rounds, seed)])
        of_fit, known = fit.strengths[list(fit.reference)].mean(), found[:, list(fit.reference)]
        found += of_fit - known.mean(axis=1, keepdims=True)
    noise = normal_noise(fit.covariance - fit.sandwich, draws=rounds, seed=seed + 1)
    return Bootstrap(fit.names, START + POINTS_PER_LOGIT * found + noise)


def _drawn(rows: Grouped, rounds: int, seed: int) -> Iterator[Boards]:
    """Batches of boards of votes drawn with replacement."""
    rng = np.random.default_rng(seed)
    size = len(rows.names)
    # Sides do not matter here: rows of the same pair and score are drawn as one, which halves the work.
    flipped = rows.a > rows.b
    first, second = np.where(flipped, rows.b, rows.a), np.where(flipped, rows.a, rows.b)
    score = np.where(flipped, 1 - rows.score, rows.score)
    key, row = np.unique((first * size + second) * 3 + np.rint(2 * score).astype(np.intp), return_inverse=True)
    count = np.bincount(row, weights=rows.count)
    each = np.bincount(row, weights=rows.weight) / count
    doubled = key % 3
    pairs, begins = np.unique(key // 3, return_index=True)
    upper, lower = np.divmod(pairs, size)

    def table(drawn: Floats, worth: Floats) -> Floats:
        return np.asarray(np.add.reduceat(drawn * (each * worth), begins, axis=1))

    for boards in _batches(rounds, size):
        drawn = rng.multinomial(round(rows.votes), count / count.sum(), size=boards).astype(np.float64)
        scored, tied = np.zeros((boards, size, size)), np.zeros((boards, size, size))
        scored[:, upper, lower] = table(drawn, doubled / 2)
        scored[:, lower, upper] = table(drawn, 1 - doubled / 2)
        tied[:, upper, lower] = table(drawn, np.where(doubled == 1, 1.0, 0.0))
        yield Boards(scored, tied)


def _batches(rounds: int, size: int) -> Iterator[int]:
    most = max(1, BATCH_CELLS // max(size * size, 1))
    for begin in range(0, rounds, most):
        yield min(most, rounds - begin)
