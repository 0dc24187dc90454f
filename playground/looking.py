"""Looking through an archive before anything of it is taken in: every row, every reference, every byte.

What passes here fits together: ids are used once, rows point at rows that are there, and each picture is the picture its rows
say, under its own hash. Memory holds the ids, never the rows or the bytes.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from playground import archive
from playground.archive import ArchiveRefused, Contents
from storage.curation import MAX_TAGS
from storage.images import UnreadableImage, read_header
from storage.portable import blobs_of
from storage.portable_columns import TABLES, Portable, Values, WrongRow, absent, checked

MAX_BLOB_BYTES = 256_000_000
"""Of one file; the largest picture any provider sends has a tenth of it."""
RAW = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Expected:
    """What rows say of some bytes; `None` and 0 where none does."""

    media_type: str | None = None
    width: int = 0
    height: int = 0
    size_bytes: int = 0


@dataclass(slots=True)
class Looked:
    """The ids in an archive that was looked through."""

    groups: set[str] = field(default_factory=set)
    runs: dict[str, str] = field(default_factory=dict)
    """Run -> group."""
    images: dict[str, str] = field(default_factory=dict)
    """Image -> run."""
    battles: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Battle -> its two images."""
    votes: set[str] = field(default_factory=set)
    """Battles that have their vote."""
    paid: set[str] = field(default_factory=set)
    """Runs that have a line in the ledger."""
    tags: Counter[str] = field(default_factory=Counter)
    """Run -> how many."""
    voted: set[str] = field(default_factory=set)
    """Battles that ended with a vote."""
    bytes: dict[str, _Expected] = field(default_factory=dict)


def look_through(file: zipfile.ZipFile, held: Contents) -> Looked:
    """The ids of the archive.

    Raises:
        ArchiveRefused: something in it is not as it must be.
    """
    looked = Looked()
    for table in TABLES.values():
        _check_hash(file, held, table)
        _check_rows(file, held, table, looked)
    if unpaid := looked.runs.keys() - looked.paid:
        raise ArchiveRefused(f"The run {min(unpaid)!r} of the archive has no line in the ledger.")
    if looked.voted != looked.votes:
        odd = min(looked.voted ^ looked.votes)
        raise ArchiveRefused(f"The battle {odd!r} of the archive and its vote do not fit together.")
    _check_blobs(file, held, looked)
    return looked


def rows(file: zipfile.ZipFile, held: Contents, table: Portable) -> Iterator[Values]:
    """The checked rows of a table, one after the other. Raises: ArchiveRefused."""
    stand_ins = absent(table, held.manifest.schema)
    for number, line in enumerate(archive.lines(file, held.rows[table.name]), start=1):
        try:
            yield checked(table, orjson.loads(line), stand_ins)
        except orjson.JSONDecodeError:
            raise _refused(table, number, "it is no JSON") from None
        except WrongRow as error:
            raise _refused(table, number, str(error)) from None


def _refused(table: Portable, number: int, why: str) -> ArchiveRefused:
    return ArchiveRefused(f"Line {number:,} of {archive.rows_name(table.name)} cannot be taken: {why}.")


def _check_hash(file: zipfile.ZipFile, held: Contents, table: Portable) -> None:
    member = held.rows[table.name]
    digest = hashlib.sha256()
    for piece in archive.pieces(file, member):
        digest.update(piece)
    if digest.hexdigest() != held.manifest.sha256[member.filename]:
        raise ArchiveRefused(f"{member.filename} is not the file its manifest names. Export the archive again.")


def _check_rows(file: zipfile.ZipFile, held: Contents, table: Portable, looked: Looked) -> None:
    seen: dict[tuple[str, ...], set[tuple[object, ...]]] = {key: set() for key in (table.key, *table.places)}
    lines = 0
    for number, row in enumerate(rows(file, held, table), start=1):
        lines = number
        for key, taken in seen.items():
            values = tuple(row[name] for name in key)
            if values in taken:
                raise _refused(table, number, f"another line has the same {' and '.join(key)}")
            taken.add(values)
        why = _LOOKS[table.name](row, looked)
        if why:
            raise _refused(table, number, why)
        for sha256, media_type in blobs_of(row, table.name):
            _expect(looked, sha256, media_type, row, table, number)
    if lines != held.manifest.counts[table.name]:
        raise ArchiveRefused(
            f"{archive.rows_name(table.name)} has {lines:,} lines, its manifest says "
            f"{held.manifest.counts[table.name]:,}. Export the archive again."
        )


# What rows of each table point at, and what is remembered of them. Each answers with what is wrong, or nothing.


def _look_group(row: Values, looked: Looked) -> str:
    looked.groups.add(str(row["group_id"]))
    return ""


