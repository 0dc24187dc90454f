"""What has to go up to the object store: an empty file for each blob, beside the blobs, that outlives the process.

A name is written, and on disk, before the bytes it names, and is dropped once the store has them. So whoever is killed at any
moment leaves bytes with a name, which go up later, or a name without bytes, which is dropped after a while. While a blob goes
up its name has another ending, so that whoever deletes it meanwhile knows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.blobs import is_blob_name
from storage.files import make_folder, sync_folder

_GOING_UP = ".up"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A blob that has to go up."""

    name: str
    """Of its file: `ab12….png`."""
    since: float
    """When it was put last, in seconds since 1970."""


class Spool:
    """The names of a data folder. May be used from any number of threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def add(self, name: str) -> None:
        """Names a blob; the name is on disk when this returns. Raises: OSError."""
        self._touch(name)
        sync_folder(self._folder)

    def add_all(self, names: Iterable[str]) -> None:
        """Names many at once. Raises: OSError."""
        for name in names:
            self._touch(name)
        sync_folder(self._folder)

    def has(self, name: str) -> bool:
        """Whether the blob has to go up, or is on its way."""
        return (self._folder / name).exists() or self.is_going_up(name)

    def is_going_up(self, name: str) -> bool:
        """Whether the blob is on its way at this moment."""
        return (self._folder / f"{name}{_GOING_UP}").exists()

    def waiting(self) -> list[Waiting]:
        """All that wait, the longest first; what is on its way is none of them."""
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # it went up since it was listed
                if path.suffix != _GOING_UP:
                    found.append(Waiting(path.name, path.stat().st_mtime))
        return sorted(found, key=lambda one: (one.since, one.name))

    def count(self) -> int:
        """How many wait or are on their way. Quick also where there are many: pages ask."""
        with os.scandir(self._folder) as found:
            return sum(1 for _ in found)

    def claim(self, name: str) -> Waiting | None:
        """Marks a blob as on its way; how it waited until now, `None` where it was dropped meanwhile."""
        going_up = self._folder / f"{name}{_GOING_UP}"
        try:
            (self._folder / name).rename(going_up)
            return Waiting(name, going_up.stat().st_mtime)
        except FileNotFoundError:
            return None

    def give_back(self, name: str) -> None:
        """It did not go up: it waits again, since when it did before."""
        with suppress(FileNotFoundError):
            (self._folder / f"{name}{_GOING_UP}").rename(self._folder / name)

    def done(self, name: str) -> None:
        """It is up."""
        (self._folder / f"{name}{_GOING_UP}").unlink(missing_ok=True)

    def drop(self, name: str) -> None:
        """It need not go up any more. What is on its way already is not held back: see `is_going_up`."""
        (self._folder / name).unlink(missing_ok=True)

    def give_all_back(self) -> None:
        """At the start of the one that brings things up: what was on its way when another died waits again."""
        for path in self._folder.glob(f"*{_GOING_UP}"):
            self.give_back(path.name.removesuffix(_GOING_UP))

    def _touch(self, name: str) -> None:
        if not is_blob_name(Path(name[:2]) / name):
            raise ValueError(f"{name[:80]!r} is not the name of a blob")
        (self._folder / name).touch(mode=0o600)


def age_s(one: Waiting) -> float:
    """How long ago it was put, in seconds."""
    return time.time() - one.since
