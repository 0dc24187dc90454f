"""Which pairs are worth a vote: chances of drawing each, by how much the vote would tell. Pure.

A pair with n battles and variance v of a battle's score weighs sqrt(v / n) - sqrt(v / (n + 1)): what one more vote takes off
the standard error of its mean score. A share of the draws is uniform, so that everybody keeps meeting everybody and each
probability has a floor; newcomers come more often. The probability that comes with a drawn pair is to be stored with the
battle: its inverse is the weight that undoes the choice.

Source: arXiv 2403.04132, equation 9, with v and n as said in `variances`.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from arena.ratings.maturity import MIN_BATTLES
from arena.ratings.outcomes import Floats, Grouped, Ints, directed_sums, points

UNIFORM_SHARE = 0.15
"""Share of the draws that is spread evenly over all pairs."""
NEWCOMER_BOOST = 3.0
"""Factor on the weight of a pair with a competitor that has fewer than `MIN_BATTLES` battles."""
PRIOR_VARIANCE = 0.25
"""Variance of a decisive battle of equals: the largest there is."""


@dataclass(frozen=True, slots=True, eq=False)
class PairChances:
    """P pairs that may be drawn."""

    names: tuple[str, ...]
    first: Ints
    """(P,) index into `names`; always below `second`."""
    second: Ints
    probability: Floats
    """(P,) chances that sum to 1; each is at least `UNIFORM_SHARE` / P."""


@dataclass(frozen=True, slots=True)
class DrawnPair:
    """A pair, and the chance it had. Which of the two stands on side a is another draw."""

    first: str
    second: str
    probability: float


def variances(rows: Grouped) -> tuple[Floats, Floats]:
    """Variance of a battle's score, and battles, of each pair: (M, M) and (M, M), both symmetric.

    One battle of equals (variance 1/4) counts beside those that were, so that a pair without battles has 1/4, and two that
    only ever ended alike are not taken for settled.
    """
    scored = points(rows)
    battles = scored + scored.T
    played = np.where(battles > 0, battles, 1.0)
    mean = scored / played
    tied = directed_sums(rows, rows.weight * (rows.score == 0.5))
    # A tie scores 1/2, whose square is 1/4 short of the 1/2 that it adds to the points.
    spread = battles * mean * (1 - mean) - (tied + tied.T) / 4
    return (np.maximum(spread, 0.0) + PRIOR_VARIANCE) / (battles + 1), battles


def pair_chances(
    rows: Grouped, *, excluded: Collection[str] = (), among: Collection[tuple[str, str]] | None = None
) -> PairChances:
    """Chances of each pair of the competitors of `rows`, which are plain votes. No pair: empty arrays.

    `excluded` are never drawn, as a model in outage. `among`: only these pairs, in either order, as those that have images;
    `None`: all.
    """
    size = len(rows.names)
    variance, battles = variances(rows)
    first, second = np.triu_indices(size, 1)
    may = np.array([name not in excluded for name in rows.names], dtype=np.bool_)
    allowed = may[first] & may[second]
    if among is not None:
        wanted = {frozenset(pair) for pair in among}
        listed = [frozenset((rows.names[i], rows.names[j])) in wanted for i, j in zip(first, second, strict=True)]
        allowed &= np.array(listed, dtype=np.bool_)
    first, second = first[allowed], second[allowed]
    n = np.maximum(battles[first, second], 1.0)
    weight = np.sqrt(variance[first, second]) * (1 / np.sqrt(n) - 1 / np.sqrt(n + 1))
    is_new = battles.sum(axis=1) < MIN_BATTLES
    weight *= np.where(is_new[first] | is_new[second], NEWCOMER_BOOST, 1.0)
    probability = (1 - UNIFORM_SHARE) * weight / weight.sum() + UNIFORM_SHARE / len(weight) if len(weight) else weight
    return PairChances(rows.names, first, second, probability)


def draw(chances: PairChances, rng: random.Random) -> DrawnPair | None:
    """A pair by its chance, or `None` when there is none."""
    if not len(chances.probability):
        return None
    index = rng.choices(range(len(chances.probability)), weights=chances.probability.tolist())[0]
    first, second = chances.names[chances.first[index]], chances.names[chances.second[index]]
    return DrawnPair(first, second, float(chances.probability[index]))
