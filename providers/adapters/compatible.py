"""Any server that speaks OpenAI's image routes. The smallest body it can be asked with, and every answer seen in the wild.

Source: documents of LocalAI, vLLM-Omni, SGLang, LiteLLM, stable-diffusion.cpp and Aquiles-Image, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from providers.adapter import Attachment, HttpCall, KeyCheckAdapter, Reply
from providers.adapters.compatible_errors import error_of, reported_error, told_by
from providers.adapters.fields import (
    converted,
    emulated,
    file_name,
    format_row,
    passed,
    refused,
    size_rows,
    uncompressed_row,
)
from providers.adapters.openai_shape import (
    GENERATIONS,
    body_of,
    call_of,
    counted_usage_of,
    files_of,
    image_of,
    images_row,
    listed_models,
    mask_row,
)
from providers.adapters.replies import error_of_check, json_object, json_or_empty, microusd, result_of, text_or_none
from providers.catalog import ModelSpec, Offer, WireFacts
from providers.errors import ProviderError
from providers.sizes import parse_ratio, parse_tier, resolve_size, size_problem
from providers.types import FORMATS, MADE_HERE, NO_LIST, Answered, FieldHandling, ImageRequest, ImageResult, KeyStatus

ImagesField = Literal["image", "image[]", "ref_images"]
AnswerForm = Literal["b64_json", "url"]

REFERENCES: ImagesField = "ref_images"
"""LocalAI's list of reference images in a generation, each as bare base64."""

_REPORTED = ("size", "quality", "background", "output_format")
_ANSWER_FORM = "response_format"
_COST_HEADER = "x-litellm-response-cost"
"""LiteLLM's figure for the call, in US dollars."""
_STEP_PX = 16
"""Computed sides are multiples of it, as the models behind most servers want; a size typed by hand is sent as it is."""


@dataclass(frozen=True, slots=True)
class CompatibleFacts(WireFacts):
    """How a server wants its calls, where its owner says so."""

    images_field: ImagesField | None = None
    """Field of the input images; `None`: `image` for one, `image[]` for several, as OpenAI has it."""
    mask_field: str | None = None
    """Field of the mask; `None`: it takes none. Many servers ignore a file that they do not know without a word."""
    answer_form: AnswerForm | None = "b64_json"
    """What is asked for as `response_format`; `None`: the field is not sent."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further fields of each call, as a seed."""


class CompatibleAdapter(KeyCheckAdapter):
    """Speaks to a server its owner named. Streams are not asked for: hardly any server has them, and none alike."""

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        facts = offer.facts if isinstance(offer.facts, CompatibleFacts) else CompatibleFacts()
        fields = tuple(_handle(request, spec, facts))
        body = {"model": offer.provider_model_id} | body_of(fields)
        if facts.answer_form is not None:
            # Several servers answer with an address by default, some of them with one that cannot be reached from here.
            body[_ANSWER_FORM] = facts.answer_form
        if request.images and facts.images_field == REFERENCES:
            return HttpCall("POST", GENERATIONS, json=body | {REFERENCES: _references(request)}), fields
        has_mask = any(row.field == "mask" and row.sent_as for row in fields)
        mask_name = facts.mask_field if has_mask else None
        return call_of(body, files_of(request, mask_name=mask_name, images_name=facts.images_field)), fields

    def simpler(self, call: HttpCall, reply: Reply) -> HttpCall | None:
        """The call without `response_format`, which OpenAI itself and some servers refuse."""
        if reply.status not in (400, 422) or _ANSWER_FORM not in told_by(reply).everything:
            return None
        if isinstance(call.json, Mapping) and _ANSWER_FORM in call.json:
            return replace(call, json={name: value for name, value in call.json.items() if name != _ANSWER_FORM})
        form = tuple(part for part in call.form if part[0] != _ANSWER_FORM)
        return replace(call, form=form) if form != call.form else None

    def parse(self, reply: Reply) -> ImageResult:
        """See `providers.adapter.Adapter.parse`."""
        reply = _with_request_id(reply)
        body = json_object(reply)
        error = reported_error(body, reply)
        if error is not None:
            raise error
        return result_of(body.get("data"), _answered(body, reply.headers), reply.headers, image_of)

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(_with_request_id(reply))

    def check(self) -> HttpCall:
        """See `providers.adapter.KeyCheckAdapter.check`. Some servers have no such route and answer 404."""
        return HttpCall("GET", "/models")

    def parse_check(self, reply: Reply) -> KeyStatus:
        """See `providers.adapter.KeyCheckAdapter.parse_check`."""
        reply = _with_request_id(reply)
        body = json_or_empty(reply.body)
        error = reported_error(body, reply)
        if error is not None:
            raise error_of_check(error, reply.headers)
        models = listed_models(body)
        if models is None:
            return KeyStatus(NO_LIST, is_tested=False)
        count = f"{len(models)} model{'' if len(models) == 1 else 's'}" if models else "no models"
        return KeyStatus(f"The server answers and lists {count}.", models=models)


