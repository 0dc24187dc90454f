"""Who may meet, how often each pair comes, and the coin for the sides."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.pairing import Candidate, draw_pair, draw_sides

OFFERS = ("openai/x", "fal/x", "openai/y", "demo/flat", "demo/sketch")
CANDIDATES = st.lists(st.tuples(st.sampled_from(OFFERS), st.integers(1, 4)), max_size=25).map(
    lambda rows: [Candidate(f"i{n}", offer, kin) for n, (offer, kin) in enumerate(rows)]
)


@given(CANDIDATES, st.integers())
def test_a_pair_is_kin_of_two_offers_and_never_mixes_drawn_and_real(candidates: list[Candidate], seed: int) -> None:
    pair = draw_pair(candidates, spent=(), seen=(), rng=random.Random(seed))
    of = {one.image_id: one for one in candidates}
    if pair is None:
        may_meet = [
            (x, y)
            for x in candidates
            for y in candidates
            if x.kin == y.kin and x.offer != y.offer and x.is_demo == y.is_demo
        ]
        assert not may_meet
        return
    a, b = of[pair.image_a], of[pair.image_b]
    assert a.kin == b.kin
    assert a.offer != b.offer
    assert a.is_demo == b.is_demo
    assert 0 < pair.probability <= 1


def test_the_stored_probability_is_the_share_of_draws() -> None:
    candidates = [
        Candidate("a1", "openai/x", 1), Candidate("b1", "fal/x", 1), Candidate("b2", "fal/x", 1),
        Candidate("c1", "openai/x", 2), Candidate("d1", "fal/x", 2), Candidate("e1", "openai/y", 2),
    ]  # fmt: skip
    rng, said, drawn = random.Random(3), {}, Counter()
    for _ in range(20_000):
        pair = draw_pair(candidates, spent=(), seen=(), rng=rng)
        key = frozenset((pair.image_a, pair.image_b))
        said[key] = pair.probability
        drawn[key] += 1
    assert sum(said.values()) == pytest.approx(1)
    for key, probability in said.items():
        assert drawn[key] / 20_000 == pytest.approx(probability, abs=0.015)


def test_the_coin_is_fair() -> None:
    rng = random.Random(11)
    on_a = sum(draw_sides("x", "y", rng)[0] == "x" for _ in range(20_000))
    assert abs(on_a - 10_000) < 4 * (20_000 * 0.25) ** 0.5


def test_spent_pairs_never_come_and_seen_ones_only_at_the_end() -> None:
    candidates = [Candidate("a", "openai/x", 1), Candidate("b", "fal/x", 1), Candidate("c", "openai/y", 1)]
    ab, ac, bc = frozenset("ab"), frozenset("ac"), frozenset("bc")
    rng = random.Random(1)

    def pairs(**known: Any) -> set[frozenset[str]]:
        found = (draw_pair(candidates, rng=rng, **({"spent": (), "seen": ()} | known)) for _ in range(60))
        return {frozenset((pair.image_a, pair.image_b)) for pair in found if pair}

    assert pairs() == {ab, ac, bc}
    assert pairs(spent={ab}) == {ac, bc}
    assert pairs(spent={ab}, seen={ac}) == {bc}
    assert pairs(spent={ab}, seen={ac, bc}) == {ac, bc}
    assert pairs(spent={ab, ac, bc}) == set()
