"""GIF and AVIF made of pictures in other formats."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image, features

from storage.converted import ConvertedFormat, convert
from storage.images import UnreadableImage, read_header
from tests.storage.builders import picture
from tests.storage.test_images import animation, png_claiming

FORMATS = ["gif", "avif"]


def saved(image: Image.Image, folder: Path, form: str = "PNG", **options: Any) -> Path:
    path = folder / "original"
    image.save(path, form, **options)
    return path


def pixels(data: bytes) -> Any:
    """The pixels (height, width, 4)."""
    with Image.open(io.BytesIO(data)) as image:
        return numpy.asarray(image.convert("RGBA")).astype(int)


def gradient(side: int = 96) -> Any:
    """Red and alpha grow to the right, green downwards (side, side, 4)."""
    down, across = numpy.mgrid[0:side, 0:side] * 255 // (side - 1)
    return numpy.dstack([across, down, 255 - across, across]).astype(numpy.uint8)


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize(
    ("data", "has_alpha"),
    [
        (picture(size=(40, 30)), False),
        (picture(size=(40, 30), form="JPEG"), False),
        (picture(size=(40, 30), form="WEBP"), False),
        (picture(size=(40, 30), mode="RGBA", colour=(9, 8, 7, 0)), True),
        (picture(size=(40, 30), mode="LA", colour=(9, 0)), True),
        (picture(size=(40, 30), mode="I;16"), False),
        (picture(size=(40, 30), mode="CMYK", form="JPEG", colour=(1, 2, 3, 4)), False),
        (picture(size=(40, 30), mode="P", form="GIF", transparency=40), True),
        (picture(size=(40, 30), form="GIF"), False),
    ],
)
def test_every_kind_of_picture_is_converted(
    data: bytes, has_alpha: bool, image_format: ConvertedFormat, tmp_path: Path
) -> None:
    original = tmp_path / "original"
    original.write_bytes(data)
    header = read_header(convert(original, image_format))
    assert (header.media_type, header.width, header.height) == (f"image/{image_format}", 40, 30)
    assert (header.has_alpha, header.frames) == (has_alpha, 1)
    assert original.read_bytes() == data


def test_an_avif_keeps_colours_and_half_transparent_pixels(tmp_path: Path) -> None:
    found = pixels(convert(saved(Image.fromarray(gradient()), tmp_path), "avif", 90))
    assert numpy.abs(found[..., 3] - gradient()[..., 3]).max() <= 8
    assert numpy.abs(found - gradient())[:, 32:].mean() < 4


def test_quality_decides_the_size_of_an_avif(tmp_path: Path) -> None:
    noise = numpy.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=numpy.uint8)
    original = saved(Image.fromarray(noise), tmp_path)
    low, usual, high = (len(convert(original, "avif", quality)) for quality in (0, None, 100))
    assert low < usual < high
    assert convert(original, "avif") == convert(original, "avif", 75)


def test_a_gif_is_opaque_from_half_alpha_on(tmp_path: Path) -> None:
    shades = numpy.tile(gradient(256)[:1], (4, 1, 1))
    shades[..., 3] = numpy.arange(256)
    found = pixels(convert(saved(Image.fromarray(shades), tmp_path), "gif"))
    assert (found[..., 3] == numpy.where(shades[..., 3] >= 128, 255, 0)).all()
    assert numpy.abs(found - shades)[:, 128:, :3].max() <= 8


@pytest.mark.parametrize("colours", [2, 200, 256])
def test_a_gif_is_exact_as_long_as_its_palette_suffices(colours: int, tmp_path: Path) -> None:
    plain = of_colours(colours)
    found = pixels(convert(saved(Image.fromarray(plain), tmp_path), "gif"))
    assert (found[..., :3] == plain).all()
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("colours", [2, 200, 255])
def test_what_is_hidden_pushes_no_seen_colour_out_of_a_gif(colours: int, tmp_path: Path) -> None:
    plain = of_colours(colours)
    alpha = numpy.full((72, 64), 255, dtype=numpy.uint8)
    alpha[64:] = 0
    behind = numpy.random.default_rng(3).integers(0, 256, (8, 64, 3), dtype=numpy.uint8)
    image = Image.fromarray(numpy.dstack([numpy.vstack([plain, behind]), alpha]))
    found = pixels(convert(saved(image, tmp_path), "gif"))
    assert (found[:64, :, :3] == plain).all()
    assert (found[..., 3] == alpha).all()


def of_colours(number: int) -> Any:
    """Noise of exactly that many colours (64, 64, 3)."""
    rng = numpy.random.default_rng(2)
    codes = rng.permutation(4096)[:number]
    palette = numpy.stack([codes % 16 * 17, codes // 16 % 16 * 17, codes // 256 * 17], axis=1).astype(numpy.uint8)
    return palette[rng.permutation(numpy.arange(64 * 64) % number).reshape(64, 64)]


def test_a_gif_of_many_colours_is_dithered(tmp_path: Path) -> None:
    shades = gradient(256)[..., :3]
    found = pixels(convert(saved(Image.fromarray(shades), tmp_path), "gif"))[..., :3]
    # Seen from afar the colours are right; with bands they are not.
    from_afar = (found - shades).reshape(32, 8, 32, 8, 3).mean(axis=(1, 3))
    assert numpy.abs(from_afar).mean() < 1.5
    assert len(numpy.unique(found.reshape(-1, 3), axis=0)) > 200


def test_an_opaque_picture_with_an_alpha_channel_gets_no_transparent_colour(tmp_path: Path) -> None:
    data = convert(saved(Image.new("RGBA", (8, 6), (200, 100, 50, 255)), tmp_path), "gif")
    assert not read_header(data).has_alpha
    assert (pixels(data) == (200, 100, 50, 255)).all()


@pytest.mark.parametrize("image_format", FORMATS)
def test_copies_are_upright_bare_and_of_the_first_frame(image_format: ConvertedFormat, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter
    exif[0x010E] = "SECRET place"
    image = Image.new("RGB", (100, 50), "white")
    original = saved(image, tmp_path, "JPEG", exif=exif, comment=b"SECRET words", icc_profile=b"SECRET" * 30)
    data = convert(original, image_format)
    assert b"SECRET" in original.read_bytes()
    assert b"SECRET" not in data
    with Image.open(io.BytesIO(data)) as copy:
        assert copy.size == (50, 100)
        assert not copy.getexif()
        assert not {"comment", "icc_profile", "exif", "xmp"} & set(copy.info)
    original.write_bytes(animation("WEBP", 3))
    assert read_header(convert(original, image_format)).frames == 1


def cut_short(form: str, keep: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(out, form)
    return out.getvalue()[:keep]


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an image"),
        (b"<html>", "not an image"),
        (cut_short("PNG", 500), "damaged PNG"),
        (cut_short("JPEG", 1500), "damaged JPEG"),
        (cut_short("WEBP", 1500), "damaged WEBP"),
        (cut_short("GIF", 1500), "damaged GIF"),
        (png_claiming(500, 500), "damaged PNG"),
        (png_claiming(30_000, 30_000), "too large"),
        (png_claiming(8192, 8192), "too large"),
    ],
)
def test_damaged_or_huge_files_are_refused_with_a_reason(
    data: bytes, reason: str, image_format: ConvertedFormat, tmp_path: Path
) -> None:
    original = tmp_path / "original"
    original.write_bytes(data)
    with pytest.raises(UnreadableImage, match=reason):
        convert(original, image_format)


@pytest.mark.parametrize("side", [1, 3])
@pytest.mark.parametrize("image_format", FORMATS)
def test_the_smallest_pictures_are_converted(side: int, image_format: ConvertedFormat, tmp_path: Path) -> None:
    header = read_header(convert(saved(Image.new("RGBA", (1, side)), tmp_path), image_format))
    assert (header.width, header.height) == (1, side)


@pytest.mark.parametrize(("image_format", "quality"), [("avif", -1), ("avif", 101), ("gif", 101), ("bmp", None)])
def test_what_cannot_be_asked_is_refused_before_the_file_is_read(
    image_format: Any, quality: int | None, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="expected 'gif' or 'avif'|not between 0 and 100"):
        convert(tmp_path / "none", image_format, quality)


@pytest.mark.parametrize("image_format", ["gif", "avif"])
def test_a_file_that_is_gone_is_not_called_damaged(image_format: ConvertedFormat, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        convert(tmp_path / "none", image_format)


def test_without_avif_in_pillow_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(UnreadableImage, match="cannot write AVIF"):
        convert(saved(Image.new("RGB", (8, 6)), tmp_path), "avif")
