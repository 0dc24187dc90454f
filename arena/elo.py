"""Elo ratings by exact replay of the votes in their order. Pure; nothing is kept between calls.

Source: Elo 1978 and the FIDE handbook's form of the expected score, with the K of FastChat's public arena code
(`compute_elo`, K 4): a small K orders well and is only slow to reach its scale.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

Outcome = Literal["a", "b", "tie", "both_bad"]

K = 4.0
"""Points at stake in one vote."""
START = 1000.0
"""Rating of a competitor before its first vote."""
BASE = 10.0
SCALE = 400.0
"""Points of difference at which the stronger one is expected to score `BASE` times as much."""

SCORE_OF_A: dict[str, float] = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5}
"""What side a scores; side b scores the rest. Both bad counts as a tie here and is also told apart on the board."""

VoteRow = tuple[str, str, str]
"""(competitor on side a, competitor on side b, outcome)."""


def expected_score(rating_a: float, rating_b: float) -> float:
    """The score that a is expected to take from b, between 0 and 1; 10/11 when a is 400 points ahead."""
    return float(1.0 / (1.0 + BASE ** ((rating_b - rating_a) / SCALE)))


@dataclass(slots=True)
class EloReplay:
    """Ratings while votes are read. Their sum is `START` times the number of competitors after each vote."""

    ratings: dict[str, float] = field(default_factory=dict)
    votes: int = 0

    def take(self, vote: VoteRow) -> None:
        """Moves both ratings by one vote.

        Raises:
            ValueError: the outcome is none of the four, or a competitor meets itself; the message names the row (from 1).
        """
        a, b, outcome = vote
        row = self.votes + 1
        if outcome not in SCORE_OF_A:
            known = ", ".join(get_args(Outcome))
            raise ValueError(f"vote {row}: outcome {outcome!r} is unknown; expected one of {known}")
        if a == b:
            raise ValueError(f"vote {row}: {a!r} cannot meet itself")
        rating_a, rating_b = self.ratings.get(a, START), self.ratings.get(b, START)
        moved = K * (SCORE_OF_A[outcome] - expected_score(rating_a, rating_b))
        self.ratings[a], self.ratings[b] = rating_a + moved, rating_b - moved
        self.votes = row


def replay(votes: Iterable[VoteRow]) -> dict[str, float]:
    """Rating of each competitor after all votes, in their order.

    Raises:
        ValueError: as `EloReplay.take`.
    """
    elo = EloReplay()
    for vote in votes:
        elo.take(vote)
    return elo.ratings
