"""Votes as grouped rows: what counts, what is refused, and that order leaves no trace."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from arena.ratings.outcomes import BadVote, Grouped, group_counts, group_votes, merged, pair_balanced, points
from tests.arena.simulated import simulated

VOTES = [("x", "y", "a"), ("y", "x", "a"), ("x", "y", "a"), ("x", "z", "tie"), ("x", "y", "both_bad")]


def told(rows: Grouped) -> dict[tuple[str, str, float], float]:
    cells = zip(rows.a.tolist(), rows.b.tolist(), rows.score.tolist(), rows.count.tolist(), strict=True)
    return {(rows.names[a], rows.names[b], score): count for a, b, score, count in cells}


def test_equal_votes_are_one_row_and_sides_stay_apart() -> None:
    assert told(group_votes(VOTES)) == {("x", "y", 1): 2, ("y", "x", 1): 1, ("x", "z", 0.5): 1, ("x", "y", 0.5): 1}


@pytest.mark.parametrize(
    ("ties", "both_bad", "votes"), [("half", "tie", 5), ("half", "drop", 4), ("drop", "tie", 3), ("drop", "drop", 3)]
)
def test_what_counts_is_what_was_asked_for(ties: str, both_bad: str, votes: int) -> None:
    rows = group_votes(VOTES, ties=ties, both_bad=both_bad)
    assert rows.votes == votes
    assert rows.names == ("x", "y", "z"), "who only has votes that are left out is still listed"


@pytest.mark.parametrize("outcome", ["A", "bothbad", "", "tie (bothbad)", "x", "model_a", None])
def test_an_unknown_outcome_names_its_row(outcome: str) -> None:
    with pytest.raises(BadVote, match="vote 3"):
        group_votes([*VOTES[:2], ("x", "y", outcome), ("x", "y", "a")])
    with pytest.raises(BadVote, match="vote 1"):
        group_counts([("x", "y", outcome, 3)])


def test_nobody_meets_itself_and_no_count_is_negative() -> None:
    with pytest.raises(BadVote, match=r"vote 2.*itself"):
        group_votes([("x", "y", "a"), ("x", "x", "a")])
    with pytest.raises(BadVote, match="vote 1"):
        group_counts([("x", "y", "a", -1)])


def test_counted_and_single_votes_make_the_same_rows_in_any_order() -> None:
    votes = simulated([0.5, 0, -0.5, 1], 400, seed=1, nu=0.5)
    mixed = random.Random(2).sample(votes, len(votes))
    counted = [(*vote, count) for vote, count in Counter(mixed).items()]
    one, two, three = group_votes(votes), group_votes(mixed), group_counts(counted)
    for name in ("a", "b", "score", "count", "weight", "squared"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist() == getattr(three, name).tolist()


def test_weights_are_scaled_to_the_number_of_votes_and_leave_no_trace_of_order() -> None:
    votes = simulated([0.5, 0, -0.5], 200, seed=3)
    weights = np.random.default_rng(4).uniform(0.1, 3, 200).tolist()
    rows = group_votes(votes, weights=weights)
    assert rows.weight.sum() == pytest.approx(200)
    order = random.Random(5).sample(range(200), 200)
    other = group_votes([votes[i] for i in order], weights=[weights[i] for i in order])
    assert other.weight.tolist() == rows.weight.tolist()
    with pytest.raises(ValueError, match="200 positive weights"):
        group_votes(votes, weights=[0.0, *weights[1:]])


def test_points_are_told_by_pair_from_both_sides() -> None:
    scored = points(group_votes(VOTES))
    assert scored.tolist() == [[0, 2.5, 0.5], [1.5, 0, 0], [0.5, 0, 0]]


def test_parts_of_a_board_make_the_whole() -> None:
    votes = simulated([0.5, 0, -0.5], 200, seed=6)
    parts = [group_votes(votes[:50], competitors=("m00", "m01", "m02")), group_votes(votes[50:])]
    assert told(merged(parts)) == told(group_votes(votes))
    assert merged([]).names == ()
    with pytest.raises(ValueError, match="same competitors"):
        merged([parts[0], group_votes([], competitors=["other"])])


def test_a_pair_with_many_votes_does_not_rule_a_balanced_board() -> None:
    rows = pair_balanced(group_counts([("x", "y", "a", 1000), ("y", "z", "a", 60), ("x", "z", "b", 10)]))
    # By hand: 1000/1000, 60/60 and 10/50, scaled to 1,070 votes.
    assert rows.weight == pytest.approx(np.array([1, 0.2, 1]) * 1070 / 2.2)
    assert rows.weight.sum() == pytest.approx(rows.count.sum())
