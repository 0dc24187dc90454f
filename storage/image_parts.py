"""Files made to wear a decoder out, known by how they are built: walked by their lengths alone, without decoding anything.

A decoder spends time and memory on every part of a file, so that one of millions of empty parts, or one that repeats a picture
again and again, keeps it busy for minutes; and a few bytes can stand for more pixels than a real picture of that size ever has.
The limits lie far above what programs write. Tests hold them against files of all kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from storage.gif import colour_table_bytes

MAX_PARTS = 20_000
"""Chunks of a PNG or WebP, blocks of a GIF, boxes of an AVIF. Fifty megabytes of PNG have about 6,000."""
MAX_SEGMENTS = 2_000
"""Of a JPEG before its pixels; each holds up to 64 kB, and only large profiles and previews take more than one."""
MAX_EXIF_SEGMENTS = 20
"""Pillow joins them, and copies all before for each."""
MAX_COMMENT_BYTES = 500_000
"""Of all comments of a GIF: Pillow joins their blocks in the same way."""
MAX_SUB_BLOCKS = 1_000_000
"""Of a GIF; full ones hold 255 bytes each."""
MAX_TAG_VALUES = 200_000
"""Of all entries of a TIFF's directory, bytes aside; each becomes a number of its own."""
FREE_SCANS = 20
"""A JPEG that comes in steps has about ten."""
MAX_SCANS = 100
MAX_SCANNED_PX = 800_000_000
"""Pixels times scans, where there are more scans than `FREE_SCANS`; a decoder takes half a second for so many."""
MAX_PX_PER_BYTE = 64
"""Of a picture larger than `MAX_FLAT_PX`. A photo has about 5, a page of text 20; all one colour as JPEG is 85."""
MAX_FLAT_PX: Mapping[str, int] = MappingProxyType({"PNG": 4096 * 4096})
"""Up to so many pixels a picture may shrink as it likes: masks of the largest pictures that are made do."""
MAX_FLAT_PX_OTHERWISE = 10_000_000
"""The decoders of other formats take up to twice the memory for each pixel."""

Reason = str
"""Why the file is not decoded, as the end of the sentence "It is …"; empty where nothing is wrong."""

_ENDLESS = "built of far more parts than an image has"
_FLAT = "a file that would unpack to far more than it holds"


def odd_build(data: bytes, form: str) -> Reason:
    """Why no decoder should see the file. `form`: Pillow's name of its format. Takes a fraction of a second at most."""
    walk = _WALKS.get(form)
    return _ENDLESS if walk is not None and walk(data) else ""


def odd_size(data: bytes, form: str, width: int, height: int) -> Reason:
    """Why a picture of so many pixels is not decoded: far too few bytes for them, or scans without end."""
    pixels = width * height
    flat = MAX_FLAT_PX.get(form, MAX_FLAT_PX_OTHERWISE)
    if pixels > flat and pixels > MAX_PX_PER_BYTE * len(data):
        return _FLAT
    if form == "JPEG":
        scans = data.count(b"\xff\xda")
        if scans > MAX_SCANS or (scans > FREE_SCANS and scans * pixels > MAX_SCANNED_PX):
            return _ENDLESS
    return ""


def _png(data: bytes) -> bool:
    return _is_endless(data, 8, len(data), _after_chunk)


def _webp(data: bytes) -> bool:
    return _is_endless(data, 12, min(len(data), 8 + int.from_bytes(data[4:8], "little")), _after_riff_chunk)


def _avif(data: bytes) -> bool:
    return _is_endless(data, 0, len(data), _after_box)


def _is_endless(data: bytes, at: int, end: int, after: Callable[[bytes, int], int]) -> bool:
    """Whether more than `MAX_PARTS` parts begin between `at` and `end`. `after`: where the part behind the one there begins."""
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            return False
        at = after(data, at)
    return at + 8 <= end


def _after_chunk(data: bytes, at: int) -> int:
    if data.startswith(b"IEND", at + 4):
        return len(data)  # what is behind is not read: some programs fill their files up
    return at + 12 + int.from_bytes(data[at : at + 4], "big")


def _after_riff_chunk(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    return at + 8 + length + length % 2


def _after_box(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at : at + 4], "big")
    # Below 8: to the end of the file, of 64 bits, or damaged; libavif says which.
    return at + length if length >= 8 else len(data)


def _jpeg(data: bytes) -> bool:
    """Walks to the first scan as Pillow does, which passes over what is no marker byte by byte."""
    at, parts, of_exif = 2, 0, 0
    while at + 4 <= len(data):
        parts += 1
        if parts > MAX_SEGMENTS or of_exif > MAX_EXIF_SEGMENTS:
            return True
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF):
            at += 1
        elif marker == 0xDA:
            return False
        elif marker == 0x01 or 0xD0 <= marker <= 0xD9:
            at += 2  # these have no length
        else:
            of_exif += marker == 0xE1 and data.startswith(b"Exif", at + 4)
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return False


_EXTENSION, _IMAGE, _COMMENT = 0x21, 0x2C, 0xFE


def _gif(data: bytes) -> bool:
    at = 13 + colour_table_bytes(data, 10)
    parts = sub_blocks = comments = 0
    while at + 2 <= len(data) and data[at] in (_EXTENSION, _IMAGE):
        if data[at] == _IMAGE:
            begin = at + 11 + colour_table_bytes(data, at + 9)
            is_comment = False
        else:
            begin, is_comment = at + 2, data[at + 1] == _COMMENT
        at, parts = begin, parts + 1
        while at < len(data) and data[at]:
            at += data[at] + 1
            sub_blocks += 1
            if sub_blocks > MAX_SUB_BLOCKS:
                return True
        at += 1
        comments += (at - begin) * is_comment
        if parts > MAX_PARTS or comments > MAX_COMMENT_BYTES:
            return True
    return False


_TIFF_BYTES = (1, 2, 6, 7)
"""Types of a TIFF's entries that stay bytes: they are not taken apart."""


def _tiff(data: bytes) -> bool:
    """Looks at the first directory, which is the only one that is read."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at = number(4, 4)
    values = 0
    for entry in range(at + 2, min(at + 2 + 12 * number(at, 2), len(data)), 12):
        if number(entry + 2, 2) not in _TIFF_BYTES:
            values += number(entry + 4, 4)
    return values > MAX_TAG_VALUES


_WALKS: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {"PNG": _png, "WEBP": _webp, "AVIF": _avif, "JPEG": _jpeg, "GIF": _gif, "TIFF": _tiff}
)
