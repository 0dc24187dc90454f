"""The list of a snapshot's files, as it is written and read. Pure; what is read is trusted no further than its hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from storage.anchors import ANCHOR_FIELD, Anchor, anchor_in
from storage.errors import SnapshotFailed

MANIFEST = "manifest.json"
FORMAT = 1
"""Grows when an older program could not read what is written."""

_NAMES = re.compile(
    r"(?:blobs/(?P<folder>[0-9a-f]{2})|database|votes)/(?P<sha256>[0-9a-f]{64})\.(?P<extension>[a-z0-9]{2,8})"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """A file of a snapshot. Its name is its hash, so it never changes."""

    kind: str
    """`blobs`, `database` or `votes`."""
    sha256: str
    extension: str
    size_bytes: int

    def __str__(self) -> str:
        """Its name on the shelf; that of a blob is its place below the data folder too."""
        folder = f"blobs/{self.sha256[:2]}" if self.kind == "blobs" else self.kind
        return f"{folder}/{self.sha256}.{self.extension}"

    @classmethod
    def read(cls, name: object, size_bytes: object) -> FileName | None:
        """The file of that name, or `None` when it is no name of ours, so that it cannot lead anywhere else."""
        found = _NAMES.fullmatch(name) if isinstance(name, str) else None
        if found is None or not isinstance(size_bytes, int) or size_bytes < 0:
            return None
        if found["folder"] not in (None, found["sha256"][:2]):
            return None
        return cls(found.string.partition("/")[0], found["sha256"], found["extension"], size_bytes)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one snapshot consists of."""

    snapshot_id: str
    made_at: str
    version: str
    """Of the program that wrote it."""
    database: FileName
    votes: FileName
    blobs: tuple[FileName, ...]
    votes_at: Anchor = Anchor()
    """Where the chain of votes ended."""

    def names(self) -> Iterator[str]:
        """Of all its files."""
        yield from (str(self.database), str(self.votes))
        yield from (str(name) for name in self.blobs)

    def text(self) -> bytes:
        """As `manifest.json`."""
        document = {
            "format": FORMAT,
            "snapshot_id": self.snapshot_id,
            "made_at": self.made_at,
            "version": self.version,
            "database": {"name": str(self.database), "bytes": self.database.size_bytes},
            "votes": {"name": str(self.votes), "bytes": self.votes.size_bytes},
            ANCHOR_FIELD: self.votes_at.document(),
            "blobs": {str(name): name.size_bytes for name in self.blobs},
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_manifest(text: bytes) -> Manifest:
    """The manifest. Raises: SnapshotFailed when it is none, or one of a newer program."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _unreadable("it is no JSON") from None
    if not isinstance(document, dict):
        raise _unreadable("it is no JSON object")
    if document.get("format") != FORMAT:
        raise _unreadable(f"its format is {str(document.get('format'))[:20]!r}, and this version reads {FORMAT}")
    blobs = document.get("blobs")
    if not isinstance(blobs, dict):
        raise _unreadable("it lists no blobs")
    return Manifest(
        snapshot_id=_text(document, "snapshot_id"),
        made_at=_text(document, "made_at"),
        version=_text(document, "version"),
        database=_file(document, "database"),
        votes=_file(document, "votes"),
        blobs=tuple(_known(name, size) for name, size in blobs.items()),
        votes_at=anchor_in(document) or Anchor(),
    )


def _file(document: dict[str, object], kind: str) -> FileName:
    row = document.get(kind)
    return _known(row.get("name"), row.get("bytes")) if isinstance(row, dict) else _known(None, None)


def _known(name: object, size_bytes: object) -> FileName:
    found = FileName.read(name, size_bytes)
    if found is None:
        raise _unreadable(f"{str(name)[:80]!r} is no file of a snapshot")
    return found


def _text(document: dict[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[\w.:+-]{1,64}", value, re.ASCII):
        raise _unreadable(f"{name} is missing or not as it is written")
    return value


def _unreadable(why: str) -> SnapshotFailed:
    return SnapshotFailed(f"{MANIFEST} of the snapshot cannot be used: {why}. Nothing was changed.")
