"""Where the blind copies of a battle lie: `blind/<battle_id>/a.webp` and `b.webp` in the data folder. Blocking.

The folder's name is the battle's random id, both files have one time of change, and both appear at once.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PIL import Image

from arena.blind import Size, UnfitImage, blind_pair, canvas_of
from storage.blobs import BlobFolder
from storage.database import Store

FOLDER = "blind"
SIDES = ("a", "b")
SMALL_EDGE_PX = 512

_BATTLE_ID = re.compile(r"[0-9a-f]{32}")


def is_battle_id(text: str) -> bool:
    """Whether the text is 128 bits in lower-case hexadecimal, and so cannot lead anywhere else."""
    return bool(_BATTLE_ID.fullmatch(text))


def path_of(data_dir: Path, battle_id: str, side: str) -> Path:
    """Where the copy of side `a` or `b` lies or would lie."""
    return data_dir / FOLDER / battle_id / f"{side}.webp"


def are_there(data_dir: Path, battle_id: str) -> bool:
    """Whether both copies are kept."""
    return all(path_of(data_dir, battle_id, side).is_file() for side in SIDES)


def canvas(data_dir: Path, battle_id: str) -> Size:
    """Width and height in pixels of both copies."""
    with path_of(data_dir, battle_id, "a").open("rb") as file:
        return canvas_of(file.read(30))


def small(path: Path) -> bytes:
    """The copy as a WebP with a long edge of at most `SMALL_EDGE_PX`. As bare as the copy itself. Blocking."""
    with Image.open(path) as image:
        image.thumbnail((SMALL_EDGE_PX, SMALL_EDGE_PX))
        file = io.BytesIO()
        image.save(file, "WEBP", quality=82)
    return file.getvalue()


def write_copies(store: Store, battle_id: str, hashes: Sequence[str], now: datetime) -> None:
    """Makes both copies from the two originals, given by SHA-256 in the order a, b.

    Raises:
        UnfitImage: an original is gone or cannot be read; nothing was left behind.
    """
    pair = blind_pair(*(_bytes_of(store.blobs, sha256, position) for position, sha256 in enumerate(hashes)))
    final = store.data_dir / FOLDER / battle_id
    making = final.with_suffix(".tmp")
    making.mkdir(mode=0o700, parents=True)
    seconds = int(now.timestamp())
    for side, data in zip(SIDES, pair, strict=True):
        path = making / f"{side}.webp"
        path.write_bytes(data)
        os.utime(path, (seconds, seconds))
    os.utime(making, (seconds, seconds))
    making.rename(final)


def sweep(data_dir: Path, before: datetime) -> None:
    """Deletes copies made at `before` or earlier, with what a crash left half made."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return
    oldest = before.timestamp()
    for battle in folder.iterdir():
        try:
            if battle.stat().st_mtime <= oldest:
                shutil.rmtree(battle, ignore_errors=True)
        except FileNotFoundError:  # another process swept it
            continue


def _bytes_of(blobs: BlobFolder, sha256: str, position: int) -> bytes:
    path = blobs.find(sha256)
    try:
        if path is not None:
            return path.read_bytes()
    except FileNotFoundError:
        pass
    raise UnfitImage("The file of one of the two images is not there any more.", position)
