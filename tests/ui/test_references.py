"""The tray's handlers: what is too large comes with a copy that is not, and only own images are added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from playground import image_hygiene
from tests.arena.world import add_run, picture
from tests.harness import Harness
from tests.ui.handled import event, shown, values
from ui.pages.playground import editing


@pytest.mark.asyncio
async def test_a_picture_that_is_too_large_is_offered_smaller_and_added_when_that_is_taken(
    harness: Callable[..., Harness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_hygiene, "MAX_SIDE_PX", 200)
    path = tmp_path / "<b>wide.png"
    Image.new("RGB", (400, 100), "orange").save(path)
    app = harness().app
    tray = shown(await editing.on_upload(app, None, [str(path)], *values()))["references"]["value"]
    assert tray["items"] == []
    (note,) = tray["notes"]
    assert "<b>wide.png is too large to send: 400 × 100 px" in note["text"]
    assert "200 × 50 px" in note["text"]
    assert note["way"] == "Add it at 200 × 50"
    taken = shown(await editing.on_take(app, None, event(items=[note["smaller"]]), *values()))
    assert [(item["width"], item["height"]) for item in taken["references"]["value"]["items"]] == [(200, 50)]
    assert taken["size"]["value"] == "other"


@pytest.mark.asyncio
async def test_only_own_images_are_added_each_once(harness: Callable[..., Harness]) -> None:
    app = harness().app
    add_run(app.services, data=picture(number=1))
    add_run(app.services, owner="somebody", data=picture(number=2))
    rows = app.services.store.read(lambda db: list(db.query("select sha256 from images order by created_at, rowid")))
    items = [
        {"sha256": row["sha256"], "media_type": "image/png", "width": 64, "height": 48, "name": ""} for row in rows
    ]
    said = shown(await editing.on_take(app, None, event(items=[*items, *items, "nonsense"]), *values()))
    tray = said["references"]["value"]
    assert [item["sha256"] for item in tray["items"]] == [items[0]["sha256"]]
    assert tray["notes"][0]["text"] == "1 image could not be added: not there any more."
