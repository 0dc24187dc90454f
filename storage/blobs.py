"""Image bytes, exactly as they came, in files named by their SHA-256: `blobs/ab/ab12….png`.

A file is wholly there or not there: it is written under another name in `blobs/incoming/`, brought to disk and then
renamed. Rows are written after the bytes, so that a row never points at a missing file.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from storage import errors
from storage.files import make_folder, sync_folder, write_durably

EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "image/png": "png",
        "image/jpeg": "jpg",
        "image/webp": "webp",
        "image/gif": "gif",
        "image/avif": "avif",
        "application/octet-stream": "bin",
    }
)
"""File extension of each media type that is kept; `.bin` is for bytes that could not be read as an image."""

_MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}

INCOMING = "incoming"
"""Folder for files while they are being written; nothing in it is ever read."""

LEFTOVER_AFTER_S = 3600
"""Age from which a temporary file is a crash's leftover: no write takes an hour, and other processes may be writing."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def checked_sha256(sha256: str) -> str:
    """The name itself, if it is 64 lower-case hexadecimal digits and so cannot lead anywhere else.

    Raises:
        ValueError: it is anything else.
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256[:80]!r} is not a SHA-256 in lower-case hexadecimal")
    return sha256


def media_type_of(path: Path) -> str:
    """Media type of a blob by its extension.

    Raises:
        ValueError: the extension is not one of `EXTENSIONS`.
    """
    extension = path.suffix.removeprefix(".")
    if extension not in _MEDIA_TYPES:
        raise ValueError(f"{path.name!r} has no extension of a kept media type")
    return _MEDIA_TYPES[extension]


def sweep_leftovers(incoming: Path) -> None:
    """Delete temporary files that a crash left behind at least `LEFTOVER_AFTER_S` ago."""
    oldest = time.time() - LEFTOVER_AFTER_S
    for part in incoming.glob("*.tmp"):
        try:
            if part.stat().st_mtime < oldest:
                part.unlink()
        except FileNotFoundError:  # another process swept it
            continue


_PROBE_BYTES = 1_000_000
"""About a picture: a disk with less room than that is as good as full."""


def sha256_of(data: bytes) -> str:
    """The name bytes are kept under."""
    return hashlib.sha256(data).hexdigest()


class BlobFolder:
    """Bytes by hash. May be used from any number of threads and processes at once."""

    home: str | None = None
    """The object store that they are kept in, as it is shown; `None`: the folder itself."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / INCOMING
        self.trouble: errors.StoreError | None = None
        """Why the newest bytes could not be written; `None` where they could."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_folder(self._incoming)
        sweep_leftovers(self._incoming)

    @property
    def away(self) -> errors.ImagesAway | None:
        """Why images that are not on this disk cannot be had, and new ones are on it alone; `None` where that is not so."""
        return None

    def waiting(self) -> int:
        """How many are on this disk and on their way to their home elsewhere."""
        return 0

    def look_again(self) -> errors.ImagesAway | None:
        """Asks whether that is still so. Blocking."""
        return self.away

    def close(self) -> None:
        """Nothing more is put."""

    def put(self, data: bytes, media_type: str, *, sha256: str | None = None) -> str:
        """SHA-256 of `data`, which is on disk when this returns. What is there already is not written again.

        `sha256`: theirs, where the caller has it already.

        Raises:
            ValueError: no bytes, or a media type that is not one of `EXTENSIONS`.
            StoreFull, StoreNotWritable: they could not be written; nothing was left behind.
        """
        if not data:
            raise ValueError("an image without bytes cannot be stored")
        sha256 = sha256 or sha256_of(data)
        path = self.path(sha256, media_type)
        try:
            make_folder(path.parent)
            # A touched file is not discarded: see `discard`.
            if path.is_file() and path.stat().st_size == len(data) and _touched(path) and path.is_file():
                # Another thread may have renamed it this moment and not yet brought the name to disk.
                sync_folder(path.parent)
            else:
                write_durably(path, data, temporary_in=self._incoming)
        except OSError as error:
            self.trouble = errors.of_os(error, self.root)
            raise self.trouble from error
        self.trouble = None
        return sha256

    def probe(self) -> None:
        """Writes some bytes and deletes them again. Raises as `put` does."""
        part = self._incoming / f"{secrets.token_hex(16)}.tmp"
        try:
            write_durably(part, bytes(_PROBE_BYTES), temporary_in=self._incoming)
        except OSError as error:
            self.trouble = errors.of_os(error, self.root)
            raise self.trouble from error
        finally:
            part.unlink(missing_ok=True)
        self.trouble = None

    def path(self, sha256: str, media_type: str) -> Path:
        """Where these bytes lie or would lie.

        Raises:
            ValueError: not a SHA-256, or not a kept media type.
        """
        if media_type not in EXTENSIONS:
            raise ValueError(f"media type {media_type[:80]!r} is not kept; expected one of {', '.join(EXTENSIONS)}")
        return self._folder(sha256) / f"{sha256}.{EXTENSIONS[media_type]}"

    def find(self, sha256: str) -> Path | None:
        """The file with these bytes, whatever its media type, or `None`. Blocks where they lie elsewhere.

        Raises:
            ValueError: not a SHA-256.
            ImagesAway, ImageDamaged: they lie elsewhere and cannot be had.
        """
        return self.here(sha256)

    def held(self, sha256: str, media_type: str) -> Path:
        """Where the file with these bytes lies, brought to this disk first if it is elsewhere. Raises as `path` and `find`."""
        return self.path(sha256, media_type)

    def here(self, sha256: str) -> Path | None:
        """The file with these bytes where it is on this disk. Raises `ValueError` when the name is not a SHA-256."""
        return next(iter(self._files(sha256)), None)

    def address(self, sha256: str, for_s: int) -> str | None:
        """An address elsewhere at which anybody can read these bytes for so many seconds, if there is one. Raises as `find`."""
        del for_s
        checked_sha256(sha256)
        return None

    def exists(self, sha256: str) -> bool:
        """Whether these bytes are here. Raises `ValueError` when the name is not a SHA-256."""
        return self.find(sha256) is not None

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as an open file, for the caller to close.

        Raises:
            FileNotFoundError: they are not here.
            ValueError: not a SHA-256.
        """
        path = self.find(sha256)
        if path is None:
            raise FileNotFoundError(f"no blob {sha256} in {str(self.root)!r}")
        return path.open("rb")

    def delete(self, sha256: str) -> bool:
        """Delete these bytes; false if they were not here. Whether a row still needs them is the caller's to know.

        Raises:
            ValueError: not a SHA-256.
        """
        found = self._files(sha256)
        for path in found:
            path.unlink(missing_ok=True)
        return bool(found)

    def discard(self, sha256: str, *, unused_s: float) -> bool:
        """Delete these bytes if nobody put them again in the last `unused_s` seconds; true when they are gone.

        The file is moved away before its time is looked at: whoever puts the same bytes at this moment has either touched it
        before, and it comes back, or finds it gone and writes it anew.

        Raises:
            ValueError: not a SHA-256.
        """
        are_gone = [self._discard(path, unused_s) for path in self._files(sha256)]
        for left_by_crash in self._incoming.glob(f"{sha256}.*.tmp"):
            left_by_crash.unlink(missing_ok=True)
        return all(are_gone)

    def discard_all(self, hashes: Iterable[str], *, unused_s: float) -> list[str]:
        """Discards many; those that are gone."""
        return [sha256 for sha256 in hashes if self.discard(sha256, unused_s=unused_s)]

    def drop_copy(self, sha256: str, *, unused_s: float) -> bool:
        """Deletes this disk's copy of bytes that were deleted at their home elsewhere; true when it is gone. The caller saw
        that no row speaks of them.
        """
        del sha256, unused_s
        return False

    def only_here(self) -> Iterable[tuple[str, Path]]:
        """Those of `all` that are on this disk and nowhere else."""
        return self.all()

    def _discard(self, path: Path, unused_s: float) -> bool:
        aside = self._incoming / f"{path.name}.{secrets.token_hex(8)}.tmp"
        try:
            if time.time() - path.stat().st_mtime < unused_s:
                return False
            path.rename(aside)
            if time.time() - aside.stat().st_mtime >= unused_s:
                aside.unlink()
                return True
            aside.rename(path)
        except FileNotFoundError:  # another process was faster
            return not path.exists()
        return False

    def all(self) -> Iterator[tuple[str, Path]]:
        """Each blob on this disk as (sha256, file), by name. Files that are no blobs are passed over; `verify` reports them."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if is_blob_name(path):
                    yield path.stem, path

    def _folder(self, sha256: str) -> Path:
        return self.root / checked_sha256(sha256)[:2]

    def _files(self, sha256: str) -> list[Path]:
        folder = self._folder(sha256)
        return [path for extension in EXTENSIONS.values() if (path := folder / f"{sha256}.{extension}").is_file()]


def _touched(path: Path) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def is_blob_name(path: Path) -> bool:
    """Whether a file's name and folder are those of a blob."""
    return (
        bool(_SHA256.fullmatch(path.stem))
        and path.suffix.removeprefix(".") in _MEDIA_TYPES
        and path.parent.name == path.stem[:2]
    )
