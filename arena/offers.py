"""Which offers can meet in a new battle, and a draw among them. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.pairing import is_demo


def draw_two(ready: Sequence[str], first: str | None, second: str | None, rng: random.Random) -> tuple[str, str] | None:
    """Two different offers of one kind, the named ones where they are named; `None` when there are no two.

    `ready` are offers that can run now. Left open, real models are drawn before the Demo's.
    """
    pairs = possible_pairs(ready, first, second)
    real = [pair for pair in pairs if not is_demo(pair[0])]
    return rng.choice(real or pairs) if pairs else None


def possible_pairs(ready: Sequence[str], first: str | None, second: str | None) -> list[tuple[str, str]]:
    """Each pair of ready offers that may meet with these choices, once; `None` leaves a choice open."""
    found: dict[frozenset[str], tuple[str, str]] = {}
    for one in [first] if first else ready:
        for other in [second] if second else ready:
            if one != other and is_demo(one) == is_demo(other) and {one, other} <= set(ready):
                found.setdefault(frozenset((one, other)), (one, other))
    return list(found.values())
