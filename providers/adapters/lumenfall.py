"""Lumenfall: OpenAI's image routes with a gateway behind them, which tells who made the image and what it charged.

Source: Lumenfall's documentation and model pages, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from providers.adapter import HttpCall, KeyCheckAdapter, QuoteAdapter, Reply
from providers.adapters.fields import converted, emulated, passed, refused, renamed, size_rows, uncompressed_row
from providers.adapters.openai_errors import QUOTA_WORDS, SAFETY_WORDS
from providers.adapters.openai_shape import (
    GENERATIONS,
    body_of,
    call_of,
    counted_usage_of,
    files_of,
    image_of,
    images_row,
    mask_row,
)
from providers.adapters.replies import (
    MAX_COST_USD,
    balance_microusd,
    error_from,
    error_of_check,
    json_object,
    json_or_empty,
    kind_of_status,
    microusd,
    result_of,
    text_or_none,
    untested,
    whole,
)
from providers.catalog import ModelSpec, Offer
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    ModelUnavailable,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
)
from providers.redact import provider_words
from providers.sizes import SizeChoice, parse_ratio, parse_tier, resolve_size, size_problem
from providers.types import FORMATS, MADE_HERE, Answered, FieldHandling, ImageRequest, ImageResult, KeyStatus

_REPORTED = ("size", "quality", "background", "output_format")
_DRY_RUN = "?dryRun=true"

_GATEWAY_RATIO = re.compile(r"[1-9]\d{0,3}:[1-9]\d{0,3}")
_GATEWAY_TIER = re.compile(r"[1-9]\d?K")
"""How the gateway's documents write a ratio and a tier; other ways of saying them become a size in pixels."""

_KNOWN_CODES: Mapping[str, tuple[type[ProviderError], str]] = {
    "AUTHENTICATION_FAILED": kind_of_status(401),
    "INSUFFICIENT_BALANCE": kind_of_status(402),
    "CONTENT_POLICY_VIOLATION": (
        ContentRefused,
        "{provider} refused this prompt. A safety filter stopped the request before an image was made. "
        "Change the wording, or set moderation to low.",
    ),
    "MODEL_NOT_FOUND": kind_of_status(404),
    "MODEL_DISABLED": (ModelUnavailable, "{provider} has switched this model off. Choose another."),
    "RATE_LIMITED": kind_of_status(429),
    "ALL_PROVIDERS_EXHAUSTED": (
        ProviderDown,
        "{provider} asked every provider it has for this model, and none made the image.",
    ),
    "INTERNAL_ERROR": (ProviderDown, "{provider} failed inside. Retry in a minute."),
}
_NO_CREDIT_BEHIND = (
    QuotaExceeded,
    "The provider behind {provider} takes no more calls of its account for now. Nothing is wrong with your key.",
)
_TOO_LONG = re.compile(r"Too big: expected string to have <=\s*(\d{1,6}) characters")


