"""Checks of uploaded images: kind, size in bytes, whether they decode, and whether a mask fits its image."""

import base64
import binascii
import io
import re
from dataclasses import dataclass

from PIL import Image, ImageOps

from tests.fakes import openai_facts as facts
from tests.fakes.refusals import Refusal, bad_value, user_error

_SUPPORTED = ("image/jpeg", "image/png", "image/webp")
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes of an image and the media type its sender gave them."""

    data: bytes
    content_type: str | None


def check_image(upload: Upload, number: int) -> tuple[facts.Size, list[Refusal]]:
    """Pixel size of input image `number` (from 1) and what is wrong with it; the size is 1x1 when unreadable."""
    if upload.content_type not in _SUPPORTED:
        return (1, 1), [_unsupported("image", upload.content_type)]
    if len(upload.data) >= facts.IMAGE_BYTES:
        return (1, 1), [bad_value("image", f"Image {number} must be smaller than 50 MB.")]
    if sniffed(upload.data) != upload.content_type:
        problem = f"Image {number} says {upload.content_type!r} but is {sniffed(upload.data)!r}."
        return (1, 1), [bad_value("image", problem)]
    picture = _decoded(upload.data)
    if picture is None:
        words = f"Invalid image file or mode for image {number}, please check your image file."
        return (1, 1), [user_error("image", words, code="invalid_image_file")]
    return picture.size, []


def check_overlay(name: str, overlay: Upload, first: Upload) -> list[Refusal]:
    """What is wrong with a mask or a markup laid over the first image.

    A mask has the size of the image as stored; a markup that of the image turned as its EXIF says.
    """
    if overlay.content_type != "image/png" or sniffed(overlay.data) != "image/png":
        return [_unsupported(name, overlay.content_type)]
    if name == "mask" and len(overlay.data) >= facts.MASK_BYTES:
        return [bad_value(name, "The mask must be smaller than 4 MB.")]
    picture, under = _decoded(overlay.data), _decoded(first.data)
    if picture is None:
        words = f"Invalid image file or mode for {name}, please check your image file."
        return [user_error(name, words, code="invalid_image_file")]
    if not picture.has_transparency_data:
        return [
            user_error(
                name, f"Invalid {name} image format - {name} image missing alpha channel", code="invalid_image_file"
            )
        ]
    if name == "markup" and picture.convert("RGBA").getchannel("A").getextrema() == (255, 255):
        return [bad_value(name, "The markup has no transparent pixels.")]
    if under is None:
        return []
    wanted = ImageOps.exif_transpose(under).size if name == "markup" else under.size
    if picture.size != wanted:
        return [bad_value(name, f"The {name} is {picture.size}, but the first image is {wanted}.")]
    return []


def references(value: object, name: str) -> tuple[list[Upload | None], list[Refusal]]:
    """Images named by `image_url` or `file_id`; data URLs are decoded, nothing is fetched."""
    uploads: list[Upload | None] = []
    refusals = []
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict) or len(item) != 1 or not set(item) <= {"image_url", "file_id"}:
            refusals.append(bad_value(name, "Expected an object with either image_url or file_id."))
            continue
        ((kind, text),) = item.items()
        if not isinstance(text, str) or len(text) > facts.IMAGE_URL_MAX:
            refusals.append(
                bad_value(name, f"Expected {kind} to be a string of at most {facts.IMAGE_URL_MAX} characters.")
            )
        elif kind == "image_url" and text.startswith("data:"):
            upload = _data_url(text)
            uploads.append(upload)
            refusals += [] if upload else [bad_value(name, "Expected a data URL of a png, jpeg or webp in base64.")]
        elif text.startswith("https://" if kind == "image_url" else "file-"):
            uploads.append(None)
        else:
            refusals.append(bad_value(name, f"Expected {kind} to begin with https://, data: or file-."))
    return uploads, refusals


def _data_url(text: str) -> Upload | None:
    found = re.fullmatch(r"data:(image/[a-z]+);base64,(.+)", text, re.DOTALL)
    if found is None:
        return None
    try:
        return Upload(base64.b64decode(found[2], validate=True), found[1])
    except binascii.Error:
        return None


def sniffed(data: bytes) -> str | None:
    """The media type by the first bytes, or None."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _decoded(data: bytes) -> Image.Image | None:
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except _UNREADABLE:
        return None
    return picture


def _unsupported(name: str, content_type: str | None) -> Refusal:
    return Refusal(
        f"Invalid file '{name}': unsupported mimetype ('{content_type or 'application/octet-stream'}'). "
        "Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.",
        code="unsupported_file_mimetype",
        param=name,
    )
