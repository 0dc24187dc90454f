"""Bytes from outside become plain upright images: PNG or JPEG, RGB or RGBA, 8 bits, without a trace of metadata.

Pure and blocking. Size is read from the header before a pixel is decoded, so that a small file cannot ask for much
memory: a 40 megapixel image takes about 500 MB here at its peak. Whatever a decoder throws becomes `UploadRefused`, whose
message says what happened, what was expected and what to do.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import NamedTuple

from PIL import ExifTags, Image, ImageCms, ImageOps

from storage.image_parts import odd_build, odd_size
from storage.images import lowest_level

MAX_UPLOAD_BYTES = 50_000_000
"""Providers take files under 50 MB; source: OpenAI's image edit reference, read 2026-08."""
MAX_SIDE_PX = 8192
MIN_SIDE_PX = 16
MAX_PIXELS = 40_000_000
JPEG_QUALITY = 95

EXPECTED = "Use a PNG, JPEG or WebP file."

Size = tuple[int, int]

_DECODER_ERRORS = (
    OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError,
    RuntimeError, AssertionError, struct.error, zlib.error, ImageCms.PyCMSError, Warning,
)  # fmt: skip
"""All that decoders were seen to throw at damaged files; warnings, where a process makes errors of them."""

_SMALL_MODES = {
    "CMYK": "CMYK was converted to RGB; colours can shift a little.",
    "YCbCr": "YCbCr was converted to RGB.",
    "P": "Palette colours were converted to RGB.",
    "PA": "Palette colours were converted to RGB.",
    "1": "Black and white was converted to RGB.",
    "L": "Greyscale was converted to RGB.",
    "LA": "Greyscale with transparency was converted to RGB with transparency.",
    "RGBa": "",
    "RGBX": "",
    "RGB": "",
    "RGBA": "",
}
"""Modes that become RGB or RGBA, and what is said of it."""

_FOREIGN = (
    (b"%PDF", "a PDF document. Export the page as PNG or JPEG."),
    (b"8BPS", "a Photoshop document. Export it as PNG or JPEG."),
    (b"PK\x03\x04", "an archive. Unpack it and choose the image inside."),
    (b"%!PS", "a PostScript file. Export it as PNG or JPEG."),
)


class UploadRefused(ValueError):
    """A file that cannot be used. The message can be shown: what happened, what was expected, what to do."""


class TooLarge(UploadRefused):
    """An image with too many pixels or bytes. A smaller copy of it may do (`playground.shrinking`)."""


class CleanImage(NamedTuple):
    """An image ready for a provider."""

    data: bytes
    media_type: str
    width: int
    height: int
    notes: tuple[str, ...]
    """What was changed, in sentences; empty when only the bytes were written anew."""


def shown_name(name: str) -> str:
    """The file's own name, without folders and control characters, at most 60 characters."""
    plain = "".join(c for c in PurePath(name.replace("\\", "/")).name if c.isprintable()).strip()
    if len(plain) > 60:
        plain = f"{plain[:40]}…{plain[-19:]}"
    return plain or "The file"


def refuse_size(size_bytes: int, name: str) -> None:
    """Raises: UploadRefused when the file is empty or over the limit."""
    if size_bytes == 0:
        raise UploadRefused(f"{shown_name(name)} is empty. Choose the file again.")
    if size_bytes > MAX_UPLOAD_BYTES:
        raise TooLarge(
            f"{shown_name(name)} has {_megabytes(size_bytes)} MB; at most {MAX_UPLOAD_BYTES // 1_000_000} MB can be sent. "
            "Save it smaller or as JPEG."
        )


def clean_image(data: bytes, name: str) -> CleanImage:
    """The image upright, in sRGB and bare: JPEG stays JPEG (quality 95, 4:4:4), everything else becomes PNG.

    WebP becomes PNG even when it was lossy, so that no detail is lost twice.

    Raises: UploadRefused when the file is no image, damaged or outside the limits.
    """
    form, image, notes = decoded(data, name)
    encoded, media_type, more = encoded_within_limit(image, as_jpeg=form == "JPEG", name=name)
    return CleanImage(encoded, media_type, image.width, image.height, (*notes, *more))


