"""Leaderboard: its handlers and the files it gives away, as functions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from arena import battle, board, opening
from arena.board import BoardQuery
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from storage import exclusions
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import add_run
from tests.harness import Harness
from ui import guard, routes
from ui.pages import leaderboard

Make = Callable[..., Harness]
VISITOR: Any = SimpleNamespace(cookies={})
FOUR = {
    "openai/gpt-image-2": 1_120.0,
    "fal/gpt-image-2": 1_050.0,
    "openai/gpt-image-1": 950.0,
    "fal/gpt-image-1": 900.0,
}


def ask(**told: object) -> Any:
    return SimpleNamespace(**told)


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


# Handlers


@pytest.mark.asyncio
async def test_the_board_shows_real_models_first_and_demo_ones_on_request(one: Harness) -> None:
    shown: Any = await leaderboard.on_ask(one.app, ask(asked=1), VISITOR)
    assert (shown["state"], shown["asked"]) == ("empty", 1)
    for offers in (("demo/flat", "demo/sketch"), ("openai/gpt-image-2", "openai/gpt-image-1-mini")):
        for offer in offers:
            add_run(one.services, offer)
        found = await opening.next_battle(one.services, LOCAL_OWNER)
        assert found is not None
        await battle.vote(one.services, found.battle_id, LOCAL_OWNER, "a")
        shown = await leaderboard.on_ask(one.app, ask(asked=2), VISITOR)
        if offers[0].startswith("demo"):
            assert shown["is_demo"]
            assert "There are no votes on real models yet." in json.dumps(shown["notices"])
            assert shown["options"]["models"] == []
    assert not shown["is_demo"]
    assert [one[0] for one in shown["options"]["models"]] == ["real", "demo"]
    assert [row["cells"]["rating"][0] for row in shown["table"]["rows"]] == ["1,131", "869"]
    assert {row["cells"]["rank"][0] for row in shown["table"]["rows"]} == {"–"}
    demo: Any = await leaderboard.on_ask(one.app, ask(models="demo"), VISITOR)
    assert {row["more"] for row in demo["table"]["rows"]} == {""}
    edit: Any = await leaderboard.on_ask(one.app, ask(board="edit-single"), VISITOR)
    assert edit["state"] == "empty"


@pytest.mark.asyncio
async def test_an_open_board_learns_of_each_vote_and_of_each_that_is_taken_back(one: Harness) -> None:
    page = TestClient(Starlette(routes=routes.routes(one.app)))
    for offer in ("demo/flat", "demo/sketch"):
        add_run(one.services, offer)

    async def standing() -> str:
        shown: Any = await leaderboard.on_ask(one.app, ask(asked=1), VISITOR)
        # What the page was given with its board is what it is told while nothing happens.
        told = page.get("/leaderboard/standing").text
        assert shown.get("standing", told) == told
        return told

    before = await standing()
    found = await opening.next_battle(one.services, LOCAL_OWNER)
    assert found is not None
    await battle.vote(one.services, found.battle_id, LOCAL_OWNER, "a")
    voted = await standing()
    await battle.take_back(one.services, found.battle_id, LOCAL_OWNER)
    assert len({before, voted, await standing()}) == 3


@pytest.mark.asyncio
async def test_an_unknown_choice_is_said_in_the_boards_place(one: Harness) -> None:
    shown: Any = await leaderboard.on_ask(one.app, ask(level="engine", asked=3), VISITOR)
    assert (shown["state"], shown["asked"]) == ("failed", 3)
    assert "Level 'engine' is unknown" in shown["text"]
    assert (await leaderboard.on_prove(one.app, ask(level="engine"), VISITOR))["state"] == "none"


@pytest.mark.asyncio
async def test_a_fault_is_said_in_the_boards_place_without_its_details(one: Harness) -> None:
    one.services.store.close()
    shown: Any = await leaderboard.on_ask(one.app, ask(), VISITOR)
    assert shown["state"] == "failed"
    assert "Traceback" not in json.dumps(shown)


@pytest.mark.asyncio
async def test_each_choice_changes_the_board_and_the_hash(one: Harness) -> None:
    add_votes(
        one.services,
        Field(FOUR),
        Voting(200, days=40, categories=("photo", "own"), voters=(LOCAL_OWNER, "another"), answers_more=True),
    )
    first: Any = await leaderboard.on_ask(one.app, ask(), VISITOR)
    hashes = {}
    for told in (
        {"category": "photo"}, {"level": "model"}, {"voters": "me"}, {"when": "7"}, {"question": "looks"}, {"ties": "davidson"},
        {"ties": "drop"},
    ):  # fmt: skip
        shown: Any = await leaderboard.on_ask(one.app, ask(**told), VISITOR)
        assert shown["state"] == "board", told
        assert shown["table"]["rows"] != first["table"]["rows"], told
        assert shown["address"] == "&".join(f"{name}={value}" for name, value in told.items())
        proof: Any = await leaderboard.on_prove(one.app, ask(**told), VISITOR)
        hashes[str(told)] = proof["sha256"]
        assert proof["choices"] == told
    whole: Any = await leaderboard.on_prove(one.app, ask(), VISITOR)
    assert whole["sha256"] == hashes["{'ties': 'davidson'}"] == hashes["{'ties': 'drop'}"]
    assert len(set(hashes.values())) == len(hashes) - 1
    assert whole["sha256"] == await board.digest(one.services, BoardQuery())


@pytest.mark.asyncio
async def test_recompute_says_that_the_numbers_are_the_same(one: Harness) -> None:
    add_votes(one.services, Field(FOUR), Voting(120, days=3))
    before: Any = await leaderboard.on_ask(one.app, ask(), VISITOR)
    after: Any = await leaderboard.on_recount(one.app, ask(asked=9), VISITOR)
    assert after["is_same"]
    assert after["recounted"].startswith("Made anew from 120 votes: all 4 ratings, all 4 days of Elo")
    assert after["table"] == before["table"]
    assert after["asked"] == 9


@pytest.mark.asyncio
async def test_everybody_may_look_and_nobody_is_named(harness: Make) -> None:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    owner = "0123456789abcdef0123456789abcdef"
    add_votes(one.services, Field(FOUR), Voting(80, voters=(owner, "f" * 32)))
    one.services.store.write(lambda db: exclusions.exclude(db, owner, "by_hand", "Asked to be.", one.services.now()))
    shown: Any = await leaderboard.on_ask(one.app, ask(), VISITOR)
    text = json.dumps(shown)
    assert shown["state"] == "board"
    assert owner not in text
    assert "f" * 32 not in text
    assert len(shown["left_out"]["voters"][0]["voter"]) == 16
    assert shown["performance"]["rows"] == []
    mine: Any = await leaderboard.on_ask(one.app, ask(voters="me"), VISITOR)
    assert mine["title"] == "No votes match"


# Files


@pytest.mark.asyncio
async def test_a_board_can_be_saved_as_json_and_markdown(one: Harness) -> None:
    add_votes(one.services, Field(FOUR), Voting(120, days=3, categories=("photo", "own")))
    page = TestClient(
        Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings)), base_url="http://127.0.0.1"
    )
    found = await asyncio.to_thread(page.get, "/leaderboard.json?category=photo")
    assert found.headers["content-disposition"] == 'attachment; filename="diptych-generate.json"'
    document = found.json()
    assert (document["choices"]["category"], document["ties"], document["is_pooled"]) == ("photo", "half", True)
    other = (await asyncio.to_thread(page.get, "/leaderboard.json?category=photo&ties=drop")).json()
    assert (other["ties"], other["is_pooled"], other["is_demo"]) == ("drop", False, False)
    shown: Any = await leaderboard.on_prove(one.app, ask(category="photo"), VISITOR)
    assert document["votes_sha256"] == shown["sha256"]
    text = await asyncio.to_thread(page.get, "/leaderboard.md?board=generate")
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert text.text.startswith("# Leaderboard: Generate")
    for name in ("json", "md"):
        wrong = await asyncio.to_thread(page.get, f"/leaderboard.{name}?level=engine")
        assert wrong.status_code == 400
        assert "Level 'engine' is unknown" in wrong.text
