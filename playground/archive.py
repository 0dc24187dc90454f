"""The file in which runs travel: a ZIP of a manifest, rows as JSON lines, and bytes under their SHA-256.

    manifest.json            format, versions, when, how many rows, the SHA-256 of each file of rows
    rows/runs.jsonl          one row a line; one file for each table of `storage.portable_columns`
    blobs/ab/ab12….png       bytes exactly as they are kept, not compressed again

An archive from outside is a stranger's file: it is opened here only after its table of contents was checked whole. Nothing is
ever unpacked under a name that stands in it.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

import orjson

from storage.anchors import ANCHOR_FIELD, Anchor, anchor_in
from storage.blobs import EXTENSIONS
from storage.migrations import RELEASED
from storage.portable_columns import TABLES

FORMAT = "diptych-archive"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SCHEMA = RELEASED[-1]

MAX_MEMBERS = 2_000_000
_ENTRY_BYTES = 160
"""Of a file in the table of contents: 46 and its name, at most 77 of them here, and some room for what other programs add."""
_LONGEST_END = 2**16 + 200
"""The end of the table of contents, with the longest comment."""
MAX_MANIFEST_BYTES = 1_000_000
MAX_LINE_BYTES = 4_000_000
"""A row holds a prompt and what a provider said of a run."""
MAX_ROWS_BYTES = 4_000_000_000
"""Of one file of rows, unpacked."""
MAX_RATIO = 300
"""Rows shrink to a fifth, a bomb to a thousandth."""
_FREE_RATIO_BYTES = 1_000_000
"""Files up to this may shrink as they like: some rows repeat themselves."""

_ROWS = re.compile(r"rows/([a-z_]+)\.jsonl")
_BLOB = re.compile(r"blobs/([0-9a-f]{2})/([0-9a-f]{64})\.([a-z]{3,4})")
_UNIX, _LINK, _KIND = 3, 0xA000, 0xF000
_ENCRYPTED = 0x1
_UNREADABLE = (zipfile.BadZipFile, ValueError)
"""What `zipfile` raises of a stranger's table of contents or header. It promises no list, so each class has an archive in
`tests/hostile/archives.py` that raises it: `ValueError` of "a name that is no text" and "a place beyond 64 bits", `BadZipFile`
of most others."""
_ANOTHER_ZIP = "This ZIP uses a part of the format that is not read here ({}). Choose a file that `export` wrote."
_UNREAD = MappingProxyType({0x20: "compressed patched data", 0x40: "strong encryption"})
"""By its flag in the table of contents, 4.4.4 of the APPNOTE named below: what `zipfile` stops at when a file is opened."""
_BY_EXTENSION = MappingProxyType({extension: media_type for media_type, extension in EXTENSIONS.items()})


class ArchiveRefused(ValueError):
    """A file that is not taken in. The message can be shown: what was found, what was expected. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself."""

    product_version: str
    schema: str
    """The newest step of the schema it was written under."""
    exported_at: str
    counts: Mapping[str, int]
    """Rows of each table."""
    sha256: Mapping[str, str]
    """Of each file of rows, by its name in the archive."""
    blobs: int
    blob_bytes: int
    votes_at: Anchor = Anchor()
    """Where the store's chain of votes ended, all voters' votes in it."""

    def document(self) -> dict[str, object]:
        """As it is written."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "product": "diptych",
            "product_version": self.product_version,
            "schema": self.schema,
            "exported_at": self.exported_at,
            "counts": dict(self.counts),
            "sha256": dict(self.sha256),
            "blobs": {"count": self.blobs, "bytes": self.blob_bytes, "named": "by their SHA-256"},
            ANCHOR_FIELD: self.votes_at.document(),
        }


@dataclass(frozen=True, slots=True)
class Contents:
    """A checked table of contents."""

    manifest: Manifest
    rows: Mapping[str, zipfile.ZipInfo]
    """By table."""
    blobs: Mapping[str, zipfile.ZipInfo]
    """By SHA-256."""


def rows_name(table: str) -> str:
    """The name of a file of rows."""
    return f"rows/{table}.jsonl"


def blob_name(sha256: str, extension: str) -> str:
    """The name of bytes."""
    return f"blobs/{sha256[:2]}/{sha256}.{extension}"


def media_type_of(member: zipfile.ZipInfo) -> str:
    """By the ending of a checked name."""
    return _BY_EXTENSION[member.filename.rpartition(".")[2]]


