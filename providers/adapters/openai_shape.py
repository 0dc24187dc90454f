"""What OpenAI's image routes and those modelled on them share: bodies from rows, files of a form, items, usage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import orjson

from providers.adapter import FilePart, HttpCall
from providers.adapters.fields import file_name, renamed
from providers.adapters.replies import bytes_of_base64, inline_bytes, malformed, text_or_none, whole
from providers.types import FieldHandling, GeneratedImage, ImageRequest, RemoteImage, Usage

GENERATIONS, EDITS = "/images/generations", "/images/edits"

_FILES = ("images", "mask")


def body_of(fields: Iterable[FieldHandling], *besides: str) -> dict[str, object]:
    """The body's fields, without files and without the canonical fields named in `besides`."""
    return {row.sent_as: row.value for row in fields if row.sent_as and row.field not in (*_FILES, *besides)}


def call_of(body: Mapping[str, object], files: tuple[FilePart, ...], *, is_stream: bool = False) -> HttpCall:
    """A generation as JSON, or an edit as multipart when there are files."""
    if not files:
        return HttpCall("POST", GENERATIONS, json=body, is_stream=is_stream)
    form = tuple((name, as_text(value)) for name, value in body.items())
    return HttpCall("POST", EDITS, form=form, files=files, is_stream=is_stream)


def images_field(request: ImageRequest) -> str:
    """The form field of the input images. A repeated plain `image` is refused as a duplicate: several are `image[]`."""
    return "image" if len(request.images) == 1 else "image[]"


def images_row(request: ImageRequest, name: str | None = None) -> FieldHandling:
    """What becomes of the input images. `name`: their field, where it is always the same."""
    shas = [image.sha256 for image in request.images]
    row = renamed("images", shas, name or images_field(request))
    return FieldHandling(row.field, shas, row.handling, row.sent_as, f"{len(shas)} file{'s' if len(shas) > 1 else ''}")


def mask_row(request: ImageRequest, name: str = "mask") -> FieldHandling:
    """What becomes of the mask."""
    sha256 = request.mask.sha256 if request.mask else None
    return FieldHandling("mask", sha256, "passthrough" if name == "mask" else "renamed", name, "1 file")


def files_of(
    request: ImageRequest, *, mask_name: str | None = "mask", images_name: str | None = None
) -> tuple[FilePart, ...]:
    """The files of an edit's form; `mask_name` `None` leaves the mask out, `images_name` `None` goes by their number."""
    name = images_name or images_field(request)
    files = [
        FilePart(name, file_name(position, image), image.media_type, image.data, image.sha256)
        for position, image in enumerate(request.images)
    ]
    if request.mask is not None and mask_name is not None:
        mask = request.mask
        files.append(FilePart(mask_name, "mask.png", mask.media_type, mask.data, mask.sha256))
    return tuple(files)


def as_text(value: object) -> str:
    """The value as a form writes it."""
    if isinstance(value, Mapping | list):
        return orjson.dumps(value).decode()
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def image_of(item: object, headers: Mapping[str, str]) -> GeneratedImage | RemoteImage:
    """An image in an answer: its bytes, bare or as data URI, or its address. Raises: MalformedReply."""
    if not isinstance(item, dict):
        raise malformed("an image in it is no object", headers)
    revised = text_or_none(item.get("revised_prompt"))
    for name in ("b64_json", "url"):
        data = inline_bytes(item.get(name), headers)
        if data is not None:
            return GeneratedImage(data, revised_prompt=revised)
    url = text_or_none(item.get("url"))
    if url is not None and not item.get("b64_json"):
        return RemoteImage(url, revised_prompt=revised)
    return GeneratedImage(bytes_of_base64(item.get("b64_json"), headers), revised_prompt=revised)


def usage_of(raw: object) -> Usage | None:
    """The tokens an answer reports, or `None` when it reports none."""
    if not isinstance(raw, dict):
        return None
    into, out = raw.get("input_tokens_details"), raw.get("output_tokens_details")
    return Usage(
        input_tokens=whole(raw.get("input_tokens")),
        text_input_tokens=_part(into, "text_tokens"),
        image_input_tokens=_part(into, "image_tokens"),
        output_tokens=whole(raw.get("output_tokens")),
        text_output_tokens=_part(out, "text_tokens"),
    )


def counted_usage_of(raw: object) -> Usage | None:
    """As `usage_of`, and `None` too when nothing was counted: many servers fill the object with zeros."""
    usage = usage_of(raw)
    return usage if usage is not None and any(asdict(usage).values()) else None


def _part(raw: object, name: str) -> int | None:
    return whole(raw.get(name)) if isinstance(raw, dict) else None


def listed_models(body: Mapping[str, object]) -> tuple[str, ...] | None:
    """Model ids of an answer to `GET /models`; `None` when it is no list of models."""
    items = body.get("data")
    if not isinstance(items, list):
        return None
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    return tuple(name for name in ids if isinstance(name, str))
