"""How competitors of a board stand against each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from arena.ratings.outcomes import Floats, directed_sums
from arena.ratings.ranking import more_battles_to_separate
from arena.ratings.rated import Rated
from arena.ratings.scale import POINTS_PER_LOGIT, Z95, expected_score

SAME_POINTS = 1e-6
"""Rating points within which two stand level."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Meetings(Mapping[tuple[str, str], Meeting]):
    """Each ordered pair of M competitors. Kept as arrays: a board of fifty has 2,450 pairs and shows a few."""

    names: tuple[str, ...]
    taken: Floats
    """(M, M) what the row's competitor took from the column's, ties as half."""
    battles: Floats
    """(M, M) symmetric."""
    expected: Floats
    """(M, M) what the ratings expect of a battle."""

    def __getitem__(self, pair: tuple[str, str]) -> Meeting:
        if pair[0] == pair[1] or not {*pair} <= {*self.names}:
            raise KeyError(pair)
        place = self.names.index(pair[0]), self.names.index(pair[1])
        battles = round(self.battles[place])
        return Meeting(float(self.taken[place]) / battles if battles else None, battles, float(self.expected[place]))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return permutations(self.names, 2)

    def __len__(self) -> int:
        return len(self.names) * (len(self.names) - 1)

    def opponents(self, name: str) -> int:
        """How many competitors `name` has met."""
        return int(np.count_nonzero(self.battles[self.names.index(name)]))


def meetings(rated: Rated) -> Meetings:
    """Each ordered pair of competitors."""
    cast = rated.cast
    met, won = (directed_sums(cast, figures) for figures in (cast.count, cast.count * cast.score))
    ratings = {row.competitor: row.rating for row in rated.rows}
    logits = np.array([ratings[name] for name in cast.names], dtype=np.float64) / POINTS_PER_LOGIT
    expected = expected_score(logits[:, None] - logits[None, :], rated.tie_parameter)
    return Meetings(cast.names, won + (met - won).T, met + met.T, np.asarray(expected))


def leaders(rated: Rated) -> tuple[str, ...]:
    """Who stands first: one, or several who are level."""
    return tuple(row.competitor for row in rated.rows if rated.rows[0].rating - row.rating < SAME_POINTS)


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
