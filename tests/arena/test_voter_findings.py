"""Who is left out of a board: those who push, together or by many tokens; never the honest, however their tastes differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.ratings import bradley_terry
from arena.ratings.held_votes import Ballot, Reading, held
from arena.ratings.outcomes import group_votes
from arena.ratings.tastes import Tastes, leanings, tastes_of
from arena.ratings.voter_checks import Finding
from arena.voter_findings import MIN_VOTERS, Looked, look, odd
from tests.arena.crowds import Crowd, cast, mixed, share_found, world

MODELS, TARGET = 12, 4
SETS = 4


def nobody_lifted(_: Finding) -> bool:
    return False


def models(seed: int) -> np.ndarray:
    """Strengths. The target is a middling one: to push the best moves little, and shows as little."""
    strengths = world(MODELS, seed=seed)
    strengths[TARGET] = 0.0
    return strengths


def looked(*crowds: Crowd, seed: int, in_a_row: bool = False) -> Looked:
    strengths = models(seed)
    parts = [cast(crowd, strengths, seed=100 * seed + place) for place, crowd in enumerate(crowds)]
    return look(sum(parts, []) if in_a_row else mixed(parts, seed=seed), nobody_lifted)


def found_in_sets(*crowds: Crowd) -> list[str]:
    return [voter for seed in range(SETS) for voter in looked(*crowds, seed=seed).found]


# Tastes


@pytest.mark.parametrize("taste", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("votes", [60, 100, 200])
def test_honest_voters_with_tastes_are_left_alone(taste: float, votes: int) -> None:
    honest = Crowd("honest", 100, votes, taste)
    assert share_found(found_in_sets(honest), honest, SETS) < 0.01


@pytest.mark.parametrize("taste", [0.6, 1.0])
def test_a_few_honest_voters_are_left_alone_too(taste: float) -> None:
    honest = Crowd("honest", 8, 60, taste)
    found = [voter for seed in range(25) for voter in looked(honest, seed=seed).found]
    assert share_found(found, honest, 25) < 0.01


def test_a_busy_voter_with_tastes_is_no_more_suspect_than_others() -> None:
    most, busy = Crowd("honest", 80, (20, 60), 0.6), Crowd("busy", 20, 400, 0.6)
    found = found_in_sets(most, busy)
    assert share_found(found, busy, SETS) < 0.02
    assert share_found(found, most, SETS) < 0.01


RIGGED = [
    (Crowd("honest", 100, 60), Crowd("rigged", 6, 240, pushes=TARGET)),
    (Crowd("honest", 100, 60), Crowd("rigged", 10, 120, pushes=TARGET)),
    (Crowd("honest", 100, 200), Crowd("rigged", 6, 200, pushes=TARGET)),
    (Crowd("honest", 60, 40), Crowd("rigged", 10, 100, pushes=TARGET)),
    (Crowd("honest", 100, 60), Crowd("rigged", 5, 60, pushes=TARGET, only=True)),
    (Crowd("honest", 100, 60), Crowd("rigged", 20, 120, pushes=TARGET)),
]


@pytest.mark.parametrize("taste", [0.0, 0.6, 1.0])
def test_who_push_are_found_among_voters_with_tastes_and_hardly_anybody_else(taste: float) -> None:
    shares: dict[str, list[float]] = {"honest": [], "rigged": []}
    for place, case in enumerate(RIGGED):
        crowds = [replace(crowd, taste=taste) for crowd in case]
        found = looked(*crowds, seed=50 + place).found
        for crowd in crowds:
            shares[crowd.name].append(share_found(found, crowd))
    assert np.mean(shares["rigged"]) >= 0.9
    assert np.mean(shares["honest"]) < 0.01


@pytest.mark.parametrize(("taste", "votes"), [(0.0, 60), (0.3, 200), (0.6, 60), (0.6, 200), (1.0, 200)])
def test_leanings_of_honest_voters_are_standard_normal(taste: float, votes: int) -> None:
    drawn = cast(Crowd("honest", 100, votes, taste, ties=0.0), models(1), seed=2)
    z = leaning(drawn, None)[0]
    assert z.std() == pytest.approx(1, abs=0.06)
    assert abs(float((np.abs(z) > 2).mean()) - 0.0455) < 0.02
    assert float((np.abs(z) > 3.5).mean()) < 0.003


def test_the_spread_of_tastes_is_found_and_those_who_push_do_not_widen_it() -> None:
    strengths = models(1)
    honest = cast(Crowd("honest", 100, 200, 0.6, ties=0.0), strengths, seed=2)
    rigged = cast(Crowd("rigged", 15, 200, pushes=TARGET), strengths, seed=3)
    clean, pushed = (leaning(votes, None)[1] for votes in (honest, honest + rigged))
    assert 0.45 < clean.spread < 0.7
    assert pushed.spread == pytest.approx(clean.spread, rel=0.15)
    assert clean.wider == {}


def test_a_competitor_that_divides_the_voters_has_a_spread_of_its_own() -> None:
    rng, strengths = np.random.default_rng(1), models(1)
    votes = []
    for voter in range(120):
        own = strengths.copy()
        own[TARGET] += rng.choice([-2.5, 2.5])
        votes += [one._replace(voter=f"v{voter}") for one in cast(Crowd("v", 1, 100, 0.2), own, seed=voter)]
    tastes = leaning(votes, None)[1]
    assert set(tastes.wider) == {"m04"}
    assert look(votes, nobody_lifted).found == {}


def leaning(votes: list[Ballot], tastes: Tastes | None) -> tuple[np.ndarray, Tastes]:
    read = held(votes, bradley_terry.fit(group_votes([one[1:4] for one in votes])), Reading())
    known = tastes or tastes_of(read)
    lean = leanings(read, known)
    return lean.z[lean.met >= 5], known


# Many at once


def test_where_a_third_push_nobody_is_left_out_and_an_alarm_is_raised() -> None:
    honest, rigged = Crowd("honest", 50, 60), Crowd("rigged", 25, 60, pushes=TARGET)
    for seed in range(SETS):
        seen = looked(honest, rigged, seed=seed)
        assert seen.found == {}
        assert "none of them was left out" in seen.alarms[0]


def test_who_is_too_fast_is_left_out_however_many_there_are() -> None:
    honest, fast = Crowd("honest", 20, 60), Crowd("fast", 15, 60)
    strengths = models(1)
    quick = [one._replace(decided_ms=200) for one in cast(fast, strengths, seed=3)]
    seen = look(mixed([cast(honest, strengths, seed=2), quick], seed=4), nobody_lifted)
    assert share_found(seen.found, fast) == 1
    assert share_found(seen.found, honest) == 0


# Newcomers


@pytest.mark.parametrize("established", [50, 120])
@pytest.mark.parametrize("taste", [0.0, 0.6])
def test_many_tokens_that_push_one_model_are_left_out_as_a_group(established: int, taste: float) -> None:
    honest, tokens = (
        Crowd("honest", established, 60, taste), Crowd("token", 40, 19, taste, pushes=TARGET, only=True)
    )  # fmt: skip
    strengths = models(3)
    votes = cast(honest, strengths, seed=4) + cast(tokens, strengths, seed=5)
    seen = look(votes, nobody_lifted)
    assert share_found(seen.found, tokens) > 0.9
    assert share_found(seen.found, honest) < 0.02
    assert seen.alarms == ()
    clean = [one for one in votes if one.voter not in seen.found]
    true, pushed, after = (rating(some) for some in (votes[: established * 60], votes, clean))
    assert pushed - true > 60
    assert abs(after - true) < 0.1 * (pushed - true)


def rating(votes: list[Ballot]) -> float:
    fit = bradley_terry.fit(group_votes([one[1:4] for one in votes]))
    return float(fit.ratings[fit.names.index("m04")])


def test_tokens_that_hardly_vote_raise_an_alarm() -> None:
    crowds = [Crowd("honest", 60, 60, 0.6), Crowd("new", 200, (1, 18), 0.6)]
    tokens = Crowd("token", 60, 4, pushes=TARGET, only=True)
    seen = looked(*crowds, tokens, seed=2, in_a_row=True)
    assert seen.found == {}
    assert len(seen.alarms) == 1
    assert "of few votes each" in seen.alarms[0]
    assert "'m04'" in seen.alarms[0]


def test_honest_newcomers_raise_no_alarm() -> None:
    for seed in range(SETS):
        seen = looked(
            Crowd("honest", 30, 60, 0.6), Crowd("new", 400, (1, 18), 0.6), seed=seed, in_a_row=True
        )  # fmt: skip
        assert seen.alarms == ()
        assert len(seen.found) / 430 < 0.01


def test_newcomers_are_not_left_out_where_they_cast_much_of_all_votes() -> None:
    honest, tokens = Crowd("honest", 20, 60), Crowd("token", 40, 19, pushes=TARGET, only=True)
    seen = looked(honest, tokens, seed=1, in_a_row=True)
    assert share_found(seen.found, tokens) == 0
    assert any("of few votes each" in words for words in seen.alarms)


def test_nobody_is_judged_before_there_are_enough_to_judge_by() -> None:
    few = Crowd("few", MIN_VOTERS - 1, 100, pushes=TARGET)
    tokens = Crowd("token", 40, 19, pushes=TARGET, only=True)
    assert looked(few, tokens, seed=1) == Looked({})
    strengths = models(1)
    assert odd(cast(few, strengths, seed=1) + cast(tokens, strengths, seed=2)) == []


def test_a_token_that_was_let_in_again_stays_in() -> None:
    honest, tokens = Crowd("honest", 60, 60), Crowd("token", 20, 19, pushes=TARGET, only=True)
    strengths = models(3)
    votes = cast(honest, strengths, seed=4) + cast(tokens, strengths, seed=5)

    def is_lifted(finding: Finding) -> bool:
        return finding.voter == "token 7"

    assert "token 7" in look(votes, nobody_lifted).found
    assert "token 7" not in look(votes, is_lifted).found
    assert "token 8" in look(votes, is_lifted).found
