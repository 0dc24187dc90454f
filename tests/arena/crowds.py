"""Crowds of voters for the voter checks: honest ones with tastes, and those who push one competitor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from arena.ratings.held_votes import Ballot
from tests.arena.simulated import names_of


@dataclass(frozen=True)
class Crowd:
    """Voters of one kind."""

    name: str
    voters: int
    votes: int | tuple[int, int]
    """Of each, or least and most of them."""
    taste: float = 0.0
    """Standard deviation of a voter's own opinion of a competitor, in logits."""
    pushes: int | None = None
    """The competitor that wins every battle with them."""
    only: bool = False
    """Whether they vote on no other battles than those of the one they push."""
    ties: float = 0.15


def world(size: int, *, seed: int, spread: float = 0.8) -> np.ndarray:
    """Strengths of `size` competitors, in logits."""
    return np.random.default_rng(seed).normal(0, spread, size)


def cast(crowd: Crowd, strengths: np.ndarray, *, seed: int) -> list[Ballot]:
    """The crowd's votes, one voter after the other."""
    rng = np.random.default_rng(seed)
    return [ballot for voter in range(crowd.voters) for ballot in _of_one(crowd, voter, strengths, rng)]


def _of_one(crowd: Crowd, voter: int, strengths: np.ndarray, rng: np.random.Generator) -> Iterable[Ballot]:
    size, names = len(strengths), names_of(len(strengths))
    count = crowd.votes if isinstance(crowd.votes, int) else int(rng.integers(*crowd.votes, endpoint=True))
    opinion = strengths + rng.normal(0, crowd.taste, size)
    a = rng.integers(0, size, count)
    b = (a + 1 + rng.integers(0, size - 1, count)) % size
    if crowd.only and crowd.pushes is not None:
        other = (crowd.pushes + 1 + rng.integers(0, size - 1, count)) % size
        first = rng.random(count) < 0.5
        a, b = np.where(first, crowd.pushes, other), np.where(first, other, crowd.pushes)
    drawn = np.where(rng.random(count) < 1 / (1 + np.exp(opinion[b] - opinion[a])), "a", "b")
    drawn = np.where(rng.random(count) < crowd.ties, "tie", drawn)
    if crowd.pushes is not None:
        drawn = np.where(a == crowd.pushes, "a", np.where(b == crowd.pushes, "b", drawn))
    return [
        Ballot(f"{crowd.name} {voter}", names[i], names[j], str(outcome), 2500)
        for i, j, outcome in zip(a.tolist(), b.tolist(), drawn.tolist(), strict=True)
    ]


def mixed(parts: Sequence[list[Ballot]], *, seed: int) -> list[Ballot]:
    """All votes, as if everybody voted at the same time."""
    votes = [ballot for part in parts for ballot in part]
    return [votes[place] for place in np.random.default_rng(seed).permutation(len(votes)).tolist()]


def share_found(found: Iterable[str], crowd: Crowd, sets: int = 1) -> float:
    """Of the crowd's voters, those found."""
    return sum(voter.startswith(crowd.name) for voter in found) / (crowd.voters * sets)
