"""Votes to rate: drawn from known strengths, or published."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from arena.ratings.outcomes import CountedRow, VoteRow

PUBLISHED = Path(__file__).parent / "published"


def names_of(count: int) -> list[str]:
    return [f"m{index:02}" for index in range(count)]


def simulated(
    strengths: list[float], votes: int, *, seed: int, nu: float = 0.0, advantage: float = 0.0
) -> list[VoteRow]:
    """Votes on pairs drawn evenly, by Davidson's model; `strengths` in logits."""
    rng = np.random.default_rng(seed)
    lam, size = np.array(strengths), len(strengths)
    a = rng.integers(0, size, votes)
    b = (a + 1 + rng.integers(0, size - 1, votes)) % size
    up = np.exp((lam[a] - lam[b] + advantage) / 2)
    whole = up + 1 / up + nu
    drawn = rng.random(votes)
    outcome = np.where(drawn < up / whole, "a", np.where(drawn < (up + nu) / whole, "tie", "b"))
    names = names_of(size)
    return [(names[i], names[j], str(o)) for i, j, o in zip(a, b, outcome, strict=True)]


def published_votes(name: str) -> list[VoteRow]:
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as lines:
        outcome = {"model_a": "a", "model_b": "b", "tie": "tie"}
        return [(row["model_a"], row["model_b"], outcome[row["winner"]]) for row in csv.DictReader(lines)]


def published_counts(name: str) -> list[CountedRow]:
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as lines:
        return [
            (row["model_a"], row["model_b"], outcome, int(row[column]))
            for row in csv.DictReader(lines)
            for outcome, column in (("a", "wins_a"), ("b", "wins_b"), ("tie", "ties"))
        ]


def published_rows(name: str) -> list[dict[str, str]]:
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
