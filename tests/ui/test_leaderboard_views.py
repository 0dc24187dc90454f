"""What the Leaderboard shows, without a page: choices, table, charts, figures and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arena import board
from arena.board import Board, BoardQuery
from arena.left_out import LeftOut
from arena.ratings.fragility import Fragility
from arena.ratings.method import Method
from arena.ratings.side_bias import SideBias
from arena.recount import Recount
from arena.standing import Separation
from playground.services import Services
from storage.elo_days import EloDay
from storage.exclusions import Exclusion
from storage.performance import OfferTimes
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from ui.board_queries import WrongQuery
from ui.leaderboard import charts, figures, table, views
from ui.leaderboard.choices import Choices, address, category_name, query_of, read_choices
from ui.leaderboard.documents import table_document, table_markdown
from ui.leaderboard.performance import performance_view

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIX = {
    "openai/gpt-image-2": 1_200.0,
    "fal/gpt-image-2": 1_150.0,
    "openai/gpt-image-1.5": 1_050.0,
    "openai/gpt-image-1": 950.0,
    "openai/gpt-image-1-mini": 900.0,
    "replicate/ideogram-3": 1_000.0,
}
COSTS: dict[str, int | None] = {
    "openai/gpt-image-2": 41_000,
    "fal/gpt-image-2": 39_000,
    "openai/gpt-image-1.5": 60_000,
    "openai/gpt-image-1": None,
    "openai/gpt-image-1-mini": 5_900,
    "replicate/ideogram-3": 60_000,
}
FIELD = Field(SIX, rare=frozenset({"replicate/ideogram-3"}), costs=COSTS)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    made = make_services(tmp_path_factory.mktemp("views"))
    add_votes(made, FIELD, Voting(900, days=30, categories=("own", "photo"), seed=7))
    add_votes(made, Field({"demo/flat": 1_000.0, "demo/sketch": 1_100.0}), Voting(12, seed=2))
    yield made
    made.store.close()


def board_of(services: Services, **asked: Any) -> Board:
    return asyncio.run(board.leaderboard(services, BoardQuery(**asked)))


@pytest.fixture(scope="module")
def full(services: Services) -> Board:
    return board_of(services)


def short(found: Board, services: Services) -> dict[str, str]:
    return table.short_names(table.names(found, services.catalog))


def text_of(view: object) -> str:
    return json.dumps(view, ensure_ascii=False)


# Choices


def test_choices_survive_their_own_address() -> None:
    assert address(Choices()) == ""
    chosen = Choices("edit-multi", "photo", "model", "me", "30", "davidson", "looks", "demo")
    told = dict(part.split("=") for part in address(chosen).split("&"))
    assert read_choices(told) == chosen
    assert read_choices({"board": "", "unknown": "x", "when": None}) == Choices()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("board", "video"), ("level", "Offer"), ("voters", "you"), ("when", "365"), ("ties", "win"), ("question", "nicer"),
        ("models", "both"), ("category", "../x"), ("category", "a" * 500), ("board", ["generate"]), ("when", 7.5),
    ],
)  # fmt: skip
def test_an_unknown_choice_is_named(name: str, value: object) -> None:
    with pytest.raises(WrongQuery, match=name):
        read_choices({name: value})


def test_choices_become_a_query() -> None:
    asked = query_of(Choices(), voter="v", now=NOW)
    assert asked == BoardQuery()
    narrow = query_of(Choices("edit-single", "own", "model", "me", "7", "drop", "looks", "demo"), voter="v", now=NOW)
    assert narrow == BoardQuery(
        "edit-single", demo=True, question="looks", category="own", level="model", since="2026-11-14T00:00:00.000Z",
        voter="v", method=Method(ties="drop"),
    )  # fmt: skip


def test_categories_have_their_names() -> None:
    assert [category_name(slug) for slug in ("own", "photo", "left-the-bank")] == [
        "Own prompts",
        "Photorealism",
        "left-the-bank",
    ]


# Table


def test_ranked_rows_come_first_and_provisional_ones_have_no_rank(full: Board, services: Services) -> None:
    shown: Any = table.table_view(full, services.catalog)
    assert [row["id"] for row in shown["rows"]][-1] == "replicate/ideogram-3"
    last = shown["rows"][-1]
    assert (last["chip"], last["pale"], last["cells"]["rank"], last["cells"]["p_best"][0]) == (
        "Provisional",
        True,
        ["–", None],
        "–",
    )
    assert [row["cells"]["rank"][0] for row in shown["rows"][:2]] == ["1", "1"] or shown["rows"][1]["cells"]["rank"][
        0
    ] == "2"
    first = shown["rows"][0]
    assert (first["model"], first["more"]) == ("GPT Image 2", "OpenAI")
    assert first["cells"]["cost"] == ["$0.041", 41_000]
    assert first["half"].startswith("±")
    by_name = {row["id"]: row for row in shown["rows"]}
    assert by_name["openai/gpt-image-1"]["cells"]["cost"] == ["unknown", None]
    assert by_name["openai/gpt-image-1"]["cells"]["per_dollar"] == ["unknown", None]
    assert by_name["openai/gpt-image-1-mini"]["cells"]["cost"][0] == "$0.0059"
    assert {one["name"] for one in shown["columns"]} == set(first["cells"])
    assert "NaN" not in text_of(shown)
    assert "Infinity" not in text_of(shown)


def test_a_row_says_why_it_is_provisional(full: Board) -> None:
    told = {row.rated.competitor: table.cautions(row, full) for row in full.rows}
    assert told["openai/gpt-image-2"] == []
    assert any("battles" in note or "opponents" in note or "wider" in note for note in told["replicate/ideogram-3"])


def test_free_images_stand_first_by_points_per_dollar(full: Board, services: Services) -> None:
    free = replace(full, rows=(replace(full.rows[0], mean_cost_microusd=0), *full.rows[1:]))
    rows: Any = table.table_view(free, services.catalog)["rows"]
    cells = {row["id"]: row["cells"] for row in rows}[full.rows[0].rated.competitor]
    assert (cells["cost"][0], cells["per_dollar"][0]) == ("free", "free")
    assert cells["per_dollar"][1] > 1e9


def test_the_axis_holds_every_rating_and_whole_intervals_of_ranked_rows(full: Board) -> None:
    axis: Any = table.axis(table.ordered(full))
    for row in full.rows:
        assert axis["low"] < row.rated.rating < axis["high"]
        if table.has_rank(row):
            assert axis["low"] < (row.rated.low or 0)
            assert (row.rated.high or 0) < axis["high"]
    assert 2 <= len(axis["ticks"]) <= 6


@pytest.mark.parametrize(
    ("p", "words"),
    [(None, "–"), (0.0, "under 1%"), (0.004, "under 1%"), (0.71, "71%"), (0.996, "over 99%"), (1.0, "over 99%")],
)
def test_a_chance_is_never_said_to_be_certain(p: float | None, words: str) -> None:
    assert table.chance(p) == words


@pytest.mark.parametrize(("span", "step"), [(20, 5), (100, 20), (333, 100), (5_000, 1_000), (90_000, 100_000)])
def test_ticks_are_round(span: float, step: float) -> None:
    assert table.tick_step(span) == step


# Charts


def point(name: str, x: float, rating: float, **more: bool) -> charts.Point:
    return charts.Point(name, x, rating, rating - 20, rating + 20, str(x), **more)


def test_the_front_holds_whoever_nobody_beats_at_a_lower_price() -> None:
    found = charts.front(
        [
            point("dear best", 9, 1_200),
            point("cheap", 1, 900),
            point("worse and dearer", 3, 880),
            point("same price, better", 5, 1_100),
            point("same price, worse", 5, 1_000),
            point("no better than the cheaper", 7, 1_100),
            point("provisional", 2, 1_500, is_pale=True),
        ]
    )
    assert [one.name for one in found if one.is_front] == ["cheap", "same price, better", "dear best"]
    assert charts.front([]) == []


def test_what_is_not_drawn_is_named_with_its_reason(full: Board, services: Services) -> None:
    shown: Any = charts.by_cost(full, short(full, services))
    assert dict(shown["left_out"]) == {"GPT Image 1": "cost unknown", "ideogram-3": "provisional"}
    assert {one["name"] for one in shown["points"]} == {
        "GPT Image 2, OpenAI",
        "GPT Image 2, fal",
        "GPT Image 1.5",
        "GPT Image 1 mini",
    }
    assert [one["name"] for one in shown["points"] if one["front"]][0] == "GPT Image 1 mini"


def test_a_board_of_provisional_rows_is_drawn_without_a_front(services: Services) -> None:
    demo = board_of(services, demo=True)
    shown: Any = charts.by_time(demo, short(demo, services))
    assert len(shown["points"]) == 2
    assert not any(one["front"] for one in shown["points"])
    free: Any = charts.by_cost(
        replace(demo, rows=tuple(replace(row, mean_cost_microusd=0) for row in demo.rows)), short(demo, services)
    )
    assert (free["points"], len(free["left_out"])) == ([], 2)
    assert "free" in free["left_out"][0][1]


def test_the_matrix_tells_what_was_met_from_what_is_expected(full: Board, services: Services) -> None:
    names = short(full, services)
    shown: Any = charts.matrix(full, names)
    cells = shown["cells"]
    assert [cells[place][place] for place in range(6)] == [None] * 6
    assert cells[0][1][0] + cells[1][0][0] in (99, 100, 101)
    assert cells[0][1][1] == "met"
    assert {cell[1] for cell in cells[5] if cell} <= {"few", "expected", "met"}
    unmet = replace(full, meetings={pair: replace(one, score=None, battles=0) for pair, one in full.meetings.items()})
    other: Any = charts.matrix(unmet, names)
    assert {cell[1] for row in other["cells"] for cell in row if cell} == {"expected"}
    assert "they never met" in other["under"]
    split = replace(unmet, rated=replace(full.rated, islands=(tuple(SIX)[:4], tuple(SIX)[4:])))
    apart: Any = charts.matrix(split, names)
    assert {cell[1] for row in apart["cells"] for cell in row if cell} == {"expected", "apart"}
    assert {cell[0] for row in apart["cells"] for cell in row if cell and cell[1] == "apart"} == {None}


def test_elo_over_time_is_thinned_but_keeps_both_ends(full: Board, services: Services) -> None:
    days = [EloDay(f"2026-{n:03d}", n, n, {"openai/gpt-image-2": 1_000.0 + n}) for n in range(1_000)]
    thin = charts.spread(days)
    assert (len(thin), thin[0], thin[-1]) == (charts.MAX_DAYS, days[0], days[-1])
    shown: Any = charts.over_time(full, short(full, services))
    assert len(shown["days"]) == len(full.days)
    assert [one["series"] for one in shown["series"]] == [1, 2, 3, 4, 5, 0]
    assert shown["series"][0]["values"][-1] == full.days[-1].ratings["openai/gpt-image-2"]


# Figures


def card(found: Board, label: str) -> Any:
    names = {row.rated.competitor: row.rated.competitor for row in found.rows}
    return next(one for one in figures.cards(found, names) if one["label"] == label)


@pytest.mark.parametrize(
    ("fragility", "figure", "note"),
    [
        (None, "–", "needs two competitors"),
        (
            Fragility("openai/gpt-image-2", "fal/gpt-image-2", 900, 0),
            "Shared",
            "openai/gpt-image-2 and fal/gpt-image-2",
        ),
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


@pytest.mark.parametrize(
    ("delta", "figure", "said", "state"),
    [
        (0.02, "50.5% A", "no sign of bias, z 0.4", ""),
        (-0.125, "46.9% A", "a hint of bias, z −2.5", ""),
        (0.25, "56.2% A", "a bias, z 5.0", "warn"),
    ],
)
def test_side_bias_is_said_and_alarms_beyond_three(
    full: Board, delta: float, figure: str, said: str, state: str
) -> None:
    assert full.rated.side_bias is not None
    bias = SideBias(delta, 0.05, 0.05, full.rated.side_bias.strengths)
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
    assert card(found, "First place")["figure"] == "–"
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


# The whole


def test_the_whole_tab_is_plain_json_without_owner_ids(full: Board, services: Services) -> None:
    times = [OfferTimes("openai/gpt-image-2", 20, 17, 2, 24_000, 31_000, None, "2026-11-21T00:00:00.000Z")]
    shown: Any = views.page_view(full, Choices(), times, services.catalog, now=NOW)
    text = json.dumps(shown, allow_nan=False)
    assert shown["state"] == "board"
    assert '"local"' not in text
    assert shown["performance"]["rows"][0]["success"] == "89%"
    assert shown["performance"]["rows"][0]["told"] == "17 of 19 runs gave images; 1 refused, not counted"
    assert [one["href"] for one in shown["exports"]][:2] == [
        "votes.csv?board=generate&question=better&level=offer",
        "votes.jsonl?board=generate&question=better&level=offer",
    ]
    assert shown["options"]["category"][0] == ["", "All · 900"]
    assert {one[0] for one in shown["options"]["category"]} == {"", "own", "photo"}
    assert [one[0] for one in shown["options"]["question"]] == ["better"]
    assert [one[0] for one in shown["options"]["models"]] == ["real", "demo"]


def test_my_votes_are_not_offered_as_everybodys_file(full: Board) -> None:
    assert [one["name"] for one in views.exports(Choices(voters="me"), NOW)] == ["Table, JSON", "Table, Markdown"]


def test_empty_boards_say_which_and_what_to_do(services: Services) -> None:
    for name, words in (("edit-single", "one image"), ("edit-multi", "several images")):
        found = board_of(services, board=name)
        shown: Any = views.page_view(found, Choices(board=name), [], services.catalog, now=NOW)  # type: ignore[arg-type]
        assert (shown["state"], shown["action"]) == ("empty", "arena")
        assert words in shown["title"]
    nobody = board_of(services, voter="nobody")
    mine: Any = views.page_view(nobody, Choices(voters="me", when="7"), [], services.catalog, now=NOW)
    assert (mine["title"], mine["action"]) == ("No votes match", "reset")
    assert mine["text"] == "This board has 900 votes, but none of yours in the last 7 days."


def test_a_board_whose_competitors_only_met_themselves_says_so(tmp_path: Path) -> None:
    other = make_services(tmp_path)
    add_votes(other, Field({"openai/gpt-image-2": 1_000.0, "fal/gpt-image-2": 1_000.0}), Voting(9))
    shown: Any = views.page_view(board_of(other, level="model"), Choices(level="model"), [], other.catalog, now=NOW)
    assert (shown["state"], shown["action"]) == ("empty", "level")
    assert "All 9 votes are between two images of one model" in shown["text"]
    other.store.close()


def test_one_competitor_or_only_ties_is_said(services: Services, tmp_path: Path) -> None:
    other = make_services(tmp_path)
    add_votes(other, Field({"demo/flat": 1_000.0, "demo/sketch": 1_000.0}, ties=1.0, both_bad=0.0), Voting(9))
    ties = board_of(other)
    assert "every vote was a tie" in text_of(figures.notices(ties, short(ties, other)))
    views.page_view(ties, Choices(), [], other.catalog, now=NOW)
    alone = replace(ties, rows=ties.rows[:1])
    assert "One competitor alone" in text_of(figures.notices(alone, short(ties, other)))
    other.store.close()


def test_rates_are_not_rounded_to_all_or_nothing(services: Services) -> None:
    def rate(succeeded: int, faults: int) -> str:
        times = OfferTimes("openai/gpt-image-2", succeeded + faults, succeeded, faults, None, None, None, "")
        rows: Any = performance_view([times], services.catalog)["rows"]
        return str(rows[0]["success"])

    assert [rate(999, 1), rate(1, 999), rate(5, 0), rate(0, 5), rate(0, 0)] == [
        "over 99%",
        "under 1%",
        "100%",
        "0%",
        "–",
    ]


# Files


def test_the_json_file_is_the_document_of_every_door_and_more(full: Board) -> None:
    document: Any = table_document(full, Choices(), "f" * 64)
    assert document["votes_sha256"] == "f" * 64
    assert document["choices"]["models"] == "real"
    assert len(document["competitors"]) == 6
    first = document["competitors"][0]
    assert {
        "elo",
        "rating",
        "low",
        "high",
        "win_rate",
        "mean_cost_microusd",
        "p50_ms",
        "points_per_dollar",
    } <= first.keys()
    json.dumps(document, allow_nan=False)


def test_the_markdown_file_is_a_table_with_what_it_stands_on(full: Board, services: Services) -> None:
    text = table_markdown(full, Choices(when="30"), services.catalog, "f" * 64)
    lines = text.splitlines()
    assert lines[0] == "# Leaderboard: Generate, model at a provider"
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 6
    assert len({line.count("|") for line in rows}) == 1
    assert "ideogram-3 Replicate (Provisional)" in text
    assert f"`{'f' * 64}`" in text
    empty = table_markdown(
        board_of(services, board="edit-multi"), Choices(board="edit-multi"), services.catalog, "0" * 64
    )
    assert "There are no votes on this board." in empty
