"""Prices against figures that OpenAI and others publish."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from providers.pricing import cost_of, estimate, estimate_as_got, image_tokens, output_tokens, text_tokens
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage, Usage


def spec(model: str):
    return CATALOG.spec(CATALOG.offer(f"openai/{model}"))


FORMULA = {
    "1024x1024": (196, 439, 1756, 3122, 7024),
    "1536x1024": (158, 343, 1372, 2459, 5488),
    "1024x1536": (158, 343, 1372, 2459, 5488),
    "1024x768": (134, 301, 1204, 2140, 4815),
    "1920x1088": (148, 344, 1325, 2356, 5300),
    "2048x2048": (397, 892, 3568, 6343, 14272),
    "2560x1440": (205, 478, 1843, 3276, 7370),
    "3840x2160": (371, 865, 3336, 5930, 13342),
}
"""Size -> tokens at factors 16, 24, 48, 64, 96; the table published with the formula."""


@pytest.mark.parametrize("size", FORMULA)
def test_output_tokens_meet_the_published_table(size: str) -> None:
    low, medium, high, xhigh, highest = FORMULA[size]
    newer, two = spec("gpt-image-2.5-flare"), spec("gpt-image-2")
    qualities = ("low", "medium", "high", "xhigh", "max")
    assert [output_tokens(newer, quality, size) for quality in qualities] == [low, medium, high, xhigh, highest]
    assert [output_tokens(two, quality, size) for quality in ("low", "medium", "high")] == [low, high, highest]


@pytest.mark.parametrize(
    ("size", "tokens"), [("1024x1024", 7024), ("1536x1024", 5488), ("1792x1024", 5063), ("3584x2048", 12329)]
)
def test_output_tokens_meet_openais_calculator(size: str, tokens: int) -> None:
    assert output_tokens(spec("gpt-image-2"), "high", size) == tokens


PUBLISHED = [
    ("gpt-image-1", "low", (0.011, 0.016, 0.016)),
    ("gpt-image-1", "medium", (0.042, 0.063, 0.063)),
    ("gpt-image-1", "high", (0.167, 0.25, 0.25)),
    ("gpt-image-1.5", "low", (0.009, 0.013, 0.013)),
    ("gpt-image-1.5", "medium", (0.034, 0.051, 0.050)),
    ("gpt-image-1.5", "high", (0.133, 0.200, 0.199)),
    ("gpt-image-1-mini", "low", (0.0022, 0.0033, 0.0032)),
    ("gpt-image-1-mini", "medium", (0.0084, 0.0127, 0.0125)),
    ("gpt-image-1-mini", "high", (0.0333, 0.0499, 0.0497)),
]
"""OpenAI's prices per image: square, portrait, landscape. The mini's are tokens times rate; see the note of its row."""


@pytest.mark.parametrize(("model", "quality", "dollars"), PUBLISHED)
def test_published_prices_per_image_come_out(model: str, quality: str, dollars: tuple[float, float, float]) -> None:
    price = CATALOG.offer(f"openai/{model}").price
    assert price is not None
    for size, expected in zip(("1024x1024", "1024x1536", "1536x1024"), dollars, strict=True):
        tokens = output_tokens(spec(model), quality, size)
        assert tokens is not None
        digits = len(str(expected).split(".")[1])
        assert round(float(tokens * price.image_out) / 1e6, digits) == pytest.approx(expected, abs=0.0011)


def test_an_estimate_has_a_line_for_each_thing_that_is_paid() -> None:
    image = InputImage(b"", "image/png", 1024, 1024, "0" * 64)
    request = ImageRequest("x" * 400, n=2, size="1024x1024", quality="low", partial_images=3, images=(image, image))
    found = estimate(request, spec("gpt-image-2"), CATALOG.offer("openai/gpt-image-2"))
    assert [(line.label, line.high_units) for line in found.lines] == [
        ("2 images", 392),
        ("6 previews", 600),
        ("2 reference images", 2048),
        ("Prompt", 100),
    ]
    assert found.high_microusd == (392 + 600) * 30 + 2048 * 8 + 100 * 5
    assert found.low_microusd == 392 * 30 + 2048 * 8 + 100 * 5


def test_auto_leaves_a_range() -> None:
    offer = CATALOG.offer("openai/gpt-image-2")
    found = estimate(ImageRequest("x", size="auto", quality="auto"), spec("gpt-image-2"), offer)
    assert (found.low_microusd, found.high_microusd) == (158 * 30 + 5, 7024 * 30 + 5)


PICTURE = InputImage(b"", "image/png", 640, 480, "0" * 64)

UNSAID: list[tuple[str, dict[str, Any], str | None]] = [
    ("runware/gpt-image-1-mini", {}, "1024x1024"),
    ("runware/gpt-image-1-mini", {"images": (PICTURE,)}, "1536x1024"),
    ("runware/gpt-image-1", {"size": "auto"}, "1024x1024"),
    ("runware/gpt-image-2", {}, None),
    ("fal/gpt-image-2", {}, "1024x768"),
    ("fal/gpt-image-2", {"images": (PICTURE,)}, None),
    ("fal/gpt-image-2", {"size": "auto"}, None),
    ("fal/gpt-image-1.5", {}, "1024x1024"),
    ("fal/gpt-image-1.5", {"size": "auto"}, "1024x1024"),
    ("fal/gpt-image-1.5", {"images": (PICTURE,)}, None),
    ("openai/gpt-image-2", {}, None),
    ("replicate/gpt-image-1-mini", {}, "1024x1024"),
    ("lumenfall/gpt-image-2", {}, "1024x1024"),
]
"""What is asked without a size, and the size that comes; `None`: the model chooses, so there is a range."""


@pytest.mark.parametrize(("offer_id", "asked", "size"), UNSAID)
def test_with_no_size_said_the_estimate_is_for_what_happens(
    offer_id: str, asked: dict[str, Any], size: str | None
) -> None:
    offer = CATALOG.offer(offer_id)
    request = ImageRequest("x", quality="medium", **asked)
    found = estimate(request, CATALOG.spec(offer), offer)
    if size is None:
        assert (found.low_microusd or 0) < (found.high_microusd or 0)
    else:
        assert found == estimate(replace(request, size=size), CATALOG.spec(offer), offer)
        assert found.low_microusd == found.high_microusd is not None


AS_GOT = [
    ("fal/gpt-image-1.5", "medium", ("1536x1024",) * 2, 2 * 50_000),
    ("fal/gpt-image-1.5", "medium", ("1536x1024", "1024x1536"), 50_000 + 51_000),
    ("fal/gpt-image-2", "high", ("1024x1024",) * 2, 2 * 7024 * 30),
    # Nothing came, a size without a price came, a quality that nobody told: the estimate stays as it was.
    ("fal/gpt-image-1.5", "medium", (), None),
    ("fal/gpt-image-1.5", "medium", ("640x480", "1024x1024"), None),
    ("fal/gpt-image-2", "auto", ("1024x1024",), None),
]


@pytest.mark.parametrize(("offer_id", "quality", "sizes", "images_microusd"), AS_GOT)
def test_a_size_left_open_is_priced_as_it_came(
    offer_id: str, quality: str, sizes: tuple[str, ...], images_microusd: int | None
) -> None:
    offer = CATALOG.offer(offer_id)
    spec = CATALOG.spec(offer)
    request = ImageRequest("x", n=2, size="auto", quality=quality, images=(PICTURE,))
    before, after = estimate(request, spec, offer), estimate_as_got(request, spec, offer, sizes)
    if images_microusd is None:
        assert after == before
        return
    rest = sum(line.high_microusd for line in before.lines[1:])
    assert after.low_microusd == after.high_microusd == images_microusd + rest
    assert after.price == before.price


def test_a_size_that_was_asked_for_is_priced_as_asked_whatever_came() -> None:
    offer = CATALOG.offer("fal/gpt-image-1.5")
    request = ImageRequest("x", size="1024x1024", quality="medium")
    found = estimate_as_got(request, CATALOG.spec(offer), offer, ("1536x1024",))
    assert found == estimate(request, CATALOG.spec(offer), offer)


def test_a_price_that_is_rounded_up_is_so_for_each_image() -> None:
    offer = CATALOG.offer("fal/gpt-image-1.5")
    assert offer.price is not None
    cents = replace(offer, price=replace(offer.price, text_in=Decimal(0), rounds_up_to=Decimal("0.01")))
    request = ImageRequest("x", n=3, size="1024x1024", quality="medium")
    found = estimate(request, CATALOG.spec(offer), cents)
    assert (found.low_microusd, found.high_microusd) == (120_000, 120_000)
    high = estimate(replace(request, quality="high", size="1024x1536"), CATALOG.spec(offer), cents)
    assert high.high_microusd == 600_000


def test_no_price_is_unknown_and_not_zero() -> None:
    offer = CATALOG.offer("openai/some-model-of-tomorrow")
    found = estimate(ImageRequest("x"), CATALOG.spec(offer), offer)
    assert (found.low_microusd, found.high_microusd) == (None, None)
    assert cost_of(Usage(1, 1, 1), offer.price) is None


def test_a_dated_id_has_the_limits_and_price_of_its_model() -> None:
    offer = CATALOG.offer("openai/gpt-image-2-2026-04-21")
    assert offer.provider_model_id == "gpt-image-2-2026-04-21"
    assert offer.price == CATALOG.offer("openai/gpt-image-2").price
    assert CATALOG.spec(offer).model_id == "gpt-image-2"


USAGES = [
    ("gpt-image-2", Usage(50, 1024, 196), 50 * 5 + 1024 * 8 + 196 * 30),
    ("gpt-image-1-mini", Usage(7, 0, 272), 7 * 2 + 272 * 8),
    ("gpt-image-1-mini", Usage(0, 3, 0), 8),
    ("gpt-image-1-mini", Usage(0, 5, 0), 12),
    ("gpt-image-1.5", Usage(10, 0, 300, 40), 10 * 5 + 260 * 32 + 40 * 10),
    ("gpt-image-2", Usage(10, 0, 300, 40), 10 * 5 + 300 * 30),
    ("gpt-image-2", Usage(10, 0, None), None),
]
"""Worked by hand. 3 x 2.5 = 7.5 rounds to 8 and 5 x 2.5 = 12.5 to 12: half to even, once, at the end."""


@pytest.mark.parametrize(("model", "usage", "microusd"), USAGES)
def test_cost_from_usage_to_the_microdollar(model: str, usage: Usage, microusd: int | None) -> None:
    assert cost_of(usage, CATALOG.offer(f"openai/{model}").price) == microusd


def test_the_demo_is_free_and_known_to_be() -> None:
    offer = CATALOG.offer("demo/flat")
    assert cost_of(None, offer.price) == 0
    assert estimate(ImageRequest("x"), CATALOG.spec(offer), offer).high_microusd == 0


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((1024, 1024), 1024), ((1536, 1024), 1536), ((4000, 3000), 1536), ((512, 512), 1024), ((100, 100), 49)],
)
def test_patches_of_a_reference_image(size: tuple[int, int], tokens: int) -> None:
    image = InputImage(b"", "image/png", *size, "0" * 64)
    assert image_tokens(image, ImageRequest("x"), "patches") == tokens


def test_tiles_of_a_reference_image() -> None:
    square = InputImage(b"", "image/png", 1024, 1024, "0" * 64)
    wide = InputImage(b"", "image/png", 1536, 1024, "0" * 64)
    assert image_tokens(square, ImageRequest("x"), "tiles") == 194
    assert image_tokens(wide, ImageRequest("x"), "tiles") == 65 + 2 * 129
    assert image_tokens(square, ImageRequest("x", input_fidelity="high"), "tiles") == 194 + 4160


def test_an_empty_prompt_still_takes_a_token() -> None:
    assert text_tokens("") == 1


def test_an_estimate_stands_for_a_cost_only_where_the_provider_never_tells_one() -> None:
    """fal alone reports neither a charge nor, for certain, tokens."""
    priced = {offer.provider_id: set() for offer in CATALOG.offers}
    for offer in CATALOG.offers:
        if offer.price is not None and not offer.price.is_free:
            priced[offer.provider_id].add(offer.price.needs_report)
    for name, found in priced.items():
        assert found <= {CATALOG.provider(name).adapter != "fal"}, name
