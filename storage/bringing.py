"""Rows on their way into a store, all of them in one transaction, after their bytes are on disk.

Whoever brings them owns them. A row that is there already is theirs and stays as it is. An id that is somebody else's, or
in public mode any that is not yet here, is replaced by one that follows from it and the owner (`own_id`): the same archive
brought a second time is known again, and nobody learns whether an id of another's exists.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storage import tallies, vote_chain
from storage.curation import renew_words
from storage.engine import Database
from storage.portable_columns import TABLES, Values
from storage.rows import fetch

IdKind = Literal["group", "run", "image", "battle"]

_OWNERS: Mapping[IdKind, str] = {
    "group": "select group_id as id, owner from groups where group_id in (select value from json_each(:ids))",
    "run": "select run_id as id, owner from runs where run_id in (select value from json_each(:ids))",
    "image": """select i.image_id as id, r.owner from images as i join runs as r on r.run_id = i.run_id
        where i.image_id in (select value from json_each(:ids))""",
    "battle": "select battle_id as id, voter as owner from battles where battle_id in (select value from json_each(:ids))",
}
_TIME_CHARS = 10
"""Of a ULID: these tell its time and keep their place, so that what was brought keeps its order."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ids of an archive are called here."""

    names: Mapping[str, str]
    """Id in the archive -> id here."""
    here: frozenset[str]
    """Ids of the archive whose rows are here already, and are the owner's."""


def own_id(owner: str, one: str, kind: IdKind) -> str:
    """Another id for the same thing, always the same one for this owner."""
    digest = hashlib.sha256("\0".join(["diptych", kind, owner, one]).encode())
    if kind == "battle":
        return digest.hexdigest()[:32]
    letters = base64.b32hexencode(digest.digest()[:10]).decode().lower()
    return one[:_TIME_CHARS].lower() + letters if len(one) == 26 else letters + letters[:10]


def known(db: Database, owner: str, ids: Sequence[str], kind: IdKind, *, renames_all: bool) -> Known:
    """Which of the ids are here, and how the others will be called. `renames_all`: whether or not their ids are free."""
    owners = _owners_of(db, ids, kind)
    mine = {one for one in ids if owners.get(one) == owner}
    renamed = {one: own_id(owner, one, kind) for one in ids if one not in mine and (renames_all or one in owners)}
    theirs = _owners_of(db, renamed.values(), kind)
    here = mine | {one for one, name in renamed.items() if theirs.get(name) == owner}
    return Known({one: renamed.get(one, one) for one in ids}, frozenset(here))


def _owners_of(db: Database, ids: Iterable[str], kind: IdKind) -> dict[str, str]:
    rows = fetch(db, _OWNERS[kind], {"ids": json.dumps(list(ids))})
    return {row["id"]: row["owner"] for row in rows}


def deleted_for_ever(db: Database, run_ids: Iterable[str]) -> int:
    """How many of the runs were deleted for ever here."""
    sql = """select count(*) as runs from runs where deleted_at is not null
        and run_id in (select value from json_each(?))"""
    return int(fetch(db, sql, (json.dumps(list(run_ids)),))[0]["runs"])


def insert(db: Database, table: str, rows: Iterable[Values], more: Mapping[str, str | int | None]) -> int:
    """Writes rows with further columns that are the same for all, as they come; how many there were.

    Raises:
        sqlite3.IntegrityError: a row breaks a rule of the table.
    """
    columns = [*TABLES[table].columns, *more]
    into, marks = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    cursor = db.conn.executemany(
        " ".join(["insert into", table, "(", into, ") values (", marks, ")"]), (row | dict(more) for row in rows)
    )
    return cursor.rowcount if cursor.rowcount > 0 else 0


def keep_mask(db: Database, owner: str, row: Values) -> None:
    """Keeps the mask of an image, unless there is one."""
    db.conn.execute(
        """insert into masks (owner, base_sha256, mask_sha256, updated_at)
        values (:owner, :base_sha256, :mask_sha256, :updated_at) on conflict (owner, base_sha256) do nothing""",
        row | {"owner": owner},
    )


def finish(db: Database, run_ids: Sequence[str], *, has_votes: bool) -> None:
    """Brings up to date what follows from the rows that were written: the words of runs, the chain of votes, and sums over
    votes; these only with `has_votes`: votes came that count on everybody's boards.
    """
    renew_words(db, run_ids)
    vote_chain.append_new(db)
    if has_votes:
        tallies.make_anew(db)
        db.conn.execute("delete from elo_days")


def name_as_coming(db: Database, hashes: Sequence[str], at: str) -> None:
    """Names bytes that are about to be written, so that `freeing.sweep_freed` finds them where their rows never come."""
    db.conn.executemany(
        "insert into freed (sha256, at) values (?, ?) on conflict (sha256) do nothing", [(one, at) for one in hashes]
    )
