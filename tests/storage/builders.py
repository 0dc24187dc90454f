"""Records for tests, with everything a test does not care about filled in."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

from PIL import Image

from storage import ledger, locks, masks, runs, uploads
from storage.database import Store
from storage.engine import Database
from storage.records import (
    DerivedImage,
    Group,
    LedgerLine,
    Run,
    StoredImage,
    StoredInput,
    StoredJob,
    StoredPartial,
    Upload,
)

NOW = "2026-11-21T10:15:30.123Z"
LATER = "2026-11-21T10:15:31.456Z"
SHA = "ab" * 32


def make_group(group_id: str = "g1", **changes: Any) -> Group:
    return replace(Group(group_id, "local", "run", "generate", "a cat", NOW), **changes)


def make_run(run_id: str = "r1", **changes: Any) -> Run:
    run = Run(
        run_id=run_id,
        group_id="g1",
        owner="local",
        position=0,
        offer="openai/gpt-image-2",
        operation="generate",
        prompt="a cat",
        asked={"size": "auto", "n": 1},
        state="queued",
        queued_at=NOW,
        estimate_microusd=31_000,
    )
    return replace(run, **changes)


def make_line(run_id: str = "r1", **changes: Any) -> LedgerLine:
    return replace(LedgerLine(f"l-{run_id}", run_id, "reserved", 31_000, "estimated", None, NOW), **changes)


def make_image(run_id: str = "r1", **changes: Any) -> StoredImage:
    return replace(StoredImage(f"i-{run_id}", run_id, 0, SHA, "image/png", 8, 6, 100, NOW), **changes)


def make_input(run_id: str = "r1", **changes: Any) -> StoredInput:
    return replace(StoredInput(run_id, 0, "image", SHA, "image/png", 8, 6), **changes)


def make_partial(run_id: str = "r1", **changes: Any) -> StoredPartial:
    return replace(StoredPartial(run_id, 0, 0, SHA, "image/png", NOW), **changes)


def make_job(run_id: str = "r1", **changes: Any) -> StoredJob:
    job = StoredJob(
        run_id=run_id,
        position=0,
        provider="fal",
        remote_id=f"job-of-{run_id}",
        tracking={"status_url": "https://queue.example/1"},
        images=2,
        first_position=0,
        claimed_at=NOW,
    )
    return replace(job, **changes)


def make_derived(image_id: str = "i-r1", **changes: Any) -> DerivedImage:
    return replace(DerivedImage(image_id, "locked", SHA, "image/png", 8, 6, 100, {}, NOW), **changes)


def make_upload(**changes: Any) -> Upload:
    return replace(Upload("local", SHA, "image/png", 8, 6, 100, "cat.png", NOW), **changes)


def insert_group(db: Database, group: Group) -> None:
    """A group as every version of the schema can hold it."""
    columns = ("group_id", "owner", "kind", "operation", "template", "created_at")
    insert_row(db, "groups", {name: getattr(group, name) for name in columns})


def insert_row(db: Database, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    db.conn.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", tuple(row.values()))


def insert_as_first_released(db: Database, run: Run) -> None:
    """A run with its reservation as every version of the schema can hold it."""
    insert_group(db, make_group(run.group_id, owner=run.owner))
    columns = ("run_id", "group_id", "owner", "position", "offer", "operation", "prompt", "state", "queued_at")
    row = {name: getattr(run, name) for name in columns}
    insert_row(db, "runs", row | {"asked": json.dumps(run.asked), "estimate_microusd": run.estimate_microusd})
    insert_lines(db, make_line(run.run_id))


def insert(db: Database, *some: Run) -> None:
    """Runs with their groups and reservations."""
    for group_id, owner in dict.fromkeys((run.group_id, run.owner) for run in some):
        if runs.get_group(db, group_id, None) is None:
            insert_group(db, make_group(group_id, owner=owner))
    runs.insert_runs(db, some, [], [])
    insert_lines(db, *(make_line(run.run_id) for run in some))


def insert_lines(db: Database, *some: LedgerLine) -> None:
    """Lines as every version of the schema can hold them."""
    columns_now = [column[0] for column in db.conn.execute("select * from ledger limit 0").description]
    if "owner" in columns_now:
        ledger.insert(db, some)
        return
    columns = ("ledger_id", "run_id", "state", "amount_microusd", "source", "price_id", "at")
    for line in some:
        insert_row(db, "ledger", {name: getattr(line, name) for name in columns})


def end(db: Database, run_id: str = "r1", **changes: Any) -> bool:
    values: dict[str, Any] = {
        "state": "succeeded",
        "finished_at": LATER,
        "latency_ms": 900,
        "got": None,
        "request_id": None,
        "error": None,
    }
    return runs.finish(db, run_id, **(values | changes))


def picture(
    *, size: tuple[int, int] = (8, 6), mode: str = "RGB", form: str = "PNG", colour: Any = 40, **options: Any
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form, **options)
    return out.getvalue()


def store_everything(store: Store) -> dict[str, str]:
    """One finished run with every kind of row, its bytes and thumbnail; the hashes by kind of row."""
    kinds = ("image", "input", "partial", "upload", "locked", "drift", "mask")
    data = {kind: picture(colour=shade) for shade, kind in enumerate(kinds)}
    sha = {kind: store.blobs.put(content, "image/png") for kind, content in data.items()}
    sha["converted"] = store.blobs.put(picture(form="GIF"), "image/gif")
    sha["unreadable"] = store.blobs.put(b"<html>", "application/octet-stream")

    def job(db: Database) -> None:
        runs.insert_group(db, make_group())
        runs.insert_runs(db, [make_run()], [make_input(sha256=sha["input"])], [make_line(state="settled")])
        runs.add_image(db, make_image(sha256=sha["image"], size_bytes=len(data["image"])))
        runs.set_converted(db, "i-r1", sha["converted"], "image/gif")
        runs.add_partial(db, make_partial(sha256=sha["partial"]), first_preview_ms=1)
        uploads.add(db, make_upload(sha256=sha["upload"], size_bytes=len(data["upload"])))
        locks.owe(db, "i-r1", NOW)
        derived = [
            make_derived(kind=kind, sha256=sha[kind], size_bytes=len(data[kind])) for kind in ("locked", "drift")
        ]
        locks.made(db, "i-r1", derived, note="", at=LATER)
        masks.keep(db, "local", sha["input"], sha["mask"], NOW)
        end(db, unreadable_sha256=sha["unreadable"])

    store.write(job)
    source = store.blobs.find(sha["image"])
    assert source
    store.thumbs.ensure(sha["image"], source)
    return sha
