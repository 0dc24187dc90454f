"""What the Arena says, and that it is so: of votes that count and that do not, of reports, skips, and battles that wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from arena import bank, battle, prompts
from arena.battle import CHOSEN, LEFT_OUT
from playground import library
from playground.services import LOCAL_OWNER
from storage import exclusions
from tests.arena.world import add_run
from tests.harness import Harness
from tests.ui.arenas import VISITOR, add_pair, answer, event, last, started, visit
from ui import api, arena_views
from ui.pages.arena import making, voting

pytestmark = pytest.mark.asyncio

Make = Callable[..., Harness]
OFFERS = ("openai/gpt-image-2", "openai/gpt-image-1-mini")


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


async def report(one: Harness, shown: Any, reason: str = "maker_shown") -> Any:
    told = event(battle_id=shown["battle_id"], reason=reason, words="")
    return (await voting.on_report(one.app, shown, told, VISITOR))[0]


# Reports and skips


async def test_a_report_of_a_pair_of_history_names_no_maker_and_the_pair_is_gone(one: Harness) -> None:
    add_pair(one)
    found = await report(one, await visit(one))
    assert found["title"] == "Reported, and ended without a vote"
    assert found["text"] == (
        "Shows its maker. The report is kept with the battle. This pair does not come again, and its makers are not named here."
    )
    assert (await voting.on_next(one.app, found, event(), VISITOR))["state"] == "empty"


async def test_a_report_of_a_new_battle_says_that_history_names_its_makers(one: Harness) -> None:
    shown = (await started(one, kind="own", prompt="a fox", first="demo/flat"))[-1][0]
    found = await report(one, shown, "broken")
    assert "Both images are in History now, with their makers" in found["text"]
    assert (await library.history_page(one.services, LOCAL_OWNER))[1] == 2
    assert (await voting.on_next(one.app, found, event(), VISITOR))["state"] == "empty"
    await one.stop()


async def test_a_report_from_a_page_that_does_not_know_of_the_vote_says_that_it_stays(one: Harness) -> None:
    add_pair(one)
    shown = await visit(one)
    await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    found = await report(one, shown)
    assert found["title"] == "Reported; its vote stays"
    assert "without" not in found["text"]


# Votes


async def test_a_voter_who_is_left_out_is_not_told_that_the_vote_counted(one: Harness) -> None:
    add_pair(one)
    one.services.store.write(lambda db: exclusions.exclude(db, LOCAL_OWNER, "by_hand", "x", one.services.now()))
    shown = await visit(one)
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    assert revealed["said"] == LEFT_OUT
    assert revealed["reveal"]["a"]["rating"] == ""
    assert revealed["undo_s"] == 10


async def picked(one: Harness) -> Any:
    names = [f"{view.run.run_id}:0" for view in (await library.history_page(one.services, LOCAL_OWNER))[0].runs]
    return await voting.on_pair(one.app, event(named="/".join(names)), VISITOR)


async def test_a_pair_that_was_picked_says_before_and_after_the_vote_where_it_counts(one: Harness) -> None:
    add_pair(one)
    shown = await picked(one)
    assert shown["source"] == "picked by you, counts for your own board only"
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    assert (revealed["said"], revealed["undo_s"]) == (CHOSEN, 10)
    assert revealed["reveal"]["b"]["rating"] == ""
    again = await picked(one)
    twice = await answer(one, again, battle_id=again["battle_id"], outcome="b")
    assert twice["said"] == "Your vote did not count. You have voted on these two images before."
    assert twice["undo_s"] == 0


async def test_a_vote_whose_step_is_unknown_is_shown_without_one(one: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(battle, "_change_at_once", lambda *_: None)
    monkeypatch.setattr(battle, "_change_by", nothing)
    add_pair(one)
    shown = await visit(one)
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    assert (revealed["said"], revealed["reveal"]["a"]["rating"]) == ("Your vote counted.", "")
    add_pair(one, "Another")
    told = await api.new_battle(one.app, VISITOR)
    counted = await api.vote(one.app, VISITOR, told["battle_id"], "a")
    assert (counted["counted"], counted["change"]) == (True, None)


# Battles of drawn models


async def test_a_demo_battle_that_is_taken_up_again_leads_to_the_next_demo_battle(one: Harness) -> None:
    began = await last(making.on_demo(one.app, VISITOR))
    again = await visit(one)
    assert again["battle_id"] == began[0]["battle_id"]
    assert (began[0]["origin"], again["origin"]) == (arena_views.FREE, arena_views.FREE)
    await one.stop()


async def test_a_battle_of_real_models_that_is_taken_up_again_leads_to_the_form(one: Harness) -> None:
    add_pair(one)
    shown = await visit(one)
    one.services.store.write(lambda db: db.execute("update battles set source = 'new'") and None)
    assert (shown["origin"], (await visit(one))["origin"]) == ("history", "new")


async def test_a_demo_battle_is_stored_under_the_category_of_its_prompt(one: Harness) -> None:
    shown = (await last(making.on_demo(one.app, VISITOR)))[0]
    category, prompt_id = one.services.store.read(
        lambda db: db.execute("select category, prompt_id from battles").fetchone()
    )
    assert (category, prompt_id) == (prompts.DEMO_PROMPTS[shown["prompt"]], None)
    found = await voting.on_next(one.app, None, event(wanted={"task": "generate", "category": category}), VISITOR)
    assert found["battle_id"] == shown["battle_id"]
    assert shown["source"].endswith(arena_views.category_name(category))
    await one.stop()


async def test_the_demos_prompts_stand_in_categories_of_the_bank_and_edits_of_their_words_are_ones_own(
    harness: Make,
) -> None:
    known = {one.category for one in bank.prompts("generate")}
    assert set(prompts.DEMO_PROMPTS.values()) <= known
    words = next(iter(prompts.DEMO_PROMPTS))
    assert prompts.place_of(words, "edit") == (bank.OWN, None)
    assert prompts.place_of("Mine", "generate") == (bank.OWN, None)
    kept = harness(settings=replace(harness().settings, arena_prompts="bank"), key=None)
    for offer in OFFERS:
        add_run(kept.services, offer, words)
    assert (await visit(kept))["state"] == "empty", "it is none of the bank's"
