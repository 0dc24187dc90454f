"""Bringing back: what somebody took along (`taking`) becomes theirs here, whole or not at all.

First everything is looked at: each row, each reference from one to another, the bytes of each picture. Only then bytes are
written, and at last all rows in one transaction. Whoever is killed in between leaves bytes whose names stand in `freed`, so
that a later pass deletes them. In public mode an archive is a stranger's word: its votes count on the visitor's own board only,
and its pictures never meet in a battle.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from playground import archive
from playground.archive import ArchiveRefused, Contents
from playground.looking import MAX_BLOB_BYTES, Looked, look_through, rows
from playground.services import Services
from storage import bringing
from storage.blobs import BlobFolder
from storage.bringing import Known, own_id
from storage.engine import Database
from storage.portable import blobs_of
from storage.portable_columns import TABLES, Values
from storage.votes import BROUGHT

MOST_BYTES = {"local": 200_000_000_000, "public": 500_000_000}
"""Of an archive, unpacked, by the mode of the server."""
MOST_RUNS = {"local": 1_000_000, "public": 5_000}
MOST_MEMBERS = {"local": archive.MAX_MEMBERS, "public": 60_000}
"""Files in it: some for each run. Each takes a kilobyte of memory while it is looked through."""
_KEPT_S = 24 * 3600
"""So long bytes whose rows are on their way are safe from being swept."""
_WRITE_S = 1800.0
"""All rows are one transaction; hundred thousands of them take a minute."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an archive brings, or would bring."""

    new: Mapping[str, int]
    """Groups, runs, images, battles and votes that are not here."""
    here: Mapping[str, int]
    """Of the same, those that are here already and stay as they are."""
    stay_deleted: int
    """Of the runs that are here: those that were deleted for ever. They do not come back."""
    new_files: int
    new_bytes: int
    """What the new files take on the disk."""
    exported_at: str
    product_version: str

    @property
    def brings_nothing(self) -> bool:
        """Whether all of it is here."""
        return not any(self.new.values())


_IDS: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in ("group_id", "run_id", "image_id", "battle_id")},
        **{"image_a": "image_id", "image_b": "image_id"},
    }
)
"""Columns that hold an id, and of what."""


@dataclass(frozen=True, slots=True)
class _Naming:
    """What everything in the archive is called here, and what of it is here."""

    groups: Known
    runs: Known
    images: Known
    battles: Known
    run_of: Mapping[str, str]
    """Image -> its run in the archive."""
    without_image: frozenset[str]
    """Battles of an image that is not here any more."""

    def is_here(self, table: str, row: Values) -> bool:
        """Whether the row is here already, or belongs to something that is."""
        if table == "groups":
            return row["group_id"] in self.groups.here
        if table in ("battles", "votes"):
            return row["battle_id"] in self.battles.here or row["battle_id"] in self.without_image
        if table in ("derived_images", "locks"):
            return self.run_of[str(row["image_id"])] in self.runs.here
        return row.get("run_id") in self.runs.here

    def renamed(self, row: Values) -> Values:
        """The ids of the row as they are here; a line of the ledger is called after its run."""
        of = {"group_id": self.groups, "run_id": self.runs, "image_id": self.images, "battle_id": self.battles}
        names: Values = {column: of[kind].names[str(row[column])] for column, kind in _IDS.items() if column in row}
        if "ledger_id" in row and row["run_id"] != names["run_id"]:
            names["ledger_id"] = own_id(str(names["run_id"]), str(row["ledger_id"]), "run")
        return names


def bring(services: Services, path: Path, owner: str, *, dry_run: bool = False) -> Report:
    """Takes the archive in, or with `dry_run` says what that would bring. Blocking, for as long as reading it takes.

    Raises:
        ArchiveRefused: something in it cannot be; nothing was written.
        StoreError: the store cannot be written; no row was.
    """
    mode = services.settings.mode
    with archive.opened(path, MOST_MEMBERS[mode]) as file:
        held = archive.contents(file, size_bytes=path.stat().st_size, most_bytes=MOST_BYTES[mode])
        if held.manifest.counts["runs"] > MOST_RUNS[mode]:
            raise ArchiveRefused(
                f"The archive holds more than {MOST_RUNS[mode]:,} runs. Export fewer groups at a time."
            )
        looked = look_through(file, held)
        naming = services.store.read(lambda db: _naming(db, looked, owner, renames_all=mode == "public"))
        needed = _needed(file, held, naming)
        report = _report(services, held, looked, naming, needed)
        if dry_run or report.brings_nothing:
            return report
        try:
            _keep_bytes(services, file, held, needed)
            _write(services, file, held, naming, owner)
        finally:
            for sha256 in needed:
                _shielded(services.store.blobs, sha256, 0)
    return report


