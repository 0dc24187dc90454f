"""Blind copies differ in their picture alone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from arena.blind import STEP_BYTES, UnfitImage, blind_pair, canvas_of, common_canvas
from tests.arena.world import picture


def _open(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (((96, 64), "PNG"), ((96, 64), "JPEG")),
        (((640, 640), "WEBP"), ((300, 200), "PNG")),
        (((200, 300), "JPEG"), ((640, 200), "PNG")),
        (((3000, 100), "PNG"), ((3000, 90), "JPEG")),
    ],
)
def test_both_files_have_one_canvas_length_and_head(one: Any, other: Any) -> None:
    sources = [picture(size, form=form, note="made by OPENAI gpt-image-2") for size, form in (one, other)]
    pair = blind_pair(*sources)
    assert len(pair[0]) == len(pair[1])
    assert len(pair[0]) % STEP_BYTES == 0
    # RIFF header and VP8X chunk, then the name of the next chunk: equal byte for byte.
    assert pair[0][:34] == pair[1][:34]
    images = [_open(data) for data in pair]
    assert images[0].size == images[1].size == canvas_of(pair[0])
    assert {image.format for image in images} == {"WEBP"}
    assert {image.mode for image in images} == {"RGB"}
    for data, image in zip(pair, images, strict=True):
        assert not image.info.get("exif")
        assert not image.info.get("xmp")
        for word in (b"OPENAI", b"gpt", b"EXIF", b"XMP", b"ICCP", b"c2pa"):
            assert word not in data


def test_the_order_is_kept_and_colours_stay() -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    files = []
    for image in (red, blue):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        files.append(buffer.getvalue())
    a, b = (_open(data).getpixel((32, 32)) for data in blind_pair(*files))
    assert a[0] > 240
    assert b[2] > 240


def test_transparent_parts_show_white_and_missing_parts_grey() -> None:
    clear, wide = Image.new("RGBA", (64, 64)), Image.new("RGB", (128, 64), "black")
    files = []
    for image in (clear, wide):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        files.append(buffer.getvalue())
    a, b = (_open(data) for data in blind_pair(*files))
    assert a.size == b.size == (64, 64)
    assert min(a.getpixel((32, 32))) > 250
    assert all(120 < level < 136 for level in b.getpixel((32, 4)))


def test_no_image_is_enlarged_and_the_canvas_is_bounded() -> None:
    assert common_canvas([(1024, 1536), (1536, 1024)]) == (1024, 1024)
    assert common_canvas([(4096, 2048), (4096, 2048)]) == (2048, 1024)


def test_a_damaged_image_is_refused() -> None:
    with pytest.raises(UnfitImage) as refused:
        blind_pair(picture(), picture()[:200])
    assert refused.value.position == 1
