"""The Playground's handlers as functions, over the real engine and the Demo."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.services import LOCAL_OWNER
from playground.settings import Mode, Settings
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.errors import full
from tests.harness import Harness
from tests.ui.handled import START, event, shown, states, values
from ui import components, launch
from ui.app import App
from ui.blocks import build_app
from ui.pages import playground
from ui.pages.playground import editing, first, form, outlook, running
from ui.pages.playground.form import Fields
from ui.pages.playground.page import DRAFT

HarnessOf = Callable[..., Harness]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "fox.png"
    Image.new("RGB", (96, 64), "orange").save(path)
    return path


def test_values_are_given_in_the_order_of_the_fields() -> None:
    assert tuple(START) == form.NAMES == tuple(field.name for field in fields(Fields))


@pytest.mark.asyncio
async def test_a_first_visit_is_ready_to_run_for_free(harness: HarnessOf) -> None:
    said = shown(await editing.on_open_form(harness(key=None).app, None, {}))
    assert said["offers"]["value"] == {"ticked": ["demo/painterly", "demo/flat"]}
    assert said["run"]["value"] == "Run 2 · free"
    assert said["outlook"]["problems"] == []
    assert said["outlook"]["notices"] is None
    offers = said["outlook"]["offers"]
    assert [family["name"] for family in offers["families"]] == ["Demo"]
    keyless = [provider.provider_id for provider in CATALOG.providers if provider.key_variable]
    assert [row["key_link"] for row in offers["keyless"]] == [f"#settings/{name}" for name in keyless]


@pytest.mark.asyncio
async def test_the_form_of_a_first_visit_stands_in_the_page_and_only_what_differs_is_told(harness: HarnessOf) -> None:
    app = harness(key=None).app
    with gr.Blocks(analytics_enabled=False):
        page = playground.build(app)
    fields = page.form.fields
    assert (page.run.value, fields.offers.value) == ("Run 2 · free", {"ticked": ["demo/painterly", "demo/flat"]})
    assert '"suggested"' in page.form.outlook.value
    told = first.unsaid(page.shown, await editing.on_open_form(app, None, {}))
    assert [place for place, update in enumerate(told) if update != gr.skip()] == [0, DRAFT]
    drafted = first.unsaid(page.shown, await editing.on_open_form(app, None, {"prompt": "Fox", "timeout_s": 60.0}))
    assert drafted[page.shown.index(fields.prompt)] == gr.update(value="Fox")
    assert drafted[page.shown.index(fields.timeout_s)] == gr.update(value=60.0)
    assert drafted[page.shown.index(fields.size)] == gr.skip()


@pytest.mark.asyncio
async def test_without_any_provider_the_way_to_one_is_told(harness: HarnessOf) -> None:
    app = harness(settings=replace(Settings(), demo=False), key=None).app
    said = shown(await editing.on_open_form(app, None, {}))
    assert said["outlook"]["problems"] == [outlook.NOTHING_READY]
    assert said["outlook"]["offers"]["families"] == []


@pytest.mark.asyncio
async def test_a_first_visit_with_a_key_has_the_default_model_at_low_quality_without_previews(
    harness: HarnessOf,
) -> None:
    said = shown(await editing.on_open_form(harness().app, None, {}))
    assert said["offers"]["value"] == {"ticked": ["openai/gpt-image-2.5-flare"]}
    assert (said["quality"]["value"], said["partial_images"]["value"]) == ("low", "0")
    assert said["run"]["value"].startswith("Run · about $0.00")


@pytest.mark.asyncio
async def test_price_and_controls_follow_what_is_ticked(harness: HarnessOf) -> None:
    app = harness().app
    ticked = {"ticked": ["openai/gpt-image-1.5", "openai/gpt-image-2.6-flare"]}
    said = shown(await editing.on_change(app, None, *values(offers=ticked, partial_images="0")))
    assert said["run"]["value"].startswith("Run 2 · about $")
    labels = {value: label for label, value in said["quality"]["choices"]}
    assert labels["low"].startswith("Low\n$")
    assert labels["max"] == "Max\nsome models"
    assert said["quality"]["label"] == "Quality, with the price of 2 runs"
    assert "value" not in said["quality"]
    assert said["input_fidelity"]["visible"] is False


@pytest.mark.asyncio
async def test_previews_cost_nothing_until_they_are_asked_for(harness: HarnessOf) -> None:
    app = harness().app
    both = values(offers={"ticked": ["demo/flat", "openai/gpt-image-2"]})
    said = shown(await editing.on_tick(app, None, {"offers": ["demo/flat"]}, *both))
    assert said["partial_images"]["value"] == "0"
    assert said["run"]["value"].startswith("Run 2 · about $")
    kept = shown(await editing.on_tick(app, None, {"offers": ["demo/flat", "openai/gpt-image-2"]}, *both))
    assert "value" not in kept["partial_images"]


@pytest.mark.asyncio
async def test_an_offer_that_cannot_be_used_is_not_run(harness: HarnessOf) -> None:
    ticked = {"ticked": ["demo/flat", "openai/gpt-image-2", "openai/gpt-image-1", "nobody/nothing"]}
    said = shown(await editing.on_change(harness(key=None).app, None, *values(offers=ticked)))
    assert said["run"]["value"] == "Run · free"


@pytest.mark.asyncio
async def test_a_size_that_cannot_be_made_names_the_nearest(harness: HarnessOf) -> None:
    app = harness().app
    odd = values(size="other", other_size="custom", width=1500, height=1000)
    said = shown(await editing.on_change(app, None, *odd))
    assert "multiples of 16" in said["outlook"]["size_note"]
    width, height = said["outlook"]["snap"].split("x")
    snapped = shown(await editing.on_snap(app, None, *odd))
    assert (snapped["width"]["value"], snapped["height"]["value"]) == (int(width), int(height))
    assert snapped["outlook"]["size_note"] == ""


@pytest.mark.asyncio
async def test_a_ratio_stands_in_for_a_size_and_says_what_it_comes_to(harness: HarnessOf) -> None:
    app = harness().app
    ticked = {"ticked": ["openai/gpt-image-2", "openai/gpt-image-1.5"]}
    asked = values(offers=ticked, size="other", other_size="ratio", ratio="16:9", resolution="2K", partial_images="0")
    said = shown(await editing.on_change(app, None, *asked))
    assert [said[name]["visible"] for name in ("ratio", "ratio_text", "resolution", "width")] == [
        True,
        False,
        True,
        False,
    ]
    first, second = said["outlook"]["sizes"]
    assert (first["size"], first["note"]) == ("2736 × 1536", "")
    assert (second["size"], second["of"]) == ("1536 × 1024", "GPT Image 1.5 at OpenAI")
    assert "16:9 is not made here" in second["note"]
    assert said["outlook"]["notices"]["summary"] == "Not sent as asked: 2 settings to OpenAI"
    assert said["outlook"]["problems"] == []
    typed = values(
        offers=ticked, size="other", other_size="ratio", ratio="custom", ratio_text="wide", partial_images="0"
    )
    said = shown(await editing.on_change(app, None, *typed))
    assert said["ratio_text"]["visible"] is True
    assert "is no aspect ratio" in said["outlook"]["problems"][0]


@pytest.mark.asyncio
async def test_formats_that_are_made_here_carry_the_mark(harness: HarnessOf) -> None:
    said = shown(await editing.on_change(harness().app, None, *values(output_format="avif")))
    labels = {value: label for label, value in said["output_format"]["choices"]}
    assert (labels["png"], labels["gif"], labels["avif"]) == ("PNG", "GIF\nmade here", "AVIF\nmade here")
    assert said["output_compression"]["visible"] is True
    (one,) = said["outlook"]["notices"]["offers"]
    assert [item["field"] for item in one["items"]] == ["Format"]


@pytest.mark.asyncio
async def test_a_gif_is_made_beside_the_original_and_both_can_be_saved(harness: HarnessOf) -> None:
    updates = [update async for update in running.on_run(harness().app, None, *values(output_format="gif"))]
    (tile,) = updates[-1][0]["groups"][0]["tiles"]
    assert [one["label"] for one in tile["image"]["downloads"]] == ["Download GIF", "Download original PNG"]


@pytest.mark.asyncio
async def test_an_example_fills_the_prompt_and_leaves_the_rest(harness: HarnessOf) -> None:
    said = shown(await editing.on_pick(harness().app, None, event(index=3), *values()))
    assert said["prompt"]["value"].startswith("A simple logo")
    assert "value" not in said["size"]


@pytest.mark.asyncio
async def test_a_transparent_background_takes_the_format_along(harness: HarnessOf) -> None:
    said = shown(
        await editing.on_background(harness().app, None, *values(background="transparent", output_format="jpeg"))
    )
    assert said["output_format"]["value"] == "png"


@pytest.mark.asyncio
async def test_an_upload_makes_it_an_edit_and_a_bad_file_does_not_hold_up_a_good_one(
    harness: HarnessOf, picture: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.png"
    bad.write_bytes(b"no image")
    app = harness().app
    said = shown(await editing.on_upload(app, None, [str(bad), str(picture)], *values()))
    tray = said["references"]["value"]
    assert [item["name"] for item in tray["items"]] == ["fox.png"]
    assert [note["is_refusal"] for note in tray["notes"]] == [True]
    assert said["outlook"]["takes_mask"] is True
    assert (said["size"]["value"], said["other_size"]["value"]) == ("other", "auto")

    mask = Image.new("L", (96, 64), 0)
    mask.paste(255, (10, 10, 50, 50))
    buffer = BytesIO()
    mask.save(buffer, "PNG")
    bad.write_bytes(buffer.getvalue())
    masked = shown(await editing.on_mask(app, None, str(bad), *values(references=tray)))
    assert masked["references"]["value"]["mask"]["width"] == 96
    # A reload finds both again, and forgets what is no longer in the store.
    draft = masked["draft"]
    assert shown(await editing.on_open_form(app, None, draft))["references"]["value"]["mask"]["width"] == 96
    draft["references"][0]["sha256"] = "f" * 64
    assert shown(await editing.on_open_form(app, None, draft))["references"]["value"]["items"] == []


@pytest.mark.asyncio
async def test_a_run_is_watched_to_its_end_and_found_again_by_a_new_page(harness: HarnessOf) -> None:
    app = harness().app
    updates = [update async for update in running.on_run(app, None, *values())]
    assert states(updates[0][0])[0] in ("queued", "running")
    assert states(updates[-1][0]) == ["done"]
    assert updates[-1][2]["interactive"] is False
    reopened = [update async for update in running.on_open_results(app, None)]
    assert states(reopened[0][0]) == ["done"]
    assert reopened[0][0]["groups"][0]["caption"] == "1 run · free"


@pytest.mark.asyncio
@pytest.mark.parametrize(("mode", "words"), [("local", "'/data' is full"), ("public", "cannot save anything now")])
async def test_a_full_disk_is_told_beside_run_and_nothing_is_sent(
    harness: HarnessOf, monkeypatch: pytest.MonkeyPatch, mode: Mode, words: str
) -> None:
    app = harness(settings=replace(Settings(), mode=mode)).app

    async def refuse(*_: object, **__: object) -> str:
        raise full(Path("/data"))

    monkeypatch.setattr(app.engine, "submit", refuse)
    monkeypatch.setattr(running, "owner_of", lambda *_: LOCAL_OWNER)
    (told,) = [update async for update in running.on_run(app, None, *values())]
    (problem,) = told[3]["problems"]
    assert words in problem
    assert "othing was sent" in problem
    assert mode == "local" or "/data" not in problem


@pytest.mark.asyncio
async def test_a_page_opened_in_mid_run_picks_it_up_and_stop_ends_it(harness: HarnessOf) -> None:
    one = harness(demo_pace=30.0)
    app = one.app
    watcher = running.on_run(app, None, *values())
    await anext(watcher)
    page = running.on_open_results(app, None)
    assert states((await anext(page))[0])[0] in ("queued", "running")
    stopped = await running.on_stop(app, None)
    assert states(stopped[0]) == ["stopped"]
    assert stopped[2]["interactive"] is False
    assert states([update async for update in page][-1][0]) == ["stopped"]
    assert states([update async for update in watcher][-1][0]) == ["stopped"]


@pytest.mark.asyncio
async def test_each_row_of_the_variables_is_a_run_with_its_own_prompt(harness: HarnessOf) -> None:
    one = harness(key=None)
    rows = {"rows": [{"animal": "fox"}, {"animal": "owl"}, {"animal": ""}]}
    given = values(prompt="A {animal}", variables=rows)
    said = shown(await editing.on_change(one.app, None, *given))
    assert said["run"]["value"] == "Run 2 · free"
    assert said["quality"]["label"] == "Quality, with the price of 2 runs"
    updates = [update async for update in running.on_run(one.app, None, *given)]
    (group,) = updates[-1][0]["groups"]
    assert group["prompt"] == "A {animal}"
    assert [tile["prompt"] for tile in group["tiles"]] == ["A fox", "A owl"]
    await one.stop()
    empty = shown(await editing.on_change(one.app, None, *values(prompt="A {animal}", variables={"rows": 7})))
    assert "Give {animal} a value" in empty["outlook"]["problems"][0]


@pytest.mark.asyncio
async def test_more_than_eight_runs_ask_first_and_ask_again_when_the_form_changed(harness: HarnessOf) -> None:
    one = harness(key=None)
    rows = [{"animal": str(number)} for number in range(9)]
    given = values(prompt="A {animal}", variables={"rows": rows}, partial_images="0")
    (asked,) = [update async for update in running.on_run(one.app, None, *given)]
    question = asked[3]["ask"]
    assert (question["runs"], question["price"]) == (9, "free")
    assert (await running.snapshot(one.app, LOCAL_OWNER))["groups"] == []
    more = values(prompt="A {animal}", variables={"rows": [*rows, {"animal": "10"}]}, partial_images="0")
    agreed = event(agreed=question["agreed"])
    (again,) = [update async for update in running.on_agreed(one.app, None, agreed, *more)]
    assert again[3]["ask"]["runs"] == 10
    updates = [update async for update in running.on_agreed(one.app, None, agreed, *given)]
    assert states(updates[-1][0]) == ["done"] * 9
    await one.stop()


@pytest.mark.asyncio
async def test_one_run_is_stopped_and_the_others_go_on(harness: HarnessOf) -> None:
    one = harness(key=None, demo_pace=0.3)
    given = values(prompt="A fox", offers={"ticked": ["demo/flat", "demo/sketch"]}, partial_images="0")
    news = running.on_run(one.app, None, *given)
    (group,) = (await anext(news))[0]["groups"]
    first = group["tiles"][0]["run"]
    (stopped,) = (await running.on_stop_run(one.app, None, event(run=first)))[0]["groups"]
    assert [tile["state"] for tile in stopped["tiles"]][0] in ("stopped", "unknown")
    updates = [update async for update in news]
    assert states(updates[-1][0])[1] == "done"
    # Somebody else's run, or one that has ended, is not stopped.
    assert not await one.app.engine.cancel(group["tiles"][1]["run"], "somebody else")
    await one.stop()


@pytest.mark.asyncio
async def test_a_press_that_cannot_be_sent_says_why_and_sends_nothing(harness: HarnessOf) -> None:
    app = harness().app
    updates = [update async for update in running.on_run(app, None, *values(prompt="  "))]
    assert len(updates) == 1
    assert updates[0][3]["prompt_problem"] == "The prompt is empty. Describe the image first."
    assert updates[0][3]["problems"] == []
    assert updates[0][3]["focus"] == "prompt"
    assert (await running.snapshot(app, LOCAL_OWNER))["groups"] == []


@pytest.mark.asyncio
async def test_results_feed_the_form(harness: HarnessOf) -> None:
    one = harness()
    view = await one.one("A red fox", "demo/sketch", size="1536x1024", quality="high")
    run_id = view.run.run_id
    remixed = shown(await editing.on_remix(one.app, None, event(run=run_id), *values(prompt="else")))
    assert (remixed["prompt"]["value"], remixed["quality"]["value"]) == ("A red fox", "high")
    assert remixed["offers"]["value"] == {"ticked": ["demo/sketch"]}
    based = shown(await editing.on_base(one.app, None, event(run=run_id, position=0), *values(prompt="mine")))
    assert based["references"]["value"]["items"][0]["sha256"] == view.images[0].sha256
    assert "value" not in based["prompt"]
    with pytest.raises(gr.Error):
        await components.bound(editing.on_base, one.app)(None, event(run="nothing", position=0), *values())


@pytest.mark.asyncio
async def test_again_repeats_the_group_and_retry_the_run(harness: HarnessOf) -> None:
    one = harness()
    runs = await one.run(ImageRequest(prompt="A red fox"), "demo/flat", "demo/sketch")
    again = [item async for item in running.on_again(one.app, None, event(group=runs[0].run.group_id))]
    # A watcher sends its own group alone, from the first value to the last.
    assert {len(item[0]["groups"]) for item in again} == {1}
    assert states(again[-1][0]) == ["done"] * 2
    retried = [item async for item in running.on_retry(one.app, None, event(run=runs[1].run.run_id))]
    assert states(retried[-1][0]) == ["done"]
    assert states(await running.snapshot(one.app, LOCAL_OWNER)) == ["done"] * 5


@pytest.mark.asyncio
async def test_older_groups_come_six_at_a_time(harness: HarnessOf) -> None:
    one = harness()
    for number in range(8):
        await one.one(f"Fox {number}", "demo/flat")
    newest = await running.snapshot(one.app, LOCAL_OWNER)
    assert [group["prompt"] for group in newest["groups"]] == [f"Fox {number}" for number in (7, 6, 5, 4, 3, 2)]
    assert newest["more"] is True
    older = await running.on_more(one.app, None, event(before=newest["last"]))
    assert [group["prompt"] for group in older["groups"]] == ["Fox 1", "Fox 0"]
    assert (older["more"], older["is_page"]) == (False, False)


@pytest.mark.asyncio
async def test_every_listener_is_private_and_no_text_of_others_is_a_template(harness: HarnessOf) -> None:
    # Asynchronous, because Gradio leaves an event loop open where none is running.
    app: App = harness().app
    demo = build_app(app)
    listeners = [item for item in demo.config["dependencies"] if item["targets"]]
    assert {item["api_visibility"] for item in listeners} == {"private"}
    templates = [item["props"]["html_template"] for item in demo.config["components"] if item["type"] == "html"]
    assert not [template for template in templates if "${" in template or "{{" in template]
    names = {item["props"].get("elem_id") for item in demo.config["components"]}
    assert {"pg-prompt", "pg-run", "pg-stop", "pg-offers", "pg-size", "pg-quality", "pg-refs", "pg-upload"} <= names


def test_static_markup_refuses_what_gradio_would_run() -> None:
    for markup in ("<p>${1}</p>", "<p>a\\b</p>"):
        with pytest.raises(ValueError, match="script"):
            components.static(markup, elem_id="x")


def test_the_head_links_only_what_is_served() -> None:
    client = TestClient(Starlette(routes=[launch.assets_route()]))
    linked = set(re.findall(r'dp/[^">]+', launch.head_html()))
    assert len(linked) == 4
    for address in linked:
        assert client.get(f"/{address}").status_code == 200
