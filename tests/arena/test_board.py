"""Boards out of the store: which votes they count, what else they know, and that they can be made anew from the votes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from arena import board
from arena.board import BoardQuery
from arena.left_out import left_out
from arena.levels import name_of
from arena.ratings.method import Method
from arena.ratings.rated import rate
from arena.recount import recount
from arena.standing import meetings
from arena.voter_ids import shown_voter
from playground.services import Services
from storage import exclusions, install
from tests.arena.many_votes import Field, Voting, add_votes

T = TypeVar("T")

FOUR = {
    "openai/gpt-image-2": 1_120.0,
    "fal/gpt-image-2": 1_050.0,
    "openai/gpt-image-1": 950.0,
    "fal/gpt-image-1": 900.0,
}


def go(step: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(step)


def ratings(found: board.Board) -> dict[str, float]:
    return {row.rated.competitor: row.rated.rating for row in found.rows}


def test_a_board_knows_its_categories_questions_and_days(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(200, days=5, categories=("photo", "own"), answers_more=True))
    found = go(board.leaderboard(services, BoardQuery()))
    assert found.votes == sum(found.categories.values()) == found.questions["better"] == found.questions["looks"] == 200
    assert found.categories.keys() == {"photo", "own"}
    assert len(found.days) == 6
    assert {row.rated.competitor: row.elo for row in found.rows} == found.days[-1].ratings
    follows = go(board.leaderboard(services, BoardQuery(question="follows")))
    assert follows.votes == 200
    assert all(row.rated.both_bad == 0 for row in follows.rows)


def test_boards_of_some_votes_have_days_of_their_own(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(200, days=5, categories=("photo", "own"), voters=("local", "another")))
    everything = go(board.leaderboard(services, BoardQuery()))
    since = everything.days[-2].day
    for query in (BoardQuery(category="photo"), BoardQuery(voter="local"), BoardQuery(since=since)):
        found = go(board.leaderboard(services, query))
        assert 0 < found.votes < 200
        assert found.days[-1].votes == found.votes
        assert {row.rated.competitor: row.elo for row in found.rows} == found.days[-1].ratings
    assert [day.day for day in go(board.leaderboard(services, BoardQuery(since=since))).days] == [
        day.day for day in everything.days[-2:]
    ]


def test_elo_leaves_out_the_ties_that_the_method_leaves_out(services: Services) -> None:
    add_votes(services, Field(FOUR, ties=0.4), Voting(200))
    half = go(board.leaderboard(services, BoardQuery()))
    dropped = go(board.leaderboard(services, BoardQuery(method=Method(ties="drop"))))
    assert dropped.votes == half.votes == 200
    assert dropped.days[-1].votes == dropped.rated.counted < 200
    assert {row.elo for row in dropped.rows}.isdisjoint(row.elo for row in half.rows)


def test_levels_put_providers_together_or_qualities_apart(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(200))
    offers, models, qualities = (
        go(board.leaderboard(services, BoardQuery(level=level))) for level in ("offer", "model", "model-quality")
    )
    assert ratings(models).keys() == {"gpt-image-2", "gpt-image-1"}
    assert models.same_competitor > 0
    assert models.votes + models.same_competitor == offers.votes == 200
    assert all(name.rsplit(" ", 1)[1] in ("low", "high") for name in ratings(qualities))


def test_the_chance_of_being_best_in_a_category_follows_its_ratings(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(1_500, categories=("photo", "text")))
    found = go(board.leaderboard(services, BoardQuery(category="photo")))
    assert found.is_pooled
    chances = [row.rated.p_best for row in found.rows]
    assert chances[0] is not None
    assert chances[0] > 0.8
    assert chances == sorted(chances, key=lambda p: -(p or 0))
    assert [row.rated.rank_best for row in found.rows][-1] >= 3


def test_davidson_expects_scores_by_its_own_model() -> None:
    votes = [("x", "y", outcome) for outcome in ("a", "a", "a", "tie", "tie", "tie", "tie", "b")] * 20
    rated = rate(votes, Method(kind="davidson", prior=0.0))
    found = meetings(rated)
    assert found["x", "y"].expected == pytest.approx(found["x", "y"].score, abs=1e-6)
    assert found["x", "y"].expected + found["y", "x"].expected == pytest.approx(1)


def test_a_board_of_one_of_ties_and_of_islands_is_finite_and_honest(services: Services) -> None:
    add_votes(services, Field({"demo/flat": 1_000.0, "demo/sketch": 1_000.0}, ties=1.0, both_bad=0.0), Voting(20))
    ties = go(board.leaderboard(services, BoardQuery()))
    assert set(ratings(ties).values()) == {1_000.0}
    assert all(row.rated.is_provisional and row.rated.high > row.rated.low for row in ties.rows)
    assert ties.rated.fragility is not None
    assert ties.rated.fragility.votes_to_flip == 0
    two = [frozenset(list(FOUR)[:2]), frozenset(list(FOUR)[2:])]
    add_votes(services, Field(FOUR, apart=two), Voting(200, board="edit-single", seed=2))
    islands = go(board.leaderboard(services, BoardQuery("edit-single")))
    assert {frozenset(group) for group in islands.rated.islands} == set(two)
    assert all("island" in row.rated.cautions for row in islands.rows)
    same = {"openai/gpt-image-2": 1_000.0, "fal/gpt-image-2": 1_000.0}
    add_votes(services, Field(same), Voting(20, board="edit-multi", seed=3))
    alone = go(board.leaderboard(services, BoardQuery("edit-multi", level="model")))
    assert (alone.rows, alone.votes, alone.same_competitor) == ((), 0, 20)


def test_made_anew_from_the_votes_every_number_is_the_same(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(300, days=4, categories=("photo", "own")))
    for query in (BoardQuery(), BoardQuery(level="model"), BoardQuery(category="photo"), BoardQuery(voter="local")):
        shown = go(board.leaderboard(services, query))
        fresh, found = go(recount(services, query))
        assert found.is_same, found
        assert (found.votes, found.competitors) == (shown.votes, len(shown.rows))
        assert ratings(fresh) == ratings(shown)
        assert fresh.days == shown.days


def test_a_recount_tells_and_mends_what_is_not_by_the_votes(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(300, days=4))
    right = go(board.leaderboard(services, BoardQuery()))
    services.store.write(
        lambda db: db.conn.execute("update tallies set votes = votes + 40 where outcome = 'a'") and None
    )
    services.store.write(
        lambda db: (
            db.conn.execute("update elo_days set ratings = json_set(ratings, '$.\"fal/gpt-image-1\"', 1500)") and None
        )
    )
    wrong = go(board.leaderboard(services, BoardQuery()))
    assert ratings(wrong) != ratings(right)
    fresh, found = go(recount(services, BoardQuery()))
    assert not found.is_same
    assert found.wrong_sums > 0
    assert found.wrong_days == len(right.days)
    assert found.wrong_ratings > 0
    assert ratings(fresh) == ratings(right)
    again = go(board.leaderboard(services, BoardQuery()))
    assert (ratings(again), again.days) == (ratings(right), right.days)
    assert go(recount(services, BoardQuery()))[1].is_same


def test_voters_left_out_are_known_by_the_id_of_the_export(services: Services) -> None:
    add_votes(services, Field(FOUR), Voting(60, voters=("somebody",)))
    services.store.write(lambda db: exclusions.exclude(db, "somebody", "by_hand", "Asked to be.", services.now()))
    out = services.store.read(lambda db: left_out(db, services.clock()))
    salt = services.store.read(install.voter_salt)
    assert out.shown_as == {"somebody": shown_voter(salt, "somebody")}
    assert go(board.leaderboard(services, BoardQuery())).votes == 0
    assert go(board.leaderboard(services, BoardQuery(voter="somebody"))).votes == 60


def test_an_offer_that_left_the_catalogue_keeps_its_providers_name(services: Services) -> None:
    assert name_of(services.catalog, "offer", "replicate/imagen-4") == ("imagen-4", "Replicate")
    assert name_of(services.catalog, "offer", "gone/x") == ("x", "gone")
    assert name_of(services.catalog, "model-quality", "gpt-image-2 low") == ("GPT Image 2", "low")


def test_the_query_says_whose_days_are_kept() -> None:
    assert board.keeps_days(BoardQuery())
    assert board.keeps_days(BoardQuery(method=Method(kind="davidson"), level="model"))
    for other in (
        BoardQuery(category="photo"),
        BoardQuery(voter="x"),
        BoardQuery(since="2026-11-01"),
        replace(BoardQuery(), question="looks"),
        BoardQuery(method=Method(ties="drop")),
        BoardQuery(method=Method(both_bad="drop")),
    ):
        assert not board.keeps_days(other)
