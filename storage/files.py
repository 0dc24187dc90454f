"""Files that are either wholly there or not there at all."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def write_durably(path: Path, data: bytes, *, temporary_in: Path) -> None:
    """Write `data` to `path` so that a crash leaves the old state or the new one, and the new one is on disk.

    Args:
        path: its folder must exist.
        data: the whole content.
        temporary_in: an existing folder on the same disk for the file while it is being written.

    Raises:
        OSError: nothing was left behind.
    """
    part = temporary_in / f"{secrets.token_hex(16)}.tmp"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        replace_durably(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes, *, temporary_in: Path) -> None:
    """Write `data` to `path` so that nobody sees half of it. A power cut may leave an empty file, so what is written like this
    must be such that it can be made again. Takes and raises what `write_durably` does.
    """
    part = temporary_in / f"{secrets.token_hex(16)}.tmp"
    try:
        part.write_bytes(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner only, to write to; at the end of the block it is on disk, and at `path` in the place of what was
    there. Where anything is raised within, nothing is left behind.

    Raises:
        OSError: it cannot be written there.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        part = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def replace_durably(part: Path, path: Path) -> None:
    """Put the finished file `part` in the place of `path`, both on disk before this returns."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to disk; without it a new file may be nameless after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder for its owner only, durably; its parent must exist. One that is there is left alone."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)
