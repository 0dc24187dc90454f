"""Votes by the routes: streamed as they stand, for those who are known, with clear refusals."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database
from starlette.applications import Starlette
from starlette.testclient import TestClient

from arena.board import BoardQuery, digest
from arena.ratings.method import votes_digest
from arena.votes_file import read_votes
from playground.services import Services
from storage import reports, tallies
from storage.database import Store
from storage.records import ReportReason
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from ui import vote_export, vote_routes
from ui.app import App
from ui.leaderboard.routes import leaderboard_routes
from ui.vote_export import COLUMNS

LATER = "2026-11-21T11:00:00.000Z"
STRENGTHS = {"openai/gpt-image-2": 1100, "fal/gpt-image-2": 1000, "openai/gpt-image-1": 950}


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that each test begins with."""
    folder = tmp_path_factory.mktemp("voted") / "data"
    one = make_services(folder)
    add_votes(one, Field(STRENGTHS), Voting(1200, categories=("logo", "text-rendering"), voters=("ann", "bob")))
    one.store.close()
    return folder


@pytest.fixture
def services(voted: Path, tmp_path: Path) -> Iterator[Services]:
    one = make_services(shutil.copytree(voted, tmp_path / "data"))
    yield one
    one.store.close()


def client(services: Services, *, mode: str = "local") -> TestClient:
    from dataclasses import replace

    served = replace(services, settings=replace(services.settings, mode=mode))
    app = App(served, None, None)
    return TestClient(Starlette(routes=[*vote_routes.vote_routes(app), *leaderboard_routes(app)]))


def rows_of(path: Path) -> list[dict[str, Any]]:
    text = path.read_text()
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(text)))
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl"])
def test_what_is_streamed_rates_to_the_same_hash(services: Services, tmp_path: Path, name: str) -> None:
    answer = client(services).get(f"/{name}")
    assert answer.status_code == 200
    assert name.split(".")[1] in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    path = tmp_path / name
    path.write_bytes(answer.content)
    found = read_votes(path)
    assert len(found.votes) == 1200
    assert votes_digest(found.votes) == asyncio.run(digest(services, BoardQuery()))


def test_every_column_is_there_and_voters_are_hashed_alike(services: Services) -> None:
    answer = client(services).get("/votes.csv?category=logo&all=1")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == COLUMNS
    assert {row["category"] for row in rows} == {"logo"}
    assert len({row["voter"] for row in rows}) == 2
    assert {len(row["voter"]) for row in rows} == {16}
    assert {row["side_a"] == row["competitor_a"] for row in rows} == {True}
    assert "logo" in answer.headers["content-disposition"]


def test_another_install_shows_other_ids(services: Services, tmp_path: Path) -> None:
    Store.open(tmp_path / "other").close()  # an install of its own: those that tests begin with are copies of one
    other = make_services(tmp_path / "other")
    add_votes(other, Field(STRENGTHS), Voting(20, voters=("ann", "bob")))
    seen = [
        {row["voter"] for row in csv.DictReader(io.StringIO(client(one).get("/votes.csv").text))}
        for one in (services, other)
    ]
    other.store.close()
    assert not seen[0] & seen[1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("board=edit", "board"),
        ("level=maker", "level"),
        ("question=nice", "question"),
        ("since=soon", "since"),
        ("all=perhaps", "all"),
        ("demo=2", "demo"),
        ("category=%2e%2e", "category"),
    ],
)
def test_an_unknown_value_is_refused_by_name(services: Services, query: str, field: str) -> None:
    answer = client(services).get(f"/votes.csv?{query}")
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["field"] == field
    assert answer.json()["error"]["kind"] == "validation"


@pytest.mark.parametrize("path", ["votes.csv", "votes.jsonl", "leaderboard.json", "leaderboard.md"])
def test_in_public_mode_a_board_and_its_votes_are_everybodys(services: Services, path: str) -> None:
    public = client(services, mode="public")
    told = {public.get(f"/{path}", headers=headers).status_code for headers in ({}, {"X-Diptych-Visitor": "short"})}
    assert told == {200}


def test_each_visitor_gets_a_token_of_their_own(services: Services) -> None:
    public = client(services, mode="public")
    assert public.post("/visitor").json()["token"] != public.post("/visitor").json()["token"]


@pytest.mark.parametrize("name", ["votes.csv", "votes.jsonl"])
def test_reports_go_with_the_votes_and_stand_in_nobodys_way(services: Services, tmp_path: Path, name: str) -> None:
    def report(db: Database, number: int, reason: ReportReason) -> str:
        battle_id = f"{1:04x}{number:028x}"
        voter = db.execute("select voter from battles where battle_id = ?", [battle_id]).fetchone()[0]
        reports.add(db, battle_id, voter, reason, "In private words", LATER)
        return battle_id

    services.store.write(lambda db: report(db, 3, "offensive"))
    ended = services.store.write(lambda db: report(db, 4, "maker_shown"))
    services.store.write(lambda db: db.execute("delete from votes where battle_id = ?", [ended]) and None)
    services.store.write(
        lambda db: db.execute("update battles set state = 'reported' where battle_id = ?", [ended]) and None
    )
    services.store.write(tallies.make_anew)
    path = tmp_path / name
    path.write_bytes(client(services).get(f"/{name}?all=1").content)
    assert b"In private words" not in path.read_bytes(), "what somebody wrote is the operator's to read"
    rows = rows_of(path)
    told = [row for row in rows if row["reported"]]
    assert [
        (row["reported"], str(row["counted"]), row["outcome"] in ("a", "b", "tie", "both_bad")) for row in told
    ] == [
        ("offensive", "1", True),
        ("maker_shown", "0", False),
    ]
    assert (told[1]["reason"], told[1]["voted_at"], told[1]["seq"] or "") == ("Reported: shows its maker.", LATER, "")
    found = read_votes(path)
    assert (len(found.votes), found.left_out, found.ordered_by) == (1199, 1, "seq")
    assert votes_digest(found.votes) == asyncio.run(digest(services, BoardQuery()))
    assert len(rows_of(path)) - len(client(services).get("/votes.jsonl").content.splitlines()) == 1


def test_a_client_that_leaves_ends_the_writing_and_gives_its_place_back(services: Services) -> None:
    under_way: set[object] = set()
    app = App(services, None, None)
    looks: list[bool] = []

    async def leave() -> None:
        export = vote_routes._export_of(app, under_way, BoardQuery(), "csv", everything=False)
        pieces = export.pieces()
        looks.append(bool(await anext(pieces)))
        looks.append(export in under_way)
        await pieces.aclose()
        while under_way:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(leave(), 20))
    assert looks == [True, True]


def test_no_more_exports_at_once_than_there_are_places(services: Services) -> None:
    under_way = set(range(vote_routes.AT_ONCE))
    app = App(services, None, None)

    class Asked:
        query_params: dict[str, str] = {}
        cookies: dict[str, str] = {}

    answer = asyncio.run(vote_routes.export(app, under_way, "csv", Asked()))
    assert answer.status_code == 429


def test_a_write_that_fails_breaks_the_answer_off(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vote_export, "write_votes", fail)
    with pytest.raises(OSError, match="No space"):
        client(services).get("/votes.csv")
