"""A file a person gives becomes an input image of the store: checked, cleaned, kept by its hash, and owned.

The only impure part beside `playground.image_hygiene`. Pixels are decoded on two threads of their own, so that memory
stays bounded and neither the event loop nor the database waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from playground import library
from playground.image_hygiene import (
    MAX_UPLOAD_BYTES,
    CleanImage,
    TooLarge,
    UploadRefused,
    clean_image,
    refuse_size,
    shown_name,
)
from playground.masks import clean_mask
from playground.services import Services
from playground.shrinking import MAX_BYTES, shrunk_image
from playground.usage import UseRefused
from providers.types import InputImage
from storage import footprint, uploads
from storage.engine import Database
from storage.errors import ImageDamaged, ImagesAway
from storage.images import UnreadableImage, read_header
from storage.records import Upload

__all__ = [
    "Shrunk",
    "TakenUpload",
    "TooLarge",
    "UploadRefused",
    "clean_image",
    "load_input",
    "take_mask",
    "take_shrunk",
    "take_upload",
]

T = TypeVar("T")

MAX_DECODING = 2
"""Images decoded at once; each can take about 500 MB."""

SENDABLE = ("image/png", "image/jpeg", "image/webp")
"""What an input may be; source: OpenAI's image edit reference, read 2026-08."""

_image_threads = ThreadPoolExecutor(MAX_DECODING, thread_name_prefix="images")
_shrinking_thread = ThreadPoolExecutor(1, thread_name_prefix="shrinking")
"""What is shrunk takes the most memory, so one at a time."""


@dataclass(frozen=True, slots=True)
class TakenUpload:
    """An upload that can be used."""

    input: InputImage
    notes: tuple[str, ...]
    """What was changed on the way in, in sentences that can be shown."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A smaller copy of a file that is too large, kept beside it; the person's own file stays as it is."""

    upload: TakenUpload
    width: int
    """Of the file, in pixels, upright."""
    height: int
    size_bytes: int
    """Of the file."""


async def take_upload(services: Services, owner: str, path: Path, name: str) -> TakenUpload:
    """The file as an input image of the owner; its bytes and its row are stored on return.

    Raises: UploadRefused with a sentence for the person; OSError when the disk cannot take it.
    """
    return await _take(services, owner, lambda: clean_image(_read(path, name), name), name)


async def take_shrunk(services: Services, owner: str, path: Path, name: str) -> Shrunk:
    """A copy of a file that is too large, with as many pixels and bytes as an input may have; it is the owner's upload.

    Raises: UploadRefused with a sentence for the person, when it cannot be shrunk here either; OSError when the disk cannot
        take it.
    """

    def made() -> tuple[CleanImage, tuple[int, int], int]:
        data = _read(path, name, MAX_BYTES)
        return *shrunk_image(data, name), len(data)

    cleaned, (width, height), size_bytes = await asyncio.get_running_loop().run_in_executor(_shrinking_thread, made)
    taken = await asyncio.to_thread(keep_cleaned, services, owner, cleaned, shown_name(name))
    return Shrunk(taken, width, height, size_bytes)


async def take_mask(services: Services, owner: str, path: Path, name: str, base: InputImage) -> TakenUpload:
    """The file as a mask of `base`: its size, alpha 0 where to repaint. What was guessed stands in the notes.

    Raises: UploadRefused with a sentence for the person; OSError when the disk cannot take it.
    """
    size = (base.width, base.height)
    return await _take(services, owner, lambda: clean_mask(_read(path, name), name, size), name)


async def load_input(services: Services, owner: str, sha256: str) -> InputImage:
    """An image of the store as an input: an upload of the owner's, an image made, or an input of an earlier run.

    Raises: UploadRefused when it is not the owner's or its file is gone.
    """
    return await asyncio.to_thread(_load, services, owner, sha256)


async def in_image_thread(work: Callable[[], T]) -> T:
    """What `work` returns, run on one of the threads that decode images."""
    return await asyncio.get_running_loop().run_in_executor(_image_threads, work)


async def _take(services: Services, owner: str, clean: Callable[[], CleanImage], name: str) -> TakenUpload:
    """Cleans on an image thread, then writes the bytes and, once they are on disk, the row."""
    await asyncio.to_thread(_refuse_full, services, owner)
    cleaned = await in_image_thread(clean)
    return await asyncio.to_thread(keep_cleaned, services, owner, cleaned, shown_name(name))


def _refuse_full(services: Services, owner: str) -> None:
    """Raises: UploadRefused when the owner's images take all the room that is theirs. Blocking."""
    if services.settings.mode != "public":
        return

    def held(db: Database) -> int:
        return footprint.bytes_of_owner(db, owner)

    try:
        services.usage.refuse_storage(services.store.read(held))
    except UseRefused as error:
        raise UploadRefused(str(error)) from error


def _read(path: Path, name: str, most_bytes: int = MAX_UPLOAD_BYTES) -> bytes:
    """The whole file; its size is looked at before a byte is read."""
    try:
        size_bytes = path.stat().st_size
        if not 0 < size_bytes <= most_bytes:
            refuse_size(size_bytes, name)
        return path.read_bytes()
    except OSError:
        raise UploadRefused(f"{shown_name(name)} is not there any more. Choose the file again.") from None


def keep_cleaned(services: Services, owner: str, cleaned: CleanImage, name: str) -> TakenUpload:
    """Keeps a cleaned image as the owner's upload under a name to show. Blocking. Raises: StoreError."""
    sha256 = services.store.blobs.put(cleaned.data, cleaned.media_type)
    row = Upload(
        owner=owner,
        sha256=sha256,
        media_type=cleaned.media_type,
        width=cleaned.width,
        height=cleaned.height,
        size_bytes=len(cleaned.data),
        name=name,
        created_at=services.now(),
    )

    def add(db: Database) -> None:
        uploads.add(db, row)

    services.store.write(add)
    image = InputImage(cleaned.data, cleaned.media_type, cleaned.width, cleaned.height, sha256)
    return TakenUpload(image, cleaned.notes)


def _load(services: Services, owner: str, sha256: str) -> InputImage:
    try:
        path = library.owned_file(services, sha256, owner)
        data = path.read_bytes() if path else None
    except (ImagesAway, ImageDamaged):
        raise UploadRefused(
            "An input image is kept at another place, which does not give it now. Try again in a minute, or add the file anew."
        ) from None
    except (OSError, ValueError):
        data = None
    if data is None:
        raise UploadRefused("An input image is not there any more. Remove it and add it again.")
    return _as_input(services, owner, data, sha256)


def _as_input(services: Services, owner: str, data: bytes, sha256: str) -> InputImage:
    """Stored bytes as an input. An image that was made is sent as it came, so that its origin can be followed by its
    hash; one that no provider takes (GIF, AVIF) is converted and kept as an upload.
    """
    try:
        header = read_header(data)
    except UnreadableImage as error:
        raise UploadRefused(f"This image cannot be used as an input: {error}. Choose another one.") from None
    if header.media_type in SENDABLE and len(data) <= MAX_UPLOAD_BYTES:
        return InputImage(data, header.media_type, header.width, header.height, sha256)
    name = f"image {sha256[:8]}"
    return keep_cleaned(services, owner, _image_threads.submit(clean_image, data, name).result(), name).input