def _look_run(row: Values, looked: Looked) -> str:
    looked.runs[str(row["run_id"])] = str(row["group_id"])
    return "" if row["group_id"] in looked.groups else "its group is not in the archive"


def _of_run(row: Values, looked: Looked) -> str:
    return "" if row["run_id"] in looked.runs else "its run is not in the archive"


def _look_image(row: Values, looked: Looked) -> str:
    looked.images[str(row["image_id"])] = str(row["run_id"])
    return _of_run(row, looked)


def _of_image(row: Values, looked: Looked) -> str:
    return "" if row["image_id"] in looked.images else "its image is not in the archive"


def _look_line(row: Values, looked: Looked) -> str:
    looked.paid.add(str(row["run_id"]))
    return _of_run(row, looked)


def _look_tag(row: Values, looked: Looked) -> str:
    looked.tags[str(row["run_id"])] += 1
    if not row["tag"]:
        return "the tag is empty"
    if looked.tags[str(row["run_id"])] > MAX_TAGS:
        return f"a run has at most {MAX_TAGS} tags"
    return _of_run(row, looked)


def _look_battle(row: Values, looked: Looked) -> str:
    battle_id = str(row["battle_id"])
    looked.battles[battle_id] = str(row["image_a"]), str(row["image_b"])
    if row["state"] == "voted":
        looked.voted.add(battle_id)
    are_there = row["image_a"] in looked.images and row["image_b"] in looked.images
    return "" if are_there else "an image of it is not in the archive"


def _look_vote(row: Values, looked: Looked) -> str:
    looked.votes.add(str(row["battle_id"]))
    return "" if row["battle_id"] in looked.battles else "its battle is not in the archive"


def _look_mask(_row: Values, _looked: Looked) -> str:
    return ""


_LOOKS: dict[str, Callable[[Values, Looked], str]] = {
    "groups": _look_group,
    "runs": _look_run,
    "inputs": _of_run,
    "images": _look_image,
    "partials": _of_run,
    "derived_images": _of_image,
    "locks": _of_image,
    "masks": _look_mask,
    "ledger": _look_line,
    "tags": _look_tag,
    "battles": _look_battle,
    "votes": _look_vote,
}


# Bytes


def _expect(looked: Looked, sha256: str, media_type: str | None, row: Values, table: Portable, number: int) -> None:
    """Remembers what the row says of some bytes; the converted copy is spoken of by its type alone."""
    is_measured = sha256 == row.get("sha256") and "width" in table.columns
    width, height = (int(row["width"] or 0), int(row["height"] or 0)) if is_measured else (0, 0)
    size = int(row.get("size_bytes") or 0) if is_measured else 0
    was = looked.bytes.get(sha256, _Expected())
    pairs = (
        (was.media_type, media_type),
        (was.width, width),
        (was.height, height),
        (was.size_bytes, size),
    )
    if any(one and other and one != other for one, other in pairs):
        raise _refused(table, number, f"other rows say otherwise of the bytes {sha256[:12]}…")
    looked.bytes[sha256] = _Expected(
        was.media_type or media_type, was.width or width, was.height or height, was.size_bytes or size
    )


def _check_blobs(file: zipfile.ZipFile, held: Contents, looked: Looked) -> None:
    if missing := looked.bytes.keys() - held.blobs.keys():
        raise ArchiveRefused(f"The archive lacks the bytes {min(missing)[:12]}…, which a row of it speaks of.")
    if extra := held.blobs.keys() - looked.bytes.keys():
        raise ArchiveRefused(f"The archive holds the bytes {min(extra)[:12]}…, of which no row of it speaks.")
    for sha256, member in held.blobs.items():
        data = archive.read_all(file, member, MAX_BLOB_BYTES)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ArchiveRefused(f"{member.filename} holds other bytes than its name says. Nothing was taken in.")
        _check_picture(data, member, looked.bytes[sha256])


def _check_picture(data: bytes, member: zipfile.ZipInfo, expected: _Expected) -> None:
    media_type = archive.media_type_of(member)
    if expected.media_type not in (None, media_type):
        raise ArchiveRefused(f"{member.filename} is {media_type}, its row says {expected.media_type}.")
    if media_type == RAW:
        if expected.media_type != RAW:
            raise ArchiveRefused(f"{member.filename} is no picture, and its row says it is one.")
        return
    try:
        header = read_header(data)
    except UnreadableImage as error:
        raise ArchiveRefused(f"{member.filename} is no picture that is taken: {error}.") from None
    if header.media_type != media_type:
        raise ArchiveRefused(f"{member.filename} is {header.media_type} by its bytes.")
    is_as_said = expected.width in (0, header.width) and expected.height in (0, header.height)
    if not is_as_said or expected.size_bytes not in (0, len(data)):
        raise ArchiveRefused(f"{member.filename} has another size than its row says.")
