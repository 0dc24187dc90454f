"""What a picture's bytes say about themselves, and their decoding.

Bytes come from providers and from visitors, so nothing is decoded before its header was checked against the limits.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PIL import Image, ImageOps, features

from storage.gif import count_frames
from storage.image_parts import odd_build, odd_size
from storage.png import with_stored_rows

MAX_SIDE_PX = 8192
"""Longest side, room for twice the 4096 of a 4K picture. It also bounds what one line of pixels takes."""

MAX_PIXELS = 64_000_000
"""Most pixels. Four bytes each are 256 MB decoded, which a small server survives; Pillow's own limit is 716 MB."""

_SNIFFED_BYTES = 64
"""An AVIF lists its brands there, a dozen at most."""

_PILLOW_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "image/png": "PNG",
        "image/jpeg": "JPEG",
        "image/webp": "WEBP",
        "image/gif": "GIF",
    }
    | ({"image/avif": "AVIF"} if features.check("avif") else {})
)

# Broad on purpose: Pillow's parsers raise nearly anything on damaged files. `Warning`: where those are made errors.
_PARSER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    MemoryError,
    RuntimeError,
    struct.error,
    Warning,
    Image.DecompressionBombError,
)


class UnreadableImage(Exception):
    """Bytes that are no picture we take; the message is the reason, fit to be shown."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a picture's header says."""

    media_type: str
    width: int
    """As stored, before any turning that EXIF asks for."""
    height: int
    has_alpha: bool
    """Whether it can have transparent parts, not whether it has."""
    frames: int
    """1 for a still picture."""


def read_header(data: bytes) -> ImageHeader:
    """The header of a PNG, JPEG, WebP, GIF or AVIF; no pixel is decoded, so the rest may still be damaged.

    Raises:
        UnreadableImage: another format, a damaged header, beyond `MAX_SIDE_PX` or `MAX_PIXELS`, or built to wear a decoder out.
    """
    media_type = _sniff(data[:_SNIFFED_BYTES])
    _refuse_odd(odd_build(data, _PILLOW_NAMES[media_type]))
    try:
        with Image.open(io.BytesIO(data), formats=[_PILLOW_NAMES[media_type]]) as image:
            width, height = image.size
            _check_size(width, height)
            _refuse_odd(odd_size(data, _PILLOW_NAMES[media_type], width, height))
            # Pillow counts a GIF's frames by reading each; ours stops at a limit.
            frames = count_frames(data) if media_type == "image/gif" else getattr(image, "n_frames", 1)
            if media_type == "image/jpeg":
                frames = 1  # further pictures behind the first (MPO) are previews and depth maps
            return ImageHeader(media_type, width, height, image.has_transparency_data, frames)
    except UnreadableImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableImage(_too_large("more pixels")) from None
    except _PARSER_ERRORS as error:
        raise UnreadableImage(f"damaged {_PILLOW_NAMES[media_type]} image: its header cannot be read") from error


def decode(data: bytes, *, edge_px: int | None = None) -> Image.Image:
    """The first frame as RGB or RGBA, upright, without any metadata; its long edge at most `edge_px` where given.

    Raises:
        UnreadableImage: no picture we take, beyond the limits, or damaged.
    """
    return decoded(data, edge_px)[0]


def decoded(data: bytes, edge_px: int | None) -> tuple[Image.Image, int]:
    """The picture as `decode` gives it, and the lowest alpha it had before it was made smaller: 0 to 255; 255 also where it
    has no transparency. Raises as `decode` does.
    """
    header = read_header(data)
    if header.media_type == "image/png":
        data = with_stored_rows(data)
    try:
        with Image.open(io.BytesIO(data), formats=[_PILLOW_NAMES[header.media_type]]) as image:
            if edge_px is not None:
                # For a JPEG this makes the decoder itself shrink it, so the full picture never lies in memory.
                image.draft("RGB", (edge_px, edge_px))
            image.load()
            plain = _with_plain_mode(image, has_alpha=header.has_alpha)
            lowest_alpha = lowest_level(plain.getchannel("A")) if plain.mode == "RGBA" else 255
            if edge_px is not None:
                # Whole steps by plain averages, the rest finely: a third of the time, and nothing to be seen of it.
                plain.thumbnail((edge_px, edge_px), Image.Resampling.LANCZOS, reducing_gap=1.0)
            ImageOps.exif_transpose(plain, in_place=True)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableImage(_too_large("more pixels")) from None
    except _PARSER_ERRORS as error:
        raise UnreadableImage(f"damaged {_PILLOW_NAMES[header.media_type]} image") from error
    # Pasted into a new picture: what Pillow carries along (EXIF, place, comment, colour profile) stays behind.
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare, lowest_alpha


def lowest_level(channel: Image.Image) -> int:
    """The lowest value of all pixels of a channel, 0 to 255."""
    return next(level for level, count in enumerate(channel.histogram()) if count)


def _with_plain_mode(image: Image.Image, *, has_alpha: bool) -> Image.Image:
    """The picture as RGB or RGBA. 16-bit grey is scaled down first: a plain conversion would cut it off at white."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    mode = "RGBA" if has_alpha else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnreadableImage("the image has no pixels")
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise UnreadableImage(_too_large(f"{width}x{height} pixels"))


def _refuse_odd(reason: str) -> None:
    if reason:
        raise UnreadableImage(f"the image is {reason}")


def _too_large(found: str) -> str:
    return (
        f"the image is too large: {found}, but at most {MAX_SIDE_PX} a side and {MAX_PIXELS // 10**6} million are taken"
    )


def _sniff(start: bytes) -> str:
    """Media type by the first bytes: names and declared types are the sender's word."""
    media_type = _by_magic(start)
    if media_type not in _PILLOW_NAMES:
        raise UnreadableImage("not an image that is taken: expected PNG, JPEG, WebP, GIF or AVIF")
    return media_type


def _by_magic(start: bytes) -> str:
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:8] == b"ftyp" and _is_avif(start):
        return "image/avif"
    return ""


def _is_avif(start: bytes) -> bool:
    """Whether a file's `ftyp` box names AVIF, by itself or, as some encoders do, among the compatible brands."""
    box = start[: int.from_bytes(start[:4], "big")]
    brands = [box[at : at + 4] for at in (8, *range(16, len(box), 4))]
    return brands[0] in (b"avif", b"avis") or (brands[0] in (b"mif1", b"msf1") and b"avif" in brands[1:])
