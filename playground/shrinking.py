"""A smaller copy of a picture that is too large to be an input: the same hygiene, fewer pixels. Pure and blocking.

A JPEG is decoded at a fraction of its size, so it may be far larger than what is read otherwise; other formats are
decoded whole, one at a time (`uploads`), and take about 12 bytes of memory for each pixel.
"""

from __future__ import annotations

import io
import math

from PIL import Image

from playground import image_hygiene as hygiene
from playground.image_hygiene import CleanImage, Size, TooLarge, shown_name

MAX_BYTES = 100_000_000
"""Of the file that is shrunk: what the page takes at most."""
MAX_PIXELS = 80_000_000
MAX_JPEG_PIXELS = 160_000_000
_TRIES = 6
_LESS_THAN_NEEDED = 0.95


def fitting_size(size: Size) -> Size:
    """The largest size of the same shape within the limits of an input."""
    width, height = size
    factor = min(1.0, hygiene.MAX_SIDE_PX / max(size), math.sqrt(hygiene.MAX_PIXELS / (width * height)))
    return max(1, int(width * factor)), max(1, int(height * factor))


def shrunk_image(data: bytes, name: str) -> tuple[CleanImage, Size]:
    """The image cleaned as any other and small enough for an input; and the size that it had, upright.

    Raises: UploadRefused when it is no image or damaged; TooLarge when it cannot be shrunk here either.
    """
    form = hygiene.form_of(data, name)
    with hygiene.reading(form, name), Image.open(io.BytesIO(data), formats=[form]) as image:
        before = image.size
        if before[0] * before[1] > (MAX_JPEG_PIXELS if form == "JPEG" else MAX_PIXELS):
            raise TooLarge(
                f"{shown_name(name)} is {before[0]} x {before[1]} pixels, too many to shrink here. Scale it down first."
            )
        hygiene.refuse_odd_size(data, form, before, name)
        if form == "JPEG":
            # The decoder leaves out what would be thrown away: a fraction of the time, and of the memory.
            image.draft(None, _wanted(before))
        bare, notes = hygiene.pixels_of(image, form, data, name)
    is_on_its_side = (bare.width > bare.height) != (before[0] > before[1])
    upright = (before[1], before[0]) if is_on_its_side else before
    return _fitted(bare, fitting_size(bare.size), as_jpeg=form == "JPEG", name=name, notes=notes), upright


def _wanted(size: Size) -> Size:
    """At least so large is a JPEG decoded; beyond what is decoded whole, at half its size."""
    is_huge = size[0] * size[1] > MAX_PIXELS
    return (size[0] // 2, size[1] // 2) if is_huge else fitting_size(size)


def _fitted(image: Image.Image, size: Size, *, as_jpeg: bool, name: str, notes: list[str]) -> CleanImage:
    for _ in range(_TRIES):
        smaller = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0) if size != image.size else image
        try:
            data, media_type, more = hygiene.encoded_within_limit(smaller, as_jpeg=as_jpeg, name=name)
        except TooLarge:
            factor = 0.5**0.5 * _LESS_THAN_NEEDED
            size = max(1, int(size[0] * factor)), max(1, int(size[1] * factor))
            continue
        return CleanImage(data, media_type, smaller.width, smaller.height, (*notes, *more))
    raise TooLarge(f"{shown_name(name)} cannot be shrunk below 50 MB here. Scale it down first.")
