"""Lumenfall: OpenAI's models through a gateway, at the makers' prices, and one route to fal for cheap edits.

Sources, read 2026-11-21: Lumenfall's documentation and model pages for fields and prices; OpenAI's rows for what the
models themselves can do. The gateway lists no 2.5 or 2.6 model; an id typed by hand is sent as it stands.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from providers.catalog import ModelSpec, Offer, Price, Provider, SizeRule
from providers.rows.openai import BY_ID
from providers.types import BACKGROUNDS, FIDELITIES, FORMATS, QUALITIES

READ_ON = date(2026, 11, 21)
_PAGES = "Lumenfall's documentation and model pages, read 2026-11-21"

MAX_IMAGES = 10
MODERATION = ("low",)
"""`auto` is said by leaving the field out; the gateway lists no other value."""

QUALITY_ALIASES = {"standard": "medium", "hd": "high"}
"""As its table of parameters maps them."""

DEFAULT_SPEC = ModelSpec(
    model_id="",
    name="",
    family="typed by hand",
    maker="",
    released_on=None,
    retires_on=None,
    source="typed by hand",
    qualities=QUALITIES,
    sizes=SizeRule(multiple=1, min_area=1, max_area=2**26, max_edge=8192, max_ratio=8192),
    backgrounds=BACKGROUNDS,
    formats=FORMATS,
    moderation=MODERATION,
    input_fidelity=FIDELITIES,
    max_images=MAX_IMAGES,
    max_partials=0,
    passes_unlisted=True,
    note="Not in the catalogue: limits and price are unknown, and Lumenfall may change a size it does not make.",
)

PROVIDER = Provider(
    provider_id="lumenfall",
    name="Lumenfall",
    adapter="lumenfall",
    base_url="https://api.lumenfall.ai/openai/v1",
    base_url_variable="LUMENFALL_BASE_URL",
    key_variable="LUMENFALL_API_KEY",
    auth="bearer",
    key_url="https://lumenfall.ai/app/api-keys",
    max_concurrent=4,
    accepts_any_model=True,
    makers_route="openai",
    default_spec=DEFAULT_SPEC,
    note="A gateway: it tells which provider made an image and what it charged.",
)


def _sold(model_id: str) -> ModelSpec:
    """OpenAI's model as the gateway sells it: it converts to five formats, takes ten input images, and never streams.

    It would snap a size the model does not make; OpenAI's own rule stays, so that such a size is refused before.
    """
    base = BY_ID[model_id]
    return replace(
        base,
        # A generation without a size is a square; for edits no default is documented.
        sizes=replace(base.sizes, unsaid="1024x1024"),
        formats=FORMATS,
        moderation=MODERATION,
        max_images=MAX_IMAGES,
        max_partials=0,
        quality_aliases=QUALITY_ALIASES,
        source=_PAGES,
    )


def _price(model_id: str, text_in: str, image_in: str, image_out: str, text_out: str | None = None) -> Price:
    return Price(
        price_id=f"lumenfall/{model_id}@{READ_ON}",
        valid_from=READ_ON,
        source=_PAGES,
        text_in=Decimal(text_in),
        image_in=Decimal(image_in),
        image_out=Decimal(image_out),
        text_out=Decimal(text_out) if text_out else None,
        # Every answer tells its charge; one that does not leaves it open.
        needs_report=True,
    )


def _offer(spec: ModelSpec, price: Price) -> Offer:
    return Offer(PROVIDER.provider_id, spec.model_id, spec.model_id, price, spec)


_FAL_EDIT = replace(
    _sold("gpt-image-1-mini"),
    model_id="fal/gpt-image-1-mini-edit",
    name="GPT Image 1 mini by fal, edits",
    # Moderation and user belong to routes to OpenAI; fal's mini edit has neither a mask nor an input fidelity.
    moderation=(),
    input_fidelity=(),
    mask=False,
    takes_user=False,
    min_images=1,
    input_tokens="none",
    note="Edits only: it needs an input image. One price for each image, whatever its size and quality.",
)
_FAL_EDIT_PRICE = Price(
    price_id=f"lumenfall/{_FAL_EDIT.model_id}@{READ_ON}",
    valid_from=READ_ON,
    source=_PAGES,
    per_image={"*": {"*": Decimal("0.020")}},
    needs_report=True,
)

MODELS = (_FAL_EDIT,)
"""Routes that are models of their own here."""

OFFERS = (
    # 2 is sold with an opaque background only.
    _offer(
        replace(_sold("gpt-image-2"), backgrounds=("auto", "opaque"), note=""),
        _price("gpt-image-2", "5.00", "8.00", "30.00", "10.00"),
    ),
    _offer(_sold("gpt-image-1.5"), _price("gpt-image-1.5", "5.00", "8.00", "32.00", "10.00")),
    _offer(_sold("gpt-image-1-mini"), _price("gpt-image-1-mini", "2.00", "2.50", "8.00")),
    # Its page still calls the model active, though OpenAI has switched it off.
    _offer(_sold("gpt-image-1"), _price("gpt-image-1", "5.00", "10.00", "40.00")),
    _offer(_FAL_EDIT, _FAL_EDIT_PRICE),
)
