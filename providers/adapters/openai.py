"""OpenAI's image routes: generations as JSON, edits as multipart, streams as server-sent events.

Source: OpenAI's API reference and Python SDK 3.52.0, read 2026-11-21.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping

import orjson

from providers.adapter import FilePart, HttpCall, Reply, StreamItem
from providers.adapters.openai_errors import error_of, reported_error
from providers.catalog import ModelSpec, Offer
from providers.errors import MalformedReply, ProviderError
from providers.types import (
    Answered,
    FieldHandling,
    GeneratedImage,
    ImageRequest,
    ImageResult,
    PartialImage,
    Usage,
)

_FILE_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_REPORTED = ("size", "quality", "background", "output_format")


class OpenAIAdapter:
    """Speaks to OpenAI, and to the Demo provider, which answers the same routes."""

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        fields = tuple(_handle(request, spec))
        sent: dict[str, object] = {"model": offer.provider_model_id}
        sent |= {row.sent_as: row.value for row in fields if row.sent_as and row.handling != "converted"}
        if request.partial_images is not None:
            sent |= {"stream": True, "partial_images": request.partial_images}
        if not request.images:
            call = HttpCall("POST", "/images/generations", json=sent, is_stream=request.partial_images is not None)
            return call, fields
        form = tuple(
            (name, _as_text(value)) for name, value in sent.items() if name not in ("image", "image[]", "mask")
        )
        call = HttpCall(
            "POST", "/images/edits", form=form, files=_files(request), is_stream=request.partial_images is not None
        )
        return call, fields

    def parse(self, reply: Reply) -> ImageResult:
        """See `providers.adapter.Adapter.parse`."""
        body = _object(reply.body)
        error = reported_error(body, reply)
        if error is not None:
            raise error
        items = body.get("data")
        if not isinstance(items, list) or not items:
            raise _malformed("it holds no images", reply.headers)
        images = tuple(_image(item, reply.headers) for item in items)
        return ImageResult(images, _answered(body, reply.headers))

    def parse_event(self, event: str, data: bytes, headers: Mapping[str, str]) -> tuple[StreamItem, ...]:
        """See `providers.adapter.Adapter.parse_event`."""
        if data.strip().startswith(b"[DONE]"):
            return ()
        body = _object(data)
        error = reported_error(body, Reply(200, headers, data))
        if error is not None:
            raise error
        kind = str(body.get("type") or event)
        if kind.endswith(".partial_image"):
            index = body.get("partial_image_index")
            position = index if isinstance(index, int) else 0
            return (PartialImage(_bytes_of(body.get("b64_json"), headers), 0, position),)
        if kind.endswith(".completed"):
            return _image(body, headers), _answered(body, headers)
        return ()

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(reply)


def _handle(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    """What becomes of each field that was asked for."""
    is_edit = bool(request.images)
    yield _passed("prompt", request.prompt)
    yield _passed("n", request.n)
    for name in ("size", "quality", "background", "output_format"):
        value = getattr(request, name)
        if value is not None:
            yield _passed(name, value)
    if request.output_compression is not None:
        yield _compression(request)
    if request.moderation is not None:
        yield _moderation(request, is_edit=is_edit)
    if request.input_fidelity is not None:
        yield _fidelity(request, spec, is_edit=is_edit)
    if request.user is not None:
        yield _passed("user", request.user)
    if request.partial_images is not None:
        value = f"stream: true, partial_images: {request.partial_images}"
        yield FieldHandling("partial_images", request.partial_images, "converted", "stream", value)
    if is_edit:
        name = "image" if len(request.images) == 1 else "image[]"
        shas = [image.sha256 for image in request.images]
        yield FieldHandling("images", shas, "renamed", name, f"{len(shas)} file{'s' if len(shas) > 1 else ''}")
    if request.mask is not None:
        yield FieldHandling("mask", request.mask.sha256, "passthrough", "mask", "1 file")


def _passed(name: str, value: object) -> FieldHandling:
    return FieldHandling(name, value, "passthrough", name, value)


def _refused(name: str, value: object, note: str) -> FieldHandling:
    return FieldHandling(name, value, "refused", None, None, note)


def _compression(request: ImageRequest) -> FieldHandling:
    if request.output_format in ("jpeg", "webp"):
        return _passed("output_compression", request.output_compression)
    return _refused("output_compression", request.output_compression, "Only JPEG and WebP are compressed.")


def _moderation(request: ImageRequest, *, is_edit: bool) -> FieldHandling:
    # The multipart form of edits has no such field; OpenAI answers 400 unknown_parameter.
    if is_edit:
        return _refused("moderation", request.moderation, "Edits have no moderation setting.")
    return _passed("moderation", request.moderation)


def _fidelity(request: ImageRequest, spec: ModelSpec, *, is_edit: bool) -> FieldHandling:
    if not is_edit:
        return _refused("input_fidelity", request.input_fidelity, "Only an edit has input images.")
    if not spec.input_fidelity:
        return _refused("input_fidelity", request.input_fidelity, f"{spec.name} has no such setting.")
    return _passed("input_fidelity", request.input_fidelity)


def _files(request: ImageRequest) -> tuple[FilePart, ...]:
    # A repeated plain `image` is answered with 400 duplicate_parameter: several files are `image[]`.
    name = "image" if len(request.images) == 1 else "image[]"
    files = [
        FilePart(name, f"image-{number}.{_FILE_ENDINGS[image.media_type]}", image.media_type, image.data, image.sha256)
        for number, image in enumerate(request.images, start=1)
    ]
    if request.mask is not None:
        mask = request.mask
        files.append(FilePart("mask", "mask.png", mask.media_type, mask.data, mask.sha256))
    return tuple(files)


def _as_text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _object(data: bytes) -> dict[str, object]:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise _malformed("it is no JSON", {}) from None
    if not isinstance(body, dict):
        raise _malformed("it is no JSON object", {})
    return body


def _image(item: object, headers: Mapping[str, str]) -> GeneratedImage:
    if not isinstance(item, dict):
        raise _malformed("an image in it is no object", headers)
    revised = item.get("revised_prompt")
    return GeneratedImage(
        _bytes_of(item.get("b64_json"), headers), revised_prompt=revised if isinstance(revised, str) else None
    )


def _bytes_of(text: object, headers: Mapping[str, str]) -> bytes:
    if not isinstance(text, str) or not text:
        raise _malformed("an image in it has no bytes", headers)
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise _malformed("an image in it is no valid base64", headers) from None


def _answered(body: Mapping[str, object], headers: Mapping[str, str]) -> Answered:
    got = {name: body[name] for name in _REPORTED if isinstance(body.get(name), str)}
    return Answered(got=got, usage=_usage(body.get("usage")), request_id=headers.get("x-request-id"))


def _usage(raw: object) -> Usage | None:
    if not isinstance(raw, dict):
        return None
    into, out = raw.get("input_tokens_details"), raw.get("output_tokens_details")
    return Usage(
        input_tokens=_tokens(raw, "input_tokens"),
        text_input_tokens=_tokens(into, "text_tokens"),
        image_input_tokens=_tokens(into, "image_tokens"),
        output_tokens=_tokens(raw, "output_tokens"),
        text_output_tokens=_tokens(out, "text_tokens"),
    )


def _tokens(raw: object, name: str) -> int | None:
    value = raw.get(name) if isinstance(raw, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _malformed(what: str, headers: Mapping[str, str]) -> MalformedReply:
    return MalformedReply(
        f"The answer cannot be read: {what}.", request_id=headers.get("x-request-id"), may_have_been_billed=True
    )
