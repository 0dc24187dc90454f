"""Prices against figures that OpenAI and others publish."""

from __future__ import annotations

import pytest

from providers.pricing import cost_of, estimate, image_tokens, output_tokens, text_tokens
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
