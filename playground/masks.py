"""Masks as coverage: one byte for each pixel of the base image, 255 where to repaint and 0 where to keep.

Pure, pixels. Everything about a mask stands here: reading any picture as one, changing it, and the file that providers take
(a PNG as large as its image, alpha 0 where to repaint). A soft edge is coverage between 0 and 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from playground.image_hygiene import CleanImage, Size, UploadRefused, decoded, png_bytes, shown_name

MAX_MASK_BYTES = 4_000_000
"""A mask must be under 4 MB; source: OpenAI's image edit reference, read 2026-08."""
MAX_RATIO_GAP = 0.01
"""How far two aspect ratios may be apart, as a part of one of them, and still count as the same shape."""
MAX_GREY_SHARE = 0.5
"""More middle grey than this and a file without transparency is a photo, not a mask."""
MAX_STEP_PX = 512
"""Most that a mask is grown, shrunk or feathered by at once."""

_MARKED_FROM = 128
"""Coverage from which a pixel counts as marked where it is one or the other."""
_CLEAR_EDGE = 0.65
"""Share of the picture's edge that one colour must have to be taken for the part that is kept."""
_EVEN_SHARE = 0.02
"""Parts that differ by less than this are of the same size."""
_COLOURFUL = 48 * 255
"""Saturation times value from which a pixel has a clear hue."""

Coverage = NDArray[numpy.uint8]
"""Shape (height, width)."""
Polarity = Literal["transparent", "white", "black"]
"""What marks the part to repaint in a picture that was read as a mask."""


class ReadMask(NamedTuple):
    """A picture read as a mask."""

    coverage: Coverage
    polarity: Polarity
    notes: tuple[str, ...]
    """What was changed and what was guessed, in sentences."""


@dataclass(frozen=True, slots=True)
class MaskChange:
    """What to do to a mask, in this order."""

    is_inverted: bool = False
    grow_px: int = 0
    """Below 0 it shrinks."""
    feather_px: int = 0


def clean_mask(data: bytes, name: str, base_size: Size) -> CleanImage:
    """A file as the mask of an image of that size (width, height): the PNG that providers take.

    Raises: UploadRefused when the file is no mask, marks nothing or everything, or has another aspect ratio.
    """
    read = read_mask(data, name)
    coverage, resized = fitted(read.coverage, base_size, name)
    return encoded(coverage, name, (*read.notes, *([resized] if resized else [])))


def read_mask(data: bytes, name: str) -> ReadMask:
    """Any picture as a mask of its own size. Transparent parts mark what to repaint; a picture without any is read as black
    and white, and which of the two marks is guessed and said.

    Raises: UploadRefused when the file is no picture, outside the limits, or neither transparent nor black and white.
    """
    _, image, notes = decoded(data, name)
    said = tuple(note for note in notes if "rotated" in note or "frame" in note)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        return ReadMask(coverage_of(image), "transparent", said)
    white = _white_of(image, name)
    polarity, why = guess_polarity(white)
    guessed = f"The mask has no transparency: {polarity} was taken as the part to repaint, {why}."
    return ReadMask(white if polarity == "white" else inverted(white), polarity, (*said, guessed))


def coverage_of(image: Image.Image) -> Coverage:
    """The coverage that a picture's transparency says: 255 where alpha is 0. Without an alpha channel nothing is marked."""
    if "A" not in image.getbands():
        return numpy.zeros((image.height, image.width), numpy.uint8)
    return inverted(numpy.asarray(image.getchannel("A")))


