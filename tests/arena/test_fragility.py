"""How few votes decide first place, tried by leaving them out."""

from __future__ import annotations

import numpy as np
import pytest

from arena.ratings import bradley_terry, davidson
from arena.ratings.fit import Fit
from arena.ratings.fragility import fragility
from arena.ratings.outcomes import Grouped, VoteRow, group_votes
from tests.arena.simulated import simulated

STRENGTHS = [0.5, 0.45, 0.1, -0.3, -0.7]


def leader_of(rows: Grouped, model: object) -> str:
    fit: Fit = model.fit(rows)
    return fit.names[int(np.argmax(fit.strengths))]


def greedy(votes: list[VoteRow], leader: str, model: object, limit: int) -> int | None:
    """Votes that go until another leads: each time the one whose loss brings the leader closest to the next, by refitting."""
    left = list(votes)
    for dropped in range(limit + 1):
        if leader_of(group_votes(left), model) != leader:
            return dropped
        tries = []
        for vote in set(left):
            rest = list(left)
            rest.remove(vote)
            fit: Fit = model.fit(group_votes(rest))
            lead = fit.strengths[fit.names.index(leader)] - np.delete(fit.strengths, fit.names.index(leader)).max()
            tries.append((float(lead), vote))
        left.remove(min(tries)[1])
    return None


@pytest.mark.parametrize("model", [bradley_terry, davidson])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_close_to_what_taking_votes_one_by_one_finds(model: object, seed: int) -> None:
    votes = simulated(STRENGTHS, 250, seed=seed, nu=0.5)
    rows = group_votes(votes)
    found = fragility(rows, model.fit(rows))
    assert found is not None
    assert found.votes_to_flip is not None
    tried = greedy(votes, found.leader, model, limit=40)
    assert tried is not None
    assert abs(found.votes_to_flip - tried) <= 1 + tried // 5


def test_more_of_the_same_votes_take_more_to_flip() -> None:
    votes = simulated(STRENGTHS, 300, seed=4)
    few, many = group_votes(votes), group_votes(votes * 20)
    one, other = fragility(few, bradley_terry.fit(few, prior=0)), fragility(many, bradley_terry.fit(many, prior=0))
    assert one is not None
    assert other is not None
    assert one.votes_to_flip is not None
    assert other.votes_to_flip is not None
    assert other.votes == 20 * one.votes
    assert 20 * (one.votes_to_flip - 1) <= other.votes_to_flip <= 20 * one.votes_to_flip


def test_two_by_hand() -> None:
    rows = group_votes([("x", "y", "a")] * 30 + [("x", "y", "b")] * 20)
    found = fragility(rows, bradley_terry.fit(rows))
    assert found is not None
    assert (found.leader, found.runner_up, found.votes, found.votes_to_flip) == ("x", "y", 50, 10)


def test_a_shared_lead_takes_none_and_a_board_of_nobody_has_no_answer() -> None:
    rows = group_votes([("x", "y", "a"), ("x", "y", "b")])
    found = fragility(rows, bradley_terry.fit(rows))
    assert found is not None
    assert found.votes_to_flip == 0
    for votes, competitors in (([], ["x", "y"]), ([], ["x"]), ([], [])):
        rows = group_votes(votes, competitors=competitors)
        assert fragility(rows, bradley_terry.fit(rows)) is None