def _naming(db: Database, looked: Looked, owner: str, *, renames_all: bool) -> _Naming:
    runs = bringing.known(db, owner, list(looked.runs), "run", renames_all=renames_all)
    images = bringing.known(db, owner, list(looked.images), "image", renames_all=renames_all)
    for image_id, run_id in looked.images.items():
        if image_id in images.here and run_id not in runs.here:
            raise ArchiveRefused(f"The image {image_id!r} of the archive stands for one of another run here.")
    gone = {image_id for image_id, run_id in looked.images.items() if run_id in runs.here} - images.here
    return _Naming(
        groups=bringing.known(db, owner, list(looked.groups), "group", renames_all=renames_all),
        runs=runs,
        images=images,
        battles=bringing.known(db, owner, list(looked.battles), "battle", renames_all=renames_all),
        run_of=looked.images,
        without_image=frozenset(battle_id for battle_id, pair in looked.battles.items() if gone & set(pair)),
    )


def _report(services: Services, held: Contents, looked: Looked, naming: _Naming, needed: set[str]) -> Report:
    battles_here = naming.battles.here | naming.without_image
    here = {
        "groups": len(naming.groups.here),
        "runs": len(naming.runs.here),
        "images": sum(run_id in naming.runs.here for run_id in looked.images.values()),
        "battles": len(battles_here),
        "votes": len(looked.votes & battles_here),
    }
    there = [naming.runs.names[run_id] for run_id in naming.runs.here]
    # In public mode it is not told which pictures others have here already.
    is_public = services.settings.mode == "public"
    coming = [held.blobs[sha256].file_size for sha256 in needed if is_public or not services.store.blobs.exists(sha256)]
    return Report(
        new={table: held.manifest.counts[table] - count for table, count in here.items()},
        here=here,
        stay_deleted=services.store.read(lambda db: bringing.deleted_for_ever(db, there)),
        new_files=len(coming),
        new_bytes=sum(coming),
        exported_at=held.manifest.exported_at,
        product_version=held.manifest.product_version,
    )


# What of the archive is new, under its names here


def _new_rows(file: zipfile.ZipFile, held: Contents, table: str, naming: _Naming) -> Iterator[Values]:
    """The rows of a table that are not here, with the ids they get. They were looked through before."""
    for row in rows(file, held, TABLES[table]):
        if not naming.is_here(table, row):
            yield row | naming.renamed(row)


def _needed(file: zipfile.ZipFile, held: Contents, naming: _Naming) -> set[str]:
    """Hashes of all bytes that new rows speak of."""
    return {
        sha256 for table in TABLES for row in _new_rows(file, held, table, naming) for sha256, _ in blobs_of(row, table)
    }


# Writing


def _keep_bytes(services: Services, file: zipfile.ZipFile, held: Contents, needed: set[str]) -> None:
    """Brings all bytes to disk, named beforehand, and out of reach of whoever sweeps meanwhile."""
    blobs = services.store.blobs
    at = services.now()

    def name(db: Database) -> None:
        bringing.name_as_coming(db, sorted(needed), at)

    services.store.write(name)
    for sha256 in sorted(needed):
        if _shielded(blobs, sha256, _KEPT_S):
            continue
        member = held.blobs[sha256]
        blobs.put(archive.read_all(file, member, MAX_BLOB_BYTES), archive.media_type_of(member))
        _shielded(blobs, sha256, _KEPT_S)


def _shielded(blobs: BlobFolder, sha256: str, seconds: float) -> bool:
    """Puts the file's time so far ahead, because files that were just put are not swept; false where it is not there."""
    path = blobs.find(sha256)
    if path is None:
        return False
    then = time.time() + seconds
    try:
        os.utime(path, (then, then))
    except FileNotFoundError:
        return False
    return True


def _write(services: Services, file: zipfile.ZipFile, held: Contents, naming: _Naming, owner: str) -> None:
    is_public = services.settings.mode == "public"
    now = services.now()
    more: Mapping[str, Mapping[str, str | int | None]] = {
        "groups": {"owner": owner},
        "runs": {"owner": owner, "brought_at": now},
        "battles": {"voter": owner},
        "votes": {"voter": owner},
        "ledger": {"owner": owner, "session": ""},
    }
    # Of strangers nobody knows whether it is true: it must weigh nothing for others.
    weightless = {"votes": _kept_off, "ledger": _without_money} if is_public else {}

    def write(db: Database) -> None:
        written = 0
        for table in TABLES:
            new = _new_rows(file, held, table, naming)
            if table == "masks":
                for row in new:
                    bringing.keep_mask(db, owner, row)
            else:
                if table in weightless:
                    new = map(weightless[table], new)
                written = bringing.insert(db, table, new, more.get(table, {}))
        new_runs = [naming.runs.names[one] for one in naming.runs.names if one not in naming.runs.here]
        bringing.finish(db, new_runs, has_votes=written > 0 and not is_public)

    try:
        services.store.write(write, timeout_s=_WRITE_S)
    except sqlite3.IntegrityError as error:
        raise ArchiveRefused(
            "Something of the archive does not fit to what is here, or came here at this moment. Nothing was taken in; "
            "try again."
        ) from error


def _without_money(line: Values) -> Values:
    """The line without an amount, which would count against everybody's limits."""
    nothing: Values = {"state": "released", "amount_microusd": 0, "reserved_microusd": None, "images": 0}
    return line | nothing | {"source": "unknown", "settled_by": None}


def _kept_off(vote: Values) -> Values:
    """The vote without weight on everybody's boards."""
    return vote | {"reason": BROUGHT}
