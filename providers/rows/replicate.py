"""Replicate: OpenAI's image models as it sells them, with their fields and what is known of its prices.

Sources, read 2026-11-21: Replicate's model pages for gpt-image-1, gpt-image-1-mini and gpt-image-2.5-flare; copies of
the input schemas of gpt-image-1.5 and gpt-image-2. `GET /v1/models/openai/<model>` has the schema itself, and settles
what is called undocumented below.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from providers.catalog import ModelSpec, Offer, Price, Provider, SizeRule
from providers.rows import openai
from providers.types import FIDELITIES

PROVIDER = Provider(
    provider_id="replicate",
    name="Replicate",
    adapter="replicate",
    base_url="https://api.replicate.com",  # as in its SDKs, without the /v1 that every path begins with
    base_url_variable="REPLICATE_BASE_URL",
    key_variable="REPLICATE_API_TOKEN",
    key_url="https://replicate.com/account/api-tokens",
    max_concurrent=8,
    upload_url="https://api.replicate.com",
)

_SCHEMAS = "Replicate's model pages and copies of its input schemas, read 2026-11-21"
_FEE = Decimal("0.001")
_OPENAI_PRICES = {offer.model_id: offer.price for offer in openai.OFFERS}

# A ratio not said is 1:1 at all of them.
_THREE_RATIOS = SizeRule(
    fixed=openai.FIXED_SIZES.fixed, has_auto=False, unsaid="1024x1024", unsaid_on_edits="1024x1024"
)
_THREE_RATIOS_OR_AUTO = replace(_THREE_RATIOS, has_auto=True)

_OWN_KEY_NOTE = "Runs with your own OpenAI key: OpenAI bills the tokens, Replicate $0.001 for each image."
_NO_PRICE_NOTE = "Replicate's price for this model is not known."


def _spec(
    model_id: str,
    note: str,
    *,
    sizes: SizeRule = _THREE_RATIOS,
    backgrounds: tuple[str, ...] = ("auto", "opaque", "transparent"),
    max_n_per_call: int = 10,
) -> ModelSpec:
    # How many input images are taken is not documented; the number is OpenAI's, who gets them in the end.
    return replace(
        openai.BY_ID[model_id],
        source=_SCHEMAS,
        sizes=sizes,
        backgrounds=backgrounds,
        # Its schemas list both values wherever the field is, also for mini, of which OpenAI itself takes `low` alone.
        input_fidelity=FIDELITIES if openai.BY_ID[model_id].input_fidelity else (),
        max_n_per_call=max_n_per_call,
        max_partials=0,
        mask=False,
        note=note,
    )


def _own_key_price(model_id: str) -> Price | None:
    """OpenAI's rates, with Replicate's fee beside them."""
    price = _OPENAI_PRICES[model_id]
    if price is None:
        return None
    return replace(
        price,
        price_id=f"replicate/{model_id}@{openai.READ_ON}",
        valid_from=openai.READ_ON,
        source="Replicate's model page ($1 for 1,000 images) and OpenAI's price page, read 2026-11-21",
        fee_per_image=_FEE,
        tokens_billed_by="OpenAI",
        needs_report=True,
    )


def _own_key_offer(model_id: str) -> Offer:
    """A model whose schema requires the person's OpenAI key."""
    return Offer(
        PROVIDER.provider_id,
        model_id,
        f"openai/{model_id}",
        _own_key_price(model_id),
        spec=_spec(model_id, _OWN_KEY_NOTE),
        needs_key_of=("openai",),
    )


def _offer(spec: ModelSpec) -> Offer:
    """A model that runs with Replicate's own key: the field for another is left out. Its price page was not obtainable."""
    return Offer(PROVIDER.provider_id, spec.model_id, f"openai/{spec.model_id}", None, spec=spec)


OFFERS = (
    # The whole lists of ratios, qualities and backgrounds are not documented for 2.5: `auto` is mentioned as a ratio,
    # and the rest is what OpenAI takes, xhigh and max included.
    _offer(_spec("gpt-image-2.5-flare", _NO_PRICE_NOTE, sizes=_THREE_RATIOS_OR_AUTO)),
    # One copy of the schema allows 10 images a call, another only 1, which both take.
    _offer(_spec("gpt-image-2", _NO_PRICE_NOTE, backgrounds=("auto", "opaque"), max_n_per_call=1)),
    _offer(_spec("gpt-image-1.5", _NO_PRICE_NOTE)),
    _own_key_offer("gpt-image-1-mini"),
    # Switched off at OpenAI, whose key it needs: expect failures.
    _own_key_offer("gpt-image-1"),
)
