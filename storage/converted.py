"""Copies of images in a format that a provider did not deliver: GIF and AVIF, made here.

The original is never changed. A copy is a new picture: the first frame, upright, without any metadata.
"""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Literal

import numpy
from PIL import Image, features

from storage.images import UnreadableImage, decode

ConvertedFormat = Literal["gif", "avif"]

_CONVERTERS = threading.BoundedSemaphore(1)
"""Pictures converted at once. The largest takes several times its decoded size, and AVIF uses all cores by itself."""

_GIF_COLOURS = 256
_OPAQUE_FROM = 128
"""Alpha below this is transparent in a GIF, which has no half-transparent pixels."""


def convert(original: Path, image_format: ConvertedFormat, quality: int | None = None) -> bytes:
    """The picture of a file as GIF or AVIF. Blocking, and slow for large pictures.

    Args:
        original: any picture that `images.read_header` takes.
        image_format: what to make. A GIF has 256 colours, one of them transparent where the original has alpha.
        quality: of an AVIF, 0 to 100; `None` leaves it to the encoder (75). A GIF has no quality and ignores it.

    Raises:
        UnreadableImage: no picture we take, beyond the limits, or damaged; or no AVIF can be written here.
        FileNotFoundError: `original` is not there.
        ValueError: another format, or `quality` out of bounds.
    """
    if image_format not in ("gif", "avif"):
        raise ValueError(f"{image_format!r} is not made here; expected 'gif' or 'avif'")
    if quality is not None and not 0 <= quality <= 100:
        raise ValueError(f"quality {quality} is not between 0 and 100")
    data = original.read_bytes()
    with _CONVERTERS:
        picture = decode(data)
        return _gif(picture) if image_format == "gif" else _avif(picture, quality)


def _avif(picture: Image.Image, quality: int | None) -> bytes:
    if not features.check("avif"):
        raise UnreadableImage("this machine's Pillow cannot write AVIF")
    return _saved(picture, "AVIF", **({} if quality is None else {"quality": quality}))


def _gif(picture: Image.Image) -> bytes:
    if picture.mode != "RGBA":
        return _saved(_reduced(picture, _GIF_COLOURS), "GIF")
    alpha = picture.getchannel("A")
    hidden = alpha.point(lambda value: 255 * (value < _OPAQUE_FROM))
    if hidden.getbbox() is None:
        return _saved(_reduced(picture.convert("RGB"), _GIF_COLOURS), "GIF")
    # What is hidden gets a colour that is seen elsewhere, so that it takes no place in the palette.
    row, column = divmod(int(numpy.argmax(numpy.asarray(alpha))), picture.width)
    picture.paste(picture.crop((column, row, column + 1, row + 1)).resize(picture.size), mask=hidden)
    transparent = _GIF_COLOURS - 1
    reduced = _reduced(picture.convert("RGB"), transparent)
    reduced.paste(transparent, mask=hidden)
    return _saved(reduced, "GIF", transparency=transparent)


def _reduced(picture: Image.Image, colours: int) -> Image.Image:
    """An RGB picture with a palette of its own, indexes below `colours`."""
    reduced = picture.quantize(colours, method=Image.Quantize.MEDIANCUT)
    if picture.getcolors(colours) is None:
        # Without dithering, skies and skin show bands. It needs a palette that is there already.
        reduced = picture.quantize(palette=reduced, dither=Image.Dither.FLOYDSTEINBERG)
    # Filled up to its full length: an index beyond the end of a palette is not kept.
    palette = (reduced.getpalette() or [])[: 3 * colours]
    reduced.putpalette(palette + [0] * (3 * _GIF_COLOURS - len(palette)))
    return reduced


def _saved(picture: Image.Image, form: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()