def guess_polarity(white: Coverage) -> tuple[Polarity, str]:
    """Which of white and black marks, and why, as the end of a sentence. `white`: 255 where the picture is white.

    What lies along the edge is mostly what is kept; where the edge does not say it, the smaller part marks, and of two equal
    parts the white one.
    """
    is_white = white >= _MARKED_FROM
    edge = numpy.concatenate([is_white[0], is_white[-1], is_white[1:-1, 0], is_white[1:-1, -1]])
    of_edge, of_all = float(edge.mean()), float(is_white.mean())
    if of_all in (0.0, 1.0):
        return "white", "as is usual"
    if of_edge <= 1 - _CLEAR_EDGE:
        return "white", "because black lies along the edge; invert it if that is wrong"
    if of_edge >= _CLEAR_EDGE:
        return "black", "because white lies along the edge; invert it if that is wrong"
    if abs(of_all - 0.5) * 2 < _EVEN_SHARE:
        return "white", "as is usual; invert it if that is wrong"
    return ("white" if of_all < 0.5 else "black"), "because it is the smaller part; invert it if that is wrong"


def is_same_shape(one: Size, other: Size) -> bool:
    """Whether the aspect ratios are at most `MAX_RATIO_GAP` apart."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= MAX_RATIO_GAP * one[1] * other[0]


def fitted(coverage: Coverage, base_size: Size, name: str) -> tuple[Coverage, str]:
    """The coverage as large as its image, and the note that it was resized; empty when it had that size.

    Raises: UploadRefused when the aspect ratio is another.
    """
    size = (coverage.shape[1], coverage.shape[0])
    if size == base_size:
        return coverage, ""
    if not is_same_shape(size, base_size):
        raise UploadRefused(
            f"{shown_name(name)} is {size[0]} x {size[1]} pixels and its image {base_size[0]} x {base_size[1]}. "
            "A mask must have the size of its image, or at least the same aspect ratio."
        )
    is_hard = bool(numpy.isin(coverage, (0, 255)).all())
    how = Image.Resampling.NEAREST if is_hard else Image.Resampling.BILINEAR
    resized = numpy.array(Image.fromarray(coverage).resize(base_size, how))
    return resized, f"The mask was resized from {size[0]} x {size[1]} to {base_size[0]} x {base_size[1]}."


def inverted(coverage: Coverage) -> Coverage:
    """What was kept is repainted, and the other way round."""
    return numpy.bitwise_not(coverage)


def grown(coverage: Coverage, by_px: int) -> Coverage:
    """The marked part larger by so many pixels in every direction, or smaller where `by_px` is below 0.

    Corners become those of an octagon, which is up to 8 % wider than a circle there. Shrinking leaves a side alone that lies
    at the edge of the image.

    Raises: ValueError when it is more than `MAX_STEP_PX`.
    """
    _refuse_step(abs(by_px))
    if by_px < 0:
        return inverted(grown(inverted(coverage), -by_px))
    diagonal = min(round(by_px * 0.293), max(0, (by_px - 1) // 2))
    straight = by_px - 2 * diagonal
    # A corner of the way may lie outside the image.
    spread = numpy.pad(coverage, diagonal)
    for reach, down, right in ((straight, 0, 1), (straight, 1, 0), (diagonal, 1, 1), (diagonal, 1, -1)):
        spread = _spread(spread, reach, down, right)
    height, width = coverage.shape
    return spread[diagonal : diagonal + height, diagonal : diagonal + width].copy()


def feathered(coverage: Coverage, radius_px: int) -> Coverage:
    """The edges softened over so many pixels on both sides; what lies further from an edge stays exactly as it was.

    Raises: ValueError when it is below 0 or more than `MAX_STEP_PX`.
    """
    _refuse_step(radius_px)
    picture = Image.fromarray(coverage)
    # Three boxes whose radii add up to the asked one: nearly a bell, and unlike a bell it ends.
    for part in range(3):
        picture = picture.filter(ImageFilter.BoxBlur((radius_px + part) // 3))
    return numpy.array(picture)


def changed(coverage: Coverage, change: MaskChange) -> Coverage:
    """The coverage after the change. Raises: ValueError when a step is out of bounds."""
    turned = inverted(coverage) if change.is_inverted else coverage
    return feathered(grown(turned, change.grow_px), change.feather_px)


def share(coverage: Coverage) -> float:
    """The part of the image that is marked, 0 to 1; soft edges count by their coverage."""
    return float(coverage.mean(dtype=numpy.float64)) / 255


def encoded(coverage: Coverage, name: str, notes: tuple[str, ...] = ()) -> CleanImage:
    """The coverage as the PNG that providers take: alpha 0 where to repaint.

    Raises: UploadRefused when nothing or everything is marked, or the file comes out over 4 MB.
    """
    refuse_extremes(coverage, name)
    data = _png_of(coverage)
    if len(data) > MAX_MASK_BYTES:
        data = _png_of(numpy.where(coverage >= _MARKED_FROM, 255, 0).astype(numpy.uint8))
        notes = (*notes, "The soft edges of the mask were made hard, because the file was over 4 MB.")
    if len(data) > MAX_MASK_BYTES:
        raise UploadRefused(f"{shown_name(name)} is over 4 MB as a mask. Use one with larger, calmer shapes.")
    return CleanImage(data, "image/png", coverage.shape[1], coverage.shape[0], notes)


def refuse_extremes(coverage: Coverage, name: str) -> None:
    """Raises: UploadRefused when nothing or everything is marked; what is half marked or more counts as marked."""
    # Coverage 128 is alpha 127, which is transparent rather than opaque.
    if coverage.max() < _MARKED_FROM:
        raise UploadRefused(
            f"{shown_name(name)} marks nothing. Make the part to repaint transparent, or white on black."
        )
    if coverage.min() >= _MARKED_FROM:
        raise UploadRefused(
            f"{shown_name(name)} marks the whole image. Keep some of it, or remove the mask to repaint everything."
        )


def _refuse_step(pixels: int) -> None:
    if not 0 <= pixels <= MAX_STEP_PX:
        raise ValueError(f"{pixels} pixels are not between 0 and {MAX_STEP_PX}")


def _spread(coverage: Coverage, reach: int, down: int, right: int) -> Coverage:
    """The largest coverage within `reach` steps to either side along one direction."""
    done = 0
    while done < reach:
        # What covers `done` steps covers three times as many, and one, when laid beside itself twice.
        step = min(2 * done + 1, reach - done)
        wider = coverage.copy()
        for sign in (step, -step):
            _lay_over(wider, coverage, sign * down, sign * right)
        coverage, done = wider, done + step
    return coverage


def _lay_over(under: Coverage, over: Coverage, down: int, right: int) -> None:
    """Lays `over`, moved by so many rows and columns, over `under`, in place: of two values the larger one stays."""
    height, width = under.shape
    if abs(down) >= height or abs(right) >= width:
        return
    target = under[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    source = over[max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)]
    numpy.maximum(target, source, out=target)


def _white_of(image: Image.Image, name: str) -> Coverage:
    """255 where the picture is white, 0 where it is black. Raises: UploadRefused when it is neither."""
    grey = image.convert("RGB").convert("L")
    counts = grey.histogram()
    middle = sum(counts[48:208]) / sum(counts)
    if middle > MAX_GREY_SHARE or _is_colourful(image):
        raise UploadRefused(
            f"{shown_name(name)} is no mask: it has no transparency and is not black and white. "
            "Use a PNG that is transparent, or white on black, where the image should be repainted."
        )
    return numpy.array(grey.point(_SNAPPED))


_SNAPPED = [0 if level <= 16 else 255 if level >= 239 else level for level in range(256)]
"""The ends are snapped, because JPEG leaves noise beside black and white."""


def _is_colourful(image: Image.Image) -> bool:
    """Whether more than a fiftieth of the pixels has a clear hue."""
    small = image.convert("RGB")
    small.thumbnail((256, 256), Image.Resampling.NEAREST)
    _, saturation, value = numpy.moveaxis(numpy.asarray(small.convert("HSV"), numpy.int32), 2, 0)
    return bool((saturation * value > _COLOURFUL).mean() > 1 / 50)


def _png_of(coverage: Coverage) -> bytes:
    mask = Image.new("RGBA", (coverage.shape[1], coverage.shape[0]))
    mask.putalpha(Image.fromarray(inverted(coverage)))
    return png_bytes(mask)
