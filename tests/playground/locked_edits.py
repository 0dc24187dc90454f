"""Edits whose mask locks what is outside it, and what has to be true of their images."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy
from PIL import Image

from providers.types import ImageRequest, InputImage
from storage.records import RunView
from storage.verify import verify
from tests.harness import Harness

SIZE = (192, 192)
SQUARE = {"size": "1024x1024", "quality": "low"}


def given(image: Image.Image, form: str = "PNG") -> InputImage:
    out = io.BytesIO()
    image.save(out, form)
    data = out.getvalue()
    return InputImage(data, f"image/{form.lower()}", *image.size, hashlib.sha256(data).hexdigest())


def photo(size: tuple[int, int] = SIZE, form: str = "PNG") -> InputImage:
    values = numpy.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=numpy.uint8)
    return given(Image.fromarray(values), form)


def mask(size: tuple[int, int] = SIZE) -> InputImage:
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    return given(image)


def edit(**changes: Any) -> ImageRequest:
    return ImageRequest("Add a hat", **({"images": (photo(),), "mask": mask(), **SQUARE} | changes))


def blob(one: Harness, sha256: str) -> bytes:
    path = one.services.store.blobs.find(sha256)
    assert path is not None
    return path.read_bytes()


def pixels(data: bytes) -> Any:
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def check_locked(one: Harness, view: RunView, base: InputImage) -> None:
    """Each image has its locked one, equal to the base outside the mask and to the answer inside."""
    assert [lock.image_id for lock in view.locks] == [image.image_id for image in view.images]
    size = (base.width, base.height)
    inside = numpy.zeros((size[1], size[0]), bool)
    inside[size[1] // 4 : size[1] // 2, size[0] // 4 : size[0] // 2] = True
    for image in view.images:
        lock = view.lock_of(image.image_id)
        assert lock is not None
        assert (lock.state, lock.tries) == ("made", 1)
        assert lock.locked is not None
        assert lock.drift is not None
        locked, raw = pixels(blob(one, lock.locked.sha256)), Image.open(io.BytesIO(blob(one, image.sha256)))
        assert (lock.locked.width, lock.locked.height) == size
        assert (locked[~inside] == pixels(base.data)[~inside]).all()
        fitting = raw.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        assert (locked[inside] == numpy.asarray(fitting)[inside]).all()
    assert verify(one.services.store) == []
