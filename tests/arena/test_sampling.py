"""Chances of pairs: what they favour, that they sum to one, and that draws follow them."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations

import pytest

from arena.ratings.outcomes import Grouped, group_counts
from arena.ratings.sampling import NEWCOMER_BOOST, UNIFORM_SHARE, PairChances, draw, pair_chances, variances


def told(chances: PairChances) -> dict[tuple[str, str], float]:
    cells = zip(chances.first.tolist(), chances.second.tolist(), chances.probability.tolist(), strict=True)
    return {(chances.names[i], chances.names[j]): probability for i, j, probability in cells}


def board(**counts: int) -> Grouped:
    """`xy_a=3`: three votes for side a between x on side a and y on side b."""
    rows = [
        (pair[0], pair[1], outcome, n)
        for (pair, _, outcome), n in ((key.partition("_"), n) for key, n in counts.items())
    ]
    return group_counts(rows, competitors="vwxyz")


SETTLED = {"vw_a": 40, "vw_b": 40, "vx_a": 30, "vx_b": 30, "wy_a": 50, "wy_tie": 10, "xy_b": 20, "vz_a": 60, "xz_a": 40}


def test_they_sum_to_one_and_each_has_a_floor() -> None:
    chances = told(pair_chances(board(**SETTLED)))
    assert set(chances) == set(combinations("vwxyz", 2))
    assert sum(chances.values()) == pytest.approx(1)
    assert min(chances.values()) > UNIFORM_SHARE / 10


def test_the_weights_are_those_of_the_paper() -> None:
    rows = group_counts(
        [("x", "y", "a", 60), ("x", "y", "b", 40), ("x", "z", "a", 30), ("x", "z", "b", 30), ("y", "z", "a", 50)]
    )
    # By hand; one battle of equals beside those that were.
    n = {"xy": 100, "xz": 60, "yz": 50}
    v = {"xy": (100 * 0.24 + 0.25) / 101, "xz": (60 * 0.25 + 0.25) / 61, "yz": 0.25 / 51}
    weight = {pair: (v[pair] / n[pair]) ** 0.5 - (v[pair] / (n[pair] + 1)) ** 0.5 for pair in n}
    expected = {
        tuple(pair): (1 - UNIFORM_SHARE) * one / sum(weight.values()) + UNIFORM_SHARE / 3
        for pair, one in weight.items()
    }
    assert told(pair_chances(rows)) == pytest.approx(expected)


def test_pairs_with_fewer_battles_and_closer_scores_come_more_often() -> None:
    rows = group_counts(
        [("v", "w", "a", 100), ("v", "w", "b", 100), ("x", "y", "a", 50), ("x", "y", "b", 50), ("v", "x", "a", 98),
         ("v", "x", "b", 2), ("w", "y", "tie", 100)]
    )  # fmt: skip
    chances = told(pair_chances(rows))
    assert chances["x", "y"] > chances["v", "w"], "fewer battles"
    assert chances["x", "y"] > chances["v", "x"] > chances["w", "y"], "as many, but the score varies less"
    assert chances["v", "y"] == max(chances.values()), "none yet"


def test_newcomers_come_more_often_until_they_have_thirty_battles() -> None:
    def share(battles: int) -> float:
        rows = group_counts(
            [("x", "y", "a", 300), ("x", "y", "b", 300), ("x", "z", "a", battles - battles // 2),
             ("x", "z", "b", battles // 2)]
        )  # fmt: skip
        chances = told(pair_chances(rows))
        # The floor taken off, against the pair whose weight stays as it is.
        return (chances["x", "z"] - UNIFORM_SHARE / 3) / (chances["x", "y"] - UNIFORM_SHARE / 3)

    assert share(29) > NEWCOMER_BOOST * share(30)
    assert share(29) < 1.2 * NEWCOMER_BOOST * share(30)


def test_those_in_outage_never_come_and_only_pairs_that_can() -> None:
    rows = board(**SETTLED)
    assert all("x" not in pair for pair in told(pair_chances(rows, excluded={"x"})))
    some = told(pair_chances(rows, among=[("w", "v"), ("x", "y"), ("x", "nobody")]))
    assert set(some) == {("v", "w"), ("x", "y")}
    assert sum(some.values()) == pytest.approx(1)
    nothing = pair_chances(rows, excluded={"v", "w", "x", "y"})
    assert told(nothing) == {}
    assert draw(nothing, random.Random(1)) is None
    assert draw(pair_chances(group_counts([])), random.Random(1)) is None


def test_a_board_without_votes_is_drawn_evenly() -> None:
    assert list(told(pair_chances(board())).values()) == pytest.approx([0.1] * 10)


def test_variances_are_those_of_the_scores() -> None:
    variance, battles = variances(group_counts([("x", "y", "a", 3), ("y", "x", "a", 2), ("x", "y", "tie", 4)]))
    scores = [1.0] * 3 + [0.0] * 2 + [0.5] * 4
    mean = sum(scores) / 9
    assert battles[0, 1] == battles[1, 0] == 9
    assert variance[0, 1] == pytest.approx((sum((one - mean) ** 2 for one in scores) + 0.25) / 10)
    assert variance[0, 1] == variance[1, 0]


def test_draws_follow_the_chances_they_tell() -> None:
    chances = pair_chances(board(**SETTLED))
    said, rng, drawn = told(chances), random.Random(5), Counter()
    for _ in range(20_000):
        pair = draw(chances, rng)
        assert pair is not None
        assert said[pair.first, pair.second] == pair.probability
        drawn[pair.first, pair.second] += 1
    chi_square = sum((drawn[pair] - 20_000 * p) ** 2 / (20_000 * p) for pair, p in said.items())
    assert chi_square < 27.9, "the 99.9% point with nine degrees of freedom"
