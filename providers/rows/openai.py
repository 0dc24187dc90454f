"""OpenAI: the GPT Image models with their dates, limits and prices.

Sources, read 2026-11-21: OpenAI's API reference and its Python SDK 3.52.0 for fields and ids; OpenAI's price page as
carried by the November 2026 price files for rates; OpenAI's notice of 2026-06-02 for the models that end on
2026-12-01. Output tokens of the 2 and 2.5 families follow the published formula (see `pricing.output_tokens`), checked
against OpenAI's own calculator values.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from providers.catalog import InputTokenRule, ModelSpec, Offer, OutputTokens, Price, Provider, SizeRule

PROVIDER = Provider(
    provider_id="openai",
    name="OpenAI",
    adapter="openai",
    base_url="https://api.openai.com/v1",
    base_url_variable="OPENAI_BASE_URL",
    key_variable="OPENAI_API_KEY",
    key_url="https://platform.openai.com/api-keys",
    max_concurrent=5,
    accepts_any_model=True,
)

READ_ON = date(2026, 11, 21)
_SDK = "OpenAI Python SDK 3.52.0 and price page, read 2026-11-21"

FIXED_SIZES = SizeRule(fixed=("1024x1024", "1536x1024", "1024x1536"))
FREE_SIZES = SizeRule(suggested=("2048x2048", "1920x1088", "2560x1440", "3840x2160"))

THREE_QUALITIES = ("auto", "low", "medium", "high")
FIVE_QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")

TOKEN_TABLE = {
    "low": {"1024x1024": 272, "1024x1536": 408, "1536x1024": 400},
    "medium": {"1024x1024": 1056, "1024x1536": 1584, "1536x1024": 1568},
    "high": {"1024x1024": 4160, "1024x1536": 6240, "1536x1024": 6208},
}
FACTORS_2 = {"low": 16, "medium": 48, "high": 96}
FACTORS_25 = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}


def _fixed_size_model(
    model_id: str,
    name: str,
    *,
    released_on: date | None,
    retires_on: date,
    input_fidelity: tuple[str, ...],
    note: str = "",
) -> ModelSpec:
    return ModelSpec(
        model_id=model_id,
        name=name,
        family="GPT Image 1",
        maker="OpenAI",
        released_on=released_on,
        retires_on=retires_on,
        source=_SDK,
        qualities=THREE_QUALITIES,
        sizes=FIXED_SIZES,
        backgrounds=("auto", "opaque", "transparent"),
        formats=("png", "jpeg", "webp"),
        moderation=("auto", "low"),
        input_fidelity=input_fidelity,
        output_tokens=OutputTokens(table=TOKEN_TABLE),
        input_tokens="tiles",
        note=note,
    )


def _free_size_model(
    model_id: str,
    name: str,
    family: str,
    *,
    released_on: date,
    snapshots: tuple[str, ...] = (),
    qualities: tuple[str, ...] = FIVE_QUALITIES,
    factor: dict[str, int] = FACTORS_25,
    input_tokens: InputTokenRule = "patches",
    note: str = "",
) -> ModelSpec:
    return ModelSpec(
        model_id=model_id,
        name=name,
        family=family,
        maker="OpenAI",
        released_on=released_on,
        retires_on=None,
        source=_SDK,
        qualities=qualities,
        sizes=FREE_SIZES,
        backgrounds=("auto", "opaque", "transparent"),
        formats=("png", "jpeg", "webp"),
        moderation=("auto", "low"),
        output_tokens=OutputTokens(factor=factor),
        input_tokens=input_tokens,
        snapshots=snapshots,
        note=note,
    )


MODELS = (
    _free_size_model(
        "gpt-image-2.6-flare",
        "GPT Image 2.6 flare",
        "GPT Image 2.6",
        released_on=date(2026, 11, 4),
        note="Fast. No token figures are published yet; the estimate uses those of 2.5.",
    ),
    _free_size_model(
        "gpt-image-2.6-sunburst",
        "GPT Image 2.6 sunburst",
        "GPT Image 2.6",
        released_on=date(2026, 11, 4),
        note="Detail and edits. No token figures are published yet; the estimate uses those of 2.5.",
    ),
    _free_size_model(
        "gpt-image-2.5-flare",
        "GPT Image 2.5 flare",
        "GPT Image 2.5",
        released_on=date(2026, 9, 8),
        snapshots=("gpt-image-2.5-flare-2026-09-08",),
        note="Fast.",
    ),
    _free_size_model(
        "gpt-image-2.5-sunburst",
        "GPT Image 2.5 sunburst",
        "GPT Image 2.5",
        released_on=date(2026, 9, 8),
        snapshots=("gpt-image-2.5-sunburst-2026-09-08",),
        note="Detail and edits.",
    ),
    _free_size_model(
        "gpt-image-2",
        "GPT Image 2",
        "GPT Image 2",
        released_on=date(2026, 4, 21),
        snapshots=("gpt-image-2-2026-04-21",),
        qualities=THREE_QUALITIES,
        factor=FACTORS_2,
        note="A transparent background is a preview.",
    ),
    _fixed_size_model(
        "gpt-image-1.5",
        "GPT Image 1.5",
        released_on=date(2025, 12, 16),
        retires_on=date(2026, 12, 1),
        input_fidelity=("low", "high"),
    ),
    _fixed_size_model(
        "chatgpt-image-latest",
        "ChatGPT Image latest",
        released_on=date(2025, 12, 16),
        retires_on=date(2026, 12, 1),
        input_fidelity=("low", "high"),
    ),
    _fixed_size_model(
        "gpt-image-1-mini",
        "GPT Image 1 mini",
        released_on=date(2025, 10, 6),
        retires_on=date(2026, 12, 1),
        input_fidelity=("low",),
        note="The published prices per image lie about $0.0025 above tokens at the listed rate; nobody says why.",
    ),
    _fixed_size_model(
        "gpt-image-1",
        "GPT Image 1",
        released_on=date(2025, 4, 23),
        retires_on=date(2026, 10, 23),
        input_fidelity=("low", "high"),
    ),
)


def _price(model_id: str, text_in: str, image_in: str, image_out: str, text_out: str | None = None) -> Price:
    return Price(
        price_id=f"openai/{model_id}@{READ_ON}",
        valid_from=READ_ON,
        source="OpenAI's price page, read 2026-11-21",
        text_in=Decimal(text_in),
        image_in=Decimal(image_in),
        image_out=Decimal(image_out),
        text_out=Decimal(text_out) if text_out else None,
        # Every answer tells its tokens; one that does not leaves its cost open.
        needs_report=True,
    )


_PRICES = (
    _price("gpt-image-2.6-flare", "5.00", "8.00", "30.00"),
    _price("gpt-image-2.6-sunburst", "5.00", "8.00", "30.00"),
    _price("gpt-image-2.5-flare", "5.00", "8.00", "30.00"),
    _price("gpt-image-2.5-sunburst", "5.00", "8.00", "30.00"),
    _price("gpt-image-2", "5.00", "8.00", "30.00"),
    _price("gpt-image-1.5", "5.00", "8.00", "32.00", "10.00"),
    _price("chatgpt-image-latest", "5.00", "8.00", "32.00", "10.00"),
    _price("gpt-image-1-mini", "2.00", "2.50", "8.00"),
    _price("gpt-image-1", "5.00", "10.00", "40.00"),
)

OFFERS = tuple(
    Offer(PROVIDER.provider_id, model.model_id, model.model_id, price)
    for model, price in zip(MODELS, _PRICES, strict=True)
)

BY_ID = {model.model_id: model for model in MODELS}
"""The models as their maker sells them; other providers' rows begin from these."""
