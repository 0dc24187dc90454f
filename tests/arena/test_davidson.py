"""Davidson's model: that it finds the maximum, the scale and the share of ties, also where there are hardly any."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings import bradley_terry, davidson
from arena.ratings.outcomes import group_counts, group_votes
from arena.ratings.scale import POINTS_PER_LOGIT, chances
from tests.arena.simulated import names_of, simulated

STRENGTHS = [1.2, 0.4, 0.0, -0.5, -1.1]


def log_likelihood(votes: list[tuple[str, str, str]], strengths: np.ndarray, nu: float) -> float:
    """As in the paper, with worths and square roots, one vote at a time."""
    worth = dict(zip(names_of(len(strengths)), np.exp(strengths), strict=True))
    total = 0.0
    for a, b, outcome in votes:
        tie = nu * np.sqrt(worth[a] * worth[b])
        whole = worth[a] + worth[b] + tie
        total += np.log({"a": worth[a], "b": worth[b], "tie": tie}[outcome] / whole)
    return float(total)


def test_no_step_away_from_the_fit_is_likelier() -> None:
    votes = simulated(STRENGTHS, 400, seed=1, nu=0.8)
    fit = davidson.fit(group_votes(votes), prior=0)
    assert fit.tie_parameter is not None
    best = log_likelihood(votes, fit.strengths, fit.tie_parameter)
    for index in range(5):
        for step in (-1e-3, 1e-3):
            moved = fit.strengths.copy()
            moved[index] += step
            assert log_likelihood(votes, moved, fit.tie_parameter) < best
    for factor in (0.999, 1.001):
        assert log_likelihood(votes, fit.strengths, fit.tie_parameter * factor) < best


def test_the_errors_are_those_of_the_curvature_measured_by_hand() -> None:
    votes = simulated(STRENGTHS, 300, seed=2, nu=0.8)
    fit = davidson.fit(group_votes(votes), prior=0)
    assert fit.tie_parameter is not None
    at, h = np.append(fit.strengths, np.log(fit.tie_parameter)), 1e-3

    def value(*steps: tuple[int, float]) -> float:
        moved = at.copy()
        for index, step in steps:
            moved[index] += step
        return -log_likelihood(votes, moved[:5], float(np.exp(moved[5])))

    measured = np.array(
        [
            [
                (value((i, h), (j, h)) - value((i, h), (j, -h)) - value((i, -h), (j, h)) + value((i, -h), (j, -h)))
                / (4 * h * h)
                for j in range(6)
            ]
            for i in range(6)
        ]
    )
    # The fit's curvature also holds the mean of the strengths in place.
    measured[:5, :5] += fit.curvature[:5, :5].sum() / 25
    assert fit.curvature == pytest.approx(measured, abs=2e-3)


def test_the_sandwich_is_that_of_the_votes_one_by_one() -> None:
    votes = simulated(STRENGTHS, 300, seed=2, nu=0.8, advantage=0.6)
    fit = davidson.fit(group_votes(votes), prior=0)
    assert fit.tie_parameter is not None
    scores = []
    for a, b, outcome in votes:
        i, j = fit.names.index(a), fit.names.index(b)
        won, tied = chances(fit.strengths[i] - fit.strengths[j], fit.tie_parameter)
        score = np.zeros(6)
        score[i] = {"a": 1, "b": 0, "tie": 0.5}[outcome] - won - tied / 2
        score[j], score[5] = -score[i], (outcome == "tie") - tied
        scores.append(score)
    meat = np.array(scores).T @ np.array(scores)
    bread, centre = np.linalg.inv(fit.curvature), np.eye(5) - 1 / 5
    whole = bread @ meat @ bread
    assert fit.sandwich == pytest.approx(centre @ whole[:5, :5] @ centre, rel=1e-6)
    assert fit.log_tie_se == pytest.approx(np.sqrt(whole[5, 5]), rel=1e-6)


def test_the_true_spread_comes_back_where_half_wins_squeeze_it() -> None:
    rows = group_votes(simulated(STRENGTHS, 60_000, seed=3, nu=1.0))
    true = 1000 + POINTS_PER_LOGIT * np.array(STRENGTHS)
    fit, squeezed = davidson.fit(rows), bradley_terry.fit(rows)
    assert fit.tie_parameter == pytest.approx(1.0, abs=0.04)
    assert np.all(np.abs(fit.ratings - true) < 3.5 * fit.se)
    assert np.ptp(squeezed.ratings) < 0.9 * np.ptp(true)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    true = 1000 + POINTS_PER_LOGIT * np.array(STRENGTHS)
    inside = []
    for seed in range(80):
        low, high = davidson.fit(group_votes(simulated(STRENGTHS, 600, seed=seed, nu=0.8))).interval()
        inside.append((low <= true) & (true <= high))
    assert 0.91 <= np.mean(inside) <= 0.98


def test_a_gap_is_worth_the_score_that_the_model_expects() -> None:
    fit = davidson.fit(group_votes(simulated(STRENGTHS, 5000, seed=4, nu=1.0)), prior=0)
    gap = fit.gap("m00", "m04")
    won, tied = chances(np.array(gap.points / POINTS_PER_LOGIT), fit.tie_parameter or 0)
    assert gap.expected_score == pytest.approx(float(won + tied / 2))


def test_without_ties_it_is_bradley_terry() -> None:
    rows = group_votes(simulated(STRENGTHS, 400, seed=5))
    fit, plain = davidson.fit(rows), bradley_terry.fit(rows)
    assert fit.tie_parameter == 0
    assert fit.ratings.tolist() == plain.ratings.tolist()
    assert fit.se.tolist() == plain.se.tolist()


@pytest.mark.parametrize("prior", [0, 1])
def test_nothing_but_ties_says_nothing_of_strengths(prior: float) -> None:
    fit = davidson.fit(group_votes([("x", "y", "tie")] * 50), prior=prior)
    assert fit.ratings == pytest.approx([1000, 1000])
    assert fit.tie_parameter is not None
    assert 1000 < fit.tie_parameter < 1e6
    assert np.all((fit.se > 200) & np.isfinite(fit.se))


def test_a_gap_that_grows_with_the_tie_parameter_is_held_by_the_least_prior() -> None:
    # Everybody shares points with everybody, yet the likelihood rises for ever: x over w and nu to infinity, x faster.
    votes = [("w", "x", "b")] * 6 + [("x", "v", "tie"), ("v", "w", "tie")] * 500
    plain, held = (davidson.fit(group_votes(votes), prior=prior) for prior in (0, 1))
    assert plain.is_forced
    assert not held.is_forced
    for fit in (plain, held):
        assert np.all(np.isfinite([fit.ratings, *fit.interval()]))
        assert fit.gap("x", "w").points > fit.gap("x", "v").points > 0


@pytest.mark.parametrize("count", [1, 1000, 1_000_000])
def test_lopsided_counts_settle(count: int) -> None:
    counts = [
        ("x", "y", "a", count),
        ("x", "y", "tie", 1),
        ("y", "z", "tie", count),
        ("z", "x", "b", 3),
        ("y", "z", "a", 1),
    ]
    for prior in (0, 1):
        fit = davidson.fit(group_counts(counts), prior=prior)
        assert np.all(np.isfinite([fit.ratings, *fit.interval()]))
        assert fit.tie_parameter is not None
        assert 0 < fit.tie_parameter < 1e9


def test_an_unbeaten_one_and_islands_stay_finite() -> None:
    votes = [("x", "y", "a"), ("x", "y", "a"), ("u", "v", "tie"), ("u", "v", "a")] * 10
    for prior in (0, 1):
        fit = davidson.fit(group_votes(votes, competitors=["lone"]), prior=prior)
        assert np.all(np.isfinite([fit.ratings, *fit.interval()]))
        assert fit.is_forced == (prior == 0)
        assert len(fit.islands) == 3
        assert np.all(fit.se > 50)
