"""What the Leaderboard says beside its table: how sure first place is, what may be doubted, and who is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.board import Board
from arena.left_out import LeftOut
from arena.ratings.fragility import Fragility
from arena.ratings.method import Method
from arena.ratings.side_bias import SideBias
from arena.recount import Recount
from arena.standing import Separation
from playground.services import Services
from storage.exclusions import Exclusion
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from tests.ui.voted_boards import SIX, board_of, short, text_of, voted_on
from ui.leaderboard import charts, figures
from ui.leaderboard.choices import Choices
from ui.leaderboard.documents import table_markdown


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with voted_on(tmp_path_factory.mktemp("figures")) as made:
        yield made


@pytest.fixture(scope="module")
def full(services: Services) -> Board:
    return board_of(services)


def card(found: Board, label: str) -> Any:
    names = {row.rated.competitor: row.rated.competitor for row in found.rows}
    return next(one for one in figures.cards(found, names) if one["label"] == label)


@pytest.mark.parametrize(
    ("fragility", "figure", "note"),
    [
        (None, "–", "needs two competitors"),
        (Fragility("openai/gpt-image-2", "fal/gpt-image-2", 900, 1), "1 vote", "of 900 decide first place"),
        (Fragility("openai/gpt-image-2", "fal/gpt-image-2", 2_436, 19), "19 votes", "of 2,436 decide first place"),
        (Fragility("openai/gpt-image-2", "fal/gpt-image-2", 900, None), "Firm", "900 votes"),
    ],
)
def test_first_place_says_on_how_many_votes_it_hangs(
    full: Board, fragility: Fragility | None, figure: str, note: str
) -> None:
    told = card(replace(full, rated=replace(full.rated, fragility=fragility)), "First place")
    assert told["figure"] == figure
    assert note in told["note"]


def test_all_who_share_first_place_are_named(full: Board) -> None:
    rows = full.rated.rows
    level = tuple(replace(row, rating=rows[0].rating) for row in rows[:3]) + rows[3:]
    shared = Fragility(rows[0].competitor, rows[1].competitor, 900, 0)
    told = card(replace(full, rated=replace(full.rated, fragility=shared, rows=level)), "First place")
    names = [row.competitor for row in rows[:3]]
    assert (told["figure"], told["note"]) == ("Shared", f"by {names[0]}, {names[1]} and {names[2]}")


def test_where_a_category_leans_first_place_hangs_on_other_votes_too(services: Services) -> None:
    found = board_of(services, category="photo")
    assert card(found, "First place")["note"] == "hangs on other categories' votes too"
    assert "lean on other categories" in text_of(figures.notices(found, short(found, services)))
    assert "errors of the pooled fit" in text_of(figures.method_sentences(found))


def test_where_a_category_does_not_lean_that_is_said(services: Services) -> None:
    found = board_of(services, category="photo", method=Method(kind="davidson"))
    assert not found.is_pooled
    told = text_of(figures.notices(found, short(found, services)))
    assert "These are the category's own votes alone." in told
    assert "Only Bradley-Terry with ties as half" in told


@pytest.mark.parametrize(
    ("delta", "se", "figure", "said", "state"),
    [
        (0.02, 0.05, "50.5% A", "no sign of bias, z 0.4", ""),
        (-0.125, 0.05, "46.9% A", "a hint of bias, z −2.5", ""),
        (0.25, 0.05, "56.2% A", "a bias, z 5.0", "warn"),
        (2.29, 1.2, "90.8% A", "too few votes to tell, z 1.9", ""),
    ],
)
def test_side_bias_is_said_and_alarms_beyond_three(
    full: Board, delta: float, se: float, figure: str, said: str, state: str
) -> None:
    assert full.rated.side_bias is not None
    bias = SideBias(delta, se, se, full.rated.side_bias.strengths)
    found = replace(full, rated=replace(full.rated, side_bias=bias))
    told = card(found, "Side bias")
    assert (told["figure"], told["note"], told["state"]) == (figure, said, state)
    alarms = [one for one in figures.notices(found, {}) if "do not win alike" in str(one["first"])]
    assert bool(alarms) == bool(state)


def test_what_would_part_the_first_two_is_told(full: Board) -> None:
    label = "To part first and second"
    pair = Separation("openai/gpt-image-2", "fal/gpt-image-2", 643)
    assert card(replace(full, separations=(pair,)), label)["figure"] == "about 640"
    assert card(replace(full, separations=(replace(pair, more_votes=None),)), label)["figure"] == "Level"
    assert card(replace(full, separations=()), label)["figure"] == "Parted"
    assert card(replace(full, rows=full.rows[-1:]), label)["figure"] == "–"


def test_undecided_neighbours_are_listed_or_it_is_said_why_not(full: Board, services: Services) -> None:
    pair = Separation("openai/gpt-image-2", "fal/gpt-image-2", 643)
    names = short(full, services)
    assert figures.undecided(replace(full, separations=(pair,)), names) == {
        "pairs": [{"first": "GPT Image 2, OpenAI", "second": "GPT Image 2, fal", "more": "about 640 more votes"}],
        "none": "",
    }
    assert "stands clear" in str(figures.undecided(replace(full, separations=()), names)["none"])
    assert "No two rows" in str(figures.undecided(board_of(services, demo=True), {})["none"])


def test_groups_that_never_met_have_no_first_place(tmp_path: Path) -> None:
    other = make_services(tmp_path)
    apart = (frozenset(list(SIX)[:2]), frozenset(list(SIX)[2:4]))
    add_votes(other, Field(dict(list(SIX.items())[:4]), apart=apart), Voting(80))
    found = board_of(other)
    first = card(found, "First place")
    assert (first["figure"], first["note"]) == ("–", "groups that never met have none")
    assert {row.rated.p_best for row in found.rows} == {None}
    text = table_markdown(found, Choices(), other.catalog, "f" * 64)
    assert "First place: – (groups that never met have none)" in text
    shown: Any = charts.by_cost(found, short(found, other))
    assert {reason for _, reason in shown["left_out"]} == {"apart from the others"}
    other.store.close()


@pytest.mark.parametrize(("number", "words"), [(0, "0"), (7, "7"), (64, "64"), (643, "640"), (9_473, "9,500")])
def test_rough_numbers_do_not_feign_precision(number: int, words: str) -> None:
    assert figures.rough(number) == words


def test_a_gap_of_fifty_points_is_said_in_battles(full: Board, services: Services) -> None:
    assert "about 57 of 100 battles with ties as half" in figures.gap_sentence(full)
    assert "that were decided" in figures.gap_sentence(board_of(services, method=Method(ties="drop")))
    davidson = board_of(services, method=Method(kind="davidson"))
    assert davidson.rated.tie_parameter
    assert "about 56 of 100" in figures.gap_sentence(davidson)


def test_islands_are_named_and_a_jump_of_left_out_votes_alarms(full: Board, services: Services) -> None:
    names = short(full, services)
    split = replace(full, rated=replace(full.rated, islands=(tuple(SIX)[:4], tuple(SIX)[4:])))
    told = text_of(figures.notices(split, names))
    assert "2 groups that never met" in told
    assert "GPT Image 1 mini and ideogram-3" in told
    out = LeftOut({}, (), 0.02, 0.3, is_alarming=True)
    assert "30.0% of the votes of the last 7 days" in text_of(figures.notices(replace(full, left_out=out), names))
    assert figures.notices(full, names) == []


def test_voters_left_out_are_shown_by_their_hash_only(full: Board) -> None:
    voter = Exclusion(
        "0123456789abcdef-owner", "too_fast", "Half of the votes came within a second.", "2026-11-20T00:00:00.000Z", 31
    )
    out = LeftOut(
        {"You took it back.": 2, "Voters left out": 31}, (voter,), 0.03, 0.1, shown_as={voter.voter: "beef" * 4}
    )
    shown: Any = figures.left_out(replace(full, left_out=out))
    assert "owner" not in text_of(shown)
    assert shown["voters"] == [
        {"voter": "beef" * 4, "reason": "Half of the votes came within a second.", "votes": "31", "day": "2026-11-20"}
    ]
    assert shown["reasons"] == [["Voters left out", "31"], ["You took it back.", "2"]]
    assert shown["votes"] == "33 votes"


def test_a_recount_says_the_same_or_what_differed() -> None:
    same = figures.recount_sentence(Recount(2_400, 9, 64, 0, 0, 0))
    assert same == "Made anew from 2,400 votes: all 9 ratings, all 64 days of Elo and every sum came out the same."
    assert figures.recount_sentence(Recount(3, 2, 1, 0, 0, 0)).endswith(
        "all 2 ratings and every sum came out the same."
    )
    wrong = figures.recount_sentence(Recount(2_400, 9, 64, 2, 1, 0))
    assert "2 sums and 1 day of Elo differed. They are mended" in wrong
