"""Arena, Leaderboard, History and Settings: handlers as functions, and every byte a browser gets before the vote."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from arena import battle, board, opening
from arena.offers import draw_two, possible_pairs
from arena.opening import BattleOff
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.types import ImageRequest
from tests.arena.world import add_run, picture
from tests.harness import Harness
from ui import guard, routes
from ui.blocks import build_app
from ui.pages import arena, history, leaderboard, settings

Make = Callable[..., Harness]
VISITOR: Any = SimpleNamespace(cookies={})


def event(**told: object) -> Any:
    return SimpleNamespace(**told)


async def last(steps: AsyncIterator[Any]) -> Any:
    return [step async for step in steps][-1]


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


def page_of(one: Harness) -> TestClient:
    return TestClient(
        Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings)), base_url="http://127.0.0.1"
    )


# Arena


@pytest.mark.asyncio
async def test_no_byte_before_the_vote_tells_the_maker(one: Harness) -> None:
    base = picture((80, 60))
    add_run(one.services, "openai/gpt-image-2", data=picture((96, 64), note="SECRETMAKER"), inputs=[base])
    add_run(
        one.services,
        "openai/gpt-image-1-mini",
        data=picture((64, 64), form="JPEG"),
        inputs=[base],
        latency_ms=9_100,
        cost_microusd=11_000,
    )
    shown = await arena.on_visit(one.app, None, VISITOR)
    assert shown["state"] == "battle"
    page = page_of(one)
    answers = {url: await asyncio.to_thread(page.get, f"/{url}") for url in (shown["a"], shown["b"], *shown["inputs"])}
    told = [json.dumps(shown).encode()]
    for url, answer in answers.items():
        assert answer.status_code == 200, url
        told += [answer.content, json.dumps(dict(answer.headers)).encode(), url.encode()]
    secrets = [
        "openai",
        "gpt-image",
        "gpt image",
        "secretmaker",
        "24800",
        "24.8",
        "9100",
        "41200",
        "0.0412",
        "0.011",
        "4711",
        "req_1",
    ]
    secrets += [
        value
        for row in one.services.store.read(
            lambda db: db.execute(
                "select i.image_id, i.sha256, r.run_id from images i join runs r using (run_id)"
            ).fetchall()
        )
        for value in row
    ]
    for data in told:
        for secret in secrets:
            assert secret.encode() not in data.lower(), secret
    a, b = answers[shown["a"]], answers[shown["b"]]
    assert a.content != b.content
    assert len(a.content) == len(b.content)
    assert a.headers == b.headers
    assert a.headers["cache-control"] == "no-store"
    sizes = [Image.open(io.BytesIO(answer.content)).size for answer in (a, b)]
    assert sizes == [(shown["width"], shown["height"])] * 2


@pytest.mark.asyncio
async def test_a_vote_reveals_and_a_second_one_is_refused_in_words(one: Harness) -> None:
    add_run(one.services, "openai/gpt-image-2")
    add_run(one.services, "openai/gpt-image-1-mini")
    shown = await arena.on_visit(one.app, {"state": "loading"}, VISITOR)
    told = event(battle_id=shown["battle_id"], outcome="b", decided_ms=2_000)
    revealed = await arena.on_answer(one.app, shown, told, VISITOR)
    assert revealed["state"] == "revealed"
    assert revealed["said"] == "Your vote counted."
    assert {revealed["reveal"][side]["model"] for side in "ab"} == {"GPT Image 2", "GPT Image 1 mini"}
    assert "$0.041 · 24.8 s · rating 1,000.0 to" in revealed["reveal"]["a"]["facts"]
    assert (revealed["a"], revealed["prompt"]) == (shown["a"], shown["prompt"])
    again = await arena.on_answer(one.app, shown, told, VISITOR)
    assert again["state"] == "refused"
    assert "Only the first one counts" in again["said"]
    assert "reveal" not in again
    kept = await arena.on_visit(one.app, revealed, VISITOR)
    assert "state" not in kept
    nothing = await arena.on_next(one.app, VISITOR)
    assert (nothing["state"], nothing["title"]) == ("empty", "No pairs left to vote on")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "told",
    [
        {},
        {"battle_id": None},
        {"battle_id": "x", "outcome": "a"},
        {"battle_id": 7, "outcome": ["a"]},
        {"outcome": "skip"},
    ],
)
async def test_nonsense_from_the_browser_is_refused_in_words(one: Harness, told: dict[str, object]) -> None:
    answer = await arena.on_answer(one.app, "nonsense", event(**told), VISITOR)
    assert answer["state"] == "refused"


@pytest.mark.asyncio
async def test_a_skip_goes_on_and_the_pair_comes_back_last(one: Harness) -> None:
    for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini", "openai/gpt-image-1.5"):
        add_run(one.services, offer)
    first = await arena.on_visit(one.app, None, VISITOR)
    second = await arena.on_answer(one.app, first, event(battle_id=first["battle_id"], outcome="skip"), VISITOR)
    assert second["state"] == "battle"
    assert second["battle_id"] != first["battle_id"]


@pytest.mark.asyncio
async def test_the_empty_arena_offers_a_demo_battle_and_it_works(one: Harness) -> None:
    empty = await arena.on_visit(one.app, None, VISITOR)
    assert (empty["state"], empty["has_demo"]) == ("empty", True)
    steps = [step async for step in arena.on_demo(one.app, VISITOR)]
    assert steps[0][0]["state"] == "working"
    shown = steps[-1][0]
    assert (shown["state"], shown["width"], shown["height"]) == ("battle", 1024, 1024)
    assert "demo" not in json.dumps(shown).lower()
    revealed = await arena.on_answer(one.app, shown, event(battle_id=shown["battle_id"], outcome="tie"), VISITOR)
    assert {revealed["reveal"][side]["model"].split(",")[0] for side in "ab"} == {"Demo"}
    found = await board.leaderboard(one.services, board.BoardQuery())
    assert (found.is_demo, found.votes) == (True, 1)
    await one.stop()


@pytest.mark.asyncio
async def test_a_battle_is_off_when_a_model_fails_and_says_why(one: Harness) -> None:
    (shown, *_) = await last(arena.on_start(one.app, "[blocked] a fox", "", "", VISITOR))
    assert shown["state"] == "off"
    assert shown["reasons"]
    assert await opening.next_battle(one.services, LOCAL_OWNER) is None
    await one.stop()


@pytest.mark.asyncio
async def test_a_new_battle_needs_a_prompt_and_two_models_of_a_kind(one: Harness) -> None:
    for prompt, first, second in (
        ("", "", ""),
        ("a fox", "demo/flat", "demo/flat"),
        ("a fox", "openai/gpt-image-2", ""),
    ):
        (shown, *_) = await last(arena.on_start(one.app, prompt, first, second, VISITOR))
        assert shown["state"] == "off"
    request = ImageRequest("a fox", size="1024x1024", quality="low")
    for offers in (("demo/flat",), ("demo/flat", "demo/flat"), ("demo/flat", "openai/gpt-image-2")):
        with pytest.raises(BattleOff):
            await opening.start_new(one.services, one.engine, LOCAL_OWNER, request, offers)
    assert one.services.store.read(lambda db: db.execute("select count(*) from runs").fetchone()[0]) == 0


@pytest.mark.asyncio
async def test_the_price_stands_on_the_button_before_anything_is_sent(harness: Make) -> None:
    one = harness()
    _, form, first, _, start = await arena.on_new(one.app, VISITOR)
    assert form["visible"]
    assert ("GPT Image 2 · OpenAI", "openai/gpt-image-2") in first["choices"]
    assert not start["interactive"]
    named = await arena.on_first(one.app, "a fox", "openai/gpt-image-2", "openai/gpt-image-1-mini", VISITOR)
    assert named["value"].startswith("Start battle · about $0.0")
    assert named["interactive"]
    free = await arena.on_second(one.app, "a fox", "demo/flat", "", VISITOR)
    assert free["value"] == "Start battle · free"
    impossible = await arena.on_prompt(one.app, "a fox", "demo/flat", "openai/gpt-image-2", VISITOR)
    assert not impossible["interactive"]


def test_two_ready_offers_of_a_kind_are_drawn(one: Harness) -> None:
    rng = one.services.rng
    ready = ["openai/x", "openai/y", "demo/flat", "demo/sketch"]
    drawn = [draw_two(ready, None, None, rng) for _ in range(40)]
    assert {frozenset(found.offers) for found in drawn if found} == {frozenset(("openai/x", "openai/y"))}
    named = draw_two(ready, "demo/flat", None, rng)
    assert named is not None
    assert set(named.offers) == {"demo/flat", "demo/sketch"}
    assert draw_two(ready, "demo/flat", "openai/x", rng) is None
    assert draw_two(ready, "fal/unready", None, rng) is None
    assert draw_two(["openai/x"], None, None, rng) is None
    assert len(possible_pairs(ready, None, None)) == 2


# Leaderboard


@pytest.mark.asyncio
async def test_the_board_shows_real_models_first_and_demo_ones_on_request(one: Harness) -> None:
    table, switch = await leaderboard.on_visit(one.app, "generate")
    assert table["state"] == "empty"
    assert not switch["visible"]
    for offers in (("demo/flat", "demo/sketch"), ("openai/gpt-image-2", "openai/gpt-image-1-mini")):
        for offer in offers:
            add_run(one.services, offer)
        found = await opening.next_battle(one.services, LOCAL_OWNER)
        assert found is not None
        await battle.vote(one.services, found.battle_id, LOCAL_OWNER, "a")
        table, switch = await leaderboard.on_visit(one.app, "generate")
        if offers[0].startswith("demo"):
            assert "There are no votes on real models yet." in table["notice"]
            assert not switch["visible"]
    assert table["notice"] == ""
    assert switch == {"visible": True, "value": leaderboard.REAL, "__type__": "update"}
    assert [row["rating"] for row in table["rows"]] == ["1,131", "869"]
    assert {row["rank"] for row in table["rows"]} == {"–"}
    demo, _ = await leaderboard.on_kind(one.app, "generate", leaderboard.DEMO)
    assert {row["provider"] for row in demo["rows"]} == {""}
    edit, _ = await leaderboard.on_operation(one.app, "edit-single")
    assert edit["state"] == "empty"


# History


@pytest.mark.asyncio
async def test_history_pages_search_and_details(one: Harness) -> None:
    for number in range(50):
        add_run(one.services, prompt=f"Prompt number{number} of a lighthouse")
    grid, trail = await history.on_visit(one.app, "", [], None, VISITOR)
    assert (len(grid["tiles"]), grid["count"], grid["range"], trail) == (24, "50 runs", "1 to 24 of 50", [])
    seen = [tile["run_id"] for tile in grid["tiles"]]
    while grid["has_next"]:
        grid, trail = await history.on_turn_page(one.app, "", trail, None, grid, event(to="next"), VISITOR)
        seen += [tile["run_id"] for tile in grid["tiles"]]
    assert len(seen) == len(set(seen)) == 50
    assert grid["range"] == "49 to 50 of 50"
    grid, trail = await history.on_turn_page(one.app, "", trail, None, grid, event(to="previous"), VISITOR)
    assert grid["range"] == "25 to 48 of 50"
    found, trail = await history.on_search(one.app, "number7", None, VISITOR)
    assert [tile["prompt"] for tile in found["tiles"]] == ["Prompt number7 of a lighthouse"]
    missed, _ = await history.on_search(one.app, 'zebra "quoted* -x', None, VISITOR)
    assert missed["state"] == "no_match"
    assert "50 runs are kept" in missed["text"]
    cleared = await history.on_clear(one.app, None, VISITOR)
    assert cleared[0] == ""
    tile = found["tiles"][0]
    details = await history.on_open_run(one.app, event(run_id=tile["run_id"], position=0), VISITOR)
    assert details["remix"] == f"#playground/remix/{tile['run_id']}"
    assert details["use_as_base"] == f"#playground/base/{tile['run_id']}/0"
    for told in ({"run_id": "nothing"}, {}, {"run_id": ["x"]}):
        gone = await history.on_open_run(one.app, event(**told), VISITOR)
        assert gone["state"] == "gone"


@pytest.mark.asyncio
async def test_history_is_empty_at_first_and_shows_what_failed(one: Harness) -> None:
    grid, _ = await history.on_visit(one.app, "", None, None, VISITOR)
    assert grid["state"] == "empty"
    add_run(one.services, state="failed", cost_microusd=0)
    grid, _ = await history.on_visit(one.app, "", None, None, VISITOR)
    assert (grid["tiles"][0]["word"], grid["tiles"][0]["thumb"], grid["tiles"][0]["cost"]) == ("Failed", None, "$0")


# Settings


@pytest.mark.asyncio
async def test_settings_tell_sizes_and_verify_the_store(one: Harness) -> None:
    add_run(one.services)
    sha256 = one.services.store.read(lambda db: str(db.execute("select sha256 from images").fetchone()[0]))
    shown = await settings.on_visit(one.app)
    assert [card["label"] for card in shown["cards"]] == ["Images", "Database"]
    good = await settings.on_verify(one.app)
    assert good["verified"]["ok"], good["verified"]
    found = one.services.store.blobs.find(sha256)
    assert found is not None
    found.unlink()
    bad = await settings.on_verify(one.app)
    assert not bad["verified"]["ok"]
    assert bad["verified"]["problems"]
    strip = await settings.on_keys_changed(one.app, VISITOR)
    assert strip["ready"] == 1


def test_a_battle_lives_a_day() -> None:
    assert timedelta(hours=24) == opening.LIFE


@pytest.mark.asyncio
async def test_on_a_public_server_the_audit_and_the_folder_are_the_hosts(harness: Make) -> None:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    shown = await settings.on_verify(one.app)
    assert (shown["can_verify"], shown["folder"], shown["verified"]) == (False, "", None)


# The page as built


@pytest.mark.asyncio
async def test_the_components_have_their_ids_and_none_holds_a_key(one: Harness) -> None:
    # Asynchronous, because Gradio leaves an event loop open where none is running.
    components = build_app(one.app).config["components"]
    ids = {component["props"].get("elem_id") for component in components}
    assert {"ar-board", "ar-new", "ar-prompt", "ar-first", "ar-second", "ar-start", "ar-back"} <= ids
    assert {"lb-operation", "lb-kind", "lb-table", "hi-search", "hi-grid", "hi-details"} <= ids
    assert {"st-nav", "st-keys", "st-storage", "st-shortcuts", "st-about"} <= ids
    assert not any(component["props"].get("type") == "password" for component in components)
