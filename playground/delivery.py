"""Whether what came is what was asked: the checks of an image on its arrival, and their words. Pure.

The header tells size and format, one decoding (the one that makes the thumbnail) transparency, blankness and how the image
looks. Two images of one press are near duplicates when they look alike twice over: their 64-bit hashes differ in at most
`NEAR_BITS` bits, and small copies of them are the same but for `SAME_SHARE` of their parts. The hash alone would find the
edits of one base all alike, because it sees only where it is brighter and where darker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy
from PIL import Image

from providers.catalog import SizeRule
from providers.sizes import parse_size, parse_tier, resolve_size
from providers.types import MADE_HERE, ImageRequest
from storage.images import ImageHeader
from storage.records import StoredImage

CheckKind = Literal[
    "size_differs",
    "format_differs",
    "type_differs",
    "no_alpha",
    "duplicate",
    "near_duplicate",
    "blank",
    "damaged",
    "flagged",
]

NEAR_BITS = 10
"""Of 64: images whose hashes differ in more are not held beside each other."""
SAME_SHARE = 0.005
"""Part of two small copies that may differ though the images count as the same."""
SAME_STEPS = 16
"""Of 255: by so much a channel of a small copy may be off and count as the same. Encoding again moves it by up to 8."""
SHAPE_TOLERANCE = 1.03
"""Where only a shape was asked for, sides in steps of 16 px are off by a few per cent."""
SCALE_TOLERANCE = (0.85, 1.25)
"""Where a tier was asked for: edge of the square of equal area, against the tier's. 3840 x 2160 is 4K, and so is its square."""

_BLANK_STEPS = 3
"""Of 255: what an encoder may add to a plain colour."""
_SMALL_EDGE = 64
_BRIGHTER_BY = 2
"""Of 255: less is noise of an encoder, which would fill flat parts with bits of chance."""

_FORMAT_WORDS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WebP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}


@dataclass(frozen=True, slots=True)
class DeliveryCheck:
    """Something that was noticed about an image."""

    kind: CheckKind
    label: str
    """A word or two, for a badge."""
    words: str
    """A sentence."""


_LABELS: Mapping[CheckKind, str] = {
    "size_differs": "Size differs",
    "format_differs": "Format differs",
    "type_differs": "Type differs",
    "no_alpha": "No alpha",
    "duplicate": "Duplicate",
    "near_duplicate": "Near-duplicate",
    "blank": "Blank",
    "damaged": "Damaged",
    "flagged": "Flagged",
}
"""In the order in which badges stand."""


def checks_of(asked: Mapping[str, object], image: StoredImage) -> tuple[DeliveryCheck, ...]:
    """What was noticed about a stored image, in words. `asked`: as in `runs.asked`."""
    return tuple(
        DeliveryCheck(kind, label, _words(kind, asked, image))
        for kind, label in _LABELS.items()
        if kind in image.checks
    )


def _words(kind: CheckKind, asked: Mapping[str, object], image: StoredImage) -> str:
    name = _FORMAT_WORDS.get(image.media_type, image.media_type)
    wanted = str(asked.get("output_format")).upper().replace("WEBP", "WebP")
    words: Mapping[CheckKind, str] = {
        "size_differs": f"{image.width} x {image.height} px came, {_shape_words(asked)} was asked for.",
        "format_differs": f"{name} came, {wanted} was asked for.",
        "type_differs": f"The file is {name}, and was sent as something else.",
        "no_alpha": "A transparent background was asked for, and no pixel is transparent.",
        "duplicate": "The very same file came before in this press.",
        "near_duplicate": "It looks the same as another image of this press.",
        "blank": "It is one colour all over, or wholly transparent.",
        "damaged": "The file is damaged: it cannot be decoded to its end.",
        "flagged": "The provider's content check found something in it.",
    }
    return words[kind]


def _shape_words(asked: Mapping[str, object]) -> str:
    size = asked.get("size")
    if isinstance(size, str) and size != "auto":
        return f"{size.replace('x', ' x ')} px" if parse_size(size) else size
    return " at ".join(str(asked[name]) for name in ("aspect_ratio", "resolution") if asked.get(name))


