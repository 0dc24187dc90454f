"""Deleting for ever what is in the trash: rows and words go now, bytes as soon as nobody needs them.

The lines of the ledger stay, and of a run as much as they need: whose, which offer, when, what state. An image that met
another in a battle keeps its row, because the votes do; its bytes go. Whoever calls owns the transaction. Queries name the
indexes of the trash: left to choose, SQLite reads all of the owner's runs.
"""

from __future__ import annotations

import json

from storage.curation import Deleted, Picked
from storage.engine import Database
from storage.facts import facts_held
from storage.freeing import free
from storage.rows import fetch, fetch_one


def delete_for_ever(db: Database, owner: str, picked: Picked, at: str) -> Deleted:
    """Deletes those of the picked images and runs that are in the owner's trash."""
    rows = fetch(
        db,
        """with meant (image_id) as (
            select value from json_each(:images)
            union select image_id from images where run_id in (select value from json_each(:runs))
        )
        select i.image_id, i.run_id from meant as m cross join images as i on i.image_id = m.image_id
        cross join runs as r on r.run_id = i.run_id
        where r.owner = :owner and i.trashed_at is not null and i.deleted_at is null""",
        {"owner": owner, "images": json.dumps(list(picked.images)), "runs": json.dumps(list(picked.runs))},
    )
    touched = {row["run_id"] for row in rows} | set(picked.runs)
    return _delete(db, owner, [row["image_id"] for row in rows], sorted(touched), at)


def empty_trash(db: Database, owner: str, at: str, *, trashed_before: str | None = None) -> Deleted:
    """Deletes all of the owner's trash, or what has been there since before that time (UTC text)."""
    limit = {"owner": owner, "before": trashed_before}
    images = fetch(
        db,
        """select i.image_id, i.run_id from images as i indexed by images_in_trash cross join runs as r on r.run_id = i.run_id
        where i.trashed_at is not null and i.deleted_at is null and r.owner = :owner
        and (:before is null or i.trashed_at < :before)""",
        limit,
    )
    runs = fetch(
        db,
        """select run_id from runs indexed by runs_in_trash
        where trashed_at is not null and deleted_at is null and owner = :owner
        and (:before is null or trashed_at < :before)""",
        limit,
    )
    touched = {row["run_id"] for row in (*images, *runs)}
    return _delete(db, owner, [row["image_id"] for row in images], sorted(touched), at)


def owners_with_trash(db: Database, trashed_before: str) -> list[str]:
    """Who has something in the trash since before that time (UTC text)."""
    rows = fetch(
        db,
        """select r.owner from images as i join runs as r on r.run_id = i.run_id
        where i.trashed_at is not null and i.deleted_at is null and i.trashed_at < :before
        union select owner from runs where trashed_at is not null and deleted_at is null and trashed_at < :before""",
        {"before": trashed_before},
    )
    return [row["owner"] for row in rows]


def trash_size(db: Database, owner: str) -> tuple[int, int, int]:
    """Images and runs without an image in the owner's trash, and the bytes of those images."""
    row = fetch_one(
        db,
        """select count(*) as images, coalesce(sum(i.size_bytes), 0) as bytes,
            (select count(*) from runs as e indexed by runs_in_trash
                where e.trashed_at is not null and e.deleted_at is null and e.owner = :owner
                and not exists (select 1 from images as x where x.run_id = e.run_id and x.deleted_at is null)) as runs
        from images as i indexed by images_in_trash cross join runs as r on r.run_id = i.run_id
        where i.trashed_at is not null and i.deleted_at is null and r.owner = :owner""",
        {"owner": owner},
    )
    return (row["images"], row["runs"], row["bytes"]) if row else (0, 0, 0)


def _delete(db: Database, owner: str, images: list[str], touched: list[str], at: str) -> Deleted:
    given: dict[str, object] = {"owner": owner, "at": at, "images": json.dumps(images), "touched": json.dumps(touched)}
    sizes = _sizes(db, given)
    had = _with_image(db, given)
    with facts_held(db) as renewed:
        renewed.update(touched)
        dropped = _drop_images(db, given)
        ended = fetch(
            db,
            """select r.run_id, r.group_id from runs as r where r.run_id in (select value from json_each(:touched))
            and r.owner = :owner and r.trashed_at is not null and r.deleted_at is null
            and r.state not in ('queued', 'sending', 'waiting', 'downloading')
            and not exists (select 1 from images as i where i.run_id = r.run_id and i.deleted_at is null)""",
            given,
        )
        given["runs"] = json.dumps([row["run_id"] for row in ended])
        given["groups"] = json.dumps(sorted({row["group_id"] for row in ended}))
        dropped |= _drop_runs(db, given)
    dropped |= _drop_masks(db, owner, dropped)
    gone = free(db, dropped, at)
    return Deleted(
        len(images),
        len(ended),
        sum(size for sha256, size in sizes.items() if sha256 in gone),
        sum(row["run_id"] not in had for row in ended),
    )


