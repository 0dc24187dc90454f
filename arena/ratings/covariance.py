"""How sure strengths are: the sandwich covariance and its guards. Pure.

The sandwich (Huber 1967, White 1982) is right for half-won ties where the usual covariance is too wide. It is blind where
votes are few or one-sided: a competitor with only ties would get an interval of no width at all. There the posterior under
the prior stands in if it is wider, and what no vote can tell (how islands stand to each other) is added from the prior.

A rating means something against other ratings only, so its error depends on what it is measured from: here the mean of those
that are well known (`reference_of`), which on a board without newcomers is the mean of all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.ratings.cautions import Caution
from arena.ratings.connections import outside_main
from arena.ratings.outcomes import Floats
from arena.ratings.scale import POINTS_PER_LOGIT


def standard_errors(covariance: Floats) -> Floats:
    """(M,) in points, from a covariance in logits."""
    return np.asarray(POINTS_PER_LOGIT * np.sqrt(np.maximum(np.diag(covariance), 0.0)))


def inverse(matrix: Floats) -> Floats:
    """(K, K) inverse of a positive definite matrix."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def measured_from(reference: Sequence[int], covariance: Floats, size: int) -> Floats:
    """The covariance (K, K) after the mean of the parameters `reference` was taken off the first `size` parameters."""
    from_there = np.eye(len(covariance))
    from_there[:size, list(reference)] -= 1.0 / max(len(reference), 1)
    return np.asarray(from_there @ covariance @ from_there.T)


def reference_of(cautious: Sequence[frozenset[Caution]]) -> tuple[int, ...]:
    """Indices of the competitors whose mean the errors of ratings are measured from: those without a caution.

    The mean of all is as unsure as its least known member: one newcomer would widen every interval on the board. Where fewer
    than two are known well, it is all of them.
    """
    known = tuple(index for index, one in enumerate(cautious) if not one)
    return known if len(known) > 1 else tuple(range(len(cautious)))


def sandwich(curvature: Floats, meat: Floats, islands: list[list[int]]) -> Floats:
    """(K, K) covariance H^+ B H^+ of strengths (the first M of K parameters) and what stands after them.

    `curvature` H and `meat` B come from the votes alone, without a prior. Both are blind to a shift of a whole island, so the
    pseudo-inverse gives the covariance of strengths that are centred on each island.

    Source: arXiv 2403.04132, section 4. Without the prior in H the interval covers a little better in simulation.
    """
    even = np.zeros_like(curvature)
    for members in islands:
        even[np.ix_(members, members)] = 1.0 / len(members)
    size = float(np.trace(curvature)) / max(len(curvature), 1) or 1.0
    bread = inverse(curvature + size * even) - even / size
    return np.asarray(bread @ meat @ bread)


def guarded(
    sandwich: Floats,
    posterior: Floats,
    *,
    cautious: Sequence[frozenset[Caution]],
    islands: list[list[int]],
    pull: Floats,
) -> Floats:
    """(M, M) the `sandwich`, widened where it is blind; never narrower than it.

    How far an island is from the main one, only the prior says. Its `pull` (M,), the curvature it gives each competitor,
    sums up over an island to what holds that in its place; so all of an island share one more error, and gaps within it
    stay as they are. Then whoever is under a caution gets at least the variance of the `posterior`, as noise of its own.
    """
    widened = sandwich.copy()
    if len(islands) > 1:
        outside = outside_main(islands)
        main = islands[0] if len(outside) < len(islands) else []
        main_variance = 1.0 / float(pull[main].sum()) if main else 0.0
        for members in outside:
            widened[np.ix_(members, members)] += 1.0 / float(pull[members].sum()) + main_variance
    careful = np.array([bool(one - {"island"}) for one in cautious], dtype=np.bool_)
    missing = np.maximum(np.diag(posterior) - np.diag(widened), 0.0)
    return np.asarray(widened + np.diag(np.where(careful, missing, 0.0)))