# From the header


def header_checks(
    request: ImageRequest, rule: SizeRule | None, header: ImageHeader, said_type: str | None
) -> tuple[CheckKind, ...]:
    """What can be told before a pixel is decoded.

    `rule`: of the model; `None` where nobody knows it any more. `said_type`: what the sender calls the file; `None` where it
    does not say. GIF and AVIF that are made here are no format to differ from.
    """
    wanted = request.output_format
    found: dict[CheckKind, bool] = {
        "size_differs": _size_differs(request, rule, (header.width, header.height)),
        "format_differs": wanted is not None and wanted not in MADE_HERE and header.media_type != f"image/{wanted}",
        "type_differs": said_type is not None and said_type != header.media_type,
        "no_alpha": request.background == "transparent" and not header.has_alpha,
    }
    return tuple(kind for kind, is_so in found.items() if is_so)


def _size_differs(request: ImageRequest, rule: SizeRule | None, got: tuple[int, int]) -> bool:
    """A size in pixels must come exactly; of a shape and a tier, what they come to for the model may be off a little."""
    exact = parse_size(request.size or "")
    if exact is not None:
        return got != exact
    shape = rule and parse_size(resolve_size(request, rule).size or "")
    if not shape or request.size == "auto":
        return False
    bent = (got[0] * shape[1]) / (got[1] * shape[0])
    if (request.size or request.aspect_ratio) and max(bent, 1 / bent) > SHAPE_TOLERANCE:
        return True
    if not request.resolution or not parse_tier(request.resolution):
        return False
    low, high = SCALE_TOLERANCE
    scale = (got[0] * got[1] / (shape[0] * shape[1])) ** 0.5
    return not low < scale < high


# From the picture


def picture_checks(request: ImageRequest, small: Image.Image, lowest_alpha: int) -> tuple[CheckKind, ...]:
    """What one decoding shows. `small`: RGB or RGBA; `lowest_alpha`: of the picture itself, 255 where nothing is clear."""
    found: dict[CheckKind, bool] = {
        "no_alpha": request.background == "transparent" and lowest_alpha == 255,
        "blank": is_blank(small),
    }
    return tuple(kind for kind, is_so in found.items() if is_so)


def is_blank(picture: Image.Image) -> bool:
    """Whether it is one colour all over, or wholly transparent."""
    # Typed for pictures of a single band as well.
    bands = cast("tuple[tuple[int, int], ...]", picture.convert("RGBA").getextrema())
    _, opacity = bands[3]
    return not opacity or max(high - low for low, high in bands) <= _BLANK_STEPS


def phash_of(picture: Image.Image) -> str:
    """How a picture looks, as 64 bits in 16 hexadecimal digits: whether each of 8 x 8 parts is brighter than that to its right
    (dHash). What is clear counts as white.
    """
    grey = numpy.asarray(_flat(picture).convert("L").resize((9, 8), Image.Resampling.BOX), numpy.int16)
    bits = numpy.packbits(grey[:, :-1] > grey[:, 1:] + _BRIGHTER_BY)
    return bits.tobytes().hex()


def hamming(one: str, other: str) -> int:
    """In how many bits two hashes differ, 0 to 64."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def looks_same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are the same but for `SAME_SHARE` of them; their shapes must be the same within 3 %."""
    bent = (one.width * other.height) / (one.height * other.width)
    if max(bent, 1 / bent) > SHAPE_TOLERANCE:
        return False
    first, second = (
        numpy.asarray(_flat(each).resize((_SMALL_EDGE, _SMALL_EDGE), Image.Resampling.BOX), numpy.int16)
        for each in (one, other)
    )
    return float((numpy.abs(first - second).max(axis=2) > SAME_STEPS).mean()) <= SAME_SHARE


def nearest_first(phash: str, others: Sequence[tuple[str, str]]) -> list[str]:
    """Of other images, as (name, hash), the names of those within `NEAR_BITS` of a hash, the nearest first."""
    apart = sorted((hamming(phash, other), name) for name, other in others)
    return [name for bits, name in apart if bits <= NEAR_BITS]


def _flat(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands():
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
