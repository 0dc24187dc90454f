"""A request to pixels: chooses the manner, draws at a bounded size, enlarges, encodes.

Drawing costs grow with the area, so a picture is painted at most at `WORK_PIXELS` and enlarged to the size asked.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
from PIL import Image, ImageFilter

from providers.demo import flat, painterly, sketch
from providers.demo.composing import compose
from providers.demo.noise import seeded
from providers.demo.prompt_reading import read_prompt
from providers.demo.shapes import Drawing, Field

Model = Literal["painterly", "flat", "sketch"]
Quality = Literal["low", "medium", "high"]
Format = Literal["png", "jpeg", "webp"]

LEVELS: Final[dict[Quality, int]] = {"low": 0, "medium": 1, "high": 2}
WORK_PIXELS: Final = (480_000, 800_000, 1_150_000)
"""The area painted, by quality level."""


class Manner(Protocol):
    """What the three manner modules have in common."""

    def paint(
        self,
        drawing: Drawing,
        canvas: tuple[int, int],
        level: int,
        rng: np.random.Generator,
        *,
        ground: Field | None = None,
        transparent: bool = False,
    ) -> Field:
        """The drawing in this manner, shape (height, width, 4)."""

    def restyle(self, pixels: Field, level: int, rng: np.random.Generator, *, strength: float) -> Field:
        """A picture (h, w, 3) done again in this manner."""


MANNERS: Final[dict[Model, Manner]] = {"painterly": painterly, "flat": flat, "sketch": sketch}


@dataclass(frozen=True, slots=True)
class Order:
    """One picture to make, all defaults resolved."""

    model: Model
    prompt: str
    size: tuple[int, int]
    """Width and height in pixels."""
    quality: Quality
    transparent: bool
    index: int
    """Its place within the request, from 0."""


def draw(order: Order) -> Image.Image:
    """The picture of `order`, RGB or, when transparent, RGBA; the same order gives the same pixels."""
    reading = read_prompt(order.prompt)
    level = LEVELS[order.quality]
    rng = seeded(order.model, order.prompt, order.index)
    drawing = compose(reading, order.size, rng, variation=order.index)
    canvas = work_canvas(order.size, level)
    layers = MANNERS[order.model].paint(drawing, canvas, level, rng, transparent=order.transparent)
    picture = as_image(layers if order.transparent else layers[..., :3])
    return enlarged(picture, order.size)


def work_canvas(size: tuple[int, int], level: int) -> tuple[int, int]:
    """(height, width) to paint at for a picture of `size` (width, height)."""
    shrink = min(1.0, (WORK_PIXELS[level] / (size[0] * size[1])) ** 0.5)
    return max(1, round(size[1] * shrink)), max(1, round(size[0] * shrink))


def as_image(layers: Field) -> Image.Image:
    """A field of 3 or 4 layers as RGB or RGBA."""
    return Image.fromarray((np.clip(layers, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8))


def enlarged(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`picture` at exactly `size` (width, height)."""
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.BICUBIC)


def preview(picture: Image.Image, stage: int, stages: int) -> Image.Image:
    """An earlier state of `picture`: soft, growing clearer from `stage` 0 to `stages` - 1."""
    left = 1 - (stage + 1) / (stages + 1)
    width, height = picture.size
    coarse = max(4, int(min(width, height) * 0.06 * left))
    small = picture.resize((max(2, width // coarse), max(2, height // coarse)), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(0.8)).resize(picture.size, Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, output_format: Format, compression: int | None) -> bytes:
    """`picture` as file bytes; `compression` is OpenAI's `output_compression`, 100 best, `None` the default of 100."""
    buffer = io.BytesIO()
    quality = 100 if compression is None else compression
    if output_format == "png":
        picture.save(buffer, "PNG", compress_level=1)
    elif output_format == "jpeg":
        # Above 95 Pillow's JPEG only grows; OpenAI's 100 means "best", not "as large as can be".
        picture.convert("RGB").save(buffer, "JPEG", quality=max(1, min(95, quality)))
    else:
        picture.save(buffer, "WEBP", quality=min(95, quality), method=0)
    return buffer.getvalue()
