"""Images whose bytes are on disk while their rows are still on their way: each has an empty file that names its run.

Whoever dies between the two leaves that file, so that the image, which was paid for, is found again and gets its row. The
files cost no waiting: they need only outlive a process, and what a power cut takes of them was moments old.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.blobs import INCOMING, BlobFolder

SUFFIX = ".coming"
_NAME = re.compile(r"(?P<run_id>[0-9a-z]{1,64})\.(?P<position>[0-9]{1,6})\.(?P<sha256>[0-9a-f]{64})\.coming")


@dataclass(frozen=True, slots=True)
class Coming:
    """An image that was about to get its row."""

    run_id: str
    position: int
    """In the run, from 0."""
    sha256: str


def announce(blobs: BlobFolder, one: Coming) -> None:
    """Names an image whose bytes are about to be put. A disk that takes no name is told of by the bytes."""
    with suppress(OSError):
        _file(blobs, one).touch(mode=0o600)


def settle(blobs: BlobFolder, some: Iterable[Coming]) -> None:
    """Forgets images that have their rows, or never will."""
    for one in some:
        with suppress(OSError):
            _file(blobs, one).unlink(missing_ok=True)


def left_over(blobs: BlobFolder) -> list[Coming]:
    """All that were announced and not settled, those of living processes too."""
    found = (_NAME.fullmatch(path.name) for path in sorted((blobs.root / INCOMING).glob(f"*{SUFFIX}")))
    return [Coming(name["run_id"], int(name["position"]), name["sha256"]) for name in found if name]


def _file(blobs: BlobFolder, one: Coming) -> Path:
    return blobs.root / INCOMING / f"{one.run_id}.{one.position}.{one.sha256}{SUFFIX}"
