"""Settings: handlers as functions; and what all pages have."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from arena import opening
from playground import library, preferences, taking_along
from playground.embedded import settings_in
from playground.owners import owner_of_token
from playground.settings import Secret, Settings, SnapshotPlace
from playground.snapshotting import Standing
from playground.visitor_settings import PublicSettings
from tests.arena.world import add_run
from tests.harness import Harness
from ui import forms
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
    liked, privacy, shown = await settings.on_visit(one.app, VISITOR)
    assert [field["value"] for field in liked["fields"]] == ["low", "1024x1024", "png", "1", "300", "none"]
    assert [card["figure"] for card in privacy["cards"]] == ["1", "1", "0"]
    assert [card["label"] for card in shown["cards"]] == ["Images", "Database"]
    good = await settings.on_verify(one.app, VISITOR)
    assert good["verified"]["ok"], good["verified"]
    found = one.services.store.blobs.find(sha256)
    assert found is not None
    found.unlink()
    bad = await settings.on_verify(one.app, VISITOR)
    assert not bad["verified"]["ok"]
    assert bad["verified"]["problems"]
    strip = await settings.on_keys_changed(one.app, VISITOR)
    assert strip["ready"] == 1


@pytest.mark.asyncio
async def test_settings_tell_how_it_stands_with_the_copy_elsewhere(harness: Make) -> None:
    place = SnapshotPlace("hf://datasets/owner/copies", None)
    public = PublicSettings(operator_token=Secret("t" * 20))
    one = harness(settings=replace(Settings(), mode="public", public=public, snapshot=place), key=None)
    one.app.snapshots.go_on_from(Standing("failed", place.place, None, "The Hub refused."))
    visitor: Any = SimpleNamespace(headers={"x-diptych-visitor": "v" * 43}, cookies={})
    *_, shown = await settings.on_visit(one.app, visitor)
    assert shown["cards"] is None
    assert "is tried again" in shown["snapshots"]["text"]
    assert "Hub" not in shown["snapshots"]["text"]
    assert one.app.operators.enter(owner_of_token("v" * 43), "t" * 20)
    shown = await settings.on_verify(one.app, visitor)
    assert "The Hub refused." in shown["snapshots"]["text"]
    # What is made in a private session is copied nowhere.
    *_, shown = await settings.on_visit(replace(one.app, is_private=True), visitor)
    assert shown["snapshots"] is None


def test_a_battle_lives_a_day() -> None:
    assert timedelta(hours=24) == opening.LIFE


@pytest.mark.asyncio
async def test_on_a_public_server_the_audit_and_the_folder_are_the_hosts(harness: Make) -> None:
    public = PublicSettings(operator_token=Secret("t" * 20))
    one = harness(settings=replace(Settings(), mode="public", public=public), key=None)
    visitor: Any = SimpleNamespace(headers={"x-diptych-visitor": "v" * 43}, cookies={})
    shown = await settings.on_verify(one.app, visitor)
    assert shown["cards"] is None
    assert str(one.services.store.data_dir) not in str(shown)
    assert one.app.operators.enter(owner_of_token("v" * 43), "t" * 20)
    assert (await settings.on_verify(one.app, visitor))["verified"]["ok"]


@pytest.mark.asyncio
async def test_what_somebody_prefers_begins_the_form_and_is_written_into_their_downloads(one: Harness) -> None:
    view = await one.one("a fox", "demo/flat")
    path = library.owned_file(one.services, view.images[0].sha256, "local")
    assert path is not None
    assert await taking_along.copy_of(one.services, "local", path) is None
    wanted = event(changed={"quality": "medium", "n": 2, "timeout_s": 9e9, "size": "1x1", "metadata": "embedded"})
    kept = await settings.on_prefer(one.app, VISITOR, wanted)
    assert [field["value"] for field in kept["fields"]] == ["medium", "1024x1024", "png", "2", "300", "embedded"]
    begun = forms.begun_with(forms.FormValues(), await preferences.of_owner(one.services, "local"))
    assert (begun.quality, begun.n) == ("medium", 2)
    copy = await taking_along.copy_of(one.services, "local", path)
    assert copy is not None
    found = settings_in(copy.data)
    assert found is not None
    assert (found.prompt, found.sha256) == ("a fox", path.stem)
    await preferences.keep(one.services, "local", {"metadata": "sidecar"})
    beside = await taking_along.copy_of(one.services, "local", path)
    assert beside is not None
    with zipfile.ZipFile(io.BytesIO(beside.data)) as archive:
        assert archive.read(archive.namelist()[0]) == path.read_bytes()
        assert b"a fox" in archive.read(archive.namelist()[1])
    # What is another's, or nobody's, is taken along as it is.
    await preferences.keep(one.services, "other", {"metadata": "sidecar"})
    assert await taking_along.copy_of(one.services, "other", path) is None
    await one.stop()


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
