"""What people say of their history: favourites, stars, tags, notes, and what goes to the trash and out of it.

Each function takes an owner and touches nothing of anybody else's. Each answers with what it changed, so that it can be
told and undone. Whoever calls owns the transaction: one call, however many images, is all or nothing.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.engine import Database
from storage.facts import IN_THE_TRASH, facts_held
from storage.rows import Row, changed, fetch, fetch_one, foreign_text
from storage.spacing import spaced

MAX_NOTE = 4000
"""Characters of a note; more is refused."""
MAX_TAG = 40
MAX_TAGS = 50
"""Of one run; more are refused."""


class NotCurated(ValueError):
    """What was wanted cannot be; the message can be shown."""


@dataclass(frozen=True, slots=True)
class Picked:
    """What an action is about. Both may be given; what is not the owner's is passed over."""

    images: Sequence[str] = ()
    """Ids of single images."""
    runs: Sequence[str] = ()
    """Ids of runs, each with all of its images."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What an action changed; what was so already is not among it."""

    images: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    """For tags: the runs. For the trash: runs that have no image."""

    def __bool__(self) -> bool:
        return bool(self.images or self.runs)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted for ever."""

    images: int
    runs: int
    """Runs of which nothing is left but their lines in the ledger."""
    freed_bytes: int
    """Of the images whose bytes nobody else needs."""
    without_image: int = 0
    """How many of the runs had no image to begin with."""


def clean_tag(text: str) -> str:
    """The tag as kept: lower case, single blanks, no comma.

    Raises:
        NotCurated: nothing is left of it, or it is longer than `MAX_TAG`.
    """
    tag = " ".join(unicodedata.normalize("NFC", foreign_text(text) or "").replace(",", " ").split()).casefold()
    tag = "".join(letter for letter in tag if unicodedata.category(letter)[0] != "C" and letter != '"')
    if not tag:
        raise NotCurated("A tag needs at least one letter.")
    if len(tag) > MAX_TAG:
        raise NotCurated(f"A tag has at most {MAX_TAG} characters.")
    return tag


def set_favourite(db: Database, owner: str, picked: Picked, *, favourite: bool) -> Changed:
    """Marks images as favourites, or takes the mark away."""
    rows = [row for row in _images(db, owner, picked) if bool(row["favourite"]) != favourite]
    with facts_held(db, ["favourite"]) as touched:
        db.conn.execute(
            "update images set favourite = ? where image_id in (select value from json_each(?))",
            (int(favourite), _ids(rows)),
        )
        touched.update(_runs_of(rows))
    return Changed(images=_image_ids(rows))


def set_stars(db: Database, owner: str, picked: Picked, stars: int) -> Changed:
    """Gives images so many stars, 0 to 5.

    Raises:
        NotCurated: another number.
    """
    if not 0 <= stars <= 5:
        raise NotCurated("Stars go from 0 to 5.")
    rows = [row for row in _images(db, owner, picked) if row["stars"] != stars]
    with facts_held(db, ["stars"]) as touched:
        db.conn.execute(
            "update images set stars = ? where image_id in (select value from json_each(?))", (stars, _ids(rows))
        )
        touched.update(_runs_of(rows))
    return Changed(images=_image_ids(rows))


def add_tags(db: Database, owner: str, picked: Picked, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Puts tags on the runs, single images stand for theirs; each tag with the runs that did not have it.

    Raises:
        NotCurated: a tag that cannot be, or a run would have more than `MAX_TAGS`.
    """
    wanted = list(dict.fromkeys(map(clean_tag, tags)))
    runs = _run_ids(db, owner, picked)
    added = {}
    for tag in wanted:
        rows = fetch(
            db,
            """select value from json_each(:runs)
            where not exists (select 1 from tags where run_id = value and tag = :tag)""",
            {"runs": json.dumps(runs), "tag": tag},
        )
        added[tag] = tuple(row["value"] for row in rows)
        db.conn.executemany("insert into tags (run_id, tag) values (?, ?)", [(run, tag) for run in added[tag]])
    touched = sorted({run for some in added.values() for run in some})
    full = fetch_one(
        db,
        "select 1 from tags where run_id in (select value from json_each(:runs)) group by run_id having count(*) > :most",
        {"runs": json.dumps(touched), "most": MAX_TAGS},
    )
    if full:
        raise NotCurated(f"A run has at most {MAX_TAGS} tags.")
    renew_words(db, touched)
    return added


