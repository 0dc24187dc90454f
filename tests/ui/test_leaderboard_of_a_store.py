"""`leaderboard` and `voters` over a store: its boards out of its export, and voters left out by hand."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.board import BoardQuery, digest
from playground.services import Services
from storage import exclusions
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from tests.ui.shell import Composed
from tests.ui.vote_files import Run, lines

STRENGTHS = {
    "openai/gpt-image-2": 1100,
    "fal/gpt-image-2": 1000,
    "openai/gpt-image-1": 950,
    "fal/gpt-image-1-mini": 900,
}


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that each test begins with."""
    folder = tmp_path_factory.mktemp("voted") / "data"
    one = make_services(folder)
    add_votes(
        one,
        Field(STRENGTHS),
        Voting(400, days=3, categories=("text-rendering", "logo"), voters=("ann", "bob"), answers_more=True),
    )
    one.store.close()
    return folder


@pytest.fixture
def services(voted: Path, tmp_path: Path) -> Iterator[Services]:
    one = make_services(shutil.copytree(voted, tmp_path / "data"))
    yield one
    one.store.close()


@pytest.fixture
def store(services: Services, here: Run) -> Run:
    composed = Composed(services.store.data_dir)
    return lambda *arguments: here(*arguments, "--json", compose=composed)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "query",
    [
        (),
        ("--level", "model"),
        ("--level", "model-quality"),
        ("--question", "looks"),
        ("--since", "2026-11-20", "--until", "2026-11-21T06:00:00Z"),
    ],
)
def test_an_export_gives_the_numbers_and_the_hash_of_the_board(
    store: Run, here: Run, tmp_path: Path, query: tuple[str, ...], ending: str
) -> None:
    path = str(tmp_path / f"votes.{ending}")
    for extra in ((), ("--all",)):
        code, written, _ = store("leaderboard", *query, "--export", path, *extra)
        assert code == 0
        assert written["path"] == path
        for method in ("bradley-terry", "davidson", "elo"):
            _, board, _ = store("leaderboard", *query, "--method", method)
            _, again, _ = here("leaderboard", "--votes", path, "--method", method, "--json")
            assert board["votes"] == written["counted"] > 50
            assert again["votes_sha256"] == board["votes_sha256"]
            assert again["competitors"] == board["competitors"]
            assert again["side_bias"] == board["side_bias"]


def test_a_category_leans_on_the_others_in_the_file_too(store: Run, here: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "votes.csv")
    store("leaderboard", "--export", path)
    _, board, _ = store("leaderboard", "--category", "logo")
    _, again, _ = here("leaderboard", "--votes", path, "--category", "logo", "--json")
    assert board["is_pooled"]
    assert again["is_pooled"]
    assert again["competitors"] == board["competitors"]
    assert again["votes_sha256"] == board["votes_sha256"]
    code, _, said = here("leaderboard", "--votes", path, "--category", "nothing", "--json")
    assert code == 2
    assert "Its categories: logo, text-rendering" in said


