"""History and Settings: handlers as functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from arena import opening
from playground.settings import Settings
from tests.arena.world import add_run
from tests.harness import Harness
from ui.blocks import build_app
from ui.pages import history, settings

Make = Callable[..., Harness]
VISITOR: Any = SimpleNamespace(cookies={})


def event(**told: object) -> Any:
    return SimpleNamespace(**told)


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


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
    assert {"ar-board", "ar-upload-button"} <= ids
    assert {"lb-board", "lb-proof", "hi-search", "hi-grid", "hi-details"} <= ids
    assert {"st-nav", "st-keys", "st-storage", "st-shortcuts", "st-about"} <= ids
    assert not any(component["props"].get("type") == "password" for component in components)
