"""OpenAI's image routes: generations as JSON, edits as multipart, streams as server-sent events.

Source: OpenAI's API reference and Python SDK 3.52.0, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from providers.adapter import HttpCall, KeyCheckAdapter, Reply, StreamItem
from providers.adapters.fields import converted, format_row, passed, refused, size_rows, uncompressed_row
from providers.adapters.openai_errors import error_of, reported_error
from providers.adapters.openai_shape import (
    body_of,
    call_of,
    files_of,
    image_of,
    images_row,
    listed_models,
    mask_row,
    usage_of,
)
from providers.adapters.replies import bytes_of_base64, error_of_check, json_object, json_or_empty, result_of, untested
from providers.catalog import ModelSpec, Offer
from providers.errors import MalformedReply, ProviderError
from providers.sizes import SizeChoice, resolve_size
from providers.types import (
    MADE_HERE,
    Answered,
    FieldHandling,
    GeneratedImage,
    ImageRequest,
    ImageResult,
    KeyStatus,
    PartialImage,
    said_type_of,
)

_REPORTED = ("size", "quality", "background", "output_format")


class OpenAIAdapter(KeyCheckAdapter):
    """Speaks to OpenAI, and to the Demo provider, which answers the same routes."""

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        fields = tuple(_handle(request, spec))
        sent = {"model": offer.provider_model_id} | body_of(fields, "partial_images")
        is_stream = request.partial_images is not None
        if is_stream:
            sent |= {"stream": True, "partial_images": request.partial_images}
        return call_of(sent, files_of(request), is_stream=is_stream), fields

    def parse(self, reply: Reply) -> ImageResult:
        """See `providers.adapter.Adapter.parse`."""
        body = json_object(reply)
        error = reported_error(body, reply)
        if error is not None:
            raise error
        return result_of(body.get("data"), _answered(body, reply.headers), reply.headers, image_of)

    def parse_event(self, event: str, reply: Reply) -> tuple[StreamItem, ...]:
        """See `providers.adapter.Adapter.parse_event`."""
        if reply.body.strip().startswith(b"[DONE]"):
            return ()
        body = json_object(reply)
        error = reported_error(body, reply)
        if error is not None:
            raise error
        kind = str(body.get("type") or event)
        if kind.endswith(".partial_image"):
            return _preview(body)
        if kind.endswith(".completed"):
            return _finished(body, reply.headers), _answered(body, reply.headers)
        return ()

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(reply)

    def check(self) -> HttpCall:
        """See `providers.adapter.KeyCheckAdapter.check`."""
        return HttpCall("GET", "/models")

    def parse_check(self, reply: Reply) -> KeyStatus:
        """See `providers.adapter.KeyCheckAdapter.parse_check`."""
        body = json_or_empty(reply.body)
        error = reported_error(body, reply)
        if error is not None:
            raise error_of_check(error, reply.headers)
        models = listed_models(body)
        if models is None:
            raise untested("it sent no list of models", reply.headers)
        return KeyStatus("The key is good.", models=models)


def _handle(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    """What becomes of each field that was asked for."""
    choice = resolve_size(request, spec.sizes)
    yield passed("prompt", request.prompt)
    yield passed("n", request.n)
    yield from size_rows(request, choice, lambda name, asked: _size(name, asked, choice))
    for name in ("quality", "background"):
        value = getattr(request, name)
        if value is not None:
            yield passed(name, value)
    yield from _conditional(request, spec)
    if request.partial_images is not None:
        value = f"stream: true, partial_images: {request.partial_images}"
        yield converted("partial_images", request.partial_images, "stream", value)
    if request.images:
        yield images_row(request)
    if request.mask is not None:
        yield mask_row(request)


def _conditional(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    """Fields whose handling hangs on others."""
    if request.output_format is not None:
        yield _format(request, spec)
    if request.output_compression is not None:
        yield _compression(request)
    if request.moderation is not None:
        yield _moderation(request)
    if request.input_fidelity is not None:
        yield _fidelity(request, spec)
    if request.user is not None:
        yield passed("user", request.user)


def _size(name: str, asked: object, choice: SizeChoice) -> FieldHandling:
    if name == "size" and asked == choice.size:
        return passed(name, asked)
    return converted(name, asked, "size", choice.size, choice.note)


def _format(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if request.output_format in MADE_HERE and request.output_format not in spec.formats:
        return format_row(request, "output_format", "png")
    return passed("output_format", request.output_format)


def _compression(request: ImageRequest) -> FieldHandling:
    if request.output_format in ("jpeg", "webp"):
        return passed("output_compression", request.output_compression)
    return uncompressed_row(request)


def _moderation(request: ImageRequest) -> FieldHandling:
    # The multipart form of edits has no such field; OpenAI answers 400 unknown_parameter.
    if request.images:
        return refused("moderation", request.moderation, "Edits have no moderation setting.")
    return passed("moderation", request.moderation)


def _fidelity(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if not request.images:
        return refused("input_fidelity", request.input_fidelity, "Only an edit has input images.")
    if not spec.input_fidelity:
        return refused("input_fidelity", request.input_fidelity, f"{spec.name} has no such setting.")
    return passed("input_fidelity", request.input_fidelity)


def _preview(body: Mapping[str, object]) -> tuple[StreamItem, ...]:
    """The preview in an event; nothing where it has no bytes, since a preview is never worth failing a call for."""
    index = body.get("partial_image_index")
    try:
        data = bytes_of_base64(body.get("b64_json"), {})
    except MalformedReply:
        return ()
    return (PartialImage(data, 0, index if isinstance(index, int) else 0),)


def _finished(body: Mapping[str, object], headers: Mapping[str, str]) -> StreamItem:
    """The image in an event, or why there is none: what was paid for stays known by what stands beside it."""
    try:
        data = bytes_of_base64(body.get("b64_json"), headers)
        return GeneratedImage(data, said_type=said_type_of(body.get("output_format")))
    except MalformedReply as error:
        return error


def _answered(body: Mapping[str, object], headers: Mapping[str, str]) -> Answered:
    got = {name: body[name] for name in _REPORTED if isinstance(body.get(name), str)}
    return Answered(got=got, usage=usage_of(body.get("usage")), request_id=headers.get("x-request-id"))