OPTIONS = [
    (),
    ("--method", "davidson"),
    ("--method", "elo"),
    ("--ties", "drop"),
    ("--both-bad", "drop"),
    ("--prior", "0"),
    ("--interval", "bootstrap", "--seed", "7"),
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("which", [(), ("--category", "logo"), ("--category", "logo", "--since", "2026-11-20")])
def test_the_command_that_an_export_prints_makes_the_very_board(
    store: Run, here: Run, tmp_path: Path, which: tuple[str, ...], options: tuple[str, ...]
) -> None:
    path = str(tmp_path / "the votes.csv")
    _, written, said = store("leaderboard", *which, *options, "--export", path)
    assert f"`{written['command']}` makes the board" in said
    _, board, _ = store("leaderboard", *which, *options)
    _, again, _ = here(*shlex.split(written["command"]), "--json")
    assert board["votes"] > 40
    for name in ("competitors", "votes_sha256", "is_pooled", "fragility", "tie_parameter", "interval", "islands"):
        assert again[name] == board[name], name
    assert ("of all categories" in said) == board["is_pooled"]


async def _digest(services: Services) -> str:
    return await digest(services, BoardQuery())


def test_the_page_and_the_command_print_one_hash(services: Services, store: Run) -> None:
    import asyncio

    assert store("leaderboard")[1]["votes_sha256"] == asyncio.run(_digest(services))


def test_a_board_of_drawn_models_says_so(tmp_path: Path, here: Run, capfdbinary: Any) -> None:
    one = make_services(tmp_path / "drawn")
    add_votes(one, Field({"demo/flat": 1000, "demo/sketch": 1100}), Voting(40))
    composed = Composed(one.store.data_dir)
    assert here("leaderboard", "--json", compose=composed)[1]["is_demo"] is True
    assert here("leaderboard", "--method", "elo", "--json", compose=composed)[1]["is_demo"] is True
    assert here("leaderboard", "--no-demo", "--json", compose=composed)[1]["is_demo"] is False
    assert "These are drawn demo images." in "\n".join(lines(capfdbinary, "leaderboard", compose=composed))
    one.store.close()


def test_an_export_that_cannot_be_written_is_refused_in_words_and_leaves_nothing(store: Run, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("missing/votes.csv", "folder.csv"):
        code, document, _ = store("leaderboard", "--export", str(tmp_path / name))
        assert code == 2
        assert document["problems"][0]["field"] == "export"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_voter_is_left_out_by_hand_and_let_in_again(services: Services, store: Run) -> None:
    _, before, _ = store("leaderboard")
    _, listed, _ = store("voters")
    assert [row["excluded"] for row in listed["voters"]] == [None, None]
    assert listed["alarms"] == store("voters", "--check")[1]["alarms"] == []
    one = listed["voters"][0]
    assert one["voter"] not in ("ann", "bob")
    code, after, _ = store("voters", "--exclude", one["voter"], "--reason", "=Paid for votes")
    assert code == 0
    assert after["voters"][0]["excluded"] | {"at": ""} == {"kind": "by_hand", "reason": "=Paid for votes", "at": ""}
    assert store("leaderboard")[1]["votes"] == before["votes"] - one["votes"]
    assert {row.reason for row in services.store.read(exclusions.in_force)} == {"=Paid for votes"}
    assert store("voters", "--readmit", one["voter"])[0] == 0
    assert store("leaderboard")[1] == before
    assert store("verify")[1]["problems"] == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--exclude", "0" * 16, "--reason", "why"), "exclude"),
        (("--readmit", "local"), "readmit"),
        (("--exclude", "0" * 16), "reason"),
        (("--reason", "why"), "reason"),
        (("--exclude", "x", "--check", "--reason", "why"), "check"),
    ],
)
def test_a_voter_nobody_knows_is_refused(store: Run, arguments: tuple[str, ...], field: str) -> None:
    code, document, said = store("voters", *arguments)
    assert code == 2
    assert [problem["field"] for problem in document["problems"]] == [field]
    assert said.strip()


def test_exported_reasons_are_no_formulas_and_uncounted_votes_say_why(store: Run, tmp_path: Path) -> None:
    _, listed, _ = store("voters")
    store("voters", "--exclude", listed["voters"][0]["voter"], "--reason", "=HYPERLINK(1)")
    for name, reason in (("v.csv", "'=HYPERLINK(1)"), ("v.jsonl", "=HYPERLINK(1)")):
        path = tmp_path / name
        store("leaderboard", "--export", str(path), "--all")
        text = path.read_text(encoding="utf-8")
        rows = (
            list(csv.DictReader(text.splitlines()))
            if name == "v.csv"
            else [json.loads(row) for row in text.splitlines()]
        )
        left_out = [row for row in rows if str(row["counted"]) == "0"]
        assert len(left_out) == listed["voters"][0]["votes"]
        assert {row["reason"] for row in left_out} == {reason}
        assert {row["reason"] for row in rows if str(row["counted"]) == "1"} == {""}
        assert "ann" not in text
        assert "A lighthouse" not in text
