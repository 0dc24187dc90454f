"""Voters whose votes do not look like judgements: found, and the honest left alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from arena.ratings import bradley_terry, davidson
from arena.ratings.fit import Fit
from arena.ratings.held_votes import MIN_VOTES, Ballot, Reading
from arena.ratings.outcomes import BadVote, group_votes
from arena.ratings.tastes import Tastes
from arena.ratings.voter_checks import FAVOURITE_Z, Finding, findings
from tests.arena.simulated import names_of

STRENGTHS = np.linspace(-1.2, 1.2, 8)
NAMES = names_of(8)
TARGET = 3

Manner = Callable[[np.random.Generator, int, int], str]


def push_target(rng: np.random.Generator, a: int, b: int) -> str:
    return "a" if a == TARGET else "b" if b == TARGET else judge(rng, a, b)


def judge(rng: np.random.Generator, a: int, b: int) -> str:
    if rng.random() < 0.15:
        return "tie"
    return "a" if rng.random() < 1 / (1 + np.exp(STRENGTHS[b] - STRENGTHS[a])) else "b"


def always_a(rng: np.random.Generator, a: int, b: int) -> str:
    return "a"


def against_all(rng: np.random.Generator, a: int, b: int) -> str:
    return {"a": "b", "b": "a", "tie": "tie"}[judge(rng, a, b)]


def ballots(voter: str, manner: Manner, votes: int, *, seed: int, decided_ms: int | None = None) -> list[Ballot]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(votes):
        a, b = rng.choice(len(NAMES), 2, replace=False).tolist()
        made.append(Ballot(voter, NAMES[a], NAMES[b], manner(rng, a, b), decided_ms))
    return made


def honest(voters: int, votes: int) -> list[Ballot]:
    return [one for seed in range(voters) for one in ballots(f"honest {seed}", judge, votes, seed=seed)]


HONEST = honest(120, 60)


def board(votes: list[Ballot]) -> Fit:
    return bradley_terry.fit(group_votes([vote[1:4] for vote in votes]))


def kinds(found: list[Finding], voter: str) -> set[str]:
    return {one.kind for one in found if one.voter == voter}


def test_a_few_who_push_one_model_are_found_and_its_rating_comes_back() -> None:
    rigged = [one for n in range(6) for one in ballots(f"rig {n}", push_target, 240, seed=1000 + n)]
    votes = HONEST + rigged
    fit = board(votes)
    found = findings(votes, fit)
    flagged = {one.voter for one in found}
    assert len({voter for voter in flagged if voter.startswith("rig")}) >= 5
    assert len({voter for voter in flagged if voter.startswith("honest")}) <= 1, "under one in a hundred"
    assert all(f"{NAMES[TARGET]!r}" in one.words for one in found if one.voter.startswith("rig"))
    clean = board([vote for vote in votes if vote.voter not in flagged])
    true, before, after = (one.ratings[TARGET] for one in (board(HONEST), fit, clean))
    assert abs(after - true) < 0.35 * abs(before - true)


@pytest.mark.parametrize(
    ("manner", "kind", "word"), [(always_a, "left", "side A"), (against_all, "agreement", "against all others")]
)
def test_other_manners_are_found_by_their_own_check(manner: Manner, kind: str, word: str) -> None:
    votes = HONEST + ballots("odd", manner, 100, seed=7)
    found = [one for one in findings(votes, board(votes)) if one.voter == "odd" and one.kind == kind]
    assert len(found) == 1
    assert word in found[0].words
    assert abs(found[0].z) > 4


def test_honest_voters_are_left_alone() -> None:
    flagged = {one.voter for one in findings(HONEST, board(HONEST))}
    assert len(flagged) <= 1


def test_a_bias_of_the_page_is_not_held_against_voters() -> None:
    lam = dict(zip(NAMES, STRENGTHS, strict=True))
    rng, bias = np.random.default_rng(5), 1.0
    votes = [
        one._replace(outcome="a" if rng.random() < 1 / (1 + np.exp(lam[one.b] - lam[one.a] - bias)) else "b")
        for seed in range(20)
        for one in ballots(f"v{seed}", judge, 250, seed=seed)
    ]
    fit = board(votes)
    assert len([one for one in findings(votes, fit) if one.kind == "left"]) > 10
    assert not [one for one in findings(votes, fit, Reading(advantage=bias)) if one.kind == "left"]


def test_one_slip_against_the_odds_is_no_finding() -> None:
    strong = [Ballot(f"v{n % 40}", "top", "low", "a") for n in range(4000)]
    weak = [Ballot(f"v{n % 40}", "low", "mid", "ab"[n % 2]) for n in range(2000)]
    slip = [*(one._replace(voter="slips") for one in [*weak[:30], *strong[:5]]), Ballot("slips", "low", "top", "a")]
    votes = strong + weak + slip
    assert not kinds(findings(votes, board(votes)), "slips")


def test_a_voter_is_held_against_the_others_not_against_itself() -> None:
    others = [one for seed in range(10) for one in ballots(f"v{seed}", judge, 60, seed=seed)]
    heavy = ballots("heavy", against_all, 150, seed=99)
    found = findings(others + heavy, board(others + heavy), tastes=Tastes())
    within = next(one.z for one in found if one.voter == "heavy" and one.kind == "agreement")
    assert within == pytest.approx(agreement(heavy, board(others)), rel=0.2)
    assert within < 1.2 * agreement(heavy, board(others + heavy))


def agreement(votes: list[Ballot], fit: Fit) -> float:
    """The check's formula, by hand, against just this board."""
    lam = dict(zip(fit.names, fit.strengths, strict=True))
    ahead = np.array([lam[one.a] - lam[one.b] for one in votes])
    p = 1 / (1 + np.exp(-ahead))
    residual = np.array([{"a": 1.0, "b": 0.0, "tie": 0.5}[one.outcome] for one in votes]) - p
    return float((residual * ahead).sum() / np.sqrt((p * (1 - p) * ahead**2).sum()))


