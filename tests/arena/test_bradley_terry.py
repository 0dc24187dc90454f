"""Bradley-Terry: an independent fit, what must not matter, and boards that hardly are one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from arena.ratings import bradley_terry
from arena.ratings.outcomes import VoteRow, group_counts, group_votes
from arena.ratings.scale import POINTS_PER_LOGIT
from tests.arena.simulated import names_of, simulated

STRENGTHS = [0.9, 0.5, 0.2, 0.0, -0.3, -0.4, -0.9]
SCORE = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5}


def dense_fit(votes: list[VoteRow]) -> tuple[np.ndarray, np.ndarray]:
    """Ratings, and their sandwich covariance, in points: a logistic regression of single votes without the first competitor."""
    names = sorted({name for a, b, _ in votes for name in (a, b)})
    x = np.zeros((len(votes), len(names)))
    for row, (a, b, _) in enumerate(votes):
        x[row, names.index(a)], x[row, names.index(b)] = 1, -1
    x, y, beta = x[:, 1:], np.array([SCORE[vote[2]] for vote in votes]), np.zeros(len(names) - 1)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ beta))
        hessian = x.T @ (x * (p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(hessian, x.T @ (y - p))
    scores = x * (y - p)[:, None]
    bread = np.linalg.inv(hessian)
    whole = np.zeros((len(names), len(names)))
    whole[1:, 1:] = bread @ scores.T @ scores @ bread
    centre = np.eye(len(names)) - 1 / len(names)
    strengths = np.append(0, beta)
    covariance = POINTS_PER_LOGIT**2 * centre @ whole @ centre
    return 1000 + POINTS_PER_LOGIT * (strengths - strengths.mean()), covariance


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("nu", [0.0, 1.0])
def test_ratings_and_errors_are_those_of_a_dense_regression(seed: int, nu: float) -> None:
    votes = simulated(STRENGTHS, 3000, seed=seed, nu=nu)
    fit = bradley_terry.fit(group_votes(votes), prior=0)
    ratings, covariance = dense_fit(votes)
    assert not fit.is_forced
    assert fit.ratings == pytest.approx(ratings, abs=1e-5)
    assert fit.se == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-6)


def test_the_gap_of_two_has_its_own_error() -> None:
    votes = simulated(STRENGTHS, 2000, seed=9)
    fit = bradley_terry.fit(group_votes(votes), prior=0)
    gap = fit.gap("m00", "m03")
    ratings, v = dense_fit(votes)
    assert gap.points == pytest.approx(ratings[0] - ratings[3], abs=1e-5)
    assert gap.se == pytest.approx(np.sqrt(v[0, 0] + v[3, 3] - 2 * v[0, 3]), rel=1e-6)
    assert gap.expected_score == pytest.approx(1 / (1 + 10 ** (-gap.points / 400)))
    assert fit.gap("m03", "m00").z == pytest.approx(-gap.z)


def test_order_and_grouping_leave_no_trace() -> None:
    votes = simulated(STRENGTHS, 800, seed=3, nu=0.6)
    mixed = random.Random(1).sample(votes, len(votes))
    one, other = bradley_terry.fit(group_votes(votes)), bradley_terry.fit(group_votes(mixed))
    assert one.strengths.tolist() == other.strengths.tolist()
    assert one.covariance.tolist() == other.covariance.tolist()


def test_sides_and_names_do_not_matter() -> None:
    votes = simulated(STRENGTHS, 800, seed=4, nu=0.6)
    turned = {"a": "b", "b": "a", "tie": "tie"}
    fit = bradley_terry.fit(group_votes(votes))
    swapped = bradley_terry.fit(group_votes([(b, a, turned[outcome]) for a, b, outcome in votes]))
    assert swapped.ratings == pytest.approx(fit.ratings, abs=1e-7)
    assert swapped.se == pytest.approx(fit.se, abs=1e-7)
    new = dict(zip(names_of(7), "gfedcba", strict=True))
    renamed = bradley_terry.fit(group_votes([(new[a], new[b], outcome) for a, b, outcome in votes]))
    assert renamed.ratings[::-1] == pytest.approx(fit.ratings, abs=1e-7)


def test_the_prior_is_games_half_won_against_one_at_the_mean() -> None:
    votes = simulated([0.6, -0.6], 60, seed=5)
    # By hand: the fixed opponent joins the board as a competitor whose rating all others are measured from.
    fit = bradley_terry.fit(group_votes(votes), prior=2)
    at = fit.strengths + fit.shift
    wins = sum(vote in (("m00", "m01", "a"), ("m01", "m00", "b")) for vote in votes)
    p = 1 / (1 + np.exp(at[1] - at[0]))
    q = 1 / (1 + np.exp(-at))
    assert wins - 60 * p + 2 * (0.5 - q[0]) == pytest.approx(0, abs=1e-7)
    assert 60 * p - wins + 2 * (0.5 - q[1]) == pytest.approx(0, abs=1e-7)


def test_an_earlier_fit_is_a_start_that_changes_nothing() -> None:
    rows = group_votes(simulated(STRENGTHS, 500, seed=6))
    first = bradley_terry.fit(rows)
    again = bradley_terry.fit(rows, start=first.strengths + first.shift)
    assert again.ratings == pytest.approx(first.ratings, abs=1e-6)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    inside = []
    for seed in range(80):
        fit = bradley_terry.fit(group_votes(simulated(STRENGTHS, 900, seed=seed, nu=0.7)))
        low, high = fit.interval()
        # Half-won ties squeeze the scale; the rating they aim at is that of very many votes.
        inside.append((low <= SQUEEZED) & (high >= SQUEEZED))
    assert 0.92 <= np.mean(inside) <= 0.98


SQUEEZED = bradley_terry.fit(group_votes(simulated(STRENGTHS, 400_000, seed=99, nu=0.7))).ratings

DEGENERATE: dict[str, list[VoteRow]] = {
    "no votes": [],
    "one tie": [("x", "y", "tie")],
    "only ties": [("x", "y", "tie"), ("y", "z", "both_bad")] * 30,
    "only wins": [("x", "y", "a"), ("y", "z", "a"), ("x", "z", "a")] * 40,
    "one unbeaten": [("x", "y", "a")] * 200 + [("y", "z", "a"), ("z", "y", "a")] * 50,
    "two islands": [("x", "y", "a"), ("x", "y", "b"), ("u", "v", "a"), ("u", "v", "b")] * 25,
    "islands of unlike size": [("x", "y", "a"), ("x", "y", "b"), ("y", "z", "a"), ("y", "z", "b"), ("u", "v", "a")]
    * 25,
}


@pytest.mark.parametrize("prior", [0, 1])
@pytest.mark.parametrize("board", DEGENERATE)
def test_a_board_that_hardly_is_one_has_finite_ratings_and_honest_errors(board: str, prior: float) -> None:
    fit = bradley_terry.fit(group_votes(DEGENERATE[board], competitors=["lone"]), prior=prior)
    low, high = fit.interval()
    assert np.all(np.isfinite([fit.ratings, low, high]))
    assert fit.ratings.mean() == pytest.approx(1000)
    lone = fit.names.index("lone")
    assert "no battles" in fit.cautions[lone]
    # Under the prior's four logits of variance nobody knows more about one without battles.
    assert fit.se[lone] > 300
    assert np.all(fit.se > 5)
    assert fit.is_forced == (prior == 0)


def test_one_competitor_alone() -> None:
    fit = bradley_terry.fit(group_votes([], competitors=["x"]))
    assert fit.ratings.tolist() == [1000]
    assert fit.se[0] == pytest.approx(2 * POINTS_PER_LOGIT)
    assert bradley_terry.fit(group_votes([])).names == ()


def test_only_ties_are_not_taken_for_certainty() -> None:
    fit = bradley_terry.fit(group_votes([("x", "y", "tie")] * 100))
    assert fit.ratings == pytest.approx([1000, 1000])
    assert fit.sandwich == pytest.approx(np.zeros((2, 2)), abs=1e-12), "which is what the guard is for"
    assert fit.se == pytest.approx([17.2, 17.2], abs=0.3), "half of 2 / sqrt(100) logits, in points"
    assert fit.cautions == (frozenset({"only ties"}),) * 2


def test_who_never_lost_is_far_up_and_nobody_knows_how_far() -> None:
    rows = group_votes(DEGENERATE["one unbeaten"])
    fit = bradley_terry.fit(rows, prior=0)
    top = fit.names.index("x")
    assert fit.is_forced
    assert {"never lost", "unbounded"} <= fit.cautions[top]
    assert fit.se[top] > 5 * fit.se[fit.names.index("y")] / 2
    assert bradley_terry.fit(rows).ratings[top] < fit.ratings[top]


def test_islands_are_reported_and_their_distance_is_unknown() -> None:
    fit = bradley_terry.fit(group_votes(DEGENERATE["islands of unlike size"]))
    assert fit.islands == (("x", "y", "z"), ("u", "v"))
    assert ["island" in one for one in fit.cautions] == [True, True, False, False, False]
    assert fit.gap("x", "u").se > 3 * fit.gap("x", "z").se


def test_of_two_islands_of_one_size_neither_is_the_main_one() -> None:
    fit = bradley_terry.fit(group_votes(DEGENERATE["two islands"]))
    assert fit.islands == (("u", "v"), ("x", "y"))
    assert all("island" in one for one in fit.cautions)
    assert fit.se.min() > 150
    assert fit.gap("u", "v").se < 80


def test_a_few_votes_are_not_taken_for_more_than_the_prior_knows() -> None:
    rows = group_counts([("x", "y", "a", 500), ("x", "y", "b", 500), ("x", "new", "a", 1), ("y", "new", "b", 1)])
    fit = bradley_terry.fit(rows)
    new = fit.names.index("new")
    assert "thin" in fit.cautions[new]
    assert fit.se[new] >= POINTS_PER_LOGIT * np.sqrt(fit.posterior[new, new]) - 1e-9


def test_a_newcomer_does_not_make_the_others_less_sure() -> None:
    votes = simulated(STRENGTHS, 3000, seed=7)
    before = bradley_terry.fit(group_votes(votes))
    after = bradley_terry.fit(group_votes([*votes, ("new", "m00", "a"), ("new", "m01", "b")]))
    assert after.names[-1] == "new"
    assert after.reference == tuple(range(7))
    assert after.se[:7] == pytest.approx(before.se, rel=0.02)
    assert after.se[7] > 150
    assert after.gap("m00", "m01").se == pytest.approx(before.gap("m00", "m01").se, rel=0.02)


@pytest.mark.parametrize("prior", [-1, float("nan"), float("inf")])
def test_a_prior_that_cannot_be_is_refused(prior: float) -> None:
    with pytest.raises(ValueError, match="prior"):
        bradley_terry.fit(group_votes([("x", "y", "a")]), prior=prior)