def bare_image(data: bytes, name: str) -> Image.Image:
    """The pixels, upright, in sRGB, RGB or RGBA. Raises: UploadRefused as `clean_image`."""
    return decoded(data, name)[1]


def sniff(data: bytes) -> str | None:
    """Pillow's name of the format, by the first bytes; `None` when it is none that is read here."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    starts = (
        (b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF87a", "GIF"), (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"),
    )  # fmt: skip
    for start, form in starts:
        if data.startswith(start):
            return form
    is_bitmap = data[:2] == b"BM" and data[6:10] == b"\0\0\0\0"
    return "BMP" if is_bitmap else None


def decoded(data: bytes, name: str) -> tuple[str, Image.Image, list[str]]:
    """The format, the bare upright RGB or RGBA image, and what was changed. Raises: UploadRefused as `clean_image`."""
    refuse_size(len(data), name)
    form = form_of(data, name)
    with reading(form, name), Image.open(io.BytesIO(data), formats=[form]) as image:
        _refuse_dimensions(image.size, name)
        refuse_odd_size(data, form, image.size, name)
        return form, *pixels_of(image, form, data, name)


def form_of(data: bytes, name: str) -> str:
    """Pillow's name of the format. Raises: UploadRefused when it is none that is read, or one built to wear a decoder out."""
    form = sniff(data)
    if form is None:
        raise UploadRefused(f"{shown_name(name)} is {_what_it_is(data)}")
    if reason := odd_build(data, form):
        raise UploadRefused(_worn_out(name, reason))
    return form


def refuse_odd_size(data: bytes, form: str, size: Size, name: str) -> None:
    """Raises: UploadRefused when the file is no picture of that size (width, height) but one made to take memory or time."""
    if reason := odd_size(data, form, *size):
        raise UploadRefused(_worn_out(name, reason))


def _worn_out(name: str, reason: str) -> str:
    return f"{shown_name(name)} is {reason}. Scale it down, or save it again, in an image program."


@contextmanager
def reading(form: str, name: str) -> Iterator[None]:
    """Whatever a decoder throws within becomes `UploadRefused`."""
    try:
        yield
    except UploadRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge(
            f"{shown_name(name)} has too many pixels; at most {MAX_PIXELS // 1_000_000} megapixels are read. "
            "Scale it down first."
        ) from None
    except _DECODER_ERRORS:
        raise UploadRefused(
            f"{shown_name(name)} is a damaged or cut off {form} image. Open it in an image program and save it again."
        ) from None


def pixels_of(image: Image.Image, form: str, data: bytes, name: str) -> tuple[Image.Image, list[str]]:
    """The opened image decoded, upright and bare, and what was changed. Raises what decoders throw: see `reading`."""
    notes = _notes_before(image, form, data)
    turned_by_load = form == "TIFF" and image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    image.seek(0)
    size = image.size
    image.load()
    if image.size != size:
        _refuse_dimensions(image.size, name)
    notes += _turned_upright(image, is_turned=turned_by_load)
    return _bare(image, notes, name), notes


def _refuse_dimensions(size: Size, name: str) -> None:
    width, height = size
    if min(size) < MIN_SIDE_PX:
        raise UploadRefused(
            f"{shown_name(name)} is {width} x {height} pixels; each side needs at least {MIN_SIDE_PX}. Use a larger image."
        )
    if max(size) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise TooLarge(
            f"{shown_name(name)} is {width} x {height} pixels; at most {MAX_SIDE_PX} a side and "
            f"{MAX_PIXELS // 1_000_000} megapixels are read. Scale it down first."
        )


def _notes_before(image: Image.Image, form: str, data: bytes) -> list[str]:
    """What the header tells of changes to come."""
    notes = []
    if form not in ("PNG", "JPEG", "WEBP"):
        notes.append(f"{form} was converted to PNG.")
    if form != "JPEG" and getattr(image, "is_animated", False):
        notes.append("Only the first frame is used." if form != "TIFF" else "Only the first page is used.")
    if _bits_per_channel(image, form, data) > 8:
        notes.append("Colours with 16 bits a channel were reduced to 8.")
    return notes


