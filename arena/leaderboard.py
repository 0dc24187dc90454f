"""From counted votes to ranked rows. Pure: counts and ratings in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arena.elo import SCORE_OF_A, START

PROVISIONAL_BELOW = 30
"""Battles under which a row is provisional: shown, but without a rank."""

SAME_RATING = 1e-9
"""Ratings closer than this share their rank: they differ by rounding only."""

PairCount = tuple[str, str, str, int]
"""(competitor on side a, competitor on side b, outcome, how many votes)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One competitor of a board."""

    rank: int | None
    """Place by rating among the rows that are not provisional; equal ratings share it. `None`: provisional."""
    competitor: str
    rating: float
    battles: int
    wins: int
    losses: int
    ties: int
    both_bad: int

    @property
    def is_provisional(self) -> bool:
        """Whether there are too few battles to give a rank."""
        return self.battles < PROVISIONAL_BELOW

    @property
    def win_rate(self) -> float:
        """Wins and half of what was undecided, as a share of all battles: 0 to 1."""
        return (self.wins + (self.ties + self.both_bad) / 2) / self.battles

    @property
    def both_bad_rate(self) -> float:
        """Share of battles in which both sides were called bad: 0 to 1."""
        return self.both_bad / self.battles


@dataclass(slots=True)
class _Tally:
    wins: int = 0
    losses: int = 0
    ties: int = 0
    both_bad: int = 0


def ranked(counts: Iterable[PairCount], ratings: Mapping[str, float]) -> list[Row]:
    """Rows of a board: those with a rank first, then provisional ones, each by rating, best first.

    Raises:
        ValueError: an outcome is none of the four; the message names it.
    """
    tallies: dict[str, _Tally] = {}
    for a, b, outcome, count in counts:
        if outcome not in SCORE_OF_A:
            raise ValueError(f"{count} votes between {a!r} and {b!r} have the unknown outcome {outcome!r}")
        for competitor, won in ((a, "a"), (b, "b")):
            _add(tallies.setdefault(competitor, _Tally()), outcome, won=won, count=count)
    unranked = [
        Row(None, name, ratings.get(name, START), _battles(tally), tally.wins, tally.losses, tally.ties, tally.both_bad)
        for name, tally in tallies.items()
    ]
    unranked.sort(key=lambda row: (-row.rating, row.competitor))
    settled = [row for row in unranked if not row.is_provisional]
    return _with_ranks(settled) + [row for row in unranked if row.is_provisional]


def _add(tally: _Tally, outcome: str, *, won: str, count: int) -> None:
    if outcome == "tie":
        tally.ties += count
    elif outcome == "both_bad":
        tally.both_bad += count
    elif outcome == won:
        tally.wins += count
    else:
        tally.losses += count


def _battles(tally: _Tally) -> int:
    return tally.wins + tally.losses + tally.ties + tally.both_bad


def _with_ranks(rows: list[Row]) -> list[Row]:
    """The rows, sorted by rating already, with their places: 1, 2, 2, 4."""
    placed: list[Row] = []
    for place, row in enumerate(rows, start=1):
        last = placed[-1] if placed else None
        rank = last.rank if last and last.rating - row.rating < SAME_RATING else place
        placed.append(Row(rank, row.competitor, row.rating, row.battles, row.wins, row.losses, row.ties, row.both_bad))
    return placed
