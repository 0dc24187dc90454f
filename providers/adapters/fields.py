"""The account of asked fields that every adapter gives: one row for each field, by what became of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from providers.sizes import SizeChoice
from providers.types import FieldHandling, ImageRequest, InputImage

FILE_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def passed(field: str, value: object, note: str = "") -> FieldHandling:
    """Sent under its own name, as it is."""
    return FieldHandling(field, value, "passthrough", field, value, note)


def renamed(field: str, value: object, sent_as: str, note: str = "") -> FieldHandling:
    """Sent as it is under another name."""
    return FieldHandling(field, value, "renamed", sent_as, value, note)


def converted(field: str, asked: object, sent_as: str | None, value: object, note: str = "") -> FieldHandling:
    """Sent as another value, or said by leaving it out (`sent_as` is `None`)."""
    return FieldHandling(field, asked, "converted", sent_as, value, note)


def emulated(field: str, asked: object, sent_as: str | None, value: object, note: str) -> FieldHandling:
    """Done on this side, because the provider cannot."""
    return FieldHandling(field, asked, "emulated", sent_as, value, note)


def refused(field: str, value: object, note: str) -> FieldHandling:
    """Not sent; the note says why."""
    return FieldHandling(field, value, "refused", None, None, note)


def size_rows(
    request: ImageRequest, choice: SizeChoice, sent: Callable[[str, object], FieldHandling]
) -> Iterator[FieldHandling]:
    """Rows for size, aspect ratio and resolution. `sent` makes the row of a field that decided, given its name and value."""
    for name in ("size", "aspect_ratio", "resolution"):
        value = getattr(request, name)
        if value is None:
            continue
        if name in choice.decided_by:
            yield sent(name, value)
        else:
            yield refused(name, value, "The size decides.")


def file_name(position: int, image: InputImage) -> str:
    """`image-1.png` for the first input image (`position` 0)."""
    return f"image-{position + 1}.{FILE_ENDINGS[image.media_type]}"


def made_here(output_format: str | None) -> str | None:
    """What to ask the provider for when a GIF or AVIF is made here from its image."""
    return "png" if output_format in ("gif", "avif") else output_format


def uncompressed_row(request: ImageRequest, note: str = "Only JPEG and WebP are compressed.") -> FieldHandling:
    """The row of a compression that is not sent. An AVIF that is made here is made with that quality."""
    if request.output_format == "avif":
        return emulated(
            "output_compression", request.output_compression, None, None, "The AVIF made here has it as quality."
        )
    return refused("output_compression", request.output_compression, note)


def format_row(request: ImageRequest, sent_as: str, value: object) -> FieldHandling:
    """The row of a GIF or AVIF that is made here; the provider is asked for `value`."""
    words = f"The provider makes no {str(request.output_format).upper()}; it is made here, and the original is kept."
    return emulated("output_format", request.output_format, sent_as, value, words)
