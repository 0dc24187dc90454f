"""How competitors of a board stand against each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from arena.ratings.outcomes import SCORE_OF_A, CountedRow
from arena.ratings.ranking import more_battles_to_separate
from arena.ratings.rated import Rated
from arena.ratings.scale import POINTS_PER_LOGIT, Z95, expected_score


@dataclass(frozen=True, slots=True)
class Meeting:
    """How two competitors stand against each other."""

    score: float | None
    """What the first took from the second, ties as half: 0 to 1; `None` when they never met."""
    battles: int
    expected: float
    """What the ratings expect of a battle, ties as half."""


@dataclass(frozen=True, slots=True)
class Separation:
    """Two neighbours of the table that the votes do not tell apart."""

    first: str
    second: str
    more_votes: int | None
    """About so many more votes between the two would; `None` when they stand level."""


def meetings(counts: Iterable[CountedRow], rated: Rated) -> dict[tuple[str, str], Meeting]:
    """Each ordered pair of competitors."""
    taken: dict[tuple[str, str], float] = {}
    met: dict[tuple[str, str], int] = {}
    for a, b, outcome, count in counts:
        for pair, score in (((a, b), SCORE_OF_A[outcome]), ((b, a), 1 - SCORE_OF_A[outcome])):
            taken[pair] = taken.get(pair, 0.0) + score * count
            met[pair] = met.get(pair, 0) + count
    names = [row.competitor for row in rated.rows]
    logits = np.array([row.rating for row in rated.rows], dtype=np.float64) / POINTS_PER_LOGIT
    expected = expected_score(logits[:, None] - logits[None, :], rated.tie_parameter)
    return {
        (a, b): Meeting(taken[a, b] / met[a, b] if (a, b) in met else None, met.get((a, b), 0), float(expected[i, j]))
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if a != b
    }


def separations(rated: Rated) -> tuple[Separation, ...]:
    """Neighbours in the table whose intervals overlap, from the top."""
    decided = [row for row in rated.rows if not row.is_provisional]
    counted = max(1.0, sum(row.battles for row in rated.rows) / 2)
    ties = sum(row.ties + row.both_bad for row in rated.rows) / 2 / counted
    found = []
    for first, second in zip(decided, decided[1:], strict=False):
        gap = rated.fit.gap(first.competitor, second.competitor)
        if abs(gap.z) < Z95:
            more = more_battles_to_separate(gap.points, gap.se, tie_rate=min(ties, 0.9))
            found.append(Separation(first.competitor, second.competitor, more))
    return tuple(found)