def test_too_few_votes_are_never_judged() -> None:
    upside_down = [Ballot("few", NAMES[0], NAMES[7], "a", 10)] * MIN_VOTES
    for votes, found in ((upside_down[1:], set()), (upside_down, {"agreement", "favourite", "left", "fast"})):
        assert kinds(findings(HONEST + votes, board(HONEST + votes)), "few") == found


def test_votes_faster_than_the_eye_are_found_and_slow_or_untimed_ones_not() -> None:
    fast = ballots("fast", judge, 40, seed=1, decided_ms=300)
    slow = ballots("slow", judge, 40, seed=2, decided_ms=2500)
    some = [*ballots("some", judge, 36, seed=3, decided_ms=2500), *ballots("some", judge, 4, seed=4, decided_ms=300)]
    votes = HONEST + fast + slow + some
    found = [one for one in findings(votes, board(votes)) if one.kind == "fast"]
    assert [one.voter for one in found] == ["fast"]
    assert "40 of 40" in found[0].words


def test_davidsons_board_is_read_alike() -> None:
    rigged = ballots("rig", push_target, 300, seed=1)
    votes = HONEST + rigged
    fit = davidson.fit(group_votes([vote[1:4] for vote in votes]))
    found = findings(votes, fit)
    assert kinds(found, "rig") >= {"favourite"}
    assert all(one.z > FAVOURITE_Z for one in found if one.kind == "favourite")
    assert len({one.voter for one in found}) <= 2


def test_bad_rows_and_strangers_are_refused_by_row() -> None:
    fit = board(HONEST)
    with pytest.raises(BadVote, match="vote 2"):
        findings([HONEST[0], Ballot("v", "m00", "m01", "left")], fit)
    with pytest.raises(ValueError, match=r"vote 1.*board"):
        findings([Ballot("v", "m00", "stranger", "a")], fit)
    assert findings([], fit) == []


def test_left_out_ties_are_left_out_here_too() -> None:
    votes = HONEST + [Ballot("ties", "m00", "m07", "tie")] * 60
    fit = board(votes)
    assert "ties" in {one.voter for one in findings(votes, fit)}
    assert "ties" not in {one.voter for one in findings(votes, fit, Reading(ties="drop"))}


def test_a_hundred_thousand_votes_are_checked_in_well_under_a_second() -> None:
    rng = np.random.default_rng(1)
    names = names_of(50)
    a = rng.integers(0, 50, 100_000)
    b = (a + 1 + rng.integers(0, 49, 100_000)) % 50
    voters = rng.integers(0, 1000, 100_000)
    outcome = rng.choice(["a", "b", "tie"], 100_000)
    rows = zip(voters.tolist(), a.tolist(), b.tolist(), outcome.tolist(), strict=True)
    votes = [Ballot(f"v{voter}", names[i], names[j], told, 900) for voter, i, j, told in rows]
    fit = board(votes)
    started = time.process_time()
    findings(votes, fit)
    assert time.process_time() - started < 1.5, "0.2 s on one quiet core"