class LumenfallAdapter(KeyCheckAdapter, QuoteAdapter):
    """Speaks to the gateway. It lists no streams, so none is asked for."""

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        fields = tuple(_handle(request, offer, spec))
        # The bytes then come in the answer itself, and no second fetch can fail; the gateway's own default is a URL.
        body = {"model": offer.provider_model_id} | body_of(fields) | {"response_format": "b64_json"}
        has_mask = any(row.field == "mask" and row.sent_as for row in fields)
        return call_of(body, files_of(request, mask_name="mask" if has_mask else None)), fields

    def parse(self, reply: Reply) -> ImageResult:
        """See `providers.adapter.Adapter.parse`."""
        reply = _with_request_id(reply)
        body = json_object(reply)
        if body.get("error"):
            raise _reported_error(body, reply)
        return result_of(body.get("data"), _answered(body, reply.headers), reply.headers, image_of)

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return _error_of(json_or_empty(reply.body).get("error"), _with_request_id(reply))

    def check(self) -> HttpCall:
        """See `providers.adapter.KeyCheckAdapter.check`."""
        return HttpCall("GET", "/v1/balance", base="origin")

    def parse_check(self, reply: Reply) -> KeyStatus:
        """See `providers.adapter.KeyCheckAdapter.parse_check`."""
        reply = _with_request_id(reply)
        body = json_or_empty(reply.body)
        if body.get("error"):
            raise error_of_check(_reported_error(body, reply), reply.headers)
        if body.get("object") != "balance" and not isinstance(body.get("available"), dict):
            raise untested("it sent no balance", reply.headers)
        balance = _balance_microusd(body)
        if balance is None:
            return KeyStatus("The key is good.")
        words = f"{'−' if balance < 0 else ''}${abs(balance) / 10**6:,.2f}"
        return KeyStatus(f"The key is good. Balance: {words}.", balance_microusd=balance)

    def quote(self, call: HttpCall) -> HttpCall | None:
        """See `providers.adapter.QuoteAdapter.quote`. The dry run is documented for generations alone."""
        return replace(call, path=call.path + _DRY_RUN) if call.path == GENERATIONS else None

    def parse_quote(self, reply: Reply) -> int | None:
        """See `providers.adapter.QuoteAdapter.parse_quote`."""
        body = json_or_empty(reply.body)
        micros = whole(body.get("total_cost_micros"))
        if micros is None or micros > MAX_COST_USD * 10**6 or not _is_usd(body.get("currency")):
            return None
        return micros


def _handle(request: ImageRequest, offer: Offer, spec: ModelSpec) -> Iterator[FieldHandling]:
    """What becomes of each field that was asked for."""
    choice = resolve_size(request, spec.sizes)
    yield passed("prompt", request.prompt)
    yield passed("n", request.n)
    yield from size_rows(request, choice, lambda name, asked: _shape(name, str(asked), request, spec, choice))
    yield from _setting_rows(request, offer, spec)
    if request.partial_images is not None:
        yield refused("partial_images", request.partial_images, "Lumenfall sends no previews.")
    if request.user is not None:
        yield _user(request.user, offer, spec)
    if request.images:
        yield images_row(request)
    if request.mask is not None:
        yield _mask(request.mask.sha256, request, spec)


def _setting_rows(request: ImageRequest, offer: Offer, spec: ModelSpec) -> Iterator[FieldHandling]:
    if request.quality is not None:
        yield _choice("quality", request.quality, spec.qualities, spec)
    if request.background is not None:
        yield _choice("background", request.background, spec.backgrounds, spec)
    if request.output_format is not None:
        yield _format(request.output_format, request, spec)
    if request.output_compression is not None:
        yield _compression(request.output_compression, request, spec)
    if request.moderation is not None:
        yield _moderation(request.moderation, offer)
    if request.input_fidelity is not None:
        yield _fidelity(request.input_fidelity, request, spec)


def _shape(name: str, asked: str, request: ImageRequest, spec: ModelSpec, choice: SizeChoice) -> FieldHandling:
    """A field that decides about the size. Ratios and tiers are the gateway's to map, where it knows the spelling."""
    if name == "size" and not parse_ratio(asked):
        return _pixels(asked, spec)
    if name == "resolution" and not parse_tier(asked) or name == "aspect_ratio" and not parse_ratio(asked):
        return refused(name, asked, f"{asked!r} cannot be read.")
    if not _is_in_gateway_words(request):
        return converted(name, asked, "size", choice.size, choice.note)
    note = "Lumenfall maps it to the nearest size the model makes."
    if name == "size" and request.resolution is not None:
        # A ratio under `size` would go before the resolution; under its own name both count.
        return renamed(name, asked, "aspect_ratio", note)
    return passed(name, asked, note)


def _pixels(asked: str, spec: ModelSpec) -> FieldHandling:
    if asked == "auto":
        return converted("size", asked, None, None, "Left out; Lumenfall's own default is 1024x1024.")
    # Sent all the same, it would be snapped to another size in silence.
    if size_problem(asked, spec.sizes):
        return refused("size", asked, f"{spec.name} does not make this size.")
    return passed("size", asked)