def remove_tags(db: Database, owner: str, picked: Picked, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Takes tags from the runs; each tag with the runs that had it. Raises: NotCurated."""
    runs = json.dumps(_run_ids(db, owner, picked))
    removed = {}
    for tag in map(clean_tag, tags):
        rows = fetch(
            db,
            "select run_id from tags where tag = ? and run_id in (select value from json_each(?)) order by run_id",
            (tag, runs),
        )
        removed[tag] = tuple(row["run_id"] for row in rows)
        db.conn.executemany("delete from tags where run_id = ? and tag = ?", [(run, tag) for run in removed[tag]])
    renew_words(db, sorted({run for some in removed.values() for run in some}))
    return removed


def tags_of(db: Database, owner: str, *, limit: int = 200) -> list[tuple[str, int]]:
    """The owner's tags with how many runs out of the trash have each, the most used first."""
    rows = fetch(
        db,
        """select t.tag, count(*) as runs from tags as t cross join runs as r on r.run_id = t.run_id
        where r.owner = ? and r.trashed_at is null group by t.tag order by runs desc, t.tag limit ?""",
        (owner, limit),
    )
    return [(row["tag"], row["runs"]) for row in rows]


def set_note(db: Database, owner: str, run_id: str, note: str) -> bool:
    """Keeps a note on a run, instead of the one that was there; false when the run is not the owner's.

    Raises:
        NotCurated: longer than `MAX_NOTE`.
    """
    text = (foreign_text(note) or "").replace("\0", " ").strip()
    if len(text) > MAX_NOTE:
        raise NotCurated(f"A note has at most {MAX_NOTE:,} characters; this one has {len(text):,}.")
    was_kept = changed(
        db,
        "update runs set note = :note where run_id = :run and owner = :owner and deleted_at is null",
        {"note": text, "run": run_id, "owner": owner},
    )
    if was_kept:
        renew_words(db, [run_id])
    return was_kept


def trash(db: Database, owner: str, picked: Picked, at: str) -> Changed:
    """Puts images in the trash, and runs that have none; runs that are still going stay, with all they have."""
    rows = [row for row in _images(db, owner, picked) if row["trashed_at"] is None and not row["is_open"]]
    of_images = _runs_of(rows)
    with facts_held(db, IN_THE_TRASH) as touched:
        db.conn.execute(
            "update images set trashed_at = ? where image_id in (select value from json_each(?))", (at, _ids(rows))
        )
        hidden = fetch(
            db,
            """update runs set trashed_at = :at
            where run_id in (select value from json_each(:runs)) and owner = :owner and trashed_at is null
            and state not in ('queued', 'sending', 'waiting', 'downloading')
            and not exists (select 1 from images as i where i.run_id = runs.run_id and i.trashed_at is null)
            returning run_id""",
            {"at": at, "owner": owner, "runs": json.dumps(sorted(of_images | set(picked.runs)))},
        )
        touched.update(of_images, (row["run_id"] for row in hidden))
    return Changed(_image_ids(rows), tuple(row["run_id"] for row in hidden if row["run_id"] not in of_images))


def restore(db: Database, owner: str, picked: Picked) -> Changed:
    """Takes images and runs out of the trash."""
    rows = [row for row in _images(db, owner, picked) if row["trashed_at"] is not None]
    of_images = _runs_of(rows)
    with facts_held(db, IN_THE_TRASH) as touched:
        db.conn.execute(
            "update images set trashed_at = null where image_id in (select value from json_each(?))", (_ids(rows),)
        )
        shown = fetch(
            db,
            """update runs set trashed_at = null where run_id in (select value from json_each(:runs)) and owner = :owner
            and trashed_at is not null and deleted_at is null returning run_id""",
            {"owner": owner, "runs": json.dumps(sorted(of_images | set(picked.runs)))},
        )
        touched.update(of_images, (row["run_id"] for row in shown))
    return Changed(_image_ids(rows), tuple(row["run_id"] for row in shown if row["run_id"] not in of_images))


def _images(db: Database, owner: str, picked: Picked) -> list[Row]:
    """The owner's images that are meant, each with what actions ask for."""
    return fetch(
        db,
        """with meant (image_id) as (
            select value from json_each(:images)
            union select image_id from images where run_id in (select value from json_each(:runs))
        )
        select i.image_id, i.run_id, i.favourite, i.stars, i.trashed_at,
            r.state in ('queued', 'sending', 'waiting', 'downloading') as is_open
        from meant as m cross join images as i on i.image_id = m.image_id join runs as r on r.run_id = i.run_id
        where r.owner = :owner and i.deleted_at is null order by i.image_id""",
        {"owner": owner, "images": json.dumps(list(picked.images)), "runs": json.dumps(list(picked.runs))},
    )


def _run_ids(db: Database, owner: str, picked: Picked) -> list[str]:
    rows = fetch(
        db,
        """select run_id from runs where owner = :owner and deleted_at is null and run_id in (
            select value from json_each(:runs)
            union select run_id from images where image_id in (select value from json_each(:images))) order by run_id""",
        {"owner": owner, "images": json.dumps(list(picked.images)), "runs": json.dumps(list(picked.runs))},
    )
    return [row["run_id"] for row in rows]


def renew_words(db: Database, runs: Sequence[str]) -> None:
    """Bring what the text index holds of these runs up to date with their tags and notes."""
    rows = fetch(
        db,
        """select run_id, prompt, note, coalesce((select group_concat(tag, char(10)) from (
            select tag from tags where tags.run_id = runs.run_id order by tag) as t), '') as tags
        from runs where run_id in (select value from json_each(?))""",
        (json.dumps(runs),),
    )
    # One statement: the text index takes twice as long over as many statements as there are runs.
    words = [[row["run_id"], row["tags"], spaced("\n".join([row["prompt"], row["tags"], row["note"]]))] for row in rows]
    db.conn.execute(
        """update runs set tags = w.value ->> 1, spaced = w.value ->> 2 from json_each(?) as w
        where runs.run_id = w.value ->> 0""",
        (json.dumps(words, ensure_ascii=False),),
    )


def _ids(rows: Sequence[Row]) -> str:
    return json.dumps([row["image_id"] for row in rows])


def _runs_of(rows: Sequence[Row]) -> set[str]:
    return {row["run_id"] for row in rows}


def _image_ids(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row["image_id"] for row in rows)
