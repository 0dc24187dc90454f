"""Ratings by category, partially pooled: as far from the overall rating as the category's votes carry them. Pure.

In category c the strengths are those of all other categories plus a deviation of their own. The prior of category c is a
normal one: mean m and covariance V from the fit of the votes of all other categories, and a variance s^2 of deviations:

    strengths_c = argmin  loss_c(x) + (x - m)' P (x - m) / 2,   P = (V + s^2 I)^-1
    covariance_c = (H_c + P)^-1, measured from the mean of those who are well known elsewhere

No vote is used twice. Without votes in a category its ratings are the overall ones, with the variance V + s^2; with ever
more votes they become those of the category alone. Bound: the gradient of a vote is at most 1 for each of its two
competitors, so competitor i moves by at most sum_j |V + s^2 I|_ij n_j, with n_j the battles of j in the category.

s is averaged over `SPREADS_POINTS` by how likely each makes all categories' votes (Laplace's approximation of the
evidence); with hardly any votes that leaves all of them, and so a wide interval.

Source: empirical Bayes as in Morris 1983, JASA 78; Gelman et al., Bayesian Data Analysis, chapter 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings import bradley_terry
from arena.ratings.covariance import inverse, measured_from, standard_errors
from arena.ratings.elo import START
from arena.ratings.fit import Fit, Gap, gap_of
from arena.ratings.newton import Slope, minimum
from arena.ratings.outcomes import Floats, Grouped, group_counts, merged, points
from arena.ratings.prior import PRIOR
from arena.ratings.scale import POINTS_PER_LOGIT, Z95

SPREADS_POINTS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Standard deviations of deviations that are tried, in rating points."""


@dataclass(frozen=True, slots=True, eq=False)
class CategoryRatings:
    """Ratings of M competitors in one category."""

    names: tuple[str, ...]
    strengths: Floats
    """(M,) logits with mean 0."""
    covariance: Floats
    """(M, M) in logits; under half-won ties somewhat too wide."""
    battles: Floats
    """(M,) in this category."""

    @property
    def ratings(self) -> Floats:
        """(M,) in points, with mean 1000."""
        return START + POINTS_PER_LOGIT * self.strengths

    @property
    def se(self) -> Floats:
        """(M,) standard errors of the ratings, in points."""
        return standard_errors(self.covariance)

    def interval(self, z: float = Z95) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the ratings in points, each (M,)."""
        return self.ratings - z * self.se, self.ratings + z * self.se

    def gap(self, first: str, second: str) -> Gap:
        """How far `first` is above `second`.

        Raises:
            ValueError: one of them is not among the competitors.
        """
        return gap_of((self.names.index(first), self.names.index(second)), self.strengths, self.covariance)

    def among(self, listed: Sequence[int], reference: Sequence[int]) -> CategoryRatings:
        """Those of the competitors that are `listed`, with mean 0 over them.

        Errors are measured from the mean of `reference`, places in `listed`.
        """
        at = np.array(listed, dtype=np.intp)
        strengths, covariance = self.strengths[at], self.covariance[np.ix_(at, at)]
        return CategoryRatings(
            names=tuple(self.names[one] for one in listed),
            strengths=strengths - strengths.mean() if len(at) else strengths,
            covariance=measured_from(reference, covariance, len(at)) if len(at) > 1 else covariance,
            battles=self.battles[at],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """All categories."""

    overall: Fit
    """The board of all votes."""
    categories: dict[str, CategoryRatings]
    spread_points: float
    """Standard deviation of deviations in use, in rating points."""


@dataclass(frozen=True, slots=True, eq=False)
class _Category:
    scored: Floats
    rest: Fit
    """The board of all other categories."""

    def covariance(self, spread: float) -> Floats:
        """(M, M) of the prior at this spread, in logits."""
        return np.asarray(self.rest.covariance + spread * spread * np.eye(len(self.scored)))


def pooled(categories: Mapping[str, Grouped], *, prior: float = PRIOR, spread_points: float | None = None) -> Pooled:
    """Ratings in each category. Every category's rows list the same competitors, with or without votes.

    `spread_points` sets the standard deviation of deviations; `None`: the votes say.

    Raises:
        ValueError: two categories list different competitors, or the spread is not positive.
    """
    if spread_points is not None and not 0 < spread_points < np.inf:
        raise ValueError(f"a spread of {spread_points!r} points cannot be; expected more than 0")
    overall = bradley_terry.fit(merged(list(categories.values())), prior=prior)
    read = {name: _category(name, categories, overall.names, prior) for name in sorted(categories)}
    spread = _spread(list(read.values())) if spread_points is None else spread_points / POINTS_PER_LOGIT
    return Pooled(
        overall=overall,
        categories={name: _rated(one, spread, overall.names) for name, one in read.items()},
        spread_points=POINTS_PER_LOGIT * spread,
    )


def _category(name: str, categories: Mapping[str, Grouped], names: tuple[str, ...], prior: float) -> _Category:
    others = [rows for other, rows in categories.items() if other != name]
    # Where this is the only category, the prior knows no more than that there are competitors.
    rest = merged(others) if others else group_counts((), competitors=names)
    return _Category(points(categories[name]), bradley_terry.fit(rest, prior=prior))


def _rated(one: _Category, spread: float, names: tuple[str, ...]) -> CategoryRatings:
    at, slope = _fitted(one, inverse(one.covariance(spread)))
    size = len(names)
    covariance = inverse(slope.curvature)
    return CategoryRatings(
        names=names,
        strengths=at - at.mean() if size else at,
        covariance=measured_from(one.rest.reference, covariance, size) if size > 1 else covariance,
        battles=np.asarray((one.scored + one.scored.T).sum(axis=1)),
    )


def _fitted(one: _Category, precision: Floats) -> tuple[Floats, Slope]:
    """(M,) likeliest strengths, not centred, and the loss there."""

    def slope_at(at: Floats) -> Slope:
        off = at - one.rest.strengths
        pulled = np.asarray(precision @ off)
        return bradley_terry.slope_of_votes(at, one.scored) + Slope(float(off @ pulled) / 2, pulled, precision)

    at = minimum(slope_at, one.rest.strengths)
    return at, slope_at(at)


def _spread(categories: list[_Category]) -> float:
    """Root of the mean of s^2, in logits, each weighted by the evidence for it."""
    tried = np.array(SPREADS_POINTS) / POINTS_PER_LOGIT
    voted = [one for one in categories if one.scored.any()]
    evidence = np.array([sum(_evidence(one, spread) for one in voted) for spread in tried.tolist()])
    weight = np.exp(evidence - evidence.max())
    return float(np.sqrt(np.sum(weight * tried * tried) / weight.sum()))


def _evidence(one: _Category, spread: float) -> float:
    """Logarithm of the likelihood of the category's votes, its strengths integrated out (Laplace), but for a constant."""
    precision = inverse(one.covariance(spread))
    _, slope = _fitted(one, precision)
    return float(np.linalg.slogdet(precision)[1] - np.linalg.slogdet(slope.curvature)[1]) / 2 - slope.loss
