"""Files from outside: whatever is brought, a clean image or a sentence comes out, and never a decoder's exception."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from playground import image_hygiene
from playground.image_hygiene import CleanImage, UploadRefused, clean_image
from playground.masks import clean_mask
from playground.services import Services
from playground.uploads import load_input, take_mask, take_upload
from providers.types import InputImage
from tests.arena.world import add_run
from tests.fakes.pictures import bomb_png

# Pillow warns of some damaged files before it refuses them.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")

GRADIENT = Image.radial_gradient("L").resize((64, 48))
RGB = Image.merge("RGB", (GRADIENT, GRADIENT.rotate(180), GRADIENT.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def opened(clean: CleanImage) -> Image.Image:
    image = Image.open(io.BytesIO(clean.data))
    image.load()
    return image


def opened_plain(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[0x0112], data[0x010F], data[0x9286] = orientation, "SECRETCAMERA", "SECRETCOMMENT"
    data.get_ifd(0x8825)[1], data.get_ifd(0x8825)[2] = "N", (52.0, 31.0, 12.0)
    return data


def grey16() -> bytes:
    levels = struct.pack(">32H", *range(0, 65536, 2048)) * 32
    rows = b"".join(b"\0" + levels[n * 64 : n * 64 + 64] for n in range(32))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = struct.pack(">IIBBBBB", 32, 32, 16, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def animated(form: str) -> bytes:
    return encoded(RGB, form, save_all=True, append_images=[RGB.rotate(90)], duration=100)


GOOD: list[tuple[str, Callable[[], bytes], str, str, tuple[str, ...]]] = [
    ("png", lambda: encoded(RGB, "PNG"), "image/png", "RGB", ()),
    ("png with alpha", lambda: encoded(RGB.convert("RGBA").rotate(20), "PNG"), "image/png", "RGBA", ()),
    ("jpeg", lambda: encoded(RGB, "JPEG"), "image/jpeg", "RGB", ()),
    ("progressive jpeg", lambda: encoded(RGB, "JPEG", progressive=True), "image/jpeg", "RGB", ()),
    ("webp lossy", lambda: encoded(RGB, "WEBP"), "image/png", "RGB", ()),
    ("webp lossless", lambda: encoded(RGB, "WEBP", lossless=True), "image/png", "RGB", ()),
    ("gif", lambda: encoded(RGB, "GIF"), "image/png", "RGB", ("GIF was converted",)),
    ("bmp", lambda: encoded(RGB, "BMP"), "image/png", "RGB", ("BMP was converted",)),
    ("tiff", lambda: encoded(RGB, "TIFF"), "image/png", "RGB", ("TIFF was converted",)),
    ("avif", lambda: encoded(RGB, "AVIF"), "image/png", "RGB", ("AVIF was converted",)),
    ("animated gif", lambda: animated("GIF"), "image/png", "RGB", ("first frame",)),
    ("animated webp", lambda: animated("WEBP"), "image/png", "RGB", ("first frame",)),
    ("animated png", lambda: animated("PNG"), "image/png", "RGB", ("first frame",)),
    ("two page tiff", lambda: animated("TIFF"), "image/png", "RGB", ("first page",)),
    ("cmyk", lambda: encoded(RGB.convert("CMYK"), "JPEG"), "image/jpeg", "RGB", ("CMYK",)),
    ("16 bit", grey16, "image/png", "RGB", ("16 bits",)),
    ("palette", lambda: encoded(RGB.convert("P"), "PNG"), "image/png", "RGB", ("Palette",)),
    ("grey", lambda: encoded(GRADIENT, "PNG"), "image/png", "RGB", ("Greyscale",)),
    ("grey jpeg", lambda: encoded(GRADIENT, "JPEG"), "image/jpeg", "RGB", ("Greyscale",)),
    ("grey with alpha", lambda: encoded(GRADIENT.convert("LA"), "PNG"), "image/png", "RGBA", ("transparency",)),
    ("one bit", lambda: encoded(GRADIENT.convert("1"), "PNG"), "image/png", "RGB", ("Black and white",)),
]


@pytest.mark.parametrize(("name", "make", "media_type", "mode", "notes"), GOOD, ids=[row[0] for row in GOOD])
def test_what_can_be_read_becomes_plain(
    name: str, make: Callable[[], bytes], media_type: str, mode: str, notes: tuple[str, ...]
) -> None:
    clean = clean_image(make(), f"{name}.png")
    image = opened(clean)
    assert clean.media_type == media_type == image.get_format_mimetype()
    assert (clean.width, clean.height) == image.size
    assert image.mode == mode
    assert not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for note in notes:
        assert any(note in said for said in clean.notes), clean.notes
    assert bool(clean.notes) == bool(notes)


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    levels = [opened(clean_image(grey16(), "x")).getpixel((x, 5))[0] for x in range(32)]
    assert levels == sorted(levels)
    assert levels[16] in (127, 128)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_is_obeyed_and_forgotten(form: str, orientation: int) -> None:
    arrow = Image.new("RGB", (64, 32), "white")
    arrow.paste("black", (0, 0, 16, 16))
    turned = Image.open(io.BytesIO(encoded(arrow, "PNG")))
    back = {1: (), 2: (0,), 3: (3,), 4: (1,), 5: (5,), 6: (2,), 7: (6,), 8: (4,)}[orientation]
    for method in back:
        turned = turned.transpose(Image.Transpose(method))
    data = encoded(turned.convert("RGB"), form, exif=exif(orientation))
    clean = clean_image(data, "photo")
    image = opened(clean)
    assert image.size == (64, 32)
    assert sum(image.getpixel((4, 4))) < 120
    assert sum(image.getpixel((60, 28))) > 600
    assert b"SECRET" not in clean.data
    assert b"Exif" not in clean.data
    if form != "TIFF":  # Pillow writes no place into one
        assert any("place" in note for note in clean.notes)
    assert any("rotated" in note for note in clean.notes) == (orientation > 1)


def test_comments_text_xmp_and_profiles_are_gone() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    jpeg = encoded(RGB, "JPEG", comment=b"SECRET", icc_profile=profile, xmp=b"<x>SECRET</x>")
    webp = encoded(RGB, "WEBP", icc_profile=profile, xmp=b"<x>SECRET</x>")
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("prompt", "SECRET")
    text.add_itxt("XML:com.adobe.xmp", "SECRET")
    text.add(b"caBX", b"SECRET")
    png = encoded(RGB, "PNG", pnginfo=text, icc_profile=profile)
    for data in (jpeg, webp, png):
        clean = clean_image(data, "x")
        for trace in (b"SECRET", b"ICC_PROFILE", b"iCCP", b"XMP", b"caBX"):
            assert trace not in clean.data
        assert clean.notes == ()


def test_a_foreign_profile_is_applied_before_it_goes() -> None:
    lab = ImageCms.createProfile("LAB")
    data = encoded(RGB, "PNG", icc_profile=ImageCms.ImageCmsProfile(lab).tobytes())
    clean = clean_image(data, "x")
    assert any("profile could not be used" in note for note in clean.notes)
    assert opened(clean).tobytes() == RGB.tobytes()


BAD: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", "is empty"),
    ("text named png", lambda: b"Dear reader, this is no image.\n" * 20, "text file"),
    ("html", lambda: b"<!doctype html><html></html>", "text file"),
    ("svg", lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    ("pdf", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
    ("zip", lambda: b"PK\x03\x04" + bytes(60), "archive"),
    ("heic", lambda: b"\0\0\0\x18ftypheic" + bytes(60), "HEIC"),
    ("video", lambda: b"\0\0\0\x18ftypisom" + bytes(60), "video"),
    ("noise", lambda: bytes(range(256)) * 8, "not an image"),
    ("png magic alone", lambda: b"\x89PNG\r\n\x1a\n", "damaged"),
    ("jpeg magic alone", lambda: b"\xff\xd8\xff\xe0", "damaged"),
    ("webp magic alone", lambda: b"RIFF\x10\0\0\0WEBPVP8 ", "damaged"),
    ("gif magic alone", lambda: b"GIF89a", "damaged"),
    ("tiff magic alone", lambda: b"II*\0\x08\0\0\0", "damaged"),
    ("avif magic alone", lambda: b"\0\0\0\x1cftypavif" + bytes(16), "damaged"),
    ("cut png", lambda: encoded(RGB, "PNG")[:400], "damaged or cut off"),
    ("cut jpeg", lambda: encoded(RGB, "JPEG")[:400], "damaged or cut off"),
    ("cut webp", lambda: encoded(RGB, "WEBP")[:200], "damaged or cut off"),
    ("one pixel", lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), "at least 16"),
    ("a line", lambda: encoded(Image.new("RGB", (4000, 2)), "PNG"), "at least 16"),
    ("too wide", lambda: encoded(Image.new("1", (9000, 20)), "PNG"), "at most 8192"),
    ("too many", lambda: encoded(Image.new("1", (8000, 6000)), "PNG"), "40 megapixels"),
    ("a bomb", bomb_png, "too many pixels"),
    ("60 MB", lambda: encoded(RGB, "PNG") + bytes(60_000_000), "at most 50 MB"),
    ("float tiff", lambda: encoded(GRADIENT.convert("F"), "TIFF"), "8 bits a channel"),
    ("lab tiff", lambda: encoded(Image.new("LAB", (30, 30)), "TIFF"), "8 bits a channel"),
    ("thousand scans", lambda: encoded(RGB, "JPEG")[:-2] + b"\xff\xda\0\x08\1\1\0\0?\0" * 500, "far more parts"),
]


@pytest.mark.parametrize(("name", "make", "words"), BAD, ids=[row[0] for row in BAD])
def test_what_cannot_be_used_is_refused_in_words(name: str, make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(UploadRefused, match=words) as refused:
        clean_image(make(), "holiday photo.png")
    message = str(refused.value)
    assert message.startswith("holiday photo.png ")
    assert message.endswith(".")
    assert message.count(". ") >= 1, "it says what to do"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_flipped_bytes_never_bring_a_decoders_exception(form: str) -> None:
    data = bytearray(encoded(RGB, form))
    step = max(1, len(data) // 150)
    for place in range(0, len(data), step):
        hurt = bytearray(data)
        hurt[place] ^= 0xFF
        try:
            clean_image(bytes(hurt), "x.png")
        except UploadRefused:
            continue


def test_names_are_shown_without_folders_or_control_characters() -> None:
    assert image_hygiene.shown_name("../../etc/pass\x00wd\n.png") == "passwd.png"
    assert image_hygiene.shown_name("C:\\photos\\me.jpg") == "me.jpg"
    assert image_hygiene.shown_name("") == "The file"
    assert len(image_hygiene.shown_name("x" * 500)) == 60


def test_a_png_that_grows_too_large_becomes_jpeg_or_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    webp, clear = encoded(noise, "WEBP", quality=20), encoded(noise.convert("RGBA").rotate(10), "WEBP", quality=20)
    as_png, as_jpeg = (
        len(encoded(opened_plain(webp), form, **how))
        for form, how in (("PNG", {}), ("JPEG", {"quality": 95, "subsampling": 0}))
    )
    assert as_jpeg < as_png
    monkeypatch.setattr(image_hygiene, "MAX_UPLOAD_BYTES", as_jpeg)
    clean = clean_image(webp, "x.webp")
    assert clean.media_type == "image/jpeg"
    assert any("kept as JPEG" in note for note in clean.notes)
    with pytest.raises(UploadRefused, match="Scale it down"):
        clean_image(clear, "x.webp")


# Masks


def mask(size: tuple[int, int] = (64, 48), *, hole: tuple[int, int, int, int] = (8, 8, 24, 24)) -> bytes:
    alpha = Image.new("L", size, 255)
    alpha.paste(0, hole)
    image = Image.new("RGBA", size, "white")
    image.putalpha(alpha)
    return encoded(image, "PNG")


def black_and_white(size: tuple[int, int] = (64, 48), form: str = "PNG") -> bytes:
    image = Image.new("L", size, 0)
    image.paste(255, (8, 8, 24, 24))
    return encoded(image, form)


def alphas(clean: CleanImage) -> tuple[int, int]:
    image = opened(clean)
    assert image.mode == "RGBA"
    assert image.format == "PNG"
    return image.getpixel((16, 16))[3], image.getpixel((50, 40))[3]


@pytest.mark.parametrize("data", [mask(), black_and_white(), black_and_white(form="JPEG"), black_and_white(form="GIF")])
def test_masks_end_with_alpha_zero_where_to_repaint(data: bytes) -> None:
    clean = clean_mask(data, "m.png", (64, 48))
    assert (clean.width, clean.height) == (64, 48)
    assert alphas(clean) == (0, 255)


def test_soft_edges_stay_soft() -> None:
    image = Image.new("RGBA", (64, 64), "white")
    image.putalpha(Image.radial_gradient("L").resize((64, 64)))
    levels = set(opened(clean_mask(encoded(image, "PNG"), "m", (64, 64))).getchannel("A").tobytes())
    assert len(levels) > 50


def test_a_mask_of_the_same_ratio_is_resized_and_says_so() -> None:
    clean = clean_mask(mask((128, 96), hole=(16, 16, 48, 48)), "m.png", (64, 48))
    assert alphas(clean) == (0, 255)
    assert any("resized from 128 x 96 to 64 x 48" in note for note in clean.notes)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (mask((64, 64)), "same aspect ratio"),
        (encoded(Image.new("RGBA", (64, 48), "black"), "PNG"), "marks nothing"),
        (mask(hole=(0, 0, 64, 48)), "marks the whole image"),
        (encoded(Image.new("L", (64, 48), 255), "PNG"), "marks the whole image"),
        (encoded(Image.new("L", (64, 48), 0), "PNG"), "marks nothing"),
        (encoded(RGB, "PNG"), "no mask"),
        (encoded(GRADIENT, "PNG"), "no mask"),
        (b"text", "text file"),
    ],
)
def test_what_is_no_mask_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(UploadRefused, match=words):
        clean_mask(data, "m.png", (64, 48))


# The store


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def test_an_upload_is_kept_and_is_its_owners_alone(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "gradio-name.bin"
    path.write_bytes(encoded(RGB, "JPEG", exif=exif(6)))
    taken = go(take_upload(services, "me", path, "IMG_1.JPG"))
    assert (taken.input.width, taken.input.height) == (48, 64)
    assert taken.notes
    stored = services.store.blobs.find(taken.input.sha256)
    assert stored is not None
    assert stored.read_bytes() == taken.input.data
    assert go(load_input(services, "me", taken.input.sha256)) == taken.input
    for owner, sha256 in (("somebody", taken.input.sha256), ("me", "0" * 64), ("me", "../../x")):
        with pytest.raises(UploadRefused, match="not there any more"):
            go(load_input(services, owner, sha256))
    stored.unlink()
    with pytest.raises(UploadRefused, match="add it again"):
        go(load_input(services, "me", taken.input.sha256))


def test_the_size_is_looked_at_before_a_byte_is_read(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(60_000_000_000)
    with pytest.raises(UploadRefused, match="at most 50 MB"):
        go(take_upload(services, "me", path, "large.png"))
    with pytest.raises(UploadRefused, match="not there any more"):
        go(take_upload(services, "me", tmp_path / "nothing", "gone.png"))


def test_a_mask_takes_the_size_of_its_image(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "mask"
    path.write_bytes(mask((128, 96), hole=(16, 16, 48, 48)))
    base = InputImage(b"", "image/png", 64, 48, "0" * 64)
    taken = go(take_mask(services, "me", path, "mask.png", base))
    assert (taken.input.width, taken.input.height) == (64, 48)
    assert go(load_input(services, "me", taken.input.sha256)) == taken.input


def test_an_image_that_was_made_is_sent_as_it_came_and_a_gif_is_converted(services: Services) -> None:
    made = encoded(RGB, "PNG")
    add_run(services, data=made, owner="me")
    add_run(services, data=animated("GIF"), owner="me")
    rows = services.store.read(lambda db: db.execute("select sha256, media_type from images").fetchall())
    by_type = {media_type: sha256 for sha256, media_type in rows}
    assert go(load_input(services, "me", by_type["image/png"])).data == made
    converted = go(load_input(services, "me", by_type["image/gif"]))
    assert converted.media_type == "image/png"
    assert converted.sha256 != by_type["image/gif"]
    assert go(load_input(services, "me", converted.sha256)) == converted
