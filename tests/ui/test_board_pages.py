"""Settings: handlers as functions; and what all pages have."""

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
from ui.pages import settings

Make = Callable[..., Harness]
VISITOR: Any = SimpleNamespace(cookies={})


def event(**told: object) -> Any:
    return SimpleNamespace(**told)


@pytest.fixture
def one(harness: Make) -> Harness:
    return harness(key=None)


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
    assert {"lb-board", "lb-proof", "hi-page"} <= ids
    assert {"st-nav", "st-keys", "st-storage", "st-shortcuts", "st-about"} <= ids
    assert not any(component["props"].get("type") == "password" for component in components)
