"""PNGs with stored rows: Pillow, which knows nothing of them, has to see the same pictures."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from storage import images, png
from storage.png import with_stored_rows
from tests.storage.builders import picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(
    rows: bytes, size: tuple[int, int], depth: int, colour: int, *, pieces: int = 1, interlaced: int = 0
) -> bytes:
    """A PNG with these rows, in several chunks."""
    packed = zlib.compress(rows)
    step = max(1, -(-len(packed) // pieces))
    return b"".join(
        [
            SIGNATURE,
            chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)),
            chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b"",
            *(chunk(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step)),
            chunk(b"IEND", b""),
        ]
    )


def rows_in(data: bytes) -> bytes:
    """What the chunks with the rows hold, by zlib, which stops at a stream that is not as it must be."""
    found, at = b"", len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return zlib.decompress(found)


def seen(data: bytes) -> tuple[str, tuple[int, int], bytes, dict[str, Any]]:
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        image.load()
        return image.mode, image.size, image.tobytes(), dict(image.info)


@st.composite
def drawn_png(draw: st.DrawFn) -> bytes:
    """Any colour type and depth, any filter for each row, any bytes."""
    colour = draw(st.sampled_from(sorted(CHANNELS)))
    depth = draw(st.sampled_from(DEPTHS[colour]))
    width, height = draw(st.tuples(st.integers(1, 40), st.integers(1, 12)))
    row = (width * CHANNELS[colour] * depth + 7) // 8
    rows = [bytes([draw(st.integers(0, 4))]) + draw(st.binary(min_size=row, max_size=row)) for _ in range(height)]
    return png_of(b"".join(rows), (width, height), depth, colour, pieces=draw(st.integers(1, 5)))


@given(data=drawn_png())
@settings(max_examples=150, deadline=None)
def test_the_picture_stays_the_same(data: bytes) -> None:
    stored = with_stored_rows(data)
    assert stored is not data
    assert seen(stored) == seen(data)
    assert rows_in(stored) == rows_in(data)
    with Image.open(io.BytesIO(stored)) as image:
        image.verify()


def test_a_large_picture_needs_many_blocks() -> None:
    noise = Image.effect_noise((700, 500), 80)
    out = io.BytesIO()
    Image.merge("RGBA", [noise, noise.rotate(90), noise, noise.rotate(180)]).save(out, "PNG")
    stored = with_stored_rows(out.getvalue())
    assert len(stored) > 700 * 500 * 4 > 20 * 0xFFFF
    assert rows_in(stored) == rows_in(out.getvalue())
    assert seen(stored) == seen(out.getvalue())


def test_what_stands_before_and_behind_the_rows_stays() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("before", "a")
    turned = Image.Exif()
    turned[0x0112] = 6
    whole = picture(size=(30, 20), pnginfo=told, exif=turned.tobytes(), icc_profile=b"profile")
    data = whole[:-12] + chunk(b"tEXt", b"behind\0b") + whole[-12:]
    stored = with_stored_rows(data)
    assert seen(stored) == seen(data)
    assert {"before", "behind", "exif", "icc_profile"} <= seen(stored)[3].keys()
    assert images.decode(data).size == (20, 30)


def test_of_an_animation_the_first_frame_is_the_same() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 10), (40 * number, 0, 0)) for number in range(4)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    assert with_stored_rows(out.getvalue()) is not out.getvalue()
    assert seen(with_stored_rows(out.getvalue())) == seen(out.getvalue())


GOOD = png_of(b"".join(b"\0" + bytes(range(30)) for _ in range(20)), (10, 20), 8, 2, pieces=3)
MIDDLE = GOOD.index(b"IDAT") + 9
SECOND = GOOD[: GOOD.index(b"IDAT", MIDDLE) - 4]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(SIGNATURE, id="a signature"),
        pytest.param(GOOD[:MIDDLE], id="cut off"),
        pytest.param(GOOD[:MIDDLE] + b"\xff\xff" + GOOD[MIDDLE + 2 :], id="damaged"),
        pytest.param(GOOD.replace(b"IDAT", b"tEXt"), id="without rows"),
        pytest.param(SECOND + chunk(b"tEXt", b"a\0b") + GOOD[len(SECOND) :], id="something between the rows"),
        pytest.param(GOOD[:-30] + chunk(b"IEND", b""), id="a chunk cut off"),
        pytest.param(GOOD.replace(struct.pack(">II", 10, 20), struct.pack(">II", 10, 19)), id="more rows than it says"),
        pytest.param(
            GOOD.replace(struct.pack(">II", 10, 20), struct.pack(">II", 10, 21)), id="fewer rows than it says"
        ),
        pytest.param(
            GOOD.replace(struct.pack(">IIBB", 10, 20, 8, 2), struct.pack(">IIBB", 10, 20, 8, 7)), id="no colour"
        ),
        pytest.param(GOOD.replace(struct.pack(">II", 10, 20), struct.pack(">II", 0, 20)), id="no width"),
        pytest.param(GOOD.replace(struct.pack(">II", 10, 20), struct.pack(">II", 8192, 2**31)), id="claims to be huge"),
        pytest.param(png_of(b"\0" * 400, (10, 10), 8, 2, interlaced=1), id="interlaced"),
        pytest.param(picture(form="JPEG"), id="a JPEG"),
    ],
)
def test_whatever_is_not_a_whole_plain_png_is_left_to_pillow(data: bytes) -> None:
    assert with_stored_rows(data) is data


def test_rows_beyond_the_limit_are_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MAX_ROWS_BYTES", 20 * 31 - 1)
    assert with_stored_rows(GOOD) is GOOD
    monkeypatch.setattr(png, "MAX_ROWS_BYTES", 20 * 31)
    assert with_stored_rows(GOOD) is not GOOD


@pytest.mark.parametrize("look", [lambda data: images.decoded(data, 64), lambda data: images.decoded(data, None)])
def test_pictures_are_decoded_from_stored_rows(
    look: Callable[[bytes], tuple[Image.Image, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 300), 60).convert("LA").save(out, "PNG")
    given: list[bytes] = []

    def watched(data: bytes) -> bytes:
        given.append(data)
        return with_stored_rows(data)

    monkeypatch.setattr(images, "with_stored_rows", watched)
    found, lowest = look(out.getvalue())
    monkeypatch.setattr(images, "with_stored_rows", bytes)
    expected, lowest_expected = look(out.getvalue())
    assert given == [out.getvalue()]
    assert (found.tobytes(), lowest) == (expected.tobytes(), lowest_expected)
