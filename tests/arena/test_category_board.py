"""Boards of one category: when they lean on the others, that all their figures follow from one fit, and that files agree."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arena import board
from arena.board import BoardQuery
from arena.category_board import is_pooled, leaning
from arena.ratings.method import Method
from arena.ratings.outcomes import CountedRow
from arena.ratings.rated import rate, rate_counts
from arena.recount import recount
from arena.standing import separations
from arena.stated_board import StatedBoard, of_file, of_store
from playground.services import Services
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from ui import vote_export

FIVE = {
    "openai/gpt-image-2": 1_120.0,
    "fal/gpt-image-2": 1_050.0,
    "openai/gpt-image-1": 950.0,
    "fal/gpt-image-1": 900.0,
    "openai/gpt-image-1-mini": 980.0,
}
OTHERS = [
    Method(kind="davidson"),
    Method(prior=0.0),
    Method(interval="none"),
    Method(interval="bootstrap"),
    Method(ties="drop"),
    Method(kind="elo"),
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    made = make_services(tmp_path_factory.mktemp("categories"))
    add_votes(made, Field(FIVE, ties=0.3), Voting(700, days=20, categories=("logo", "photo", "photo", "text")))
    add_votes(made, Field(dict(list(FIVE.items())[:3])), Voting(40, board="edit-single", categories=("own",), seed=2))
    yield made
    made.store.close()


def stated(services: Services, query: BoardQuery) -> StatedBoard:
    return asyncio.run(of_store(services, query))


def exported(services: Services, query: BoardQuery, folder: Path) -> Path:
    path = folder / "votes.csv"
    vote_export.write_file(services, query.of_all_votes, path, everything=False)
    return path


@pytest.mark.parametrize("method", OTHERS, ids=str)
def test_a_method_that_does_not_lean_gets_what_it_makes_of_the_categorys_own_votes(
    services: Services, method: Method
) -> None:
    found = stated(services, BoardQuery(category="logo", method=method))
    votes = services.store.read(lambda db: board.all_votes(db, services, BoardQuery(category="logo")))
    assert not found.is_pooled
    assert found.rated.rows == rate(votes, method).rows
    assert found.rated.tie_parameter == rate(votes, method).tie_parameter


def test_each_choice_of_method_changes_the_numbers_of_a_category(services: Services) -> None:
    boards = [stated(services, BoardQuery(category="logo", method=method)) for method in (Method(), *OTHERS)]
    told = [tuple((row.competitor, row.rating, row.low, row.high) for row in one.rated.rows) for one in boards]
    assert len(set(told)) == len(told)
    assert [one.is_pooled for one in boards] == [True, *[False] * len(OTHERS)]


def test_all_figures_of_a_category_follow_from_its_shown_ratings(services: Services) -> None:
    found = asyncio.run(board.leaderboard(services, BoardQuery(category="logo")))
    rated = found.rated
    assert found.is_pooled
    assert np.mean([row.rating for row in rated.rows]) == pytest.approx(1000, abs=1e-6)
    for first, second in itertools.permutations(rated.rows, 2):
        gap = rated.fit.gap(first.competitor, second.competitor)
        assert gap.points == pytest.approx(first.rating - second.rating, abs=1e-6)
    assert rated.fragility is None
    assert rated.tie_parameter is None
    assert found.separations == separations(rated)
    assert [row.rated for row in found.rows] == list(rated.rows)
    own = rate_counts(_counts(services), Method())
    assert found.separations != separations(own)


def _counts(services: Services) -> list[CountedRow]:
    votes = services.store.read(lambda db: board.all_votes(db, services, BoardQuery(category="logo")))
    return [(*vote, 1) for vote in votes]


def leaned(own: list[CountedRow], rest: list[CountedRow], method: Method | None = None) -> dict[str, frozenset[str]]:
    rated = leaning("own", {"own": own, "rest": rest}, method or Method())
    return {row.competitor: row.cautions for row in rated.rows}


def test_what_the_other_categories_know_is_no_caution() -> None:
    even = [(a, b, outcome, 20) for a, b in itertools.combinations("abc", 2) for outcome in ("a", "b")]
    assert leaned([("a", "b", "a", 12), ("a", "c", "a", 40)], even) == {"a": set(), "b": {"thin"}, "c": set()}
    alone = leaned([("a", "b", "a", 40)], [("c", "d", "tie", 5)])
    assert alone["a"] == {"never lost", "unbounded"}
    assert alone["b"] == {"never won", "unbounded"}
    assert leaned([("a", "b", "both_bad", 3)], [("c", "d", "a", 5)], Method(both_bad="drop"))["a"] >= {"no battles"}


def test_islands_of_a_category_are_those_that_no_category_connects() -> None:
    own: list[CountedRow] = [("a", "b", "a", 9), ("a", "b", "b", 9), ("c", "d", "a", 9), ("c", "d", "b", 9)]
    bridge: list[CountedRow] = [("b", "x", "a", 5), ("b", "x", "b", 5), ("x", "c", "a", 5), ("x", "c", "b", 5)]
    apart = leaning("own", {"own": own, "rest": [("a", "b", "tie", 3)]}, Method())
    joined = leaning("own", {"own": own, "rest": bridge}, Method())
    assert apart.islands == (("a", "b"), ("c", "d"))
    assert {row.p_best for row in apart.rows} == {None}
    assert joined.islands == (("a", "b", "c", "d"),)
    assert sum(row.p_best or 0 for row in joined.rows) == pytest.approx(1)


def test_it_leans_where_the_method_does_and_others_have_votes() -> None:
    votes = {"logo": ["x"], "photo": ["y"], "empty": []}
    assert is_pooled(Method(), "logo", votes)
    assert is_pooled(Method(both_bad="drop", seed=5), "logo", votes)
    assert not is_pooled(Method(), "empty", votes)
    assert not is_pooled(Method(), "logo", {"logo": ["x"], "empty": []})
    assert not any(is_pooled(method, "logo", votes) for method in OTHERS)


QUERIES = [
    BoardQuery(category="logo"),
    BoardQuery(category="logo", level="model"),
    BoardQuery(category="logo", since="2026-11-10T00:00:00.000Z"),
    BoardQuery(category="logo", until="2026-11-10T00:00:00.000Z"),
    BoardQuery(category="photo", method=Method(both_bad="drop")),
    BoardQuery("edit-single", category="own"),
    *(BoardQuery(category="logo", method=method) for method in OTHERS),
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_the_file_gives_the_numbers_and_the_hash_of_the_board(
    services: Services, tmp_path: Path, query: BoardQuery
) -> None:
    shown = stated(services, query)
    again = of_file(exported(services, query, tmp_path), query.method, query.category)
    assert shown.rated.votes > 20
    assert again.is_pooled == shown.is_pooled
    assert again.rated.rows == shown.rated.rows
    assert again.votes_sha256 == shown.votes_sha256 == asyncio.run(board.digest(services, query))


def test_one_hash_stands_for_one_set_of_numbers(services: Services, tmp_path: Path) -> None:
    query = BoardQuery(category="logo")
    whole = exported(services, query, tmp_path)
    narrow = tmp_path / "narrow.csv"
    vote_export.write_file(services, query, narrow, everything=False)
    pooled, alone, plain, everything = (
        of_file(path, Method(), category)
        for path, category in ((whole, "logo"), (narrow, "logo"), (narrow, None), (whole, None))
    )
    assert (pooled.is_pooled, alone.is_pooled) == (True, False)
    assert alone.rated.rows == plain.rated.rows != pooled.rated.rows
    assert alone.votes_sha256 == plain.votes_sha256
    assert len({pooled.votes_sha256, alone.votes_sha256, everything.votes_sha256}) == 3


@pytest.mark.parametrize(
    "query", [BoardQuery(category="logo"), BoardQuery(category="logo", since="2026-11-10T00:00:00.000Z")], ids=str
)
def test_made_anew_from_the_votes_a_category_is_the_same(services: Services, query: BoardQuery) -> None:
    fresh, found = asyncio.run(recount(services, query))
    assert fresh.is_pooled
    assert found.is_same


def test_the_votes_behind_a_board_are_those_of_all_categories_only_where_it_leans() -> None:
    query = BoardQuery(category="logo", level="model")
    assert query.of_all_votes == replace(query, category=None)
    for method in OTHERS:
        other = replace(query, method=method)
        assert other.of_all_votes == other
    assert BoardQuery().of_all_votes == BoardQuery()
