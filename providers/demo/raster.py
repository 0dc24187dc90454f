"""Shapes to pixels: an anti-aliased coverage mask and the fall of light for the box a shape touches."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from providers.demo.noise import resized, unit
from providers.demo.shapes import Field, Path, Shape

FEW_PIXELS = 250_000
"""Below this area a mask is oversampled 4 times instead of twice: small shapes show their steps most."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a shape lies on the canvas and how much of each pixel it covers."""

    rows: slice
    columns: slice
    cover: Field
    """Shape (rows, columns), 0 to 1."""
    light: Field
    """0 in the light, 1 in the shade; shape broadcastable to `cover`."""


def patch(shape: Shape, canvas: tuple[int, int], scale: float) -> Patch | None:
    """The part of a (height, width) canvas that `shape` covers at `scale` pixels per unit; `None` outside it."""
    points = np.concatenate(shape.paths) * scale
    margin = shape.soft * scale * 2.5 + 1
    left, top = max(0, floor(points[:, 0].min() - margin)), max(0, floor(points[:, 1].min() - margin))
    right = min(canvas[1], ceil(points[:, 0].max() + margin))
    bottom = min(canvas[0], ceil(points[:, 1].max() + margin))
    if right <= left or bottom <= top:
        return None
    if shape.lettering:
        cover = _lettered(shape, (left, top, right, bottom), scale)
    else:
        cover = _covered(shape.paths, (left, top, right, bottom), scale, shape.soft * scale)
    low = points.min(axis=0)
    span = np.maximum(points.max(axis=0) - low, 1e-3)
    across = ((np.arange(left, right, dtype=np.float32) - low[0]) / span[0])[None, :]
    down = ((np.arange(top, bottom, dtype=np.float32) - low[1]) / span[1])[:, None]
    return Patch(slice(top, bottom), slice(left, right), cover, _light(shape, across, down))


def _light(shape: Shape, across: Field, down: Field) -> Field:
    if shape.fill == "down":
        return unit(down)
    if shape.fill == "right":
        return unit(np.abs(across - np.float32(0.3)) * np.float32(1.5) - np.float32(0.08))
    if shape.fill == "round":
        reach = np.sqrt((across - 0.34) ** 2 + (down - 0.27) ** 2)
        return unit(reach * np.float32(1.35) - np.float32(0.1))
    return np.zeros((1, 1), dtype=np.float32)


def _covered(paths: tuple[Path, ...], box: tuple[int, int, int, int], scale: float, blur: float) -> Field:
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    if blur > 2:
        # A blurred edge needs few pixels: drawn small, blurred small, enlarged. Ten times cheaper, same look.
        shrink = max(1.0, blur / 2.5)
        small = (max(2, round(size[0] / shrink)), max(2, round(size[1] / shrink)))
        picture = _filled(paths, (left, top), small, (small[0] / size[0] * scale, small[1] / size[1] * scale), scale)
        picture = picture.filter(ImageFilter.GaussianBlur(blur / shrink))
        return unit(resized(np.asarray(picture, dtype=np.float32) / np.float32(255), (size[1], size[0])))
    over = 4 if size[0] * size[1] < FEW_PIXELS else 2
    big = (size[0] * over, size[1] * over)
    picture = _filled(paths, (left, top), big, (scale * over, scale * over), scale).reduce(over)
    if blur > 0:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(picture, dtype=np.float32) / np.float32(255)


def _filled(
    paths: tuple[Path, ...],
    corner: tuple[int, int],
    size: tuple[int, int],
    factor: tuple[float, float],
    scale: float,
) -> Image.Image:
    picture = Image.new("L", size)
    pen = ImageDraw.Draw(picture)
    origin = np.asarray(corner, dtype=np.float32) / np.float32(scale)
    for path in paths:
        points = (path - origin) * np.asarray(factor, dtype=np.float32) - 0.5
        if len(points) > 2:
            pen.polygon(points.ravel().tolist(), fill=255)
    return picture


def _lettered(shape: Shape, box: tuple[int, int, int, int], scale: float) -> Field:
    """Letters centred and as large as fits; Pillow bundles the face (Aileron), so no font file is needed."""
    left, top, right, bottom = box
    picture = Image.new("L", (right - left, bottom - top))
    low, high = shape.paths[0].min(axis=0) * scale, shape.paths[0].max(axis=0) * scale
    room = high - low
    trial = ImageFont.load_default(100)
    x0, y0, x1, y1 = trial.getbbox(shape.lettering)
    size = 100 * min(room[0] / max(1.0, x1 - x0), room[1] / max(1.0, y1 - y0))
    font = ImageFont.load_default(max(6.0, float(size)))
    x0, y0, x1, y1 = font.getbbox(shape.lettering)
    place = (
        float(low[0] - left + (room[0] - (x1 - x0)) / 2 - x0),
        float(low[1] - top + (room[1] - (y1 - y0)) / 2 - y0),
    )
    ImageDraw.Draw(picture).text(place, shape.lettering, fill=255, font=font)
    return np.asarray(picture, dtype=np.float32) / np.float32(255)
