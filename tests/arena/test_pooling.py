"""Category ratings: between the category's own and the overall ones, with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings import bradley_terry
from arena.ratings.outcomes import Grouped, group_votes
from arena.ratings.pooling import CategoryRatings, pooled
from arena.ratings.scale import POINTS_PER_LOGIT
from tests.arena.simulated import names_of, simulated

OVERALL = np.array([0.9, 0.5, 0.1, -0.2, -0.5, -0.8])
NAMES = names_of(6)


def category(deviation: np.ndarray, votes: int, *, seed: int) -> Grouped:
    return group_votes(simulated(list(OVERALL + deviation), votes, seed=seed), competitors=NAMES)


def categories(count: int, votes: int, *, spread_points: float, seed: int) -> tuple[dict[str, Grouped], np.ndarray]:
    """Boards, and the true ratings (count, M) in them."""
    rng = np.random.default_rng(seed)
    deviations = rng.normal(0, spread_points / POINTS_PER_LOGIT, (count, 6))
    boards = {f"c{n}": category(one, votes, seed=100 * seed + n) for n, one in enumerate(deviations)}
    true = OVERALL + deviations
    return boards, 1000 + POINTS_PER_LOGIT * (true - true.mean(axis=1, keepdims=True))


def test_without_votes_a_category_has_the_overall_ratings_and_a_wider_interval() -> None:
    boards, _ = categories(4, 500, spread_points=50, seed=1)
    found = pooled(boards | {"empty": group_votes([], competitors=NAMES)})
    empty = found.categories["empty"]
    assert empty.ratings == pytest.approx(found.overall.ratings, abs=1e-6)
    # Centring takes a sixth of the deviations' variance.
    own = found.spread_points**2 * (1 - 1 / 6)
    assert empty.se == pytest.approx(np.sqrt(found.overall.se**2 + own), rel=1e-6)
    assert empty.battles.tolist() == [0] * 6


def test_with_very_many_votes_a_category_has_its_own_ratings() -> None:
    boards, _ = categories(2, 100, spread_points=50, seed=2)
    boards["large"] = category(np.array([-1.0, 0.5, 0.5, 0, 0, 0]), 200_000, seed=3)
    own = bradley_terry.fit(boards["large"], prior=0)
    large = pooled(boards).categories["large"]
    assert large.ratings == pytest.approx(own.ratings, abs=1)
    assert large.se == pytest.approx(own.se, rel=0.05)


def test_a_small_spread_pools_wholly_and_a_large_one_not_at_all() -> None:
    boards, _ = categories(3, 3000, spread_points=5, seed=4)
    together, apart = pooled(boards, spread_points=0.01), pooled(boards, spread_points=1e5)
    for name, rows in boards.items():
        assert together.categories[name].ratings == pytest.approx(together.overall.ratings, abs=0.5)
        assert together.categories[name].se == pytest.approx(together.overall.se, rel=0.03)
        assert apart.categories[name].ratings == pytest.approx(bradley_terry.fit(rows, prior=0).ratings, abs=0.1)


def test_a_rating_lies_between_the_overall_one_and_its_own() -> None:
    boards, _ = categories(5, 3000, spread_points=0, seed=5)
    # One competitor is better in one category only.
    boards["odd"] = category(np.array([0, 0, 0, 0, 0, 1.0]), 120, seed=6)
    found = pooled(boards, spread_points=40)
    own, overall = bradley_terry.fit(boards["odd"], prior=0).ratings[5], found.overall.ratings[5]
    assert overall + 10 < found.categories["odd"].ratings[5] < own - 10


def test_no_rating_moves_further_than_its_bound() -> None:
    boards, _ = categories(3, 600, spread_points=50, seed=7)
    boards["one-sided"] = group_votes([(NAMES[5], NAMES[0], "a")] * 4, competitors=NAMES)
    found = pooled(boards, spread_points=30)
    rest = pooled({name: rows for name, rows in boards.items() if name != "one-sided"}).overall
    prior = rest.covariance + (30 / POINTS_PER_LOGIT) ** 2 * np.eye(6)
    bound = POINTS_PER_LOGIT * np.abs(prior) @ np.array([4.0, 0, 0, 0, 0, 4])
    moved = found.categories["one-sided"].ratings - rest.ratings
    assert moved[5] > 3
    assert moved[0] < -3
    # The bound is for ratings before they are centred; centring moves all by the same.
    assert np.ptp(moved) <= bound.max() * 2
    assert abs(moved[5] - moved[1]) <= bound[5] + bound[1]


def coverage(boards: dict[str, CategoryRatings], true: np.ndarray) -> np.ndarray:
    bounds = [boards[f"c{n}"].interval() for n in range(len(true))]
    return np.array([(low <= one) & (one <= high) for (low, high), one in zip(bounds, true, strict=True)])


@pytest.mark.parametrize(("spread", "votes"), [(0, 60), (60, 60), (60, 400)])
def test_intervals_hold_and_errors_are_smaller_than_of_either_alone(spread: float, votes: int) -> None:
    inside, error, alone, whole = [], [], [], []
    for seed in range(12):
        boards, true = categories(5, votes, spread_points=spread, seed=seed)
        found = pooled(boards)
        inside.append(coverage(found.categories, true))
        for n, (name, rows) in enumerate(sorted(boards.items())):
            error.append(found.categories[name].ratings - true[n])
            alone.append(bradley_terry.fit(rows).ratings - true[n])
            whole.append(found.overall.ratings - true[n])
    assert np.mean(inside) > 0.9
    rms_pooled, rms_alone, rms_whole = (float(np.sqrt(np.mean(np.square(one)))) for one in (error, alone, whole))
    assert rms_pooled < rms_alone
    assert rms_pooled < 1.1 * rms_whole


def test_the_spread_follows_the_votes() -> None:
    near, _ = categories(6, 3000, spread_points=0, seed=8)
    far, _ = categories(6, 3000, spread_points=80, seed=8)
    assert pooled(near).spread_points < 20
    assert pooled(far).spread_points == pytest.approx(80, rel=0.5)


def test_one_category_alone_and_none_at_all() -> None:
    rows = category(np.zeros(6), 2000, seed=9)
    only = pooled({"only": rows})
    assert only.categories["only"].ratings == pytest.approx(only.overall.ratings, abs=1.5)
    assert pooled({}).categories == {}
    nobody = pooled({"c": group_votes([], competitors=NAMES)})
    assert nobody.categories["c"].ratings == pytest.approx([1000] * 6)
    assert np.all(nobody.categories["c"].se > 200)


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(ValueError, match="same competitors"):
        pooled({"c": group_votes([("x", "y", "a")]), "d": group_votes([("x", "z", "a")])})
    with pytest.raises(ValueError, match="spread"):
        pooled({"c": group_votes([("x", "y", "a")])}, spread_points=0)
