"""Bytes that were deleted for ever: named in the transaction that drops their rows, gone from the disk soon after.

So whoever is killed in between leaves a name, and the next pass goes on. Bytes stay as long as any row of anybody speaks
of them, and as long as somebody may just be writing such a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from storage.coming import left_over
from storage.database import Store
from storage.engine import Database
from storage.rows import fetch

UNUSED_S = 120.0
"""Bytes that were put so recently are left for the next pass: their row may still be on its way."""

# The name of the hash stands where `{0}` is.
_HELD = """(
    exists (select 1 from images where sha256 = {0} and deleted_at is null)
    or exists (select 1 from images where converted_sha256 = {0} and deleted_at is null)
    or exists (select 1 from derived_images where sha256 = {0})
    or exists (select 1 from inputs where sha256 = {0})
    or exists (select 1 from partials where sha256 = {0})
    or exists (select 1 from uploads where sha256 = {0})
    or exists (select 1 from masks where mask_sha256 = {0})
    or exists (select 1 from runs where unreadable_sha256 = {0})
)"""


def free(db: Database, candidates: Iterable[str], at: str) -> set[str]:
    """Names those of the hashes that no row speaks of any more; the caller has just dropped rows of theirs."""
    listed = json.dumps(sorted(set(candidates)))
    rows = fetch(db, " ".join(["select value from json_each(?) as c where not", _HELD.format("c.value")]), (listed,))
    db.conn.executemany(
        "insert into freed (sha256, at) values (?, ?) on conflict (sha256) do nothing",
        [(row["value"], at) for row in rows],
    )
    return {row["value"] for row in rows}


def freed(db: Database) -> set[str]:
    """Hashes whose bytes are about to go."""
    return {row["sha256"] for row in fetch(db, "select sha256 from freed")}


def sweep_copies(store: Store, *, unused_s: float = UNUSED_S) -> int:
    """Where several data folders share an object store: deletes this one's copies of what another deleted; how many. Blocking.

    Raises:
        StoreError: the database cannot be read, or the object store not be asked.
    """
    if store.blobs.home is None:
        return 0
    coming = {one.sha256 for one in left_over(store.blobs)}
    listed = json.dumps([sha256 for sha256, _ in store.blobs.all() if sha256 not in coming])
    unheld = " ".join(["select value from json_each(?) as c where not", _HELD.format("c.value")])
    candidates = [row["value"] for row in store.read(lambda db: fetch(db, unheld, (listed,)))]
    gone = [sha256 for sha256 in candidates if store.blobs.drop_copy(sha256, unused_s=unused_s)]
    for sha256 in gone:
        store.thumbs.delete(sha256)
    return len(gone)


def sweep_freed(store: Store, *, unused_s: float = UNUSED_S) -> int:
    """Deletes the bytes that were freed, with their thumbnails, and says how many are gone. Blocking; may run any time.

    Raises:
        StoreError: the database cannot be written now; what is left goes the next time.
    """

    def still_unheld(db: Database) -> list[str]:
        db.conn.execute(" ".join(["delete from freed where", _HELD.format("freed.sha256")]))
        return sorted(freed(db))

    gone = store.blobs.discard_all(store.write(still_unheld), unused_s=unused_s)
    for sha256 in gone:
        store.thumbs.delete(sha256)

    def forget(db: Database) -> None:
        db.conn.executemany("delete from freed where sha256 = ?", [(sha256,) for sha256 in gone])

    if gone:
        store.write(forget)
    return len(gone)