def _handle(request: ImageRequest, spec: ModelSpec, facts: CompatibleFacts) -> Iterator[FieldHandling]:
    """What becomes of each field that was asked for."""
    yield passed("prompt", request.prompt)
    yield passed("n", request.n)
    yield from _shape_rows(request, spec)
    yield from _setting_rows(request, spec)
    if request.partial_images is not None:
        yield refused("partial_images", request.partial_images, "Previews are not asked of this kind of server.")
    if request.user is not None:
        is_taken = spec.takes_user or spec.passes_unlisted
        yield passed("user", request.user) if is_taken else refused("user", request.user, "It has no such field.")
    if request.images:
        yield images_row(request, facts.images_field)
    if request.mask is not None:
        yield _mask(request.mask.sha256, request, spec, facts)
    for name, value in facts.extra.items():
        yield passed(name, value, "Set for this server where the app starts.")


def _setting_rows(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    for name, listed in (("quality", spec.qualities), ("background", spec.backgrounds)):
        value = getattr(request, name)
        if value is not None:
            yield _choice(name, value, listed, spec)
    if request.output_format is not None:
        yield _format(request.output_format, request, spec)
    if request.output_compression is not None:
        yield _compression(request.output_compression, request)
    if request.moderation is not None:
        yield _choice("moderation", request.moderation, spec.moderation, spec)
    if request.input_fidelity is not None:
        yield _fidelity(request.input_fidelity, request, spec)


def _shape_rows(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    rule = replace(spec.sizes, multiple=max(_STEP_PX, spec.sizes.multiple))
    choice = resolve_size(request, rule)

    def sent(name: str, asked: object) -> FieldHandling:
        text = str(asked)
        if name == "size" and not parse_ratio(text):
            return _pixels(text, spec)
        if name == "resolution" and not parse_tier(text) or name == "aspect_ratio" and not parse_ratio(text):
            return refused(name, asked, f"{text!r} cannot be read.")
        return converted(name, asked, "size", choice.size, choice.note)

    return size_rows(request, choice, sent)


def _pixels(asked: str, spec: ModelSpec) -> FieldHandling:
    if asked == "auto":
        return converted("size", asked, None, None, "Left out: the server then chooses.")
    if size_problem(asked, spec.sizes):
        return refused("size", asked, f"{spec.name} does not make this size.")
    return passed("size", asked)


def _choice(name: str, asked: str, listed: tuple[str, ...], spec: ModelSpec) -> FieldHandling:
    if asked == "auto":
        return converted(name, asked, None, None, "Left out: it is what a server does by itself.")
    if asked in listed or spec.passes_unlisted:
        return passed(name, asked)
    return refused(name, asked, f"{spec.name} has no such {name}.")


def _format(asked: str, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if asked in MADE_HERE and asked not in spec.formats:
        if "png" in spec.formats:
            return format_row(request, "output_format", "png")
        # Many servers refuse the field, and whatever they send can be converted.
        words = f"The {asked.upper()} is made here from what the server sends, and the original is kept."
        return emulated("output_format", asked, None, None, words)
    if asked in spec.formats or asked in FORMATS and spec.passes_unlisted:
        return passed("output_format", asked)
    return refused("output_format", asked, f"{spec.name} has no such format.")


def _compression(asked: int, request: ImageRequest) -> FieldHandling:
    if request.output_format not in ("jpeg", "webp"):
        return uncompressed_row(request)
    if not 0 <= asked <= 100:
        return refused("output_compression", asked, "It must lie between 0 and 100.")
    return passed("output_compression", asked)


def _fidelity(asked: str, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if not request.images:
        return refused("input_fidelity", asked, "Only an edit has input images.")
    if asked in spec.input_fidelity or spec.passes_unlisted:
        return passed("input_fidelity", asked)
    return refused("input_fidelity", asked, f"{spec.name} has no such setting.")


def _mask(asked: str, request: ImageRequest, spec: ModelSpec, facts: CompatibleFacts) -> FieldHandling:
    if not request.images:
        return refused("mask", asked, "A mask needs an image to edit.")
    if facts.mask_field is None or not spec.mask:
        return refused("mask", asked, f"{spec.name} takes no mask here.")
    return mask_row(request, facts.mask_field)


def _references(request: ImageRequest) -> list[Attachment]:
    return [
        Attachment(image.data, image.media_type, image.sha256, file_name(position, image), "base64")
        for position, image in enumerate(request.images)
    ]


def _answered(body: Mapping[str, object], headers: Mapping[str, str]) -> Answered:
    return Answered(
        got={name: body[name] for name in _REPORTED if text_or_none(body.get(name))},
        usage=counted_usage_of(body.get("usage")),
        cost_microusd=microusd(headers.get(_COST_HEADER)),
        request_id=headers.get("x-request-id"),
    )


def _with_request_id(reply: Reply) -> Reply:
    """The answer with LiteLLM's id of the call where every error looks for one, unless there is one already."""
    own = reply.headers.get("x-litellm-call-id")
    return replace(reply, headers={"x-request-id": own, **reply.headers}) if own else reply
