"""How images look, as 64 bits each: all of one owner's at once, and the images behind those that fit.

The hashes come packed, because a hundred thousand of them are looked through for one picture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from storage.engine import Database
from storage.records import Run, StoredImage
from storage.rows import Row, fetch, to_image, to_run
from storage.unrevealed import UNREVEALED, blind_parameters

Made = Literal["image", "converted", "locked", "drift"]
"""What bytes are to an image: itself, its copy in another format, or made of it."""


@dataclass(frozen=True, slots=True)
class Look:
    """An image with the run that made it."""

    image: StoredImage
    run: Run


@dataclass(frozen=True, slots=True)
class Packed:
    """Hashes of images, and the row numbers of these images in the same order."""

    hashes: bytes
    """Eight bytes each, the first bit first."""
    rows: bytes
    """Row numbers in decimal, with commas between them."""


_VISIBLE = " ".join(
    [
        """i.deleted_at is null and i.trashed_at is null and (:owner is null or r.owner = :owner)
        and (:blind_at is null or r.run_id not in (""",
        UNREVEALED,
        "))",
    ]
)


def packed(db: Database, owner: str | None, *, blind_at: str | None) -> Packed:
    """The look of all images of the owner's that are not in the trash. Owner `None`: anybody's.

    `blind_at`: the time now; images of a battle that waits for its vote are left out. `None`: all.
    """
    sql = " ".join(
        [
            """select coalesce(group_concat(i.phash, ''), ''), coalesce(group_concat(i.rowid, ','), '')
            from images as i join runs as r on r.run_id = i.run_id where i.phash is not null and""",
            _VISIBLE,
        ]
    )
    [(hashes, rows)] = db.conn.execute(sql, _parameters(owner, blind_at)).fetchall()
    return Packed(bytes.fromhex(hashes), str(rows).encode())


def at_rows(db: Database, rows: Sequence[int]) -> dict[int, Look]:
    """The images with these row numbers; some may be gone by now."""
    found = fetch(
        db,
        """select rowid as number, * from images where deleted_at is null
        and rowid in (select cast(value as bigint) from json_each(?))""",
        (json.dumps(list(rows)),),
    )
    runs = _runs_of(db, [row["run_id"] for row in found])
    return {row.pop("number"): Look(to_image(row), runs[row["run_id"]]) for row in found}


def with_bytes(db: Database, sha256: str, owner: str | None, *, blind_at: str | None) -> list[tuple[Made, Look]]:
    """The images that are these very bytes, or of which they were made here, newest first; each image once."""
    sql = " ".join(
        [
            """with found (image_id, made, place) as (
                select image_id, 'image', 1 from images where sha256 = :sha256
                union all select image_id, 'converted', 2 from images where converted_sha256 = :sha256
                union all select image_id, kind, 3 from derived_images where sha256 = :sha256
            )
            select f.made, i.* from found as f join images as i on i.image_id = f.image_id
            join runs as r on r.run_id = i.run_id where""",
            _VISIBLE,
            "order by f.place, r.seq desc, i.position limit 20",
        ]
    )
    return _looks(db, fetch(db, sql, _parameters(owner, blind_at) | {"sha256": sha256}))


def named(db: Database, image_id: str, owner: str | None, *, blind_at: str | None) -> Look | None:
    """The image of that id, if it is the owner's and not in the trash."""
    sql = " ".join(
        [
            """select 'image' as made, i.* from images as i join runs as r on r.run_id = i.run_id
            where i.image_id = :image_id and""",
            _VISIBLE,
        ]
    )
    found = _looks(db, fetch(db, sql, _parameters(owner, blind_at) | {"image_id": image_id}))
    return found[0][1] if found else None


def unseen(db: Database, owner: str | None, limit: int) -> list[StoredImage]:
    """Images whose look was never taken, newest first: they came before looks were kept. Damaged ones have none."""
    rows = fetch(
        db,
        """select i.* from images as i join runs as r on r.run_id = i.run_id
        where i.phash is null and i.deleted_at is null and (:owner is null or r.owner = :owner)
        and r.state not in ('queued', 'sending', 'waiting', 'downloading')
        and not exists (select 1 from json_each(i.checks) where value = 'damaged') order by r.seq desc limit :limit""",
        {"owner": owner, "limit": limit},
    )
    return [to_image(row) for row in rows]


def _looks(db: Database, rows: Sequence[Row]) -> list[tuple[Made, Look]]:
    runs = _runs_of(db, [row["run_id"] for row in rows])
    once: dict[str, tuple[Made, Look]] = {}
    for row in rows:
        made = row.pop("made")
        once.setdefault(row["image_id"], (made, Look(to_image(row), runs[row["run_id"]])))
    return list(once.values())


def _runs_of(db: Database, run_ids: Sequence[str]) -> dict[str, Run]:
    sql = "select * from runs where run_id in (select value from json_each(?))"
    return {row["run_id"]: to_run(row) for row in fetch(db, sql, (json.dumps(list(run_ids)),))}


def _parameters(owner: str | None, blind_at: str | None) -> dict[str, object]:
    return {"owner": owner} | blind_parameters(blind_at)
