"""What every fitted board has in common: ratings, how sure they are, and when to be careful. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from arena.ratings.cautions import Caution, Tally, cautions, tally
from arena.ratings.covariance import guarded, inverse, measured_from, reference_of, sandwich, standard_errors
from arena.ratings.elo import START
from arena.ratings.newton import Slope
from arena.ratings.outcomes import Floats, Grouped
from arena.ratings.prior import Standing, pull
from arena.ratings.scale import POINTS_PER_LOGIT, Z95, expected_score


@dataclass(frozen=True, slots=True)
class Gap:
    """How far two competitors are apart, in rating points."""

    points: float
    """Rating of the first less that of the second."""
    se: float
    expected_score: float
    """What the first is expected to take from the second: 0 to 1, ties as half."""

    @property
    def z(self) -> float:
        """The gap in standard errors; 0 when both are 0."""
        return self.points / self.se if self.se else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Strengths of M competitors with mean 0, and their covariances measured from `reference`; all in logits."""

    names: tuple[str, ...]
    strengths: Floats
    """(M,) with mean 0."""
    shift: float
    """Add it to the strengths, and the prior's opponent stands at 0."""
    prior: float
    """Games of the prior in use, for each competitor."""
    is_forced: bool
    """No prior was asked for, but without one the ratings would not be finite; so the least one is in use."""
    tie_parameter: float | None
    """Davidson's nu; 0 when nobody ever tied. `None`: ties are half wins."""
    log_tie_se: float | None
    """Sandwich standard error of the logarithm of `tie_parameter`; `None` when that is 0 or there is none."""
    tally: Tally
    cautions: tuple[frozenset[Caution], ...]
    """For each competitor: why to be careful with it."""
    reference: tuple[int, ...]
    """Indices of the competitors without a caution, from whose mean errors are measured; all, where fewer than two are."""
    islands: tuple[tuple[str, ...], ...]
    """Groups without a battle between them, the largest first. More than one: ratings compare within a group only."""
    curvature: Floats
    """(K, K) second derivative of the penalised loss, not centred; K is M, or M + 1 with the logarithm of nu last."""
    sandwich: Floats
    """(M, M) covariance as the votes alone give it."""
    posterior: Floats
    """(K, K) covariance as the model and its prior give it: the inverse of the curvature."""
    covariance: Floats
    """(M, M) the sandwich with its guards: use this one."""

    @property
    def ratings(self) -> Floats:
        """(M,) in points, with mean 1000."""
        return START + POINTS_PER_LOGIT * self.strengths

    @property
    def se(self) -> Floats:
        """(M,) guarded standard errors of the ratings, in points."""
        return standard_errors(self.covariance)

    def interval(self, z: float = Z95) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the ratings in points, each (M,)."""
        ratings, half = self.ratings, z * self.se
        return ratings - half, ratings + half

    def gap(self, first: str, second: str) -> Gap:
        """How far `first` is above `second`.

        Raises:
            ValueError: one of them is not on the board.
        """
        pair = self.names.index(first), self.names.index(second)
        return gap_of(pair, self.strengths, self.covariance, self.tie_parameter)


def gap_of(pair: tuple[int, int], strengths: Floats, covariance: Floats, tie_parameter: float | None = None) -> Gap:
    """How far the first of the pair is above the second, by strengths (M,) and their covariance (M, M) in logits."""
    i, j = pair
    logits = float(strengths[i] - strengths[j])
    variance = max(float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]), 0.0)
    score = float(expected_score(np.array(logits), tie_parameter))
    return Gap(POINTS_PER_LOGIT * logits, POINTS_PER_LOGIT * math.sqrt(variance), score)


def assembled(
    rows: Grouped, held: Standing, at: Floats, *, whole: Slope, votes: Slope, meat: Floats, is_tie_fitted: bool = False
) -> Fit:
    """The fit of `rows` whose K parameters stand `at` (K,): M strengths, and the logarithm of nu where that was fitted.

    `whole` and `votes` are the losses there with and without the prior; `meat` (K, K) is the sum over votes of the outer
    products of their scores.
    """
    size = len(rows.names)
    strengths = at[:size]
    bread = inverse(whole.curvature)
    counted = tally(rows)
    careful = cautions(counted, held.islands, held.leagues)
    reference = reference_of(careful)
    # One alone is its own reference; how sure its rating is, only the prior can say.
    posterior = measured_from(reference, bread, size) if size > 1 else bread
    robust = measured_from(reference, sandwich(votes.curvature, meat, held.islands), size)
    centre = float(strengths.mean()) if size else 0.0
    return Fit(
        names=rows.names,
        strengths=strengths - centre,
        shift=centre,
        prior=held.prior,
        is_forced=held.is_forced,
        tie_parameter=math.exp(at[size]) if is_tie_fitted else None,
        log_tie_se=math.sqrt(max(float(robust[size, size]), 0.0)) if is_tie_fitted else None,
        tally=counted,
        cautions=careful,
        reference=reference,
        islands=tuple(tuple(rows.names[index] for index in group) for group in held.islands),
        curvature=whole.curvature,
        sandwich=robust[:size, :size],
        posterior=posterior,
        covariance=guarded(
            robust[:size, :size],
            posterior[:size, :size],
            cautious=careful,
            islands=held.islands,
            pull=pull(strengths, held.prior),
        ),
    )
