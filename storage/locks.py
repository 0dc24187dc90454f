"""Images locked outside their mask: what is still to be made, what was made of it, and why something could not be.

A lock is due from the transaction that writes its image, so that a crash between the two leaves a trace. It is made or refused
once; each change of state says by its answer whether it happened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from storage.engine import Database
from storage.records import DerivedImage, ImageLock
from storage.rows import changed, document, fetch, to_derived, to_lock


def owe(db: Database, image_id: str, at: str) -> None:
    """Says that an image is to be locked. Its row is there already. Raises: sqlite3.IntegrityError when it is not."""
    db.conn.execute("insert into locks (image_id, state, note, tries, at) values (?, 'due', '', 0, ?)", (image_id, at))


def due_of_run(db: Database, run_id: str) -> dict[int, str]:
    """Images of a run that are still to be locked: position -> `image_id`."""
    rows = fetch(
        db,
        """select i.position, i.image_id from images as i join locks as l on l.image_id = i.image_id
        where i.run_id = ? and l.state = 'due' order by i.position""",
        (run_id,),
    )
    return {row["position"]: row["image_id"] for row in rows}


def due_runs(db: Database) -> list[str]:
    """Ids of all runs with an image that is still to be locked, oldest first."""
    rows = fetch(
        db,
        """select distinct i.run_id from locks as l join images as i on i.image_id = l.image_id
        where l.state = 'due' order by i.run_id""",
    )
    return [row["run_id"] for row in rows]


def begin(db: Database, image_id: str, most_tries: int) -> bool:
    """Counts a try; false when the lock is not due any more, or was begun `most_tries` times."""
    return changed(
        db,
        "update locks set tries = tries + 1 where image_id = :image_id and state = 'due' and tries < :most",
        {"image_id": image_id, "most": most_tries},
    )


def made(db: Database, image_id: str, derived: Sequence[DerivedImage], *, note: str, at: str) -> bool:
    """Ends a due lock with what was made; the bytes are in the blob folder already. False when it is not due any more."""
    if not _end(db, image_id, "made", note, at):
        return False
    db.conn.executemany(
        """insert into derived_images
            (image_id, kind, sha256, media_type, width, height, size_bytes, figures, created_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                each.image_id,
                each.kind,
                each.sha256,
                each.media_type,
                each.width,
                each.height,
                each.size_bytes,
                document(each.figures),
                each.created_at,
            )
            for each in derived
        ],
    )
    return True


def refuse(db: Database, image_id: str, *, note: str, at: str) -> bool:
    """Ends a due lock without anything made; `note` is a sentence. False when it is not due any more."""
    return _end(db, image_id, "refused", note, at)


def _end(db: Database, image_id: str, state: str, note: str, at: str) -> bool:
    return changed(
        db,
        "update locks set state = :state, note = :note, at = :at where image_id = :image_id and state = 'due'",
        {"state": state, "note": note, "at": at, "image_id": image_id},
    )


def of_runs(db: Database, run_ids: str) -> dict[str, list[ImageLock]]:
    """The locks of some runs' images with what was made, by run and in the order of the images. `run_ids`: a JSON list."""
    rows = fetch(
        db,
        """select i.run_id, l.image_id, l.state, l.note, l.tries, l.at
        from images as i join locks as l on l.image_id = i.image_id
        where i.run_id in (select value from json_each(?)) order by i.run_id, i.position""",
        (run_ids,),
    )
    derived = _derived_of(db, [row["image_id"] for row in rows])
    found: dict[str, list[ImageLock]] = {}
    for row in rows:
        run_id = row.pop("run_id")
        made_of = derived.get(row["image_id"], {})
        lock = replace(to_lock(row), locked=made_of.get("locked"), drift=made_of.get("drift"))
        found.setdefault(run_id, []).append(lock)
    return found


def _derived_of(db: Database, image_ids: Sequence[str]) -> dict[str, dict[str, DerivedImage]]:
    """What was made of each image, by kind."""
    found: dict[str, dict[str, DerivedImage]] = {}
    if image_ids:
        sql = "select * from derived_images where image_id in (select value from json_each(?))"
        for row in fetch(db, sql, (json.dumps(image_ids),)):
            found.setdefault(row["image_id"], {})[row["kind"]] = to_derived(row)
    return found