def opened(path: Path, most_members: int = MAX_MEMBERS) -> zipfile.ZipFile:
    """The file as a ZIP, for the caller to close.

    Raises:
        ArchiveRefused: it is none, is cut off, or its table of contents is longer than one of so many files.
    """
    try:
        with path.open("rb") as file:
            listed_bytes = _listed_bytes(file)
        if listed_bytes > most_members * _ENTRY_BYTES:
            raise ArchiveRefused(
                f"The archive lists more files than are taken; at most {most_members:,} are. Export fewer groups at a time."
            )
        return zipfile.ZipFile(path)
    except ArchiveRefused:
        raise
    # What `zipfile` knows and cannot read, by its name for it: here the version of the format that an entry needs ("zip file
    # version 9.9", the hostile archive "a version to come"). The rest, as encryption, is looked for before a file is opened.
    except RuntimeError as error:
        raise ArchiveRefused(_ANOTHER_ZIP.format(error)) from None
    except _UNREADABLE:
        raise ArchiveRefused("This is no ZIP file, or it is cut off. Choose a file that `export` wrote.") from None


def _listed_bytes(file: IO[bytes]) -> int:
    """How long the table of contents says it is; 0 where none is found, which `zipfile` then says. All of it is read at once
    and each entry takes a kilobyte of memory, so that must not be left to the file: its number of files may be a lie.

    Source: 4.3.14 to 4.3.16 of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, whose offsets these are.
    """
    size = file.seek(0, os.SEEK_END)
    begin = max(0, size - _LONGEST_END)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 16 > len(tail):
        return 0
    listed = int.from_bytes(tail[at + 12 : at + 16], "little")
    large = tail.rfind(b"PK\x06\x06", 0, at)
    if large >= 0 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        listed = max(listed if listed < 2**32 - 1 else 0, int.from_bytes(tail[large + 40 : large + 48], "little"))
    return listed


def contents(archive: zipfile.ZipFile, *, size_bytes: int, most_bytes: int) -> Contents:
    """What is in the archive, if all of it is what may be there.

    Args:
        archive: as `opened`.
        size_bytes: of the file.
        most_bytes: of everything in it, unpacked.

    Raises:
        ArchiveRefused: anything else is in it, or its manifest is not one this program can read.
    """
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ArchiveRefused(f"The archive holds {len(members):,} files; at most {MAX_MEMBERS:,} are taken.")
    names: set[str] = set()
    rows: dict[str, zipfile.ZipInfo] = {}
    blobs: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        _refuse_odd(member, names)
        names.add(member.filename)
        _place(member, rows, blobs)
    _refuse_bomb(members, size_bytes, most_bytes)
    if MANIFEST not in names:
        raise ArchiveRefused("The archive has no manifest.json. Choose a file that `export` wrote.")
    manifest = _manifest(read_all(archive, archive.getinfo(MANIFEST), MAX_MANIFEST_BYTES))
    if rows.keys() != TABLES.keys():
        odd = sorted(rows.keys() ^ TABLES.keys())[0]
        raise ArchiveRefused(f"The archive has no {rows_name(odd)}. It is not whole; export it again.")
    return Contents(manifest, rows, blobs)


def _refuse_odd(member: zipfile.ZipInfo, names: set[str]) -> None:
    shown = ascii(member.orig_filename[:80])
    name = member.orig_filename
    if name != member.filename or name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise ArchiveRefused(f"The archive holds the name {shown}, which leads out of it. Nothing was taken in.")
    if member.create_system == _UNIX and (member.external_attr >> 16) & _KIND == _LINK:
        raise ArchiveRefused(f"The archive holds a link, {shown}; only plain files are taken.")
    if name in names:
        raise ArchiveRefused(f"The archive holds {shown} twice.")
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveRefused("The archive is encrypted. Export it again without a password.")
    for flag, part in _UNREAD.items():
        if member.flag_bits & flag:
            raise ArchiveRefused(_ANOTHER_ZIP.format(part))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveRefused(f"{shown} is packed in a way that is not read here; expected stored or deflated.")


def _place(member: zipfile.ZipInfo, rows: dict[str, zipfile.ZipInfo], blobs: dict[str, zipfile.ZipInfo]) -> None:
    name = member.filename
    of_rows, blob = _ROWS.fullmatch(name), _BLOB.fullmatch(name)
    if of_rows and of_rows[1] in TABLES:
        rows[of_rows[1]] = member
    elif blob and blob[2].startswith(blob[1]) and blob[3] in _BY_EXTENSION:
        if blob[2] in blobs:
            raise ArchiveRefused(f"The archive holds the bytes {blob[2][:12]}… twice.")
        if member.file_size == 0:
            raise ArchiveRefused(f"The archive holds {name} without any bytes.")
        blobs[blob[2]] = member
    elif name != MANIFEST:
        raise ArchiveRefused(f"The archive holds {ascii(name[:80])}, which does not belong into one.")


