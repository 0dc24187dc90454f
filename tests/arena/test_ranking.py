"""Places, chances of being best, and how many votes would tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from arena.ratings import bradley_terry
from arena.ratings.maturity import Seen, maturity
from arena.ratings.outcomes import group_votes
from arena.ratings.ranking import (
    battles_to_separate,
    more_battles_to_separate,
    normal_draws,
    p_best,
    rank_intervals,
    ranks_by_overlap,
    ranks_by_rating,
    z_of_all,
)
from tests.arena.simulated import simulated


def test_a_rank_counts_those_whose_whole_interval_is_higher() -> None:
    low, high = np.array([90.0, 80, 60, 10, 95]), np.array([110.0, 95, 79, 200, 120])
    assert ranks_by_overlap(low, high).tolist() == [1, 1, 4, 1, 1]
    assert ranks_by_overlap(low + 1e6, high + 1e6).tolist() == [1, 1, 4, 1, 1]
    assert ranks_by_overlap(np.array([5.0, 3]), np.array([6.0, 5])).tolist() == [1, 1], "touching is overlapping"
    assert ranks_by_overlap(np.array([]), np.array([])).tolist() == []


def test_ranks_by_rating_are_shared_by_equals() -> None:
    assert ranks_by_rating(np.array([990.0, 1010, 1000, 1000 + 1e-12, 985])).tolist() == [4, 1, 2, 2, 5]


def test_simultaneous_intervals_are_wider() -> None:
    assert z_of_all(1) == pytest.approx(1.959964, abs=1e-6)
    assert z_of_all(50) == pytest.approx(3.290527, abs=1e-6), "z at 1 - 0.05 / 100, from a table"


def test_the_chance_of_being_best_of_two_is_that_of_the_normal_law() -> None:
    fit = bradley_terry.fit(group_votes(simulated([0.1, -0.1], 300, seed=1)))
    gap = fit.gap("m00", "m01")
    chances = p_best(normal_draws(fit))
    assert chances.sum() == pytest.approx(1)
    assert chances[0] == pytest.approx(0.5 * (1 + math.erf(gap.z / math.sqrt(2))), abs=0.015)


def test_shared_leads_are_split_and_ranks_of_draws_have_intervals() -> None:
    draws = np.array([[3.0, 3, 1], [3, 2, 1], [1, 2, 3], [5, 4, 3]])
    assert p_best(draws).tolist() == [0.625, 0.125, 0.25]
    best, worst = rank_intervals(draws)
    assert best.tolist() == [1, 2, 1]
    assert worst.tolist() == [3, 2, 3]
    assert p_best(np.zeros((5, 0))).tolist() == []


def test_one_draw_in_forty_on_each_side_is_left_out_of_a_rank_interval() -> None:
    draws = np.tile([2.0, 1.0], (200, 1))
    draws[:4] = [1.0, 2.0]
    assert [one.tolist() for one in rank_intervals(draws)] == [[1, 2], [1, 2]]
    draws[:8] = [1.0, 2.0]
    assert [one.tolist() for one in rank_intervals(draws)] == [[1, 1], [2, 2]]


@pytest.mark.parametrize(("gap", "about"), [(10, 9500), (50, 380)])
def test_votes_that_separate_two(gap: float, about: int) -> None:
    # By hand: 7.84 / ((gap / 173.7)^2 p (1 - p)).
    p = 1 / (1 + 10 ** (-gap / 400))
    needed = battles_to_separate(gap)
    assert needed == math.ceil(2.8**2 / ((gap * math.log(10) / 400) ** 2 * p * (1 - p)))
    assert needed == pytest.approx(about, rel=0.02)
    assert battles_to_separate(-gap) == needed
    assert (battles_to_separate(gap, tie_rate=0.3) or 0) < needed


def test_that_many_votes_do_separate_them_in_four_of_five_boards() -> None:
    gap = 120.0
    needed = battles_to_separate(gap)
    assert needed is not None
    strengths = [gap / 173.7178 / 2, -gap / 173.7178 / 2]
    fits = [bradley_terry.fit(group_votes(simulated(strengths, needed, seed=seed)), prior=0) for seed in range(400)]
    assert np.mean([fit.gap("m00", "m01").z > 1.96 for fit in fits]) == pytest.approx(0.8, abs=0.06)


def test_what_is_known_already_is_taken_off() -> None:
    needed = battles_to_separate(40)
    assert needed is not None
    assert more_battles_to_separate(40, 1e9) == needed
    assert more_battles_to_separate(40, 40 / 2.8) == pytest.approx(0, abs=1)
    assert more_battles_to_separate(40, 10) == 0
    half = more_battles_to_separate(40, 40 / 2.8 * math.sqrt(2))
    assert half == pytest.approx(needed / 2, rel=0.01)
    assert battles_to_separate(0) is None
    assert more_battles_to_separate(0, 10) is None


@pytest.mark.parametrize(
    ("seen", "competitors", "expected"),
    [
        (Seen(30, 5, 60), 12, "ranked"),
        (Seen(29, 5, 20), 12, "provisional"),
        (Seen(30, 4, 20), 12, "provisional"),
        (Seen(30, 5, 60.1), 12, "provisional"),
        (Seen(30, 5, 30), 12, "settled"),
        (Seen(90, 2, 29), 3, "settled"),
        (Seen(90, 1, 29), 3, "provisional"),
        (Seen(0, 0, 5), 1, "provisional"),
    ],
)
def test_when_a_row_is_provisional(seen: Seen, competitors: int, expected: str) -> None:
    assert maturity(seen, competitors) == expected
