"""Every door that takes an image, tried with hostile ones in a process of its own, each measured.

`python -m tests.hostile.doors FOLDER SMALL|LARGE` prints a line of JSON for each image and door.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from playground import bringing, uploads
from playground.archive import ArchiveRefused
from playground.image_hygiene import UploadRefused
from playground.keeping import Kept, keep_images
from playground.recall import NotRecalled, recall
from playground.services import Services
from providers.types import GeneratedImage, InputImage
from storage import runs
from storage.images import UnreadableImage
from storage.portable_columns import TABLES
from tests.arena.world import add_run
from tests.hostile import images
from tests.playground.archives import Members, bent, taken_along
from tests.storage.builders import picture

REFUSALS = (UploadRefused, NotRecalled, UnreadableImage, ArchiveRefused)
BASE = InputImage(b"", "image/png", 64, 48, "0" * 64)
_BACKSTOP_BYTES = 4 * 2**30

Door = Callable[[bytes], object]


class World:
    """A store with a run in it and its archive, and the doors to it."""

    def __init__(self, services: Services, archive: Path) -> None:
        self.services, self.good, self.folder = services, archive, archive.parent
        [(run_id,)] = self.services.store.read(lambda db: db.conn.execute("select run_id from runs limit 1").fetchall())
        view = self.services.store.read(lambda db: runs.get(db, run_id, None))
        assert view is not None
        self.run = view.run
        self.position = 1

    def doors(self) -> dict[str, Door]:
        """By name; each takes bytes, and raises one of `REFUSALS` or leaves something clean."""
        return {
            "reference": self.reference,
            "smaller copy": self.smaller,
            "mask": self.mask,
            "recall": lambda data: recall(self.services, data, "local"),
            "answer": self.answer,
            "archive": self.archive,
        }

    def _file(self, data: bytes) -> Path:
        path = self.folder / "given"
        path.write_bytes(data)
        return path

    def reference(self, data: bytes) -> object:
        return asyncio.run(uploads.take_upload(self.services, "local", self._file(data), "photo.png"))

    def smaller(self, data: bytes) -> object:
        return asyncio.run(uploads.take_shrunk(self.services, "local", self._file(data), "photo.png"))

    def mask(self, data: bytes) -> object:
        return asyncio.run(uploads.take_mask(self.services, "local", self._file(data), "mask.png", BASE))

    def answer(self, data: bytes) -> object:
        """As a provider's answer: kept with its thumbnail, or as bytes that are no image; never lost."""
        kept = Kept()
        self.position += 1
        one = [GeneratedImage(data)]
        found = keep_images(self.services, self.run, one, self.position, kept, on_sight=lambda: None)
        assert found.places or kept.unreadable_sha256 or not data, "the bytes were lost"
        if found.why_unreadable:
            raise UnreadableImage(found.why_unreadable + ".")
        return found

    def archive(self, data: bytes) -> object:
        """In an archive, in the place of the picture of its run."""
        path = self.folder / "bent.zip"
        new = hashlib.sha256(data).hexdigest()

        def bend(members: Members) -> None:
            name = next(name for name in members if name.startswith("blobs/"))
            members.pop(name)
            members[f"blobs/{new[:2]}/{new}.png"] = data
            for table in TABLES:
                rows = f"rows/{table}.jsonl"
                members[rows] = members[rows].replace(name[9:73].encode(), new.encode())

        bent(self.good, path, bend)
        return bringing.bring(self.services, path, "local", dry_run=True)


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def tried(door: Door, data: bytes) -> dict[str, Any]:
    """What became of it, in how many seconds of the processor and with how many more MB at the peak."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, began = _status("VmRSS"), time.process_time()
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(door, data).exception()
    said, odd = "", ""
    if isinstance(error, REFUSALS):
        said = str(error)
    elif error is not None:
        # An error that is none of our refusals is what is searched for here: it is told with its image and its door, the
        # other images are tried all the same, and the test that reads these lines fails by it.
        odd = f"{type(error).__name__}: {error}"[:300]
    return {"cpu_s": time.process_time() - began, "mb": _status("VmHWM") - before, "said": said, "odd": odd}


def main(folder: Path, corpus: str) -> None:
    """Tries every image at every door."""
    resource.setrlimit(resource.RLIMIT_AS, (_BACKSTOP_BYTES, _BACKSTOP_BYTES))
    warnings.simplefilter("ignore")
    logging.disable()
    good = picture(size=(64, 48), mode="RGBA", colour=(9, 9, 9, 0))
    with taken_along(folder, partial(add_run, data=picture(size=(64, 48)))) as (services, archive):
        world = World(services, archive)
        for name, make in getattr(images, corpus).items():
            data = make()
            for door, take in world.doors().items():
                found = {"name": name, "door": door, "bytes": len(data), **tried(take, data)}
                sys.stdout.write(json.dumps(found) + "\n")
            (world.folder / "bent.zip").unlink(missing_ok=True)
        world.reference(good)  # the app goes on


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