def _refuse_bomb(members: list[zipfile.ZipInfo], size_bytes: int, most_bytes: int) -> None:
    unpacked, packed = sum(each.file_size for each in members), sum(each.compress_size for each in members)
    if packed > size_bytes:
        raise ArchiveRefused("The files of the archive overlap each other. Nothing was taken in.")
    if unpacked > most_bytes:
        raise ArchiveRefused(
            f"The archive holds {unpacked / 1e6:,.0f} MB; at most {most_bytes / 1e6:,.0f} MB are taken here at once. "
            "Export fewer groups at a time."
        )
    for each in members:
        most = MAX_ROWS_BYTES if each.filename.startswith("rows/") else most_bytes
        is_dense = each.file_size > _FREE_RATIO_BYTES and each.file_size > MAX_RATIO * max(each.compress_size, 1)
        if is_dense or each.file_size > most:
            raise ArchiveRefused(f"{each.filename} would unpack to far more than it holds. Nothing was taken in.")


def _manifest(data: bytes) -> Manifest:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ArchiveRefused("The archive's manifest.json cannot be read. Export it again.") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ArchiveRefused("The archive's manifest.json is none of ours. Choose a file that `export` wrote.")
    version, schema = found.get("format_version"), found.get("schema")
    if version != FORMAT_VERSION or schema not in RELEASED:
        raise ArchiveRefused(
            f"The archive was written by another version of Diptych (format {str(version)[:20]}, "
            f"schema {str(schema)[:40]!r}); this one reads format {FORMAT_VERSION} up to {SCHEMA!r}. Update the program."
        )
    counts, hashes, blobs = found.get("counts"), found.get("sha256"), found.get("blobs")
    if not isinstance(counts, dict) or not isinstance(hashes, dict) or not isinstance(blobs, dict):
        raise ArchiveRefused("The archive's manifest.json does not say what is in it. Export it again.")
    return Manifest(
        product_version=str(found.get("product_version"))[:40],
        schema=str(schema),
        exported_at=str(found.get("exported_at"))[:40],
        counts={table: _count(counts.get(table)) for table in TABLES},
        sha256={rows_name(table): str(hashes.get(rows_name(table))) for table in TABLES},
        blobs=_count(blobs.get("count")),
        blob_bytes=_count(blobs.get("bytes")),
        votes_at=anchor_in(found) or Anchor(),
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ArchiveRefused("The archive's manifest.json has a count that is no number. Export it again.")
    return value


# Reading a member

_DAMAGED = "{} is damaged: its bytes are not those that were packed. Nothing was taken in; export it again."
_BROKEN = (*_UNREADABLE, zlib.error, EOFError, OSError)
"""And of one member: `zlib.error` of "no stream" there, `EOFError` of "a stream that ends with the file", `OSError` of "a place
before the file", and where the disk cannot be read."""


def read_all(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> bytes:
    """All of a small member. Raises: ArchiveRefused when it is larger, or damaged."""
    if member.file_size > most_bytes:
        raise ArchiveRefused(f"{member.filename} is too large.")
    return b"".join(pieces(archive, member))


def pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, piece_bytes: int = 2**18) -> Iterator[bytes]:
    """The bytes of a member, never more than its size said. Raises: ArchiveRefused when they are damaged."""
    left = member.file_size
    try:
        with archive.open(member) as file:
            while piece := file.read(piece_bytes):
                left -= len(piece)
                yield piece
    except _BROKEN as error:
        raise ArchiveRefused(_DAMAGED.format(member.filename)) from error
    if left != 0:
        raise ArchiveRefused(_DAMAGED.format(member.filename))


def lines(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The lines of a file of rows, one at a time. Raises: ArchiveRefused when one is too long, or the file is damaged."""
    rest = b""
    for piece in pieces(archive, member):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE_BYTES:
            raise ArchiveRefused(f"{member.filename} has a line of more than {MAX_LINE_BYTES:,} bytes.")
    if rest:
        raise ArchiveRefused(f"{member.filename} ends in the middle of a line. It is not whole; export it again.")


def add_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Writes the manifest; last, because only then all is known."""
    archive.writestr(MANIFEST, orjson.dumps(manifest.document(), option=orjson.OPT_INDENT_2), zipfile.ZIP_DEFLATED)


def copy_into(archive: zipfile.ZipFile, name: str, source: IO[bytes], size_bytes: int) -> None:
    """Writes bytes as they are, not compressed."""
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_STORED
    member.external_attr = 0o600 << 16
    member.file_size = size_bytes
    with archive.open(member, "w") as out:
        while piece := source.read(2**20):
            out.write(piece)
