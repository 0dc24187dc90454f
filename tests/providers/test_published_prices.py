"""Every published figure of money, from whoever publishes it, against what estimates and costs come to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from providers.pricing import cost_of, cost_parts, estimate
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage, Usage

SIZES = ("1024x1024", "1024x1536", "1536x1024")
"""Square, portrait, landscape: the order of the published tables."""

FORMULA_USD = {
    "1024x1024": (0.0059, 0.0132, 0.0527, 0.0937, 0.2107),
    "1536x1024": (0.0047, 0.0103, 0.0412, 0.0738, 0.1646),
    "1024x768": (0.0040, 0.0090, 0.0361, 0.0642, 0.1445),
    "1920x1088": (0.0044, 0.0103, 0.0398, 0.0707, 0.1590),
    "2048x2048": (0.0119, 0.0268, 0.1070, 0.1903, 0.4282),
    "2560x1440": (0.0062, 0.0143, 0.0553, 0.0983, 0.2211),
    "3840x2160": (0.0111, 0.0260, 0.1001, 0.1779, 0.4003),
}
"""USD per image at $30 per million tokens, low to max of the 2.5 family; published with the token formula."""

LISTED = {
    "openai/gpt-image-1": ((0.011, 0.016, 0.016), (0.042, 0.063, 0.063), (0.167, 0.25, 0.25)),
    "openai/gpt-image-1.5": ((0.009, 0.013, 0.013), (0.034, 0.051, 0.050), (0.133, 0.200, 0.199)),
    "runware/gpt-image-1.5": ((0.009, 0.013, 0.013), (0.034, 0.051, 0.050), (0.133, 0.200, 0.199)),
    "runware/gpt-image-1-mini": ((0.005, 0.006, 0.006), (0.011, 0.015, 0.015), (0.036, 0.052, 0.052)),
    "lumenfall/gpt-image-2": ((0.006, 0.005, 0.005), (0.053, 0.041, 0.041), (0.211, 0.165, 0.165)),
    # Listed as .011 / .016, .042 / .063, .167 / .25, and rounded up to the cent.
    "fal/gpt-image-1": ((0.02, 0.02, 0.02), (0.05, 0.07, 0.07), (0.17, 0.25, 0.25)),
    "fal/gpt-image-1.5": ((0.009, 0.013, 0.013), (0.034, 0.051, 0.050), (0.133, 0.200, 0.199)),
}
"""Prices per image as their sellers list them: low, medium, high; rounded there to a tenth of a cent or a cent."""


def image_usd(offer_id: str, quality: str, size: str) -> float:
    """What the estimate takes for the image itself, without prompt and fees."""
    offer = CATALOG.offer(offer_id)
    found = estimate(ImageRequest("A red fox", size=size, quality=quality), CATALOG.spec(offer), offer)
    return float(found.lines[0].high_microusd) / 1e6


@pytest.mark.parametrize("seller", ["openai", "runware", "fal"])
@pytest.mark.parametrize("size", FORMULA_USD)
def test_the_formula_in_dollars(seller: str, size: str) -> None:
    qualities = ("low", "medium", "high", "xhigh", "max")
    found = [round(image_usd(f"{seller}/gpt-image-2.5-flare", quality, size), 4) for quality in qualities]
    assert found == pytest.approx(list(FORMULA_USD[size]), abs=0.00011)


@pytest.mark.parametrize("offer", LISTED)
def test_listed_prices(offer: str) -> None:
    for quality, row in zip(("low", "medium", "high"), LISTED[offer], strict=True):
        found = [image_usd(offer, quality, size) for size in SIZES]
        # Two of the dearest are listed to the cent, all others to a tenth of one.
        assert found == pytest.approx(list(row), abs=0.00175 if row[0] > 0.15 else 0.00075), quality


def test_what_fal_rounds_up_to_the_cent_is_whole_cents_and_nothing_beside() -> None:
    """fal lists no rate for the tokens of gpt-image-1, only prices per image."""
    offer = CATALOG.offer("fal/gpt-image-1")
    image = InputImage(b"", "image/png", 1024, 1024, "0" * 64)
    for images in ((), (image,)):
        request = ImageRequest("x" * 400, n=3, size="1024x1024", quality="low", images=images)
        found = estimate(request, CATALOG.spec(offer), offer)
        assert (found.low_microusd, found.high_microusd) == (60_000, 60_000)
    rounded = [offer.offer_id for offer in CATALOG.offers if offer.price and offer.price.rounds_up_to]
    told = [offer.offer_id for offer in CATALOG.offers if "up to the cent" in CATALOG.spec(offer).note]
    assert rounded == told == ["fal/gpt-image-1"]


def test_the_same_price_for_the_same_factor() -> None:
    """gpt-image-2 high costs what 2.5 max costs, and 2.5 high what 2 medium costs."""
    assert image_usd("openai/gpt-image-2", "high", "1024x1024") == image_usd(
        "openai/gpt-image-2.5-flare", "max", "1024x1024"
    )
    assert image_usd("openai/gpt-image-2", "medium", "1024x1024") == image_usd(
        "openai/gpt-image-2.5-flare", "high", "1024x1024"
    )


USAGES = [
    ("openai/gpt-image-2.5-flare", Usage(13, 0, 196, 0), 1, 5_945),
    ("openai/gpt-image-2", Usage(50, 2048, 1372), 1, 57_794),
    ("lumenfall/gpt-image-2", Usage(13, 0, 196), 1, 5_945),
    ("replicate/gpt-image-1-mini", Usage(9, 0, 800), 2, 8_418),
]
"""Answers of the providers' fixtures with the cost that their pages work out."""


@pytest.mark.parametrize(("offer", "usage", "images", "microusd"), USAGES)
def test_costs_of_reported_tokens(offer: str, usage: Usage, images: int, microusd: int) -> None:
    assert cost_of(usage, CATALOG.offer(offer).price, images) == microusd


def test_replicates_share_and_openais_are_two_lines() -> None:
    parts = cost_parts(Usage(9, 0, 800), CATALOG.offer("replicate/gpt-image-1-mini").price, 2)
    assert parts is not None
    assert [(part.label, part.amount_microusd) for part in parts] == [
        ("Tokens, billed by OpenAI", 6_418),
        ("Fee of the provider", 2_000),
    ]


def test_a_thousand_images_at_replicate_cost_a_dollar_beside_openais_tokens() -> None:
    price = CATALOG.offer("replicate/gpt-image-1").price
    assert price is not None
    assert price.fee_per_image * 1000 == Decimal(1)


def test_the_flat_edit_of_the_gateways_route() -> None:
    offer = CATALOG.offer("lumenfall/fal/gpt-image-1-mini-edit")
    image = InputImage(b"", "image/png", 1024, 1024, "0" * 64)
    for quality in ("low", "high"):
        request = ImageRequest("x", size="1536x1024", quality=quality, images=(image,))
        assert estimate(request, CATALOG.spec(offer), offer).high_microusd == 20_000


@pytest.mark.parametrize("model", ["gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-flare"])
def test_what_replicate_does_not_publish_is_unknown_and_not_guessed(model: str) -> None:
    offer = CATALOG.offer(f"replicate/{model}")
    found = estimate(ImageRequest("x", size="1024x1024", quality="low"), CATALOG.spec(offer), offer)
    assert (found.low_microusd, found.high_microusd) == (None, None)