def _bits_per_channel(image: Image.Image, form: str, data: bytes) -> int:
    if form == "PNG":
        return data[24] if len(data) > 24 else 8
    if form == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, 8)
        return int(max(bits) if isinstance(bits, tuple) else bits)
    return 16 if image.mode.startswith("I;16") else 8


def _turned_upright(image: Image.Image, *, is_turned: bool) -> list[str]:
    """Turns the image as its camera meant it, in place; says so, and what else the metadata held.

    `is_turned`: decoding has turned it already, as it does with TIFF.
    """
    notes = []
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        has_place = bool(exif.get_ifd(ExifTags.IFD.GPSInfo))
        ImageOps.exif_transpose(image, in_place=True)
    except _DECODER_ERRORS:
        return ["Its camera data could not be read; check which way is up."]
    if is_turned or orientation in (2, 3, 4, 5, 6, 7, 8):
        notes.append("The image was rotated as its camera noted.")
    if has_place:
        notes.append("The place where it was taken was removed.")
    return notes


def _bare(image: Image.Image, notes: list[str], name: str) -> Image.Image:
    """The pixels in a new RGB or RGBA image: EXIF, XMP, comments, text and colour profile stay behind."""
    profile = image.info.get("icc_profile")
    has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    elif image.mode not in _SMALL_MODES:
        raise UploadRefused(
            f"{shown_name(name)} has {image.mode!r} colours, which cannot be used. Save it as PNG with 8 bits a channel."
        )
    elif _SMALL_MODES[image.mode]:
        notes.append(_SMALL_MODES[image.mode])
    if profile:
        image = _in_srgb(image, profile, notes)
    mode = "RGBA" if has_alpha else "RGB"
    plain = image if image.mode == mode else image.convert(mode)
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _in_srgb(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image:
    """The image in sRGB by its own colour profile; as it is when the profile is sRGB, or unreadable (which is noted)."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).casefold():
            return image
        alpha = image.convert("RGBA").getchannel("A") if image.mode in ("RGBA", "LA", "PA", "P") else None
        flat = image.convert({"RGBA": "RGB", "P": "RGB", "PA": "RGB", "LA": "L", "1": "L"}.get(image.mode, image.mode))
        turned = ImageCms.profileToProfile(
            flat, source, ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB"
        )
    except _DECODER_ERRORS:
        notes.append("Its colour profile could not be used; colours were taken as sRGB.")
        return image
    if turned is None:
        return image
    notes.append("Colours were converted from its own profile to sRGB.")
    if alpha is not None:
        turned.putalpha(alpha)
    return turned


def encoded_within_limit(image: Image.Image, *, as_jpeg: bool, name: str) -> tuple[bytes, str, list[str]]:
    """The file, its media type, and what is to be said of it. Raises: TooLarge when it has more than 50 MB."""
    if as_jpeg:
        data = _jpeg(image)
        if len(data) <= MAX_UPLOAD_BYTES:
            return data, "image/jpeg", []
    else:
        data = png_bytes(image)
        if len(data) <= MAX_UPLOAD_BYTES:
            return data, "image/png", []
        if image.mode == "RGB" or lowest_level(image.getchannel("A")) == 255:
            data = _jpeg(image.convert("RGB"))
            if len(data) <= MAX_UPLOAD_BYTES:
                return data, "image/jpeg", ["As PNG it would be over 50 MB, so it is kept as JPEG."]
    raise TooLarge(f"{shown_name(name)} is over 50 MB once it is cleaned of metadata. Scale it down first.")


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return buffer.getvalue()


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _what_it_is(data: bytes) -> str:
    """The rest of the sentence "photo.png is …", with what to do."""
    for start, words in _FOREIGN:
        if data.startswith(start):
            return words
    head = data[:1024]
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"heic", b"heix", b"hevc", b"heif", b"mif1", b"msf1"):
            return "a HEIC photo, which cannot be read here. Export it as JPEG."
        return "a video. Choose an image; PNG, JPEG and WebP are read."
    if b"<svg" in head.lower():
        return "an SVG drawing, which is text and not pixels. Export it as PNG."
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in head):
        return f"a text file, whatever its name says. {EXPECTED}"
    return f"not an image that can be read here. {EXPECTED}"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:,.1f}"
