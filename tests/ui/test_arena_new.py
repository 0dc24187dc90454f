"""New battles: the form, its prices, and what both models are asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena import bank, board, opening
from arena import making as made
from arena.offers import draw_two, drawable_pairs, possible_pairs
from arena.opening import BattleOff
from playground.addresses import SettingsError
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.rows import CATALOG
from providers.types import ImageRequest
from tests.arena.world import picture
from tests.harness import Harness
from tests.ui.arenas import VISITOR, add_pair, answer, form, page_of, started, visit
from ui.pages.arena import making, voting

pytestmark = pytest.mark.asyncio

Make = Callable[..., Harness]


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


async def test_the_empty_arena_offers_a_demo_battle_and_it_works(one: Harness) -> None:
    empty = await visit(one)
    assert (empty["state"], empty["has_demo"]) == ("empty", True)
    steps = [step async for step in making.on_demo(one.app, VISITOR)]
    assert steps[0][0]["state"] == "working"
    shown = steps[-1][0]
    assert (shown["state"], shown["width"], shown["height"]) == ("battle", 1024, 1024)
    assert "demo" not in json.dumps(shown).lower()
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="tie")
    assert {revealed["reveal"][side]["model"].split(",")[0] for side in "ab"} == {"Demo"}
    assert revealed["origin"] == "free"
    found = await board.leaderboard(one.services, board.BoardQuery())
    assert (found.is_demo, found.votes) == (True, 1)
    await one.stop()


async def test_without_models_the_way_to_a_key_is_shown(harness: Make) -> None:
    one = harness(settings=replace(Settings(), demo=False), key=None)
    empty = await visit(one)
    assert (empty["has_demo"], empty["has_models"]) == (False, False)
    assert "Add a key" in empty["text"]
    shown = await form(one)
    assert shown["form"]["why_not"] == "No model is ready. Add a key in Settings."


async def test_the_form_draws_prompts_of_the_bank_and_prices_them(harness: Make) -> None:
    one = harness()
    shown = (await form(one))["form"]
    assert bank.prompt(shown["draft"]["prompt_id"]).prompt == shown["bank"]["prompt"]
    assert shown["start"].startswith("Start battle · $0.0")
    assert [value for value, *_ in shown["qualities"]] == ["low", "medium", "high"]
    assert ["openai/gpt-image-2", "GPT Image 2 · OpenAI"] in shown["offers"]
    seen = {shown["draft"]["prompt_id"]}
    for _ in range(6):
        before = shown["draft"]["prompt_id"]
        shown = (await form(one, "another", **shown["draft"]))["form"]
        assert shown["draft"]["prompt_id"] != before
        seen.add(shown["draft"]["prompt_id"])
    kept = (await form(one, **shown["draft"]))["form"]
    assert kept["draft"] == shown["draft"]
    edit = (await form(one, task="edit", category="assemble", turn=4))["form"]
    assert edit["draft"]["turn"] == 4
    assert [source["url"] for source in edit["bank"]["sources"]] == [
        f"bank/{name}.jpg" for name in bank.prompt(edit["draft"]["prompt_id"]).sources
    ]
    assert len(edit["bank"]["sources"]) == 3
    assert {one["slug"] for one in edit["categories"]} >= {"assemble", "combine", "edit-style"}
    moved = (await form(one, **(edit["draft"] | {"task": "generate"})))["form"]
    assert bank.prompt(moved["draft"]["prompt_id"]).operation == "generate"


async def test_the_price_stands_on_the_button_before_anything_is_sent(harness: Make) -> None:
    one = harness()

    async def start_of(**draft: object) -> tuple[str, str]:
        shown = (await form(one, kind="own", prompt="a fox", **draft))["form"]
        return shown["start"], shown["why_not"]

    words, _ = await start_of(first="openai/gpt-image-2", second="openai/gpt-image-1-mini")
    assert words.startswith("Start battle · about $0.0")
    assert await start_of(first="demo/flat") == ("Start battle · free", "")
    words, why = await start_of(first="demo/flat", second="openai/gpt-image-2")
    assert (words, "cannot meet" in why) == ("Start battle", True)
    dear, _ = await start_of(first="openai/gpt-image-2", second="openai/gpt-image-1-mini", quality="high")
    assert dear != words
    assert one.services.store.read(lambda db: db.execute("select count(*) from runs").fetchone()[0]) == 0


async def test_an_edit_of_the_bank_asks_both_models_with_its_sources_as_they_ship(one: Harness) -> None:
    chosen = bank.prompts("edit-multi")[0]
    steps = await started(one, task="edit", prompt_id=chosen.prompt_id)
    working, shown = steps[0][0], steps[-1][0]
    assert (working["state"], working["inputs"]) == ("working", [f"bank/{name}.jpg" for name in chosen.sources])
    assert (shown["state"], shown["prompt"], len(shown["inputs"])) == ("battle", chosen.prompt, len(chosen.sources))
    stored = one.services.store.read(
        lambda db: db.execute("select board, category, prompt_id, probability from battles").fetchone()
    )
    assert stored[:3] == ("edit-multi", chosen.category, chosen.prompt_id)
    assert 0 < stored[3] < 1, "the chance of the draw is kept with the battle"
    given = one.services.store.read(
        lambda db: db.execute("select distinct sha256 from inputs order by position").fetchall()
    )
    assert {row[0] for row in given} == {bank.source(name).sha256 for name in chosen.sources}
    page = page_of(one)
    for url in (*working["inputs"], *shown["inputs"]):
        assert (await asyncio.to_thread(page.get, f"/{url}")).status_code == 200
    assert (await asyncio.to_thread(page.get, "/bank/nothing.jpg")).status_code == 404
    await one.stop()


async def test_own_source_images_are_uploaded_and_edited(one: Harness, tmp_path: Path) -> None:
    paths = []
    for number in range(2):
        paths.append(tmp_path / f"photo{number}.png")
        paths[-1].write_bytes(picture((300, 200)))
    text = tmp_path / "notes.png"
    text.write_text("no image")
    shown = {"form": {"draft": {"kind": "own", "prompt": "Join them"}}}
    found = await making.on_upload(one.app, [str(path) for path in (*paths, text)], shown, VISITOR)
    draft = found["form"]["draft"]
    assert [image["name"] for image in draft["images"]] == ["photo0.png", "photo1.png"]
    assert found["form"]["size"] == "1536x1024", "an edit keeps the shape of its first source"
    assert any(note["is_refusal"] and "notes.png" in note["text"] for note in found["form"]["notes"])
    steps = await started(one, **draft)
    assert (steps[-1][0]["state"], len(steps[-1][0]["inputs"])) == ("battle", 2)
    stored = one.services.store.read(lambda db: db.execute("select board, category from battles").fetchone())
    assert stored == ("edit-multi", "own")
    foreign = draft["images"][0] | {"sha256": "0" * 64}
    (refused, _) = (await started(one, **(draft | {"images": [foreign]})))[-1]
    assert (refused["state"], refused["form"]["notes"][0]["is_refusal"]) == ("form", True)
    await one.stop()


async def test_a_battle_is_off_when_a_model_fails_and_says_why(one: Harness) -> None:
    (shown, _) = (await started(one, kind="own", prompt="[blocked] a fox"))[-1]
    assert shown["state"] == "off"
    assert shown["reasons"]
    assert await opening.next_battle(one.services, LOCAL_OWNER) is None
    await one.stop()


async def test_a_new_battle_needs_a_prompt_and_two_models_of_a_kind(one: Harness) -> None:
    (shown, _) = (await started(one, kind="own"))[-1]
    assert shown["state"] == "form"
    for first, second in (("demo/flat", "demo/flat"), ("openai/gpt-image-2", ""), ("nothing", "")):
        (shown, _) = (await started(one, kind="own", prompt="a fox", first=first, second=second))[-1]
        assert shown["state"] == "off"
    request = ImageRequest("a fox", size="1024x1024", quality="low")
    for offers in (("demo/flat",), ("demo/flat", "demo/flat"), ("demo/flat", "openai/gpt-image-2")):
        with pytest.raises(BattleOff):
            await opening.start_new(one.services, one.engine, LOCAL_OWNER, request, offers)
    assert one.services.store.read(lambda db: db.execute("select count(*) from runs").fetchone()[0]) == 0


async def test_a_page_opened_again_waits_for_the_battle_that_is_being_made(harness: Make) -> None:
    one = harness(key=None, demo_pace=0.05)
    begun = asyncio.create_task(started(one, kind="own", prompt="a fox [slow]", first="demo/flat"))
    steps: list[Any] = []
    while not steps or steps[0]["state"] == "empty":
        await asyncio.sleep(0.02)
        steps = [step async for step in voting.on_visit(one.app, None, VISITOR)]
    assert [step["state"] for step in steps] == ["working", "battle"]
    assert (await begun)[-1][0]["battle_id"] == steps[-1]["battle_id"]
    await one.stop()


async def test_a_battle_that_is_being_made_can_be_stopped(harness: Make) -> None:
    one = harness(key=None, demo_pace=1.0)
    begun = asyncio.create_task(started(one, kind="own", prompt="a fox [slow]"))
    while not await made.being_made(one.services, LOCAL_OWNER):
        await asyncio.sleep(0.02)
    await making.on_stop(one.app, VISITOR)
    assert (await begun)[-1][0]["state"] == "off"
    await one.stop()


async def test_a_server_can_keep_to_the_prompts_of_the_bank(harness: Make) -> None:
    one = harness(settings=replace(Settings(), arena_prompts="bank"), key=None)
    shown = (await form(one, kind="own", prompt="Mine"))["form"]
    assert (shown["bank_only"], shown["draft"]["kind"]) == (True, "bank")
    request = ImageRequest("a fox", size="1024x1024", quality="low")
    with pytest.raises(BattleOff, match="prompts that ship with the app"):
        await opening.start_new(one.services, one.engine, LOCAL_OWNER, request, ("demo/flat", "demo/sketch"))
    add_pair(one, "Own words")
    assert await opening.next_battle(one.services, LOCAL_OWNER) is None
    edit = bank.prompts("edit-single")[0]
    add_pair(one, edit.prompt, inputs=[picture()])
    assert await opening.next_battle(one.services, LOCAL_OWNER) is None, "its words on another image are nobody's"
    add_pair(one, bank.prompts("generate")[0].prompt)
    assert await opening.next_battle(one.services, LOCAL_OWNER) is not None
    steps = [step async for step in making.on_demo(one.app, VISITOR)]
    assert steps[-1][0]["state"] == "battle"
    await one.stop()


async def test_two_ready_offers_of_a_kind_are_drawn(one: Harness) -> None:
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
    assert drawable_pairs(ready, None, None) == [("openai/x", "openai/y")]


@pytest.mark.parametrize(("said", "meant"), [("", "any"), ("any", "any"), (" Bank ", "bank")])
async def test_the_setting_for_prompts_is_read(said: str, meant: str) -> None:
    assert Settings.from_env({"DIPTYCH_ARENA_PROMPTS": said}, CATALOG).arena_prompts == meant


async def test_a_setting_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="DIPTYCH_ARENA_PROMPTS"):
        Settings.from_env({"DIPTYCH_ARENA_PROMPTS": "own"}, CATALOG)
