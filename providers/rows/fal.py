"""fal: OpenAI's models behind its queue, with its own endpoints and prices.

Sources, read 2026-11-21: fal's model pages for fields and prices; for the 2.5 family LiteLLM's price file 1.109.1,
whose 30 prices are the token formula of `pricing` at $30 per million.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from providers.adapters.fal import FalFacts
from providers.catalog import ModelSpec, Offer, Price, Provider
from providers.rows.openai import BY_ID, READ_ON

PROVIDER = Provider(
    provider_id="fal",
    name="fal",
    adapter="fal",
    base_url="https://queue.fal.run",
    base_url_variable="FAL_BASE_URL",
    key_variable="FAL_KEY",
    auth="key",
    key_url="https://fal.ai/dashboard/keys",
    # New accounts run two at once, rising to 40 with purchases; more than that waits in fal's own line.
    max_concurrent=4,
    upload_url="https://rest.fal.ai",
    upload_url_variable="FAL_REST_URL",
    jobs_url="https://api.fal.ai/v1",
    jobs_url_variable="FAL_API_URL",
)

_PAGE = "fal's model page, read 2026-11-21"
_ROUNDED = "fal rounds the price of an image up to the cent."
_MINI_NOTE = "fal lists no price for generations; the estimate uses OpenAI's."
_OPAQUE = "Images come opaque."

_THREE = ("low", "medium", "high")
_FOUR = ("auto", *_THREE)
_SIX = (*_FOUR, "xhigh", "max")

_SQUARE, _PORTRAIT, _LANDSCAPE, _ANY = "1024x1024", "1024x1536", "1536x1024", "*"


def _spec(model_id: str, qualities: tuple[str, ...], note: str) -> ModelSpec:
    """The model as fal sells it: at most four images of a call, and nothing that fal does not list.

    A size not said is a square in the first family and 1024x768 in the later ones; an edit then chooses by itself. For the
    first family `auto` is certain on edits only: fal's pages disagree about its text endpoints.
    """
    base = BY_ID[model_id]
    is_first = bool(base.sizes.fixed)
    return replace(
        base,
        source=_PAGE,
        sizes=replace(
            base.sizes,
            auto_on_edits_only=is_first,
            unsaid=_SQUARE if is_first else "1024x768",
            unsaid_on_edits="auto",
        ),
        qualities=qualities,
        moderation=(),
        max_n=10,
        max_n_per_call=4,
        max_images=16,
        max_partials=0,
        takes_user=False,
        takes_compression=False,
        note=note,
    )


def _table(*rows: tuple[str, str, str, str]) -> Mapping[str, Mapping[str, Decimal]]:
    """Quality, then the price of a square, of portrait and of landscape, in USD."""
    return {
        quality: {_SQUARE: Decimal(square), _PORTRAIT: Decimal(portrait), _LANDSCAPE: Decimal(landscape)}
        for quality, square, portrait, landscape in rows
    }


def _price_id(model_id: str) -> str:
    return f"fal/{model_id}@{READ_ON}"


_GPT_IMAGE_1 = Offer(
    PROVIDER.provider_id,
    "gpt-image-1",
    "fal-ai/gpt-image-1/text-to-image",
    Price(
        price_id=_price_id("gpt-image-1"),
        valid_from=READ_ON,
        source=_PAGE,
        # fal lists these and no rates for tokens.
        per_image=_table(
            ("low", "0.011", "0.016", "0.016"),
            ("medium", "0.042", "0.063", "0.063"),
            ("high", "0.167", "0.25", "0.25"),
        ),
        rounds_up_to=Decimal("0.01"),
    ),
    # A mask on gpt-image-1 is not documented, so it is not offered. Its edits also take `auto` for the quality.
    replace(_spec("gpt-image-1", _THREE, _ROUNDED), mask=False, edit_qualities=("auto",)),
    FalFacts("fal-ai/gpt-image-1/edit-image", "names", has_background=True, fidelity_field="input_fidelity"),
)

_GPT_IMAGE_1_MINI = Offer(
    PROVIDER.provider_id,
    "gpt-image-1-mini",
    "fal-ai/gpt-image-1-mini",
    Price(
        price_id=_price_id("gpt-image-1-mini"),
        valid_from=READ_ON,
        source=f"OpenAI's published prices, because fal lists none for generations, read {READ_ON}; edits by Lumenfall's "
        "page on the same endpoint",
        text_in=Decimal("2.00"),
        # As OpenAI publishes them for an image; tokens times its rate would be about $0.0025 less.
        per_image=_table(
            ("low", "0.005", "0.006", "0.006"),
            ("medium", "0.011", "0.015", "0.015"),
            ("high", "0.036", "0.052", "0.052"),
        ),
        edit_per_image={_ANY: {_ANY: Decimal("0.020")}},
    ),
    # OpenAI's mini takes the fidelity `low` only, and fal's endpoint does not list the field.
    replace(_spec("gpt-image-1-mini", _FOUR, _MINI_NOTE), mask=False, input_fidelity=()),
    FalFacts("fal-ai/gpt-image-1-mini/edit", "names", has_background=True),
)

_GPT_IMAGE_1_5 = Offer(
    PROVIDER.provider_id,
    "gpt-image-1.5",
    "fal-ai/gpt-image-1.5",
    Price(
        price_id=_price_id("gpt-image-1.5"),
        valid_from=READ_ON,
        source=_PAGE,
        text_in=Decimal("5.00"),
        image_in=Decimal("8.00"),
        text_out=Decimal("10.00"),
        per_image=_table(
            ("low", "0.009", "0.013", "0.013"),
            ("medium", "0.034", "0.051", "0.050"),
            ("high", "0.133", "0.200", "0.199"),
        ),
    ),
    _spec("gpt-image-1.5", _THREE, "Text that the model writes before it draws costs extra: $10 per million tokens."),
    FalFacts(
        "fal-ai/gpt-image-1.5/edit",
        "names",
        mask_field="mask_image_url",
        has_background=True,
        fidelity_field="input_fidelity",
    ),
)


def _by_tokens(
    model_id: str, text: str, edit: str, qualities: tuple[str, ...], note: str, text_out: str | None = None
) -> Offer:
    """An offer of the families that take any size and are billed by tokens, as at OpenAI."""
    source = _PAGE if text_out else "fal's prices as carried by LiteLLM 1.109.1, read 2026-11-21"
    return Offer(
        PROVIDER.provider_id,
        model_id,
        text,
        Price(
            price_id=_price_id(model_id),
            valid_from=READ_ON,
            source=source,
            text_in=Decimal("5.00"),
            image_in=Decimal("8.00"),
            image_out=Decimal("30.00"),
            text_out=Decimal(text_out) if text_out else None,
        ),
        replace(_spec(model_id, qualities, note), backgrounds=(), source=source),
        FalFacts(edit, "dimensions", mask_field="mask_url"),
    )


OFFERS = (
    _by_tokens(
        "gpt-image-2.5-flare",
        "openai/gpt-image-2.5/flare/text-to-image",
        "openai/gpt-image-2.5/flare/edit",
        _SIX,
        f"Fast. {_OPAQUE}",
    ),
    _by_tokens(
        "gpt-image-2.5-sunburst",
        "openai/gpt-image-2.5/sunburst/text-to-image",
        "openai/gpt-image-2.5/sunburst/edit",
        _SIX,
        f"Detail and edits. {_OPAQUE}",
    ),
    _by_tokens("gpt-image-2", "openai/gpt-image-2", "openai/gpt-image-2/edit", _FOUR, _OPAQUE, text_out="10.00"),
    _GPT_IMAGE_1_5,
    _GPT_IMAGE_1_MINI,
    _GPT_IMAGE_1,
)
