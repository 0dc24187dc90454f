"""Sweeps on the page: what the form says before the press, the grid and its holes after it, and the file to take along."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import library
from playground.engine import PlanRefused
from playground.library import GroupView
from playground.ready import sources_of
from playground.services import LOCAL_OWNER
from providers.types import ImageRequest
from storage.records import RunView
from tests.harness import Harness
from tests.storage.builders import make_group, make_image, make_run
from tests.ui.test_playground_page import values
from ui import drafts, routes, sweep_views
from ui.forms import FormValues, SweepText
from ui.pages.playground import editing, form, sweeping
from ui.sweep_page import sweep_page

Make = Callable[..., Harness]
HOSTILE = "<script>alert(1)</script>\"'"


def axes(x: str, y: str = "", **varied: str) -> dict[str, str]:
    return {"x_vary": "quality", "x_values": x, "y_vary": "replace_text", "y_values": y, **varied}


def view(position: int, state: str = "succeeded", **changes: Any) -> RunView:
    run = make_run(
        f"r{position}", position=position, state=state, asked={"prompt": changes.pop("prompt", str(position))}
    )
    images = (make_image(f"r{position}"),) if state == "succeeded" else ()
    return RunView(replace(run, **changes), images, (), (), 0, "reported", "settled")


def group_of(*runs: RunView, cells: int = 2) -> GroupView:
    layout = {
        "x": {"vary": "quality", "values": ["low", "high", "odd"][: cells + 1]},
        "y": None,
        "cells": [*({"run": place, "problem": ""} for place in range(cells)), {"run": None, "problem": "No quality 'odd'."}],
    }  # fmt: skip
    return GroupView(make_group(kind="sweep", layout=layout), runs)


def test_a_cell_shows_what_succeeded_else_what_came_last() -> None:
    failed, again, done = view(1, "failed"), view(2, "failed", prompt="1"), view(3, prompt="1")
    group = group_of(view(0), failed, again)
    grid: Any = sweep_views.grid_view(group)
    assert [cell["tile"] for cell in grid["cells"]] == ["r0:0", "r2:0", None]
    assert grid["cells"][2]["why"] == "No quality 'odd'."
    assert [run.run.run_id for run in sweep_views.holes_of(group)] == ["r2"]
    assert grid["holes"] == "Run 1 hole again · about $0.031"
    healed: Any = sweep_views.grid_view(group_of(view(0), failed, done, again))
    assert [cell["tile"] for cell in healed["cells"]] == ["r0:0", "r3:0", None]
    assert healed["holes"] == ""
    assert sweep_views.holes_of(group_of(view(0), view(1, "sending"))) == []
    assert [run.run.run_id for run in sweep_views.first_of(group)] == ["r0", "r1"]


def test_the_form_counts_cells_names_what_is_left_out_and_says_the_price(harness: Make) -> None:
    sources = sources_of(harness().services, LOCAL_OWNER)
    typed = SweepText("quality", "low\nhigh\nodd", "replace_text", "fox\nowl")
    given = FormValues(prompt="A fox", offers=("openai/gpt-image-2", "demo/flat"), sweep=typed)
    said: Any = sweep_views.outlook_view(given, ImageRequest("A fox", quality="low"), sources)
    assert (said["cells"], said["runs"], said["can_start"], said["is_first_of_many"]) == (6, 4, True, True)
    assert said["label"].startswith("Add 4 runs · $0.")
    assert [one["cell"] for one in said["left_out"]] == ["odd × fox", "odd × owl"]
    assert "odd" in said["left_out"][0]["why"]
    assert sweep_views.outlook_view(replace(given, sweep=SweepText()), ImageRequest("A fox"), sources) is None


def test_the_time_is_by_what_was_measured_and_by_the_places_of_each_provider(harness: Make) -> None:
    sources = sources_of(harness().services, LOCAL_OWNER)
    given = FormValues(prompt="A", offers=("openai/gpt-image-2",), sweep=SweepText("prompt", "\n".join("abcdefgh")))
    sweep = sweep_views.sweep_of_form(given, ImageRequest("A"), sources)
    assert sweep is not None
    places = sources.catalog.provider("openai").max_concurrent
    assert sweep_views.minutes(sweep, {"openai/gpt-image-2": 60_000}) == f"About {8 / places:.0f} min"
    assert sweep_views.minutes(sweep, {}) == "No run of this model was timed yet."


def test_a_draft_with_anything_in_it_is_read() -> None:
    for wrong in (None, 7, [], {"x_vary": "key", "x_values": 3}, {"x_vary": None}):
        assert drafts.sweep_of(wrong) == SweepText()
    kept = FormValues(sweep=SweepText("size", "1024x1024", "model", "a"))
    assert drafts.from_draft(drafts.draft_of(kept), FormValues()).sweep == kept.sweep


@pytest.mark.asyncio
async def test_a_sweep_is_started_as_it_was_priced_and_its_holes_are_filled_in_place(harness: Make) -> None:
    one = harness(key=None)
    given = values(prompt="A fox", sweep=axes("low\nmedium", "fox\n[fail] owl"), partial_images="0")
    said = dict(
        zip(("outlook", "draft", *form.NAMES, "run"), await editing.on_change(one.app, None, *given), strict=True)
    )
    sweep = said["outlook"]["sweep"]
    stale = SimpleNamespace(agreed="4 9 9 0")
    (refused,) = [update async for update in sweeping.on_start(one.app, None, stale, *given)]
    assert refused[3]["sweep"]["agreed"] == sweep["agreed"]
    assert await library.recent_groups(one.services, LOCAL_OWNER, limit=2) == []
    start = SimpleNamespace(agreed=sweep["agreed"])
    updates = [update async for update in sweeping.on_start(one.app, None, start, *given)]
    (group,) = updates[-1][0]["groups"]
    assert [tile["state"] for tile in group["tiles"]] == ["done", "done", "failed", "failed"]
    assert group["grid"]["holes"].startswith("Run 2 holes again")
    again = [update async for update in sweeping.on_holes(one.app, None, SimpleNamespace(group=group["id"]))]
    (group,) = again[-1][0]["groups"]
    assert len(group["tiles"]) == 6
    assert len(group["grid"]["cells"]) == 4
    with pytest.raises(PlanRefused, match="no hole"):
        _ = [update async for update in sweeping.on_holes(one.app, None, SimpleNamespace(group="nobody"))]
    assert (await sweeping.on_forecast(one.app, None, *given))["words"].startswith("About ")
    page = TestClient(Starlette(routes=routes.routes(one.app)))
    file = page.get(f"/{group['grid']['export']}")
    assert file.text.count("data:image/webp;base64,") == 2
    assert file.text.count('class="hole"') == 2
    assert "attachment" in file.headers["content-disposition"]
    assert page.get("/sweeps/nobody.html").status_code == 404
    await one.stop()


def test_what_was_typed_is_text_in_the_file(harness: Make) -> None:
    run = view(0)
    group = group_of(replace(run, run=replace(run.run, prompt=HOSTILE)), cells=1)
    layout = {**(group.group.layout or {}), "x": {"vary": "prompt", "values": [HOSTILE, HOSTILE]}}
    layout["cells"] = [{"run": 0, "problem": ""}, {"run": None, "problem": HOSTILE}]
    hostile = GroupView(replace(group.group, template=HOSTILE, layout=layout), group.runs)
    page = sweep_page(hostile, {run.images[0].sha256: b"webp"}, harness().services.catalog)
    assert page is not None
    assert "<script" not in page
    assert page.count(html.escape(HOSTILE)) >= 4
    assert sweep_page(GroupView(make_group(), (run,)), {}, harness().services.catalog) is None