def _is_in_gateway_words(request: ImageRequest) -> bool:
    """Whether each readable ratio and tier that counts is written as the gateway's documents write it."""
    has_ratio_as_size = request.size is not None and parse_ratio(request.size) is not None
    ratio = request.size if has_ratio_as_size else request.aspect_ratio
    if ratio is not None and parse_ratio(ratio) and not _GATEWAY_RATIO.fullmatch(ratio):
        return False
    tier = request.resolution
    return tier is None or not parse_tier(tier) or _GATEWAY_TIER.fullmatch(tier) is not None


def _choice(name: str, asked: str, listed: tuple[str, ...], spec: ModelSpec) -> FieldHandling:
    if asked == "auto":
        return converted(name, asked, None, None, "Left out: the model then chooses.")
    if name == "quality" and asked in spec.quality_aliases:
        return passed(name, asked, f"Lumenfall makes it {spec.quality_aliases[asked]}.")
    if asked in listed or spec.passes_unlisted:
        return passed(name, asked)
    return refused(name, asked, f"{spec.name} has no such {name}.")


def _format(asked: str, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if _is_made_here(request, spec):
        # Upstream, a transparent background needs PNG or WebP; what the gateway's conversion keeps of it is not documented.
        words = f"A transparent image is asked for as PNG; the {asked.upper()} is made here, and the original is kept."
        return emulated("output_format", asked, "output_format", "png", words)
    if asked in FORMATS:
        return passed("output_format", asked)
    return refused("output_format", asked, "Lumenfall makes no such format.")


def _is_made_here(request: ImageRequest, spec: ModelSpec) -> bool:
    is_transparent = request.background == "transparent" and ("transparent" in spec.backgrounds or spec.passes_unlisted)
    return request.output_format in MADE_HERE and is_transparent


def _compression(asked: int, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if _is_made_here(request, spec):
        return uncompressed_row(request)
    if request.output_format not in ("jpeg", "webp"):
        return refused("output_compression", asked, "Only JPEG and WebP are compressed.")
    if not 0 <= asked <= 100:
        return refused("output_compression", asked, "It must lie between 0 and 100.")
    return passed("output_compression", asked)


def _moderation(asked: str, offer: Offer) -> FieldHandling:
    if asked == "auto":
        return converted("moderation", asked, None, None, "Left out: it is what every model does by itself.")
    if not _goes_to_openai(offer):
        return refused("moderation", asked, "Only routes to OpenAI have this setting.")
    if asked != "low":
        return refused("moderation", asked, "Lumenfall knows auto and low.")
    return passed("moderation", asked)


def _fidelity(asked: str, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if not request.images:
        return refused("input_fidelity", asked, "Only an edit has input images.")
    if asked not in spec.input_fidelity:
        return refused("input_fidelity", asked, f"{spec.name} has no such setting.")
    # Not documented: fields the gateway does not know go on to the maker as they are.
    return passed("input_fidelity", asked)


def _user(asked: str, offer: Offer, spec: ModelSpec) -> FieldHandling:
    if not _goes_to_openai(offer) or not spec.takes_user:
        return refused("user", asked, "Only routes to OpenAI have this field.")
    return passed("user", asked)


def _goes_to_openai(offer: Offer) -> bool:
    """Whether the model id names OpenAI's route, or none: the gateway then asks OpenAI for its own models."""
    route, slash, _ = offer.provider_model_id.partition("/")
    return not slash or route == "openai"


def _mask(asked: str, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if not request.images:
        return refused("mask", asked, "A mask needs an image to edit.")
    if not spec.mask:
        return refused("mask", asked, f"{spec.name} takes no mask here.")
    # Not listed in the gateway's schema of gpt-image-2; OpenAI's own route has it.
    return mask_row(request)


def _answered(body: Mapping[str, object], headers: Mapping[str, str]) -> Answered:
    raw = body.get("metadata")
    metadata: Mapping[str, object] = raw if isinstance(raw, dict) else {}
    got: dict[str, object] = {name: body[name] for name in _REPORTED if text_or_none(body.get(name))}
    route = text_or_none(metadata.get("executed_model")) or _route_of(headers)
    by = text_or_none(metadata.get("provider_name")) or text_or_none(metadata.get("provider"))
    by = by or headers.get("x-lumenfall-provider")
    got |= {name: value for name, value in (("route", route), ("provider_name", by)) if value}
    return Answered(
        got=got,
        # Not documented; the makers behind the gateway report it.
        usage=counted_usage_of(body.get("usage")),
        cost_microusd=microusd(metadata.get("cost")) if _is_usd(metadata.get("cost_currency")) else None,
        request_id=headers.get("x-request-id") or text_or_none(body.get("id")),
    )


def _route_of(headers: Mapping[str, str]) -> str | None:
    provider, model = headers.get("x-lumenfall-provider"), headers.get("x-lumenfall-model")
    return f"{provider}/{model}" if provider and model else None


def _is_usd(currency: object) -> bool:
    """Whether an amount is in US dollars: said so, or nothing said."""
    return currency is None or isinstance(currency, str) and currency.lower() == "usd"


def _balance_microusd(body: Mapping[str, object]) -> int | None:
    available = body.get("available")
    if not isinstance(available, dict) or not _is_usd(available.get("currency")):
        return None
    return balance_microusd(available.get("amount"))


def _with_request_id(reply: Reply) -> Reply:
    """The answer with the gateway's own request id where every error looks for one."""
    own = reply.headers.get("x-lumenfall-request-id")
    return replace(reply, headers={**reply.headers, "x-request-id": own}) if own else reply


def _reported_error(body: Mapping[str, object], reply: Reply) -> ProviderError:
    """The error inside an answer with status 200: work had begun, so unless it was refused it may have been billed."""
    error = _error_of(body["error"], reply)
    never_ran = ContentRefused | InvalidKey | InvalidRequest | QuotaExceeded | ModelUnavailable | RateLimited
    error.may_have_been_billed = not isinstance(error, never_ran)
    return error


def _error_of(raw: object, reply: Reply) -> ProviderError:
    told: Mapping[str, object] = raw if isinstance(raw, dict) else {"message": raw}
    words = str(told.get("message") or "")
    too_long = _TOO_LONG.search(words)
    if too_long:
        limit = int(too_long[1])
        sentence = f"The prompt is too long for {{provider}}, which takes {limit:,} characters here. Shorten it."
        return error_from(InvalidRequest, sentence, reply, param="prompt")
    kind, sentence = _kind(str(told.get("code") or ""), f"{told.get('type') or ''} {words}", reply.status)
    said = provider_words(words)
    message = f"{sentence} It said: “{said}”" if said and kind not in (ContentRefused, InvalidKey) else sentence
    return error_from(kind, message, reply, param=told.get("param"))


def _kind(code: str, words: str, status: int) -> tuple[type[ProviderError], str]:
    if code in _KNOWN_CODES:
        return _KNOWN_CODES[code]
    if status < 500 and SAFETY_WORDS.search(words):
        return _KNOWN_CODES["CONTENT_POLICY_VIOLATION"]
    if status < 500 and QUOTA_WORDS.search(words):
        return _NO_CREDIT_BEHIND if code == "UPSTREAM_ERROR" else kind_of_status(402)
    if code == "INVALID_REQUEST":
        return InvalidRequest, "{provider} refused the request."
    # The status of UPSTREAM_ERROR is the maker's: there, a refused key or an empty account is the gateway's, not the person's.
    if code == "UPSTREAM_ERROR" and status in (401, 402, 403):
        return ProviderDown, "The provider behind {provider} refused it. Nothing is wrong with your key."
    return kind_of_status(status)
