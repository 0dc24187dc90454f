"""Taking along: one owner's runs with all that hangs on them, their bytes and votes, into one file. See `archive`.

Rows are written as they are read, bytes as they lie, so memory does not grow with what is exported.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import orjson

from playground import archive
from playground.archive import Manifest
from playground.services import Services
from playground.version import VERSION
from storage import portable
from storage.anchors import Anchor, anchor_of
from storage.engine import Database
from storage.files import appearing
from storage.portable import Wanted
from storage.portable_columns import TABLES, Portable

_BLOCK_ROWS = 500


class NotTakenAlong(Exception):
    """The file could not be made; the message can be shown."""


class _Left(Exception):
    """Nobody waits for the file any more."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an export holds."""

    manifest: Manifest
    still_open: int
    """Runs that were left out because they are still going."""


def missing_groups(db: Database, owner: str, groups: Sequence[str]) -> list[str]:
    """Those of the groups that are not there, or not the owner's."""
    return portable.missing_groups(db, Wanted(owner, "", groups))


def write_file(services: Services, path: Path, owner: str, groups: Sequence[str] | None = None) -> Taken:
    """Writes the archive to a file that appears once it is whole. Blocking.

    Raises:
        NotTakenAlong: a group is not there, or bytes are missing.
        OSError: the file cannot be written.
    """
    with appearing(path) as file:
        return write(services, file, owner, groups)


class Writable(Protocol):
    """All that is asked of the file an archive is written to."""

    def write(self, data: bytes, /) -> int:
        """The number of bytes taken."""

    def flush(self) -> None:
        """Nothing stays behind."""

    def close(self) -> None:
        """Asked for by the type of what makes archives; it leaves an open file open."""


def write(
    services: Services,
    file: Writable,
    owner: str,
    groups: Sequence[str] | None = None,
    *,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Taken:
    """Writes the archive to an open file, which need not be seekable: what is written stays as it is. Blocking.

    `is_wanted` is asked now and then; once it says no, the rest stays unwritten.

    Raises:
        NotTakenAlong: a group is not there, or bytes are missing.
        OSError: the file takes no more.
    """
    wanted = Wanted(owner, services.now(), groups)
    with zipfile.ZipFile(file, "w", allowZip64=True) as out:

        def read(db: Database) -> tuple[_Rows, int, Anchor]:
            gone = portable.missing_groups(db, wanted)
            if gone:
                raise NotTakenAlong(f"There is no group {gone[0][:64]!r}. Nothing was exported.")
            found = _Rows(out, is_wanted)
            for table in TABLES.values():
                found.add(table, portable.rows_of(db, table, wanted))
            return found, portable.still_open(db, wanted), anchor_of(db, with_marks=False)

        try:
            rows, still_open, votes_at = services.store.read(read)
            blob_bytes = _add_blobs(services, out, rows.blobs, is_wanted)
        except _Left:
            raise NotTakenAlong("The export was stopped.") from None
        manifest = Manifest(
            product_version=VERSION,
            schema=archive.SCHEMA,
            exported_at=wanted.at,
            counts=rows.counts,
            sha256=rows.sha256,
            blobs=len(rows.blobs),
            blob_bytes=blob_bytes,
            votes_at=votes_at,
        )
        archive.add_manifest(out, manifest)
    return Taken(manifest, still_open)


class _Rows:
    """Files of rows as they are written, and the bytes their rows speak of."""

    def __init__(self, out: zipfile.ZipFile, is_wanted: Callable[[], bool]) -> None:
        self._out = out
        self._is_wanted = is_wanted
        self.counts: Counter[str] = Counter()
        self.sha256: dict[str, str] = {}
        self.blobs: dict[str, None] = {}
        """Hashes, in order."""

    def add(self, table: Portable, rows: Iterator[dict[str, object]]) -> None:
        """Writes one file of rows."""
        member = zipfile.ZipInfo(archive.rows_name(table.name))
        member.compress_type = zipfile.ZIP_DEFLATED
        digest = hashlib.sha256()
        self.counts[table.name] = 0
        with self._out.open(member, "w", force_zip64=True) as file:
            block: list[bytes] = []
            for row in rows:
                block.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                self.blobs.update((sha256, None) for sha256, _ in portable.blobs_of(row, table.name))
                self.counts[table.name] += 1
                if len(block) == _BLOCK_ROWS:
                    self._write(block, file, digest)
            self._write(block, file, digest)
        self.sha256[member.filename] = digest.hexdigest()

    def _write(self, block: list[bytes], file: IO[bytes], digest: hashlib._Hash) -> None:
        if not self._is_wanted():
            raise _Left
        data = b"".join(block)
        block.clear()
        digest.update(data)
        file.write(data)


def _add_blobs(services: Services, out: zipfile.ZipFile, hashes: dict[str, None], is_wanted: Callable[[], bool]) -> int:
    """Writes the bytes; how many."""
    total = 0
    for sha256 in hashes:
        if not is_wanted():
            raise _Left
        path = services.store.blobs.find(sha256)
        if path is None:
            raise NotTakenAlong(
                f"The bytes {sha256[:12]}… are not there. If something was deleted just now, export again; "
                "`verify` says what is missing."
            )
        with path.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            archive.copy_into(out, archive.blob_name(sha256, path.suffix.removeprefix(".")), source, size)
        total += size
    return total
