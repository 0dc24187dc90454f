from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from storage.gif import MAX_FRAMES, count_frames
from storage.images import (
    MAX_PIXELS,
    MAX_SIDE_PX,
    THUMBNAIL_EDGE_PX,
    ImageHeader,
    ThumbnailFolder,
    UnreadableImage,
    read_header,
)
from tests.storage.builders import SHA, picture

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def avif(**options: Any) -> bytes:
    return picture(size=(64, 48), form="AVIF", **options) if features.check("avif") else b""


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
        pytest.param(avif(), ImageHeader("image/avif", 64, 48, False, 1), marks=needs_avif),
        pytest.param(
            avif(mode="RGBA", colour=(1, 2, 3, 4)), ImageHeader("image/avif", 64, 48, True, 1), marks=needs_avif
        ),
        pytest.param(
            avif().replace(b"ftypavif", b"ftypmif1"), ImageHeader("image/avif", 64, 48, False, 1), marks=needs_avif
        ),
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
        *(pytest.param(avif()[:length], "damaged AVIF", marks=needs_avif) for length in (12, 31, 60, 100, 200)),
        pytest.param(avif_claiming(9000, 10), "too large", marks=needs_avif),
        pytest.param(avif_claiming(8192, 8192), "too large", marks=needs_avif),
        pytest.param(avif_claiming(30_000, 30_000), "damaged AVIF", marks=needs_avif),
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
    assert read_header(png_claiming(MAX_SIDE_PX, MAX_PIXELS // MAX_SIDE_PX)).width == MAX_SIDE_PX


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


@pytest.fixture
def thumbs(tmp_path: Path) -> ThumbnailFolder:
    return ThumbnailFolder(tmp_path / "thumbs")


def make(thumbs: ThumbnailFolder, tmp_path: Path, data: bytes) -> Image.Image:
    source = tmp_path / "source"
    source.write_bytes(data)
    with Image.open(thumbs.make(SHA, source)) as small:
        small.load()
        return small


@pytest.mark.parametrize(
    ("data", "size", "mode"),
    [
        (picture(size=(2048, 1024)), (512, 256), "RGB"),
        (picture(size=(1024, 2048), form="JPEG"), (256, 512), "RGB"),
        (picture(size=(100, 50)), (100, 50), "RGB"),
        (picture(size=(1024, 1024), mode="RGBA", colour=(200, 0, 0, 100)), (512, 512), "RGBA"),
        (picture(size=(1024, 512), mode="CMYK", form="JPEG", colour=(1, 2, 3, 4)), (512, 256), "RGB"),
        (picture(size=(1024, 512), form="GIF"), (512, 256), "RGB"),
        (picture(size=(4000, 3)), (512, 1), "RGB"),
        (animation("GIF", 3), (8, 6), "RGB"),
        (picture(mode="P", form="GIF", transparency=40), (8, 6), "RGBA"),
        pytest.param(avif(), (64, 48), "RGB", marks=needs_avif),
        pytest.param(avif(mode="RGBA", colour=(200, 0, 0, 100)), (64, 48), "RGBA", marks=needs_avif),
    ],
)
def test_thumbnails_fit_and_keep_alpha(
    thumbs: ThumbnailFolder, tmp_path: Path, data: bytes, size: tuple[int, int], mode: str
) -> None:
    small = make(thumbs, tmp_path, data)
    assert (small.format, small.size, small.mode) == ("WEBP", size, mode)
    assert max(small.size) <= THUMBNAIL_EDGE_PX


def test_sixteen_bit_grey_is_scaled_and_not_cut_off(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    small = make(thumbs, tmp_path, picture(size=(64, 64), mode="I;16", colour=0x8080))
    red, _, _ = small.getpixel((32, 32))  # type: ignore[misc]
    assert abs(red - 0x80) <= 2


def test_thumbnails_are_upright_and_bare(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter
    exif[0x010E] = "SECRET place"
    small = make(thumbs, tmp_path, picture(size=(1000, 500), form="JPEG", exif=exif, comment=b"SECRET words"))
    assert small.size == (256, 512)
    assert b"SECRET" not in thumbs.path(SHA).read_bytes()
    assert not small.getexif()


def test_ensure_makes_a_thumbnail_once(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(picture())
    made = thumbs.ensure(SHA, source)
    source.unlink()
    assert thumbs.ensure(SHA, source) == made == thumbs.path(SHA)
    assert thumbs.delete(SHA)
    assert not thumbs.delete(SHA)
    with pytest.raises(FileNotFoundError):
        thumbs.ensure(SHA, source)


@pytest.mark.parametrize(
    "data",
    [
        picture(size=(400, 400))[:120],
        png_claiming(500, 500),
        png_claiming(30_000, 30_000),
        gif_claiming(400, 400),
        avif()[:-5],
        b"text",
    ],
)
def test_no_thumbnail_is_made_of_damaged_bytes(thumbs: ThumbnailFolder, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        make(thumbs, tmp_path, data)
    assert [path for path in thumbs.root.rglob("*") if path.is_file()] == []


def test_hostile_names_of_thumbnails_lead_nowhere(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    for use in (thumbs.path, thumbs.delete, lambda name: thumbs.ensure(name, tmp_path)):
        with pytest.raises(ValueError, match="not a SHA-256"):
            use("../../etc/passwd")


def test_a_look_shows_the_small_picture_and_the_lowest_alpha_of_the_large_one(
    thumbs: ThumbnailFolder, tmp_path: Path
) -> None:
    image = Image.new("RGBA", (2048, 1024), (200, 0, 0, 255))
    image.putpixel((1000, 500), (0, 0, 0, 3))
    source = tmp_path / "source"
    image.save(source, "PNG", compress_level=1)
    look = thumbs.look(SHA, source)
    assert (look.small.size, look.small.mode, look.lowest_alpha) == ((512, 256), "RGBA", 3)
    assert thumbs.path(SHA).is_file()
    image.convert("RGB").save(source, "PNG", compress_level=1)
    assert thumbs.look(SHA, source).lowest_alpha == 255
