"""The advantage of a side: found where there is one, silent where there is none, honest where nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings import bradley_terry
from arena.ratings.outcomes import group_counts, group_votes
from arena.ratings.scale import POINTS_PER_LOGIT
from arena.ratings.side_bias import side_bias
from tests.arena.simulated import simulated

STRENGTHS = [0.8, 0.3, 0.0, -0.4, -0.7]


def test_an_advantage_is_found_and_taken_out_of_the_ratings() -> None:
    rows = group_votes(simulated(STRENGTHS, 20_000, seed=1, nu=0.3, advantage=0.3))
    found = side_bias(rows)
    assert found is not None
    assert found.alarms
    # Half-won ties squeeze the advantage as they squeeze gaps.
    assert found.delta_points == pytest.approx(0.3 * POINTS_PER_LOGIT, rel=0.2)
    assert found.strengths == pytest.approx(bradley_terry.fit(rows).strengths, abs=0.05)


def test_without_an_advantage_the_alarm_is_as_rare_as_chance() -> None:
    z = []
    for seed in range(150):
        found = side_bias(group_votes(simulated(STRENGTHS, 300, seed=seed, nu=0.5)))
        assert found is not None
        z.append(found.z)
    assert np.std(z) == pytest.approx(1, abs=0.15)
    assert np.mean(z) == pytest.approx(0, abs=0.25)


def test_swapped_sides_turn_the_sign() -> None:
    votes = simulated(STRENGTHS, 500, seed=2, advantage=0.5)
    turned = {"a": "b", "b": "a", "tie": "tie"}
    one, other = side_bias(group_votes(votes)), side_bias(group_votes([(b, a, turned[o]) for a, b, o in votes]))
    assert one is not None
    assert other is not None
    assert other.z == pytest.approx(-one.z, abs=1e-6)


@pytest.mark.parametrize("prior", [0, 1])
@pytest.mark.parametrize(
    "votes",
    [
        [("x", "y", "a")],
        [("x", "y", "a")] * 100,
        [("x", "y", "a"), ("x", "y", "b")] * 50,
        [("x", "y", "tie")] * 100,
        [("x", "y", "tie"), ("y", "x", "tie")] * 50,
        [("x", "y", "a"), ("y", "x", "a")] * 2,
        [("x", "y", "a"), ("u", "v", "a")] * 50,
    ],
)
def test_votes_that_cannot_tell_side_from_strength_raise_no_alarm(
    votes: list[tuple[str, str, str]], prior: int
) -> None:
    found = side_bias(group_votes(votes), prior=prior)
    assert found is not None
    assert np.isfinite([found.delta_points, found.z, found.se]).all()
    assert found.se > 0.1
    assert not found.alarms


def test_side_a_taking_every_vote_of_equals_is_an_alarm_and_finite() -> None:
    votes = [("x", "y", "a"), ("y", "x", "a")] * 100
    found = side_bias(group_votes(votes))
    assert found is not None
    assert found.alarms
    plain = side_bias(group_votes(votes), prior=0)
    assert plain is not None
    assert np.isfinite(plain.delta)
    assert side_bias(group_votes([])) is None


def test_sides_that_leave_no_finite_maximum_though_strengths_have_one() -> None:
    # v took every battle on side a and lost some on side b: the advantage and the gap can grow together for ever.
    rows = group_counts([("v", "u", "a", 504), ("u", "v", "b", 160_000), ("u", "v", "a", 5)])
    found = side_bias(rows, prior=0)
    assert found is not None
    assert 0 < found.information_se < 20
    assert np.isfinite([found.delta, found.se]).all()
    assert abs(found.delta) < 20