def _with_image(db: Database, given: dict[str, object]) -> set[str]:
    rows = fetch(
        db,
        """select distinct run_id from images where run_id in (select value from json_each(:touched))""",
        given,
    )
    return {row["run_id"] for row in rows}


def _sizes(db: Database, given: dict[str, object]) -> dict[str, int]:
    rows = fetch(
        db,
        """select sha256, size_bytes from images where image_id in (select value from json_each(:images))
        union select sha256, size_bytes from derived_images where image_id in (select value from json_each(:images))""",
        given,
    )
    return {row["sha256"]: row["size_bytes"] for row in rows}


def _drop_images(db: Database, given: dict[str, object]) -> set[str]:
    """Drops what hangs on the images and the images themselves; the hashes they spoke of."""
    rows = fetch(
        db,
        """select sha256 from images where image_id in (select value from json_each(:images))
        union select converted_sha256 from images where image_id in (select value from json_each(:images))
            and converted_sha256 is not null
        union select sha256 from derived_images where image_id in (select value from json_each(:images))
        union select p.sha256 from images as i join partials as p on p.run_id = i.run_id and p.image_position = i.position
            where i.image_id in (select value from json_each(:images))""",
        given,
    )
    for sql in (
        """delete from partials where (run_id, image_position) in (
            select run_id, position from images where image_id in (select value from json_each(:images)))""",
        "delete from derived_images where image_id in (select value from json_each(:images))",
        "delete from locks where image_id in (select value from json_each(:images))",
        # Nobody can be asked about a picture that is gone.
        """update battles set state = 'expired' where state = 'open'
        and (image_a in (select value from json_each(:images)) or image_b in (select value from json_each(:images)))""",
        """update images set deleted_at = :at, revised_prompt = null, favourite = 0, stars = 0, phash = null
        where image_id in (select value from json_each(:images))
        and image_id in (select image_a from battles union select image_b from battles)""",
        "delete from images where image_id in (select value from json_each(:images)) and deleted_at is null",
    ):
        db.conn.execute(sql, given)
    return {row["sha256"] for row in rows}


def _drop_runs(db: Database, given: dict[str, object]) -> set[str]:
    """Leaves of the runs what the ledger needs, and nothing of what was said or shown; the hashes they spoke of."""
    rows = fetch(
        db,
        """select sha256 from partials where run_id in (select value from json_each(:runs))
        union select sha256 from inputs where run_id in (select value from json_each(:runs))
        union select unreadable_sha256 from runs where run_id in (select value from json_each(:runs))
            and unreadable_sha256 is not null""",
        given,
    )
    for sql in (
        "delete from partials where run_id in (select value from json_each(:runs))",
        "delete from inputs where run_id in (select value from json_each(:runs))",
        "delete from jobs where run_id in (select value from json_each(:runs))",
        "delete from tags where run_id in (select value from json_each(:runs))",
        """update runs set deleted_at = :at, prompt = '', tags = '', note = '', spaced = '', sent = null, got = null,
            error = null, unreadable_sha256 = null,
            asked = json_remove(asked, '$.prompt', '$.images', '$.mask', '$.user')
        where run_id in (select value from json_each(:runs))""",
        """update groups set template = '', layout = null where group_id in (select value from json_each(:groups))
        and not exists (select 1 from runs as r where r.group_id = groups.group_id and r.deleted_at is null)""",
    ):
        db.conn.execute(sql, given)
    return {row["sha256"] for row in rows}


def _drop_masks(db: Database, owner: str, dropped: set[str]) -> set[str]:
    """Drops the owner's masks of images that are gone; their hashes."""
    rows = fetch(
        db,
        """delete from masks where owner = :owner and base_sha256 in (select value from json_each(:bases))
        and not exists (select 1 from images where sha256 = base_sha256 and deleted_at is null)
        and not exists (select 1 from inputs where sha256 = base_sha256)
        and not exists (select 1 from uploads where sha256 = base_sha256) returning mask_sha256""",
        {"owner": owner, "bases": json.dumps(sorted(dropped))},
    )
    return {row["mask_sha256"] for row in rows}
