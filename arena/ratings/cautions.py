"""When to be careful with a rating, and the tallies that tell. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from arena.ratings.connections import outside_main
from arena.ratings.maturity import MIN_BATTLES
from arena.ratings.outcomes import Flags, Floats, Grouped, Ints, directed_sums

Caution = Literal["no battles", "thin", "only ties", "never lost", "never won", "unbounded", "island"]

CAUTIONS: dict[Caution, str] = {
    "no battles": "No battle that counts: the rating is only the starting value.",
    "thin": f"Fewer than {MIN_BATTLES} battles.",
    "only ties": "Only ties so far.",
    "never lost": "Has never lost, so nobody can say how much stronger it is.",
    "never won": "Has never won, so nobody can say how much weaker it is.",
    "unbounded": "Votes alone give no finite rating here; the prior decides how far away it stands.",
    "island": "No battle that counts leads from it, not even over others, to most competitors: not comparable with them.",
}
"""What each caution means, as it can be shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What each of M competitors did in the votes that count; each array is (M,)."""

    battles: Floats
    wins: Floats
    losses: Floats
    ties: Floats
    opponents: Ints
    """How many others it met."""


def tally(rows: Grouped) -> Tally:
    """Battles, wins, losses, ties and opponents of each competitor; rows that are left out do not count."""
    size = len(rows.names)

    def total(index: Ints, chosen: Flags) -> Floats:
        return np.bincount(index[chosen], weights=rows.count[chosen], minlength=size).astype(np.float64)

    a_won, b_won, tied = rows.score == 1, rows.score == 0, rows.score == 0.5
    wins = total(rows.a, a_won) + total(rows.b, b_won)
    losses = total(rows.a, b_won) + total(rows.b, a_won)
    ties = total(rows.a, tied) + total(rows.b, tied)
    met = directed_sums(rows, rows.count) > 0
    return Tally(wins + losses + ties, wins, losses, ties, (met | met.T).sum(axis=1))


def cautions(counted: Tally, islands: list[list[int]], leagues: list[list[int]]) -> tuple[frozenset[Caution], ...]:
    """Why to be careful with each competitor; groups come with the largest first."""
    apart = {index for group in outside_main(islands) for index in group}
    unbounded = {index for group in outside_main(leagues) for index in group}
    found = []
    for index, row in enumerate(zip(counted.battles, counted.wins, counted.losses, counted.ties, strict=True)):
        own = _cautions_of(*row)
        if index in apart:
            own.add("island")
        if index in unbounded:
            own.add("unbounded")
        found.append(frozenset(own))
    return tuple(found)


def _cautions_of(battles: float, wins: float, losses: float, ties: float) -> set[Caution]:
    if not battles:
        return {"no battles"}
    found: set[Caution] = {"thin"} if battles < MIN_BATTLES else set()
    if ties == battles:
        found.add("only ties")
    elif not losses:
        found.add("never lost")
    elif not wins:
        found.add("never won")
    return found
