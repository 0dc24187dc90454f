"""The Arena's handlers as functions: every byte a browser gets before the vote, and votes."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from arena import bank, board, opening
from playground import entering, library
from playground.keys import FoundKey
from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.types import ImageRequest
from storage import ledger, runs
from storage.errors import StoreFull
from storage.records import StoredImage
from tests.arena.world import add_run, picture
from tests.harness import Harness
from tests.ui.arenas import STRANGER, VISITOR, add_pair, answer, event, form, last, page_of, started, visit
from ui import components, guard, header
from ui.pages.arena import voting

pytestmark = pytest.mark.asyncio

Make = Callable[..., Harness]


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


async def queued_battle(one: Harness) -> str:
    """The group of a battle whose runs are queued."""

    services = one.services
    plan = make_plan(ImageRequest("A fox"), ("openai/gpt-image-2", "openai/gpt-image-1-mini"), services.catalog)
    group = entering.group_of(plan, LOCAL_OWNER, "battle", services)
    rows = [
        entering.run_of(group, n, planned, FoundKey("none", None), "w", services) for n, planned in enumerate(plan.runs)
    ]
    entering.store(services, group, rows, plan, "s")
    return group.group_id


def end(one: Harness, group_id: str, cost: int) -> None:
    """The runs of the group succeed."""

    services = one.services

    def write(db: Any) -> None:
        for view in runs.of_group(db, group_id, LOCAL_OWNER):
            data = picture()
            sha256 = services.store.blobs.put(data, "image/png")
            now = services.now()
            image = StoredImage(services.new_id(), view.run.run_id, 0, sha256, "image/png", 64, 48, len(data), now)
            runs.add_image(db, image)
            ledger.settle(db, view.run.run_id, cost, "computed", None, now)
            runs.finish(
                db, view.run.run_id, state="succeeded", finished_at=now, latency_ms=1, got=None, request_id=None, error=None
            )  # fmt: skip

    services.store.write(write)


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
    shown = await visit(one)
    assert shown["state"] == "battle"
    page = page_of(one)
    answers = {url: await asyncio.to_thread(page.get, f"/{url}") for url in (shown["a"], shown["b"], *shown["inputs"])}
    told = [json.dumps(shown).encode()]
    for url, reply in answers.items():
        assert reply.status_code == 200, url
        told += [reply.content, json.dumps(dict(reply.headers)).encode(), url.encode()]
    secrets = ["openai", "gpt-image", "gpt image", "secretmaker", "24800", "24.8", "9100", "41200", "0.0412", "0.011"]
    secrets += ["4711", "req_1"]
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
    sizes = [Image.open(io.BytesIO(reply.content)).size for reply in (a, b)]
    assert sizes == [(shown["width"], shown["height"])] * 2


async def test_lists_and_sums_keep_a_new_battle_to_themselves_until_its_vote(harness: Make) -> None:
    one = harness()
    add_run(one.services, "openai/gpt-image-2", "Earlier", cost_microusd=7_000)
    spent = {"before": (await header.strip(one.app, LOCAL_OWNER))["spent"]}
    group = await queued_battle(one)

    async def seen() -> tuple[list[str], object]:
        page, count = await library.history_page(one.services, LOCAL_OWNER)
        assert count == len(page.runs)
        return [view.run.prompt for view in page.runs], (await header.strip(one.app, LOCAL_OWNER))["spent"]

    # While the models work, in the moment between their end and the battle, and while it waits for its vote.
    for _ in range(3):
        assert await seen() == (["Earlier"], spent["before"])
        if (await library.group(one.services, group, LOCAL_OWNER)).runs[0].run.state == "queued":
            end(one, group, 20_000)
    pair = [view.images[0].image_id for view in (await library.group(one.services, group, LOCAL_OWNER)).runs]
    blind = await opening._open(one.services, LOCAL_OWNER, opening.pairing.Pair(*pair, 1.0), "new")
    assert await seen() == (["Earlier"], spent["before"])
    totals = one.services.store.read(lambda db: ledger.totals(db, LOCAL_OWNER))
    assert totals.settled_microusd == 47_000, "limits count what the page keeps to itself"
    _, strip = await last(voting.on_answer(one.app, None, event(battle_id=blind.battle_id, outcome="tie"), VISITOR))
    assert (await seen())[0] == ["A fox", "A fox", "Earlier"]
    assert strip["spent"] == "$0.047"


# Votes


async def test_a_vote_reveals_and_a_second_one_is_refused_in_words(one: Harness) -> None:
    add_pair(one)
    shown = await visit(one, {"state": "loading"})
    told = {"battle_id": shown["battle_id"], "outcome": "b", "decided_ms": 2_000}
    revealed = await answer(one, shown, **told)
    assert revealed["state"] == "revealed"
    assert revealed["said"] == "Your vote counted."
    assert {revealed["reveal"][side]["model"] for side in "ab"} == {"GPT Image 2", "GPT Image 1 mini"}
    assert revealed["reveal"]["a"]["facts"] == "$0.041 · 24.8 s"
    assert revealed["reveal"]["a"]["rating"].startswith("rating 1,000.0 to")
    assert (revealed["a"], revealed["prompt"]) == (shown["a"], shown["prompt"])
    again = await answer(one, shown, **told)
    assert again["state"] == "refused"
    assert "Only the first one counts" in again["said"]
    assert "reveal" not in again
    kept = await visit(one, revealed)
    assert "state" not in kept
    nothing = await voting.on_next(one.app, revealed, event(), VISITOR)
    assert (nothing["state"], nothing["title"]) == ("empty", "No pairs left to vote on")


async def test_second_answers_go_with_the_vote(one: Harness) -> None:
    add_pair(one)
    shown = await visit(one)
    odd = await answer(one, shown, battle_id=shown["battle_id"], outcome="a", follows="both_bad")
    assert odd["state"] == "refused"
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="a", follows="b", looks="tie")
    assert revealed["state"] == "revealed"
    stored = one.services.store.read(lambda db: db.execute("select outcome, follows, looks from votes").fetchone())
    assert stored == ("a", "b", "tie")


async def test_what_keeps_a_vote_from_being_stored_is_said_in_its_own_words(
    one: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_args: object, **_named: object) -> None:
        raise StoreFull("There is no space left in the data folder.")

    add_pair(one)
    shown = await visit(one)
    monkeypatch.setattr("arena.battle.vote", full)
    told = event(battle_id=shown["battle_id"], outcome="a")
    with pytest.raises(gr.Error, match="no space left"):
        await last(components.bound(voting.on_answer, one.app)(shown, told, VISITOR))


async def test_a_vote_is_taken_back_once_and_stays_in_the_record(one: Harness) -> None:
    add_pair(one)
    shown = await visit(one)
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    assert revealed["undo_s"] == 10
    undone = await voting.on_undo(one.app, revealed, event(battle_id=shown["battle_id"]), VISITOR)
    assert undone["said"] == "Your vote was taken back. It stays in the record and counts no more."
    assert undone["reveal"]["a"]["model"]
    assert undone["reveal"]["a"]["rating"] == ""
    assert (await board.leaderboard(one.services, board.BoardQuery())).votes == 0
    again = await voting.on_undo(one.app, revealed, event(battle_id=shown["battle_id"]), VISITOR)
    assert "It stays." in again["said"]
    foreign = await voting.on_undo(one.app, revealed, event(battle_id="0" * 32), VISITOR)
    assert "no such vote" in foreign["said"]


@pytest.mark.parametrize("reason", ["broken", "offensive", "maker_shown", "other"])
async def test_a_report_ends_a_battle_without_a_vote(one: Harness, reason: str) -> None:
    add_pair(one)
    shown = await visit(one)
    told = event(battle_id=shown["battle_id"], reason=reason, words="A watermark")
    found, _ = await voting.on_report(one.app, shown, told, VISITOR)
    assert found["state"] == "reported"
    assert not {"a", "b", "reveal"} & set(found), "images and makers are gone from the page"
    late = await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    assert late["state"] == "refused"
    stored = one.services.store.read(lambda db: db.execute("select reason, words from reports").fetchone())
    assert stored == (reason, "A watermark")


async def test_a_report_after_the_vote_leaves_it(one: Harness) -> None:
    add_pair(one)
    shown = await visit(one)
    revealed = await answer(one, shown, battle_id=shown["battle_id"], outcome="a")
    told = event(battle_id=shown["battle_id"], reason="maker_shown")
    found, _ = await voting.on_report(one.app, revealed, told, VISITOR)
    assert (found["state"], found["said"]) == ("revealed", "Your vote counted. Reported: shows its maker.")
    assert (await board.leaderboard(one.services, board.BoardQuery())).votes == 1
    nonsense, _ = await voting.on_report(one.app, shown, event(battle_id=shown["battle_id"], reason="ugly"), VISITOR)
    assert nonsense["state"] == "refused"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"battle_id": None},
        {"battle_id": "x", "outcome": "a"},
        {"battle_id": 7, "outcome": ["a"]},
        {"outcome": "skip"},
        {"wanted": {"task": 7, "category": ["x"]}, "outcome": "skip"},
    ],
)
async def test_nonsense_from_the_browser_is_refused_in_words(one: Harness, told: dict[str, object]) -> None:
    assert (await answer(one, "nonsense", **told))["state"] == "refused"


async def test_another_visitors_battle_can_neither_be_voted_on_nor_seen(harness: Make) -> None:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    owner = guard.owner_of(one.settings, STRANGER)
    add_pair(one, owner=owner)
    blind = await opening.next_battle(one.services, owner)
    assert blind is not None
    other = SimpleNamespace(cookies={guard.VISITOR_COOKIE: "y" * 40})
    found = await answer(one, None, other, battle_id=blind.battle_id, outcome="a")
    assert (found["state"], "There is no such battle of yours" in found["said"]) == ("refused", True)
    reported, _ = await voting.on_report(one.app, None, event(battle_id=blind.battle_id, reason="broken"), other)
    assert reported["state"] == "refused"
    page = page_of(one)
    codes = []
    for kept in (STRANGER.cookies, other.cookies):
        sent = {"cookie": f"{guard.VISITOR_COOKIE}={kept[guard.VISITOR_COOKIE]}"}
        reply = await asyncio.to_thread(page.get, f"/blind/{blind.battle_id}/a.webp", headers=sent)
        codes.append(reply.status_code)
    assert codes == [200, 404]


async def test_a_skip_goes_on_and_the_pair_comes_back_last(one: Harness) -> None:
    for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini", "openai/gpt-image-1.5"):
        add_run(one.services, offer)
    first = await visit(one)
    second = await answer(one, first, battle_id=first["battle_id"], outcome="skip")
    assert second["state"] == "battle"
    assert second["battle_id"] != first["battle_id"]


async def test_a_skip_of_a_new_battle_goes_back_to_the_form_with_another_prompt(one: Harness) -> None:
    draft = (await form(one))["form"]["draft"]
    shown = (await started(one, **(draft | {"first": "demo/flat"})))[-1][0]
    told = {"battle_id": shown["battle_id"], "outcome": "skip", "then": "form"}
    found = await answer(one, shown | {"form": {"draft": draft}}, **told)
    assert found["state"] == "form"
    assert found["form"]["draft"]["prompt_id"] != draft["prompt_id"]
    await one.stop()


async def test_pairs_are_filtered_by_task_and_category(one: Harness) -> None:
    portrait = bank.prompts("generate", "portrait")[0].prompt
    add_pair(one, portrait)
    add_pair(one, "Own words", inputs=[picture()])
    wanted = [
        ({"task": "any", "category": "portrait"}, portrait),
        ({"task": "edit", "category": ""}, "Own words"),
        ({"task": "any", "category": "own"}, "Own words"),
        ({"task": "generate", "category": "logo"}, None),
    ]
    for choice, prompt in wanted:
        found = await voting.on_next(one.app, None, event(wanted=choice), VISITOR)
        assert found.get("prompt") == prompt
        assert found["wanted"] == choice
        if prompt is None:
            assert (found["title"], found["is_filtered"]) == ("No pairs of this kind", True)
    named = {slug: name for slug, name, _ in found["filters"]}
    assert named["portrait"] == "Portrait"
    assert (await visit(one, {"wanted": wanted[0][0]}))["source"].endswith("Portrait")
