"""When a row is provisional, ranked or settled: the only place of these thresholds. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIN_BATTLES = 30
"""Battles under which a row is provisional, and under which the sandwich alone is not trusted."""
MIN_OPPONENTS = 5
PROVISIONAL_HALF_WIDTH = 60.0
"""Half width of the 95% interval, in points, above which a row is provisional."""
SETTLED_HALF_WIDTH = 30.0

Maturity = Literal["provisional", "ranked", "settled"]


@dataclass(frozen=True, slots=True)
class Seen:
    """How well one competitor is known."""

    battles: float
    opponents: int
    half_width: float
    """Of its 95% interval, in points."""


def maturity(seen: Seen, competitors: int) -> Maturity:
    """Whether a row is provisional, ranked, or settled on a board of `competitors`.

    Provisional until 30 battles, against 5 opponents, within 60 points; settled within 30. On a board of fewer than six,
    where nobody has five opponents, all the others are enough.
    Source: the bands of Coval's voice arena.
    """
    enough = seen.battles >= MIN_BATTLES and seen.opponents >= min(MIN_OPPONENTS, competitors - 1)
    if not enough or seen.half_width > PROVISIONAL_HALF_WIDTH:
        return "provisional"
    return "settled" if seen.half_width <= SETTLED_HALF_WIDTH else "ranked"
