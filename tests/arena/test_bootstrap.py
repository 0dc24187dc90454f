"""The bootstrap: agrees with the sandwich where both hold, repeats itself for a seed, and is guarded where it is blind."""

from __future__ import annotations

import random

import numpy as np
import pytest

from arena.ratings import bradley_terry, davidson
from arena.ratings import refits as refits_module
from arena.ratings.bootstrap import bootstrap
from arena.ratings.fit import Fit
from arena.ratings.outcomes import Grouped, group_votes, pair_balanced, points
from arena.ratings.refits import Boards, refit, refits
from arena.ratings.scale import POINTS_PER_LOGIT
from tests.arena.simulated import simulated

STRENGTHS = [0.9, 0.4, 0.1, -0.5, -0.9]
VOTES = simulated(STRENGTHS, 2500, seed=1, nu=0.7)


@pytest.mark.parametrize("model", [bradley_terry, davidson])
def test_it_agrees_with_the_sandwich_on_a_board_with_many_votes(model: object) -> None:
    rows = group_votes(VOTES)
    fit: Fit = model.fit(rows)
    drawn = bootstrap(rows, fit, rounds=1500)
    low, high = drawn.interval()
    assert (high - low) / 2 / 1.96 == pytest.approx(fit.se, rel=0.1)
    assert drawn.draws.mean(axis=0) == pytest.approx(fit.ratings, abs=1.5)
    assert drawn.draws.mean(axis=1) == pytest.approx(np.full(1500, 1000))


def test_a_newcomer_does_not_make_the_others_less_sure() -> None:
    rows = group_votes([*VOTES, ("new", "m00", "a"), ("new", "m01", "b")])
    fit = bradley_terry.fit(rows)
    low, high = bootstrap(rows, fit, rounds=500).interval()
    assert ((high - low) / 2 / 1.96)[:5] == pytest.approx(fit.se[:5], rel=0.12)
    assert (high - low)[5] > 500


def test_weights_go_along() -> None:
    rows = pair_balanced(group_votes(VOTES), floor=300)
    fit = bradley_terry.fit(rows)
    low, high = bootstrap(rows, fit, rounds=1500).interval()
    assert (high - low) / 2 / 1.96 == pytest.approx(fit.se, rel=0.1)


def board_of(rows: Grouped) -> Boards:
    return Boards(points(rows)[None], davidson.ties(rows)[None])


@pytest.mark.parametrize("model", [bradley_terry, davidson])
def test_a_refit_among_many_is_the_fit_of_those_votes(model: object) -> None:
    fit: Fit = model.fit(group_votes(VOTES))
    others = [group_votes(random.Random(seed).choices(VOTES, k=600)) for seed in range(3)]
    boards = [board_of(rows) for rows in others]
    together = Boards(np.concatenate([one.scored for one in boards]), np.concatenate([one.tied for one in boards]))
    for rows, found in zip(others, refits(together, fit), strict=True):
        alone: Fit = model.fit(rows)
        # Ties of a refit have the least prior, which hardly moves a strength where there are some.
        assert found - found.mean() == pytest.approx(alone.strengths, abs=1e-4)
        one = refit(rows, fit)
        assert one - one.mean() == pytest.approx(alone.strengths, abs=1e-4)


@pytest.mark.parametrize("steps", [refits_module.MAX_STEPS, 2])
@pytest.mark.parametrize("model", [bradley_terry, davidson])
def test_a_board_far_from_where_it_starts_settles(model: object, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refits_module, "MAX_STEPS", steps)
    fit: Fit = model.fit(group_votes([("x", "y", "a")] * 2000 + [("x", "y", "b"), ("x", "y", "tie")]))
    turned = group_votes([("x", "y", "b")] * 5000 + [("x", "y", "tie")] * 5)
    found = refits(board_of(turned), fit)[0]
    assert found - found.mean() == pytest.approx(model.fit(turned).strengths, abs=5e-3)


def test_a_seed_gives_the_same_draws_whatever_the_order_of_votes() -> None:
    mixed = random.Random(3).sample(VOTES, len(VOTES))
    one, other = (
        bootstrap(rows, bradley_terry.fit(rows), rounds=20, seed=7) for rows in (group_votes(VOTES), group_votes(mixed))
    )
    assert one.draws.tolist() == other.draws.tolist()
    rows = group_votes(VOTES)
    assert bootstrap(rows, bradley_terry.fit(rows), rounds=20, seed=8).draws.tolist() != one.draws.tolist()


@pytest.mark.parametrize("model", [bradley_terry, davidson])
@pytest.mark.parametrize("prior", [0, 1])
@pytest.mark.parametrize(
    "votes",
    [
        [],
        [("x", "y", "tie")] * 40,
        [("x", "y", "a")] * 40,
        [("x", "y", "a"), ("x", "y", "b"), ("u", "v", "tie"), ("u", "v", "a")] * 20,
    ],
)
def test_where_redrawing_says_nothing_the_guards_of_the_fit_do(
    model: object, prior: float, votes: list[tuple[str, str, str]]
) -> None:
    rows = group_votes(votes, competitors=["lone"])
    fit: Fit = model.fit(rows, prior=prior)
    low, high = bootstrap(rows, fit, rounds=300).interval()
    assert np.isfinite([low, high]).all()
    lone = fit.names.index("lone")
    assert (high - low)[lone] / 2 > 500
    assert np.all(high - low > 20)


def test_a_draw_that_leaves_somebody_unbeaten_settles() -> None:
    rows = group_votes([("x", "y", "a")] * 300 + [("x", "y", "b")] + [("y", "z", "a"), ("y", "z", "b")] * 100)
    fit = bradley_terry.fit(rows, prior=0)
    assert not fit.is_forced
    draws = bootstrap(rows, fit, rounds=200).draws
    assert np.isfinite(draws).all()
    assert draws[:, 0].max() > fit.ratings[0] + 2 * POINTS_PER_LOGIT, "those without the one loss"


def test_no_round_is_no_bootstrap() -> None:
    rows = group_votes(VOTES)
    with pytest.raises(ValueError, match="0 rounds"):
        bootstrap(rows, bradley_terry.fit(rows), rounds=0)
