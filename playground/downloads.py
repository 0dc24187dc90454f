"""Images to take along: as they came, without metadata, or as a copy that carries its settings; and many in one ZIP.

What is stored is never changed: a copy without metadata, or with other, is a picture of its own. Blocking.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playground.embedded import CannotHold, settings_document, with_settings
from playground.image_hygiene import UploadRefused, clean_image
from storage.images import UnreadableImage, decode
from storage.records import Run, StoredImage

Copy = Literal["bare", "settings"]
MAX_PACKED = 2000
"""Images in one ZIP."""

_PIECE_BYTES = 2**20
_WORD = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class PackedImage:
    """A file for a ZIP."""

    name: str
    path: Path


def copy_of(data: bytes, run: Run, image: StoredImage, copy: Copy) -> tuple[bytes, str]:
    """The copy and its media type.

    Raises:
        ValueError: the bytes cannot be read as an image.
    """
    try:
        if copy == "bare":
            cleaned = clean_image(data, "the image")
            return cleaned.data, cleaned.media_type
        return _with_settings(data, run, image)
    except (UploadRefused, UnreadableImage) as error:
        raise ValueError(f"No copy can be made of this image: {error}") from error


def _with_settings(data: bytes, run: Run, image: StoredImage) -> tuple[bytes, str]:
    """The picture's own bytes with the settings among them; as PNG where its format has no place for them."""
    said = settings_document(run, image)
    try:
        return with_settings(data, image.media_type, said), image.media_type
    except CannotHold:
        out = io.BytesIO()
        decode(data).save(out, "PNG")
        return with_settings(out.getvalue(), "image/png", said), "image/png"


def file_name(run: Run, image: StoredImage, extension: str) -> str:
    """`2026-11-21-a-red-fox-01jabc-1.png`: words of the prompt, the run and the image, fit for every system."""
    words = _WORD.sub("-", run.prompt[:60].casefold()).strip("-_")[:40].rstrip("-")
    return (
        "-".join(part for part in (run.queued_at[:10], words, run.run_id[-8:], str(image.position + 1)) if part)
        + extension
    )


def packed(files: Iterable[PackedImage]) -> Iterator[bytes]:
    """A ZIP of the files piece by piece, uncompressed as images are already; one that is gone meanwhile is left out."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for each in files:
            try:
                source = each.path.open("rb")
            except FileNotFoundError:
                continue
            with (
                source,
                archive.open(zipfile.ZipInfo(each.name, (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as target,
            ):
                while piece := source.read(_PIECE_BYTES):
                    target.write(piece)
                    yield out.take()
            yield out.take()
    yield out.take()


class _Pieces:
    """Somewhere to write to that is read at once; it has no places to go back to."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._told = 0

    def write(self, data: bytes, /) -> int:
        """Takes all of it."""
        self._held += data
        self._told += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""

    def tell(self) -> int:
        """Where the archive is; it asks before it writes."""
        return self._told

    def take(self) -> bytes:
        """What came since the last time."""
        taken = bytes(self._held)
        self._held.clear()
        return taken
