"""Favourite, tags and trash from a tile: they reach the store, come back with the results, and are the owner's alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.uploads import UploadRefused
from storage.curation import NotCurated
from tests.arena.world import add_run, picture
from tests.harness import Harness
from tests.ui.handled import event
from ui.pages.playground import curating

HarnessOf = Callable[..., Harness]


def run_of(one: Harness, **changes: Any) -> str:
    """The id of a new run with its images."""
    add_run(one.services, **changes)
    rows = one.services.store.read(lambda db: list(db.query("select run_id from runs order by seq desc limit 1")))
    return str(rows[0]["run_id"])


def tiles(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [tile for group in results["groups"] for tile in group["tiles"]]


@pytest.mark.asyncio
async def test_a_favourite_and_tags_come_back_with_the_tile(harness: HarnessOf) -> None:
    one = harness()
    run = run_of(one, images=2, data=picture(number=1))
    said = await curating.on_favourite(one.app, None, event(run=run, position=1, on=True))
    assert [tile["favourite"] for tile in tiles(said)] == [False, True]
    said = await curating.on_retag(one.app, None, event(run=run, position=1, tags="Logo, <b>client</b>,", without=""))
    assert tiles(said)[0]["tags"] == ["<b>client</b>", "logo"]
    said = await curating.on_retag(one.app, None, event(run=run, position=1, tags="", without="logo"))
    assert tiles(said)[0]["tags"] == ["<b>client</b>"]
    with pytest.raises(NotCurated):
        await curating.on_retag(one.app, None, event(run=run, position=1, tags="x" * 41, without=""))


@pytest.mark.asyncio
async def test_an_image_goes_to_the_trash_and_comes_back_and_an_empty_group_goes_with_it(harness: HarnessOf) -> None:
    one = harness()
    run = run_of(one, images=2, data=picture(number=1))
    said = await curating.on_trash(one.app, None, event(run=run, position=0))
    assert [tile["position"] for tile in tiles(said)] == [1]
    said = await curating.on_trash(one.app, None, event(run=run, position=1))
    assert tiles(said) == []
    assert len(said["gone"]) == 1
    said = await curating.on_restore(one.app, None, event(run=run, position=1))
    assert [tile["position"] for tile in tiles(said)] == [1]
    assert said["gone"] == []


@pytest.mark.asyncio
async def test_what_is_still_going_or_anothers_stays(harness: HarnessOf) -> None:
    one = harness()
    going = run_of(one, state="failed", images=0)
    one.services.store.write(lambda db: db.execute("update runs set state = 'sending', finished_at = null"))
    with pytest.raises(NotCurated, match="still going"):
        await curating.on_trash(one.app, None, event(run=going, position=0))
    with pytest.raises(UploadRefused):
        await curating.on_trash(one.app, None, event(run=run_of(one, owner="somebody"), position=0))
