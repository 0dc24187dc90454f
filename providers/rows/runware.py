"""Runware: OpenAI's image models under AIR ids, made as jobs and priced by the call.

Sources, read 2026-11-21: runware-sdk 1.8.0 for ids and fields, Runware's model pages for limits and prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from providers.adapters.runware import RunwareFacts
from providers.catalog import ModelSpec, Offer, Price, Provider
from providers.rows.openai import BY_ID, READ_ON

PROVIDER = Provider(
    provider_id="runware",
    name="Runware",
    adapter="runware",
    base_url="https://api.runware.ai/v1",
    base_url_variable="RUNWARE_BASE_URL",
    key_variable="RUNWARE_API_KEY",
    auth="bearer",
    key_url="https://my.runware.ai/keys",
    max_concurrent=8,
    note="OpenAI's models need a paid invoice or at least $5 of credit there.",
)

_SDK = "runware-sdk 1.8.0 and Runware's model pages, read 2026-11-21"
_SIZES = ("1024x1024", "1536x1024", "1024x1536")


def _sold(model_id: str, *, moderation: tuple[str, ...], has_auto_size: bool) -> ModelSpec:
    """The model as Runware sells it. A mask is hinted at for 2.5 and documented for none."""
    base = BY_ID[model_id]
    return replace(
        base,
        source=_SDK,
        sizes=replace(base.sizes, has_auto=has_auto_size),
        moderation=moderation,
        input_fidelity=(),
        max_n=10,
        max_n_per_call=10,
        max_images=16,
        max_partials=0,
        mask=False,
        takes_user=False,
    )


def _old(model_id: str) -> ModelSpec:
    # The pages of 1 and 1 mini require width and height, and 1.5 has no word for letting the model choose.
    return _sold(model_id, moderation=(), has_auto_size=False)


def _with_a_size(spec: ModelSpec) -> ModelSpec:
    """A model that must be told a size: where none is said, the one that stands for `auto`."""
    return replace(spec, sizes=replace(spec.sizes, unsaid="auto", unsaid_on_edits="auto"))


def _new(model_id: str) -> ModelSpec:
    # `settings.moderation` is not documented; other clients send it.
    return _sold(model_id, moderation=("auto", "low"), has_auto_size=True)


def _per_image(**rows: str) -> dict[str, dict[str, Decimal]]:
    """Quality to the prices of a square, a landscape and a portrait, given as text."""
    return {quality: dict(zip(_SIZES, map(Decimal, usd.split()), strict=True)) for quality, usd in rows.items()}


def _price(
    model_id: str,
    source: str,
    *,
    text_in: str = "0",
    image_in: str = "0",
    image_out: str = "0",
    per_image: Mapping[str, Mapping[str, Decimal]] | None = None,
) -> Price:
    return Price(
        price_id=f"runware/{model_id}@{READ_ON}",
        valid_from=READ_ON,
        source=source,
        text_in=Decimal(text_in),
        image_in=Decimal(image_in),
        image_out=Decimal(image_out),
        per_image=per_image or {},
        needs_report=True,
    )


def _token_price(model_id: str) -> Price:
    source = "Runware's model page, read 2026-11-21; a call's own cost is reported"
    return _price(model_id, source, text_in="5.00", image_in="8.00", image_out="30.00")


# Not documented at Runware: OpenAI's own list, which Runware's prices of the other fixed-size models repeat.
_PRICE_1 = _price(
    "gpt-image-1",
    "OpenAI's published prices per image, read 2026-11-21; Runware documents none",
    per_image=_per_image(low=".011 .016 .016", medium=".042 .063 .063", high=".167 .25 .25"),
)
# Runware's own examples confirm the row of medium, with eight references too; low and high are OpenAI's list.
_PRICE_1_MINI = _price(
    "gpt-image-1-mini",
    "OpenAI's published prices per image and the examples on Runware's model page, read 2026-11-21",
    per_image=_per_image(low=".005 .006 .006", medium=".011 .015 .015", high=".036 .052 .052"),
)
_PRICE_15 = _price(
    "gpt-image-1.5",
    "Runware's model page, read 2026-11-21",
    text_in="5.00",
    image_in="8.00",
    per_image=_per_image(low=".009 .013 .013", medium=".034 .050 .051", high=".133 .199 .200"),
)

_ONE = RunwareFacts(settings="providerSettings.openai", needs_size=True)
_ONE_FIVE = RunwareFacts(settings="providerSettings.openai", min_prompt_chars=2)
# Other clients report that 2 no longer takes a background: `auto`, which changes nothing, is left out.
_TWO = RunwareFacts(takes_auto_background=False)

# Only `auto` and `opaque` are known to be taken.
_SPEC_1, _SPEC_1_MINI = _with_a_size(_old("gpt-image-1")), _with_a_size(_old("gpt-image-1-mini"))
_SPEC_2 = replace(_new("gpt-image-2"), backgrounds=("auto", "opaque"), note="No transparent background at Runware.")


def _offer(spec: ModelSpec, air_id: str, price: Price, facts: RunwareFacts) -> Offer:
    return Offer(PROVIDER.provider_id, spec.model_id, air_id, price, spec=spec, facts=facts)


def _offer_25(model_id: str) -> Offer:
    air_id = model_id.replace("gpt-image-", "openai:gpt-image@")
    return _offer(_new(model_id), air_id, _token_price(model_id), RunwareFacts())


OFFERS = (
    _offer_25("gpt-image-2.5-flare"),
    _offer_25("gpt-image-2.5-sunburst"),
    _offer(_SPEC_2, "openai:gpt-image@2", _token_price("gpt-image-2"), _TWO),
    _offer(_old("gpt-image-1.5"), "openai:4@1", _PRICE_15, _ONE_FIVE),
    _offer(_SPEC_1_MINI, "openai:1@2", _PRICE_1_MINI, _ONE),
    _offer(_SPEC_1, "openai:1@1", _PRICE_1, _ONE),
)
