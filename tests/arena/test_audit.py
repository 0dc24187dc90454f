"""`verify` on votes: sums that the votes do not bear out, and Elo days that a replay does not give."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arena import board
from arena.board import BoardQuery
from arena.elo_audit import stale_days
from playground.services import Services
from storage.verify import verify
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    one = make_services(tmp_path)
    add_votes(one, Field({"openai/x": 1050, "fal/x": 950, "openai/y": 1000}), Voting(200, days=3))
    asyncio.run(board.leaderboard(one, BoardQuery()))
    asyncio.run(board.leaderboard(one, BoardQuery(level="model")))
    yield one
    one.store.close()


def break_it(services: Services, statement: str) -> None:
    with closing(sqlite3.connect(services.store.data_dir / "diptych.sqlite3")) as conn, conn:
        conn.execute(statement)


def test_nothing_is_wrong_with_what_was_kept_vote_by_vote(services: Services) -> None:
    assert verify(services.store) == []
    assert stale_days(services) == []


def test_a_sum_that_is_wrong_is_named_with_both_figures(services: Services) -> None:
    where = "where offer_a = 'openai/x' and offer_b = 'fal/x' and outcome = 'a' and category = ''"
    break_it(services, f"update tallies set votes = votes + 7 {where}")
    (problem,) = verify(services.store)
    assert problem.kind == "tally_differs"
    assert "openai/x" in problem.subject
    break_it(services, f"delete from tallies {where}")
    assert "the sum says 0 votes" in verify(services.store)[0].message


def test_a_total_that_is_wrong_is_named_too(services: Services) -> None:
    break_it(services, "update tally_totals set votes = votes - 1 where category = ''")
    (problem,) = verify(services.store)
    assert (problem.kind, problem.subject.split()[:3]) == ("tally_differs", ["generate", "0", "better"])
    assert "says 199 votes, the votes themselves 200" in problem.message


@pytest.mark.parametrize(
    "statement",
    [
        "update elo_days set votes = votes + 1 where level = 'offer'",
        "update elo_days set ratings = json_set(ratings, '$.\"openai/x\"', 1500.0) where level = 'offer'",
        "delete from votes where seq = (select min(seq) from votes)",
    ],
)
def test_days_that_a_replay_does_not_give_are_named(services: Services, statement: str) -> None:
    days = len(asyncio.run(board.leaderboard(services, BoardQuery())).days)
    break_it(services, statement)
    found = [problem for problem in stale_days(services) if "by offer" in problem.subject]
    assert {problem.kind for problem in found} == {"elo_day_differs"}
    assert len(found) == days
