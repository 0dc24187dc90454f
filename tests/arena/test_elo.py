"""Elo against published figures and by its properties."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.ratings.elo import START, K, expected_score, replay

VOTES = st.lists(
    st.tuples(st.sampled_from("klmn"), st.sampled_from("opqr"), st.sampled_from(("a", "b", "tie", "both_bad"))),
    max_size=60,
)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (0, 0.5),
        # Source: FIDE Handbook B.02, table 8.1.2 of expected scores, rounded to two digits there.
        (25, 0.53), (50, 0.57), (100, 0.64), (150, 0.70), (200, 0.76), (250, 0.81), (300, 0.85),
    ],
)  # fmt: skip
def test_expected_scores_are_those_of_the_fide_table(difference: int, expected: float) -> None:
    # FIDE's table follows the normal curve, the arenas' form the logistic one; they agree to two hundredths here.
    assert expected_score(1500 + difference, 1500) == pytest.approx(expected, abs=0.012)


def test_four_hundred_points_are_ten_to_one() -> None:
    assert expected_score(1400, 1000) == pytest.approx(10 / 11, abs=1e-12)
    assert expected_score(1000, 1400) == pytest.approx(1 / 11, abs=1e-12)


@pytest.mark.parametrize(("other", "expected"), [(1609, 0.51), (1477, 0.69), (1388, 0.79), (1586, 0.54), (1720, 0.35)])
def test_a_published_worked_example(other: Any, expected: float) -> None:
    # Source: Wikipedia, "Elo rating system", worked example of a player rated 1613, read 2026-08.
    assert expected_score(1613, other) == pytest.approx(expected, abs=0.006)


def test_the_first_win_moves_half_of_k() -> None:
    assert replay([("x", "y", "a")]) == {"x": START + K / 2, "y": START - K / 2}


def test_a_sequence_worked_by_hand() -> None:
    # With the handbook's formula in decimals: K (S - E), E = 1 / (1 + 10^(difference / 400)), to ten digits.
    ratings: dict[str, Decimal] = {"x": Decimal(1000), "y": Decimal(1000), "z": Decimal(1000)}
    votes = [
        ("x", "y", "a"),
        ("y", "z", "b"),
        ("z", "x", "a"),
        ("x", "y", "tie"),
        ("z", "y", "both_bad"),
        ("y", "x", "a"),
    ]
    score = {"a": Decimal(1), "b": Decimal(0), "tie": Decimal("0.5"), "both_bad": Decimal("0.5")}
    for a, b, outcome in votes:
        expected = 1 / (1 + Decimal(10) ** ((ratings[b] - ratings[a]) / 400))
        moved = 4 * (score[outcome] - expected)
        ratings[a], ratings[b] = ratings[a] + moved, ratings[b] - moved
    assert replay(votes) == pytest.approx({name: float(rating) for name, rating in ratings.items()}, abs=1e-9)


def test_the_order_of_votes_matters_to_elo() -> None:
    votes = [("x", "y", "a"), ("y", "z", "a"), ("z", "x", "a")] * 5
    assert replay(votes) != pytest.approx(replay(votes[::-1]), abs=1e-6)


def test_tie_and_both_bad_move_equals_nowhere() -> None:
    assert replay([("x", "y", "tie"), ("x", "y", "both_bad")]) == {"x": START, "y": START}


@given(VOTES)
def test_the_sum_of_ratings_is_constant(votes: list[tuple[str, str, str]]) -> None:
    ratings = replay(votes)
    assert sum(ratings.values()) == pytest.approx(START * len(ratings), abs=1e-6)


@given(VOTES)
def test_replay_is_exact_and_leaves_the_sides_out_of_it(votes: list[tuple[str, str, str]]) -> None:
    turned = {"a": "b", "b": "a", "tie": "tie", "both_bad": "both_bad"}
    assert replay(votes) == replay(list(votes))
    swapped = replay([(b, a, turned[outcome]) for a, b, outcome in votes])
    assert swapped == pytest.approx(replay(votes), abs=1e-9)


def test_the_stronger_of_many_votes_stands_higher() -> None:
    ratings = replay([("x", "y", "a"), ("y", "z", "a"), ("x", "z", "a")] * 50)
    assert ratings["x"] > ratings["y"] > ratings["z"]


@pytest.mark.parametrize("outcome", ["A", "bothbad", "", "tie (bothbad)", "x"])
def test_an_unknown_outcome_names_its_row(outcome: str) -> None:
    with pytest.raises(ValueError, match="vote 2"):
        replay([("x", "y", "a"), ("x", "y", outcome)])


def test_nobody_meets_itself() -> None:
    with pytest.raises(ValueError, match="itself"):
        replay([("x", "x", "a")])
