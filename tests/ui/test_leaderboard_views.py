"""What the Leaderboard shows, without a page: choices, table, charts, figures and files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.board import Board, BoardQuery
from arena.ratings.method import Method
from playground.services import Services
from storage.elo_days import EloDay
from storage.performance import OfferTimes
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from tests.noon import NOON
from tests.ui.voted_boards import SIX, board_of, short, text_of, voted_on
from ui.board_queries import WrongQuery
from ui.leaderboard import charts, figures, table, views
from ui.leaderboard.choices import Choices, address, category_name, query_of, read_choices
from ui.leaderboard.documents import table_document, table_markdown
from ui.leaderboard.performance import performance_view


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with voted_on(tmp_path_factory.mktemp("views")) as made:
        yield made


@pytest.fixture(scope="module")
def full(services: Services) -> Board:
    return board_of(services)


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
    with pytest.raises(WrongQuery, match=f"^{name.capitalize()} "):
        read_choices({name: value})


def test_choices_become_a_query() -> None:
    asked = query_of(Choices(), voter="v", now=NOON)
    assert asked == BoardQuery()
    narrow = query_of(Choices("edit-single", "own", "model", "me", "7", "drop", "looks", "demo"), voter="v", now=NOON)
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


# The whole


def test_the_whole_tab_is_plain_json_without_owner_ids(full: Board, services: Services) -> None:
    times = [OfferTimes("openai/gpt-image-2", 20, 17, 2, 24_000, 31_000, None, "2026-11-21T00:00:00.000Z")]
    shown: Any = views.page_view(full, Choices(), times, services.catalog, now=NOON)
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


def test_alarms_about_voters_stand_above_the_table(full: Board, services: Services) -> None:
    alarms = ("On the board 'generate': 40 voters of few votes each take 'x' for better.", "And another.")
    shown: Any = views.page_view(full, Choices(), [], services.catalog, now=NOON, alarms=alarms)
    first = shown["notices"][0]
    assert (first["icon"], first["rest"]) == ("warn", " ".join(alarms))


@pytest.mark.parametrize(
    ("choices", "options", "narrows"),
    [
        (Choices(), "", False),
        (Choices(ties="davidson"), " --method davidson", False),
        (Choices(category="photo"), " --category photo", False),
        (Choices(category="photo", when="7"), " --category photo", False),
        (Choices(category="photo", ties="drop"), " --category photo --ties drop", True),
        (Choices(category="photo", ties="davidson"), " --category photo --method davidson", True),
    ],
)
def test_the_page_names_the_file_and_the_command_that_make_its_board(
    full: Board, services: Services, choices: Choices, options: str, narrows: bool
) -> None:
    shown: Any = views.page_view(full, choices, [], services.catalog, now=NOON)
    assert shown["check"] == f"python app.py leaderboard --votes FILE{options}"
    assert ("category=photo" in shown["exports"][0]["href"]) == narrows
    assert f"`{shown['check']}`" in table_markdown(full, choices, services.catalog, "f" * 64)


def test_nobody_is_told_to_check_a_board_that_has_no_file(full: Board, services: Services) -> None:
    assert views.check(Choices(voters="me")) == ""
    assert "can check" not in table_markdown(full, Choices(voters="me"), services.catalog, "f" * 64)


def test_my_votes_are_not_offered_as_everybodys_file(full: Board) -> None:
    assert [one["name"] for one in views.exports(Choices(voters="me"), NOON)] == ["Table, JSON", "Table, Markdown"]


def test_empty_boards_say_which_and_what_to_do(services: Services) -> None:
    for name, words in (("edit-single", "one image"), ("edit-multi", "several images")):
        found = board_of(services, board=name)
        shown: Any = views.page_view(found, Choices(board=name), [], services.catalog, now=NOON)
        assert (shown["state"], shown["action"]) == ("empty", "arena")
        assert words in shown["title"]
    nobody = board_of(services, voter="nobody")
    mine: Any = views.page_view(nobody, Choices(voters="me", when="7"), [], services.catalog, now=NOON)
    assert (mine["title"], mine["action"]) == ("No votes match", "reset")
    assert mine["text"] == "This board has 900 votes, but none of yours in the last 7 days."


def test_a_board_whose_competitors_only_met_themselves_says_so(tmp_path: Path) -> None:
    other = make_services(tmp_path)
    add_votes(other, Field({"openai/gpt-image-2": 1_000.0, "fal/gpt-image-2": 1_000.0}), Voting(9))
    shown: Any = views.page_view(board_of(other, level="model"), Choices(level="model"), [], other.catalog, now=NOON)
    assert (shown["state"], shown["action"]) == ("empty", "level")
    assert "All 9 votes are between two images of one model" in shown["text"]
    other.store.close()


def test_one_competitor_or_only_ties_is_said(services: Services, tmp_path: Path) -> None:
    other = make_services(tmp_path)
    add_votes(other, Field({"demo/flat": 1_000.0, "demo/sketch": 1_000.0}, ties=1.0, both_bad=0.0), Voting(9))
    ties = board_of(other)
    assert "every vote was a tie" in text_of(figures.notices(ties, short(ties, other)))
    views.page_view(ties, Choices(), [], other.catalog, now=NOON)
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
