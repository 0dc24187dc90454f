"""A picture that is too large: a smaller copy beside it, of the same shape, as clean as any other input."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from playground import image_hygiene, shrinking, uploads
from playground.image_hygiene import CleanImage, TooLarge, UploadRefused
from playground.services import Services
from playground.shrinking import fitting_size, shrunk_image


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the real ones, for pictures that take no time."""
    monkeypatch.setattr(image_hygiene, "MAX_PIXELS", 40_000)
    monkeypatch.setattr(image_hygiene, "MAX_SIDE_PX", 800)
    monkeypatch.setattr(shrinking, "MAX_PIXELS", 400_000)
    monkeypatch.setattr(shrinking, "MAX_JPEG_PIXELS", 800_000)


def picture(size: tuple[int, int], form: str = "PNG", mode: str = "RGB", *, turned: bool = False) -> bytes:
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(buffer, form, exif=exif)
    return buffer.getvalue()


def opened(clean: CleanImage) -> Image.Image:
    with Image.open(io.BytesIO(clean.data)) as image:
        image.load()
        return image


@pytest.mark.parametrize(
    ("size", "form", "expected"),
    [
        ((400, 300), "PNG", (230, 173)),
        ((400, 300), "JPEG", (230, 173)),
        ((900, 20), "PNG", (800, 17)),
        # Beyond what is decoded whole, at half its size or less.
        ((900, 600), "JPEG", (244, 163)),
    ],
)
def test_the_copy_fits_and_keeps_its_shape(size: tuple[int, int], form: str, expected: tuple[int, int]) -> None:
    data = picture(size, form)
    with pytest.raises(TooLarge):
        image_hygiene.clean_image(data, "photo")
    clean, before = shrunk_image(data, "photo")
    assert before == size
    assert clean.media_type == f"image/{form.lower()}"
    assert (clean.width, clean.height) == opened(clean).size == expected
    assert image_hygiene.clean_image(clean.data, "photo").notes == ()


def test_a_photo_on_its_side_is_turned_and_told_as_it_is_seen() -> None:
    clean, before = shrunk_image(picture((400, 200), "JPEG", turned=True), "photo")
    assert before == (200, 400)
    assert clean.width < clean.height
    assert clean.notes == ("The image was rotated as its camera noted.",)


def test_transparency_stays() -> None:
    clean, _ = shrunk_image(picture((400, 300), mode="RGBA"), "logo")
    assert opened(clean).mode == "RGBA"


def test_a_copy_with_too_many_bytes_is_shrunk_further(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = io.BytesIO()
    Image.effect_noise((400, 300), 90).convert("RGBA").save(noise, "PNG")
    # Clear somewhere, so that it cannot become a JPEG.
    with Image.open(noise) as image:
        image.putpixel((0, 0), (0, 0, 0, 0))
        data = image_hygiene.png_bytes(image)
    monkeypatch.setattr(image_hygiene, "MAX_UPLOAD_BYTES", 30_000)
    clean, _ = shrunk_image(data, "noise")
    assert len(clean.data) <= 30_000
    assert abs(clean.width / clean.height - 4 / 3) < 0.03


def test_what_is_too_large_even_to_shrink_or_is_no_image_is_refused() -> None:
    with pytest.raises(TooLarge, match="too many to shrink here"):
        shrunk_image(picture((900, 600)), "huge")
    with pytest.raises(UploadRefused, match="damaged"):
        shrunk_image(picture((400, 300))[:400], "cut")


def test_a_size_within_the_limits_stays() -> None:
    assert fitting_size((200, 150)) == (200, 150)


def test_the_copy_is_an_upload_of_its_owner_alone_and_the_file_stays(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture((400, 300), "JPEG"))
    before = path.read_bytes()
    shrunk = asyncio.run(uploads.take_shrunk(services, "me", path, "photo.jpg"))
    assert (shrunk.width, shrunk.height, shrunk.size_bytes) == (400, 300, len(before))
    sha256 = shrunk.upload.input.sha256
    assert asyncio.run(uploads.load_input(services, "me", sha256)).width == 230
    with pytest.raises(UploadRefused):
        asyncio.run(uploads.load_input(services, "her", sha256))
    assert path.read_bytes() == before
