"""Files and folders named on the command line: input images, cleaned like uploads and not stored, and copies of images."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playground.image_hygiene import CleanImage, UploadRefused, clean_image, refuse_size
from playground.masks import clean_mask
from providers.types import InputImage


@dataclass(frozen=True, slots=True)
class ReadImage:
    """A file that can be sent."""

    input: InputImage
    notes: tuple[str, ...]
    """What was changed, in sentences."""


def read_image(path: Path) -> ReadImage:
    """The file as a reference image. Raises: UploadRefused when it cannot be used."""
    return _as_input(clean_image(_read(path), path.name))


def read_mask(path: Path, base: InputImage) -> ReadImage:
    """The file as a mask of `base`. Raises: UploadRefused when it cannot be used."""
    return _as_input(clean_mask(_read(path), path.name, (base.width, base.height)))


def make_writable(folder: Path) -> str | None:
    """Makes the folder; why nothing can be written there, or `None` when it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder} cannot be written ({error.strerror or 'it is no folder'}). Choose another folder."


def copy_image(source: Path, target: Path) -> str | None:
    """Copies the file as it is; why it could not be copied, or `None` when it was. No half copy is left."""
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        return error.strerror or type(error).__name__
    return None


def _as_input(cleaned: CleanImage) -> ReadImage:
    sha256 = hashlib.sha256(cleaned.data).hexdigest()
    image = InputImage(cleaned.data, cleaned.media_type, cleaned.width, cleaned.height, sha256)
    return ReadImage(image, cleaned.notes)


def _read(path: Path) -> bytes:
    try:
        refuse_size(path.stat().st_size, path.name)
        return path.read_bytes()
    except OSError as error:
        raise UploadRefused(f"{path} cannot be read: {error.strerror or 'no such file'}.") from None
