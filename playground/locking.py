"""Lock outside the mask: the original put back outside what was to be repainted, and how far the model drifted there.

Pure. What counts is the coverage of the mask, soft edges included: where it is 0 the result has the base's pixels, byte for
byte; where it is 255 the answer's; between them a blend. The answer itself is never changed: what is made here lies beside it.

The *drift* is measured where the coverage is 0, between the base and the answer as it came: the mean absolute difference of
the channels (colour premultiplied by alpha, and alpha itself where either image has any), in per cent of full scale. Beside it
stands the share of pixels of which some channel is off by more than `VISIBLE_STEPS`. Where the answer is smaller than the base
both are compared at its size, so that pixels which the provider does not make do not count as drift.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from playground.image_hygiene import Size
from playground.masks import Coverage, is_same_shape

VISIBLE_STEPS = 10
"""Of 255: a channel that is off by no more looks the same. The comparison of two images on a page draws the line there too."""
HEAT_EDGE_PX = 2048
"""Longest edge of the heat map; of several pixels that fall into one the one that is furthest off counts."""

_STRIPE_PIXELS = 2**20
"""Pixels that are worked on at once: the sums need several times their size."""
_RUNS_ONLY = 3
"""How the PNG encoder looks for repetitions (zlib's Z_RLE). Measured on a noisy photo of 2048 x 2048: 0.3 s, where the default
takes 0.8 s for a file of the same size.
"""
_HALO_PX = 3
"""So far the edge of the mask is kept away from when images are compared at a smaller size: resampling mixes neighbours within
three pixels of the smaller one.
"""

Pixels = NDArray[numpy.uint8]
"""Shape (height, width, channels), RGB or RGBA."""


class NotLockable(ValueError):
    """The answer cannot be laid over the base. The message is a sentence that can be shown."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far an answer is from its base outside the mask. `None`: nothing lies outside."""

    percent: float | None
    """Mean absolute difference, 0 to 100; see above."""
    visible_share: float | None
    """Part of the pixels that are visibly off, 0 to 1."""
    largest_steps: int
    """The largest difference of a channel, 0 to 255."""
    pixels: int
    """How many were compared."""


@dataclass(frozen=True, slots=True)
class Locked:
    """What is made of one answer."""

    image: bytes
    """PNG as large as the base."""
    size: Size
    heat_map: bytes
    """PNG: clear where nothing is off and inside the mask, grey where a little, amber and red where more."""
    heat_size: Size
    drift: Drift
    note: str
    """What had to be done to the answer first, as a sentence; empty when nothing."""


def lock(base: Image.Image, coverage: Coverage, answer: Image.Image) -> Locked:
    """The answer with the base put back outside the mask. `base` and `answer` are RGB or RGBA.

    An answer of another size and the same shape is brought to the size of the base.

    Raises: NotLockable when the shapes differ, or the coverage has another size than the base.
    """
    if coverage.shape != (base.height, base.width):
        raise NotLockable(
            f"The mask is {coverage.shape[1]} x {coverage.shape[0]} px and image 1 is {base.width} x {base.height} px, "
            "so the original cannot be put back."
        )
    if not is_same_shape(answer.size, base.size):
        raise NotLockable(
            f"{answer.width} x {answer.height} px came and image 1 is {base.width} x {base.height} px: another shape, so the "
            "original cannot be put back. Ask for a size of the same aspect ratio."
        )
    mode = "RGBA" if "A" in (*base.getbands(), *answer.getbands()) else "RGB"
    original, came = base.convert(mode), answer.convert(mode)
    drift, heat = measure(original, coverage, came)
    fitting = came if came.size == base.size else came.resize(base.size, Image.Resampling.LANCZOS)
    pixels = numpy.array(original)
    _put_answer(pixels, coverage, numpy.asarray(fitting))
    heat_map, heat_size = draw_heat(heat)
    words = f"The answer was resized from {answer.width} x {answer.height} to {base.width} x {base.height} px."
    return Locked(
        image=_png(Image.fromarray(pixels)),
        size=base.size,
        heat_map=heat_map,
        heat_size=heat_size,
        drift=drift,
        note="" if fitting is came else words,
    )


def measure(base: Image.Image, coverage: Coverage, answer: Image.Image) -> tuple[Drift, Coverage]:
    """The drift of an answer, and by how much each pixel is off: its furthest channel, 0 to 255, and 0 where the mask marks.

    Both images have one mode, RGB or RGBA, and one shape.
    """
    size = min(base.size, answer.size, key=_area)
    outside = _outside(coverage, size)
    one, other = (numpy.asarray(_premultiplied(_resized(image, size))) for image in (base, answer))
    off = numpy.zeros((size[1], size[0]), numpy.uint8)
    total, visible = 0, 0
    for rows in _stripes(size):
        # Of unsigned bytes the plain difference would wrap around.
        apart = numpy.maximum(one[rows], other[rows]) - numpy.minimum(one[rows], other[rows])
        apart[~outside[rows]] = 0
        total += int(apart.sum(dtype=numpy.int64))
        off[rows] = apart.max(axis=2)
        visible += int((off[rows] > VISIBLE_STEPS).sum())
    pixels = int(outside.sum())
    if not pixels:
        return Drift(None, None, 0, 0), off
    percent = 100 * total / (255 * pixels * one.shape[2])
    return Drift(percent, visible / pixels, int(off.max()), pixels), off


def draw_heat(off: Coverage) -> tuple[bytes, Size]:
    """By how much each pixel is off as a PNG with clear parts, and its size; see `Locked.heat_map`."""
    while max(off.shape) > HEAT_EDGE_PX:
        off = _halved(off)
    picture = Image.fromarray(_SCALE[off]).convert("P")
    picture.putpalette(_COLOURS.tobytes())
    return _png(picture, transparency=_CLARITY.tobytes()), picture.size


_SCALE = numpy.ceil(numpy.sqrt(numpy.arange(256) / 255) * 255).astype(numpy.uint8)
"""Steps of difference to place in the palette: by the root, so that small differences are told apart."""


def _ramp(stops: list[tuple[int, ...]]) -> NDArray[numpy.uint8]:
    """256 values for each channel between evenly spaced stops."""
    places = numpy.linspace(0, 255, len(stops))
    return numpy.stack([numpy.interp(numpy.arange(256), places, each) for each in zip(*stops, strict=True)], 1).astype(
        numpy.uint8
    )


_COLOURS = _ramp([(128, 128, 128), (168, 156, 134), (255, 190, 60), (244, 110, 40), (230, 30, 20)])
"""Neutral grey through amber to red."""
_CLARITY = _ramp([(0,), (150,), (205,), (235,), (255,)])[:, 0]


def _put_answer(pixels: Pixels, coverage: Coverage, answer: Pixels) -> None:
    """Lays the answer over the base's pixels, in place, as far as each is covered."""
    for rows in _stripes((pixels.shape[1], pixels.shape[0])):
        target, source, cover = pixels[rows], answer[rows], coverage[rows]
        numpy.copyto(target, source, where=(cover == 255)[..., None])
        is_soft = (cover > 0) & (cover < 255)
        if is_soft.any():
            target[is_soft] = _blended(target[is_soft], source[is_soft], cover[is_soft])


def _blended(base: NDArray[numpy.uint8], answer: NDArray[numpy.uint8], cover: Coverage) -> NDArray[numpy.uint8]:
    """Some pixels, shape (n, 3) or (n, 4), mixed by their coverage; what is clear has no say in the colour."""
    weight = cover.astype(numpy.int32)[:, None]
    one, other = base.astype(numpy.int32), answer.astype(numpy.int32)
    if base.shape[1] == 3:
        return ((one * (255 - weight) + other * weight + 127) // 255).astype(numpy.uint8)
    of_one, of_other = one[:, 3:] * (255 - weight), other[:, 3:] * weight
    alpha = of_one + of_other
    colour = (one[:, :3] * of_one + other[:, :3] * of_other + alpha // 2) // numpy.maximum(alpha, 1)
    return numpy.hstack([colour, (alpha + 127) // 255]).astype(numpy.uint8)


def _outside(coverage: Coverage, size: Size) -> NDArray[numpy.bool_]:
    """Where the mask marks nothing at all, at that size."""
    marked = Image.fromarray(numpy.where(coverage > 0, 255, 0).astype(numpy.uint8))
    if marked.size != size:
        marked = marked.resize(size, Image.Resampling.BOX).filter(ImageFilter.MaxFilter(2 * _HALO_PX + 1))
    is_clear: NDArray[numpy.bool_] = numpy.asarray(marked) == 0
    return is_clear


def _resized(image: Image.Image, size: Size) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _premultiplied(image: Image.Image) -> Image.Image:
    return image.convert("RGBa") if image.mode == "RGBA" else image


def _stripes(size: Size) -> Iterator[slice]:
    """The rows of an image of that size in pieces."""
    step = max(1, _STRIPE_PIXELS // size[0])
    for start in range(0, size[1], step):
        yield slice(start, start + step)


def _halved(off: Coverage) -> Coverage:
    """Half as wide and high; of four pixels the largest value stays. An odd row or column stands for itself."""
    height, width = off.shape
    even = numpy.pad(off, ((0, height % 2), (0, width % 2)))
    smaller: Coverage = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).max(axis=(1, 3))
    return smaller


def _area(size: Size) -> int:
    return size[0] * size[1]


def _png(image: Image.Image, **options: bytes) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_type=_RUNS_ONLY, compress_level=1, **options)
    return buffer.getvalue()
