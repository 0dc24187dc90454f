"""Many votes at once, written row by row: competitors of known strength, days, voters and sides as a test wants them."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlite_utils import Database

from playground.services import Services, timestamp
from storage import battles, votes
from storage.records import Answer, Battle, BoardName, Outcome, Vote
from tests.arena.world import VOTER, add_run

AT_ONCE = 5_000
"""Votes in one transaction."""


@dataclass
class Field:
    """Who competes, and how votes on them fall."""

    strengths: Mapping[str, float]
    """Offer -> rating points."""
    rare: frozenset[str] = frozenset()
    """Offers that meet others a fiftieth as often."""
    ties: float = 0.16
    both_bad: float = 0.05
    apart: Sequence[frozenset[str]] = ()
    """Groups that never meet each other."""
    costs: Mapping[str, int | None] = field(default_factory=dict)
    """Micro-dollars of an image; an offer that is not named costs what `add_run` says."""
    times: Mapping[str, int | None] = field(default_factory=dict)


@dataclass
class Voting:
    """When, where and by whom votes are cast."""

    votes: int
    days: int = 1
    board: BoardName = "generate"
    categories: Sequence[str] = ("own",)
    voters: Sequence[str] = (VOTER,)
    answers_more: bool = False
    """Whether the second questions are answered too."""
    seed: int = 1


def add_votes(services: Services, field: Field, voting: Voting) -> None:
    """Writes runs, battles and votes; the last day is the services' today."""
    rng = random.Random(voting.seed)
    images = {offer: _images(services, field, offer) for offer in field.strengths}
    pairs = [(a, b) for a in images for b in images if a < b and _may_meet(field, a, b)]
    weights = [0.02 if field.rare & {a, b} else 1.0 for a, b in pairs]
    quality = {offer: rng.choice(("low", "high")) for offer in images}
    end = services.clock()
    made = []
    for number, (a, b) in enumerate(rng.choices(pairs, weights, k=voting.votes)):
        first, second = rng.sample((a, b), 2)
        # The newest vote is a minute old, the oldest as many days as were asked for.
        at = end - timedelta(days=voting.days) * (1 - (number + 1) / voting.votes) - timedelta(minutes=1)
        battle = Battle(
            battle_id=f"{voting.seed:04x}{number:028x}",
            voter=rng.choice(voting.voters),
            operation="generate" if voting.board == "generate" else "edit",
            prompt="A lighthouse at dusk",
            image_a=rng.choice(images[first]),
            image_b=rng.choice(images[second]),
            offer_a=first,
            offer_b=second,
            source="history",
            is_demo=first.startswith("demo/"),
            probability=1 / len(pairs),
            state="voted",
            created_at=timestamp(at - timedelta(seconds=9)),
            expires_at=timestamp(at + timedelta(days=1)),
            board=voting.board,
            category=rng.choice(voting.categories),
            quality_a=quality[first],
            quality_b=quality[second],
        )
        made.append((battle, _vote(battle, field, voting, rng, timestamp(at))))
    for start in range(0, len(made), AT_ONCE):
        _write(services, made[start : start + AT_ONCE])


def _images(services: Services, field: Field, offer: str) -> list[str]:
    cost, latency = field.costs.get(offer, 41_200), field.times.get(offer, 24_800)
    return [add_run(services, offer, cost_microusd=cost, latency_ms=latency)[0] for _ in range(2)]


def _may_meet(field: Field, a: str, b: str) -> bool:
    return not field.apart or any({a, b} <= group for group in field.apart)


def _vote(battle: Battle, field: Field, voting: Voting, rng: random.Random, at: str) -> Vote:
    gap = field.strengths[battle.offer_a] - field.strengths[battle.offer_b]

    def answer() -> Answer:
        if rng.random() < field.ties:
            return "tie"
        return "a" if rng.random() < 1 / (1 + math.exp(-gap * math.log(10) / 400)) else "b"

    outcome: Outcome = "both_bad" if rng.random() < field.both_bad else answer()
    more = (answer(), answer()) if voting.answers_more else (None, None)
    return Vote(battle.battle_id, battle.voter, outcome, rng.randint(900, 20_000), True, None, at, *more)


def _write(services: Services, made: Sequence[tuple[Battle, Vote]]) -> None:
    def write(db: Database) -> None:
        for battle, vote in made:
            battles.insert(db, battle)
            votes.insert(db, vote, battle)

    services.store.write(write, timeout_s=60)
