"""Where competitors stand on a board: bounds, ranks, and what the votes leave possible. Pure.

Chances and places are told among those that battles connect. What no battle leads to has none: how it stands to the others,
the prior alone would say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings.cautions import Caution
from arena.ratings.outcomes import Flags, Floats, Ints
from arena.ratings.ranking import p_best, rank_intervals, ranks_by_overlap, ranks_by_rating


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One competitor's."""

    rating: float
    rank: int
    low: float | None = None
    """Lower bound of the 95% interval, as `high`; `None` under a method without intervals."""
    high: float | None = None
    best: int | None = None
    """Best and worst place in 95% of the boards that the votes leave possible; `None` without intervals, or apart from most."""
    worst: int | None = None
    p_best: float | None = None
    """Chance of standing first, 0 to 1; `None` as `best`."""


def by_rating(ratings: Floats) -> list[Place]:
    """Places of a board without intervals, from (M,) ratings."""
    return [Place(*one) for one in zip(ratings.tolist(), ranks_by_rating(ratings).tolist(), strict=True)]


def by_draws(
    ratings: Floats, bounds: tuple[Floats, Floats], draws: Floats, cautious: Sequence[frozenset[Caution]]
) -> list[Place]:
    """Places from ratings (M,), their bounds, each (M,), and boards (D, M) that the votes leave possible."""
    low, high = bounds
    ranks = ranks_by_overlap(low, high)
    main: Flags = np.array(["island" not in one for one in cautious], dtype=np.bool_)
    # All of one board, in nearly all cases: then nothing is copied.
    drawn = draws if main.all() else draws[:, main]
    best, worst = rank_intervals(drawn)
    leads = p_best(drawn)
    places = []
    for index, within in enumerate(_within(main).tolist()):
        bounded = (float(ratings[index]), int(ranks[index]), float(low[index]), float(high[index]))
        told = (int(best[within]), int(worst[within]), float(leads[within])) if main[index] else ()
        places.append(Place(*bounded, *told))
    return places


def _within(main: Flags) -> Ints:
    """(M,) the place of each among those of the main part."""
    return np.cumsum(main, dtype=np.intp) - 1
