"""Which offers can meet in a new battle, and a draw among them. Pure."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from arena.pairing import Chances, is_demo, uniform


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two offers that are to be asked, and how likely they were to be drawn."""

    offers: tuple[str, str]
    probability: float


def draw_two(
    ready: Sequence[str],
    first: str | None,
    second: str | None,
    rng: random.Random,
    *,
    board: str = "generate",
    failing: Collection[str] = (),
    chances: Chances = uniform,
) -> Meeting | None:
    """Two different offers of one kind, the named ones where they are named; `None` when there are no two.

    `ready` are offers that can run now. Left open, real models are drawn before the Demo's, and those that keep `failing`
    only when there are no others.
    """
    pairs = drawable_pairs(ready, first, second)
    named = {name for name in (first, second) if name}
    pairs = [pair for pair in pairs if not (set(pair) - named) & set(failing)] or pairs
    if not pairs:
        return None
    chance = chances((board, is_demo(pairs[0][0])), pairs)
    (index,) = rng.choices(range(len(pairs)), weights=chance)
    return Meeting(pairs[index], chance[index])


def drawable_pairs(ready: Sequence[str], first: str | None, second: str | None) -> list[tuple[str, str]]:
    """Those of the possible pairs that a draw may give: drawn models come only where no two real ones can meet."""
    pairs = possible_pairs(ready, first, second)
    return [pair for pair in pairs if not is_demo(pair[0])] or pairs


def possible_pairs(ready: Sequence[str], first: str | None, second: str | None) -> list[tuple[str, str]]:
    """Each pair of ready offers that may meet with these choices, once; `None` leaves a choice open."""
    found: dict[frozenset[str], tuple[str, str]] = {}
    for one in [first] if first else ready:
        for other in [second] if second else ready:
            if one != other and is_demo(one) == is_demo(other) and {one, other} <= set(ready):
                found.setdefault(frozenset((one, other)), (one, other))
    return list(found.values())
