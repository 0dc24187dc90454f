from __future__ import annotations

import contextlib
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from storage.gif import MAX_FRAMES, count_frames
from storage.image_parts import MAX_PX_PER_BYTE
from storage.images import (
    MAX_PIXELS,
    MAX_SIDE_PX,
    ImageHeader,
    UnreadableImage,
    read_header,
)
from tests.storage.builders import picture


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def avif(**options: Any) -> bytes:
    return picture(size=(64, 48), form="AVIF", **options)


def avif_claiming(width: int, height: int) -> bytes:
    """A small AVIF whose header claims any size."""
    before, mark, after = avif().partition(b"ispe\0\0\0\0")
    return before + mark + struct.pack(">II", width, height) + after[8:]


def gif_claiming(screen: int, frame: int) -> bytes:
    """A tiny GIF whose screen and only frame claim any size."""
    header = b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0, 0, 0)
    return header + b"\x2c" + struct.pack("<HHHHB", 0, 0, frame, frame, 0) + b"\x02\x02\x4c\x01\x00;"


def animation(form: str, frames: int) -> bytes:
    out = io.BytesIO()
    first, *others = [Image.new("RGB", (8, 6), (20 * number, 0, 0)) for number in range(frames)]
    first.save(out, form, save_all=True, append_images=others)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (picture(), ImageHeader("image/png", 8, 6, False, 1)),
        (picture(mode="RGBA", colour=(1, 2, 3, 4)), ImageHeader("image/png", 8, 6, True, 1)),
        (picture(mode="I;16"), ImageHeader("image/png", 8, 6, False, 1)),
        (picture(mode="LA", colour=(1, 2)), ImageHeader("image/png", 8, 6, True, 1)),
        (picture(mode="P", transparency=0), ImageHeader("image/png", 8, 6, True, 1)),
        (picture(form="JPEG"), ImageHeader("image/jpeg", 8, 6, False, 1)),
        (picture(mode="CMYK", form="JPEG", colour=(1, 2, 3, 4)), ImageHeader("image/jpeg", 8, 6, False, 1)),
        (picture(form="WEBP"), ImageHeader("image/webp", 8, 6, False, 1)),
        (picture(mode="RGBA", form="WEBP", colour=(1, 2, 3, 4)), ImageHeader("image/webp", 8, 6, True, 1)),
        (picture(form="GIF"), ImageHeader("image/gif", 8, 6, False, 1)),
        (animation("GIF", 3), ImageHeader("image/gif", 8, 6, False, 3)),
        (animation("WEBP", 4), ImageHeader("image/webp", 8, 6, False, 4)),
        (animation("PNG", 2), ImageHeader("image/png", 8, 6, False, 2)),
        (picture(mode="P", form="GIF", transparency=40), ImageHeader("image/gif", 8, 6, True, 1)),
        (avif(), ImageHeader("image/avif", 64, 48, False, 1)),
        (avif(mode="RGBA", colour=(1, 2, 3, 4)), ImageHeader("image/avif", 64, 48, True, 1)),
        (avif().replace(b"ftypavif", b"ftypmif1"), ImageHeader("image/avif", 64, 48, False, 1)),
    ],
)
def test_headers(data: bytes, header: ImageHeader) -> None:
    assert read_header(data) == header


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an image that is taken"),
        (b"this is text in a file named picture.png", "not an image that is taken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image that is taken"),
        (picture(form="BMP"), "not an image that is taken"),
        (picture(form="TIFF"), "not an image that is taken"),
        (picture(form="ICO"), "not an image that is taken"),
        (picture()[:20], "damaged PNG"),
        (picture(form="JPEG")[:30], "damaged JPEG"),
        (picture(form="WEBP")[:18], "damaged WEBP"),
        (picture(form="GIF")[:9], "damaged GIF"),
        (gif_claiming(9000, 1), "too large"),
        (gif_claiming(1, 9000), "too large"),
        (gif_claiming(60_000, 1), "too large"),
        (gif_claiming(0, 0), "GIF|no pixels"),
        *((avif()[:length], "damaged AVIF") for length in (12, 31, 60, 100, 200)),
        (avif_claiming(9000, 10), "too large"),
        (avif_claiming(8192, 8192), "too large"),
        (avif_claiming(30_000, 30_000), "damaged AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40, "not an image that is taken"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heicavif" + b"\0" * 40, "not an image that is taken"),
        (b"\0\0\0\0ftypmif1", "not an image that is taken"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "damaged PNG"),
        (png_claiming(30_000, 30_000), "too large"),
        (png_claiming(10_000, 10_000), "too large"),
        (png_claiming(MAX_SIDE_PX + 1, 1), "too large"),
        (png_claiming(MAX_SIDE_PX, MAX_PIXELS // MAX_SIDE_PX + 1), "too large"),
        (png_claiming(2**31 - 1, 2**31 - 1), "too large"),
        (png_claiming(0, 5), "PNG|no pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        read_header(data)


def test_the_largest_allowed_header_passes() -> None:
    bytes_of_a_picture = bytes(MAX_PIXELS // MAX_PX_PER_BYTE)
    header = read_header(png_claiming(MAX_SIDE_PX, MAX_PIXELS // MAX_SIDE_PX) + bytes_of_a_picture)
    assert header.width == MAX_SIDE_PX


@settings(max_examples=150, deadline=None)
@given(
    base=st.sampled_from([picture(), picture(form="JPEG"), animation("GIF", 3), picture(form="WEBP"), avif()]),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    keep=st.integers(0, 1000),
)
def test_damaged_pictures_raise_nothing_else(base: bytes, changes: list[tuple[int, int]], keep: int) -> None:
    data = bytearray(base[:keep])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    with contextlib.suppress(UnreadableImage):
        read_header(bytes(data))


def test_counting_frames_of_an_endless_gif_stops() -> None:
    header = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    assert count_frames(header + frame * 5 + b";") == 5
    assert count_frames(header + frame * (MAX_FRAMES + 7)) == MAX_FRAMES
