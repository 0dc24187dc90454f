"""Everything of one visitor is deleted, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from arena import battle, opening
from arena.erasing import erase_everything
from arena.opening import Wanted
from playground import curation, uploads
from playground.kept_masks import keep_mask
from playground.settings import Settings
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.curation import Picked
from storage.verify import verify
from tests.harness import Harness

MINE, OTHERS = "A zebra of mine", "A lion of another's"


def every_row(one: Harness) -> list[tuple[str, str]]:
    """Table and text of each row."""
    tables = [
        row["name"]
        for row in one.services.store.read(
            lambda db: list(db.query("select name from sqlite_master where type = 'table'"))
        )
        if not row["name"].startswith(("sqlite_", "runs_fts_"))
    ]

    def read(db: Any) -> list[tuple[str, str]]:
        return [(table, repr(row)) for table in tables for row in db.query(f"select * from {table}")]

    return one.services.store.read(read)


@pytest.mark.asyncio
async def test_everything_of_one_visitor_goes_and_nothing_of_anothers(
    harness: Callable[..., Harness], tmp_path: Path
) -> None:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    services, store = one.services, one.services.store
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "shared.png")
    for owner, prompt in (("mine", MINE), ("other", OTHERS)):
        await one.run(ImageRequest(prompt), "demo/flat", "demo/sketch", owner=owner)
        found = await opening.next_battle(services, owner, Wanted("any", None))
        assert found is not None
        await battle.vote(services, found.battle_id, owner, "a")
        shared = await uploads.take_upload(services, owner, tmp_path / "shared.png", f"{owner}.png")
        views = await one.run(ImageRequest(prompt, images=(shared.input,)), "demo/flat", owner=owner)
        await keep_mask(services, owner, shared.input.sha256, shared.input.sha256)
        await curation.add_tags(services, owner, Picked(runs=(views[0].run.run_id,)), [f"tag of {owner}"])
    services.keys.put(CATALOG.provider("openai"), "mine", "sk-test-0123456789")
    before = every_row(one)
    kept = [row for row in before if "other" in row[1] or OTHERS in row[1]]
    blobs = {sha256 for sha256, _ in store.blobs.all()}
    erased = await erase_everything(services, one.engine, "mine", unused_s=0)
    assert (erased.deleted.images, erased.uploads, erased.votes_kept) == (3, 1, 1)
    after = every_row(one)
    assert [
        row for row in after if MINE in row[1] or "zebra" in row[1] or "mine.png" in row[1] or "tag of mine" in row[1]
    ] == []
    # What is left under the owner's name holds no word of theirs: runs and groups for the ledger, and sums of money.
    left = {table for table, row in after if "'mine'" in row}
    assert left <= {"runs", "groups", "ledger", "spend_days", "spend_spans"}
    assert [row for row in kept if row not in after] == []
    # The file that both brought along stays; those only this visitor had are gone, with their thumbnails.
    remaining = {sha256 for sha256, _ in store.blobs.all()}
    assert shared.input.sha256 in remaining
    assert len(blobs - remaining) == 3
    assert not list((store.data_dir / "blind").glob(f"{erased.battles[0]}*"))
    assert services.keys.find(CATALOG.provider("openai"), "mine") is None
    assert verify(store) == []
    again = await erase_everything(services, one.engine, "mine", unused_s=0)
    assert (again.deleted.images, again.votes_kept) == (0, 0)
    await one.stop()
