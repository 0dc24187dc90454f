"""Every published figure of money, from whoever publishes it, against what estimates and costs come to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from providers.catalog import Offer
from providers.pricing import cost_of, cost_parts, estimate
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage, Usage

SIZES = ("1024x1024", "1024x1536", "1536x1024")
"""Square, portrait, landscape: the order of the published tables."""
FORMULA_SIZES = ("1024x1024", "1536x1024", "1024x768", "1920x1088", "2048x2048", "2560x1440", "3840x2160")
FAL_SIZES = ("1024x768", "1024x1024", "1024x1536", "1920x1088", "2560x1440", "3840x2160")
"""fal says 1920x1080, which no model makes: the nearest legal size stands for it."""


@dataclass(frozen=True)
class Table:
    """Prices of an image as somebody publishes them: a row for each quality, in US dollars as printed."""

    source: str
    offers: tuple[str, ...]
    sizes: tuple[str, ...]
    rows: dict[str, str]
    off_by: str = "0.0005"
    """Most US dollars that the estimate is away from the printed figure: half of its last digit, where nothing else is said."""


_25 = ("gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
_FORMULA_FIVE = {
    "low": ".0059 .0047 .0040 .0044 .0119 .0062 .0111",
    "medium": ".0132 .0103 .0090 .0103 .0268 .0143 .0260",
    "high": ".0527 .0412 .0361 .0398 .1070 .0553 .1001",
    "xhigh": ".0937 .0738 .0642 .0707 .1903 .0983 .1779",
    "max": ".2107 .1646 .1445 .1590 .4282 .2211 .4003",
}
_ONE_FIVE = {"low": ".009 .013 .013", "medium": ".034 .051 .050", "high": ".133 .200 .199"}
_ONE = {"low": ".011 .016 .016", "medium": ".042 .063 .063", "high": ".167 .25 .25"}
_MINI = {"low": ".005 .006 .006", "medium": ".011 .015 .015", "high": ".036 .052 .052"}

PUBLISHED = (
    Table(
        "the token formula with its table at $30 per million, met by OpenAI's calculator and fal's 30 prices of 2.5",
        (*(f"{seller}/{model}" for seller in ("openai", "runware", "fal") for model in _25),
         "openai/gpt-image-2.6-flare", "openai/gpt-image-2.6-sunburst"),
        FORMULA_SIZES,
        _FORMULA_FIVE,
        off_by="0.00005",
    ),
    Table(
        "the same for GPT Image 2, whose medium and high are high and max of 2.5",
        tuple(f"{seller}/gpt-image-2" for seller in ("openai", "runware", "lumenfall", "fal")),
        FORMULA_SIZES,
        {"low": _FORMULA_FIVE["low"], "medium": _FORMULA_FIVE["high"], "high": _FORMULA_FIVE["max"]},
        off_by="0.00005",
    ),
    # Printed to the tenth of a cent, rounded up where it is not even.
    Table(
        "fal's list of GPT Image 2",
        ("fal/gpt-image-2",),
        FAL_SIZES,
        {
            "low": ".005 .006 .005 .005 .007 .012",
            "medium": ".037 .053 .042 .040 .056 .101",
            "high": ".145 .211 .165 .158 .222 .401",
        },
        off_by="0.001",
    ),
    Table(
        "Lumenfall's page of GPT Image 2",
        ("lumenfall/gpt-image-2",),
        SIZES,
        {"low": ".006 .005 .005", "medium": ".053 .041 .041", "high": ".211 .165 .165"},
    ),
    Table(
        "OpenAI's prices per image of GPT Image 1.5, repeated by Runware and fal, and by Lumenfall without a markup",
        (*(f"{seller}/gpt-image-1.5" for seller in ("openai", "runware", "lumenfall", "fal")), "openai/chatgpt-image-latest"),
        SIZES,
        _ONE_FIVE,
    ),
    Table(
        "OpenAI's prices per image of GPT Image 1; Replicate's are OpenAI's tokens, Lumenfall's without a markup",
        tuple(f"{seller}/gpt-image-1" for seller in ("openai", "replicate", "runware", "lumenfall")),
        SIZES,
        {quality: _ONE[quality] for quality in ("low", "medium")},
    ),
    # Printed for 4,160, 6,240 and 6,208 tokens at $40, which are .1664, .2496 and .24832.
    Table(
        "the same at high",
        tuple(f"{seller}/gpt-image-1" for seller in ("openai", "replicate", "runware", "lumenfall")),
        SIZES,
        {"high": _ONE["high"]},
        off_by="0.0017",
    ),
    Table(
        "fal's page of GPT Image 1: OpenAI's prices, each rounded up to the cent",
        ("fal/gpt-image-1",),
        SIZES,
        {"low": ".02 .02 .02", "medium": ".05 .07 .07", "high": ".17 .25 .25"},
        off_by="0",
    ),
    Table(
        "OpenAI's prices per image of GPT Image 1 mini, met by Runware's examples; fal lists none of its own",
        ("runware/gpt-image-1-mini", "fal/gpt-image-1-mini"),
        SIZES,
        _MINI,
        off_by="0",
    ),
    Table(
        "GPT Image 1 mini where tokens are billed: tokens at $8 per million",
        tuple(f"{seller}/gpt-image-1-mini" for seller in ("openai", "replicate", "lumenfall")),
        SIZES,
        {"low": ".0022 .0033 .0032", "medium": ".0084 .0127 .0125", "high": ".0333 .0499 .0497"},
        off_by="0.00005",
    ),
)  # fmt: skip


def image_usd(offer_id: str, quality: str, size: str) -> Decimal:
    """What the estimate takes for the image itself, without prompt and fees."""
    offer = CATALOG.offer(offer_id)
    found = estimate(ImageRequest("A red fox", size=size, quality=quality), CATALOG.spec(offer), offer)
    return found.lines[0].high_microusd / 10**6


@pytest.mark.parametrize("table", PUBLISHED, ids=[f"{table.offers[0]} {len(table.sizes)} sizes" for table in PUBLISHED])
def test_every_published_price_comes_out_of_the_estimator(table: Table) -> None:
    for offer in table.offers:
        for quality, printed in table.rows.items():
            for size, usd in zip(table.sizes, printed.split(), strict=True):
                found = image_usd(offer, quality, size)
                assert abs(found - Decimal(usd)) <= Decimal(table.off_by), (table.source, offer, quality, size, found)


def test_no_offer_with_a_price_is_without_a_published_figure() -> None:
    told = {(offer, quality) for table in PUBLISHED for offer in table.offers for quality in table.rows}
    for offer in CATALOG.offers:
        if offer.price is None or offer.price.is_free or offer.model_id.startswith("fal/"):
            continue
        for quality in CATALOG.spec(offer).qualities:
            assert quality == "auto" or (offer.offer_id, quality) in told, (offer.offer_id, quality)


def test_openais_figures_for_mini_lie_a_quarter_cent_above_its_own_rate_and_the_page_says_so() -> None:
    for quality, printed in _MINI.items():
        for size, usd in zip(SIZES, printed.split(), strict=True):
            assert (
                Decimal("0.0020")
                < Decimal(usd) - image_usd("openai/gpt-image-1-mini", quality, size)
                < Decimal("0.0031")
            )
    assert "$0.0025 above" in CATALOG.spec(CATALOG.offer("openai/gpt-image-1-mini")).note


RATES = {
    "gpt-image-1": ("5", "10", "40", None),
    "gpt-image-1-mini": ("2", "2.50", "8", None),
    "gpt-image-1.5": ("5", "8", "32", "10"),
    "chatgpt-image-latest": ("5", "8", "32", "10"),
    **dict.fromkeys(("gpt-image-2", *_25, "gpt-image-2.6-flare", "gpt-image-2.6-sunburst"), ("5", "8", "30", None)),
}
"""OpenAI's price page: text in, image in, image out and text out, US dollars per million tokens; `None`: not listed."""
LISTS_TEXT_OUT = ("lumenfall/gpt-image-2", "fal/gpt-image-2")
"""Resellers that list $10 for text where OpenAI lists nothing."""


@pytest.mark.parametrize("offer", [row for row in CATALOG.offers if row.price and row.price.image_out])
def test_every_rate_per_million_tokens_is_the_published_one(offer: Offer) -> None:
    assert offer.price
    rates = RATES[offer.model_id]
    text_out = "10" if offer.offer_id in LISTS_TEXT_OUT else rates[3]
    expected = (*(Decimal(str(rate)) for rate in rates[:3]), Decimal(text_out) if text_out else None)
    assert (offer.price.text_in, offer.price.image_in, offer.price.image_out, offer.price.text_out) == expected
    assert "2026-11-21" in offer.price.source


@pytest.mark.parametrize(
    ("offer", "rates"), [("runware/gpt-image-1.5", ("5", "8", None)), ("fal/gpt-image-1.5", ("5", "8", "10"))]
)
def test_what_is_billed_beside_a_price_per_image(offer: str, rates: tuple[str, str, str | None]) -> None:
    price = CATALOG.offer(offer).price
    assert price
    assert (price.text_in, price.image_in, price.text_out) == tuple(Decimal(rate) if rate else None for rate in rates)


@pytest.mark.parametrize("side", [(1024, 1024, "0.0082"), (1536, 1024, "0.0123"), (2048, 2048, "0.0123")])
def test_one_input_image_adds_what_fal_quotes_for_its_edits(side: tuple[int, int, str]) -> None:
    width, height, usd = side
    offer = CATALOG.offer("fal/gpt-image-2")
    image = InputImage(b"", "image/png", width, height, "0" * 64)
    request = ImageRequest("A", size="1024x1024", quality="low", images=(image,))
    lines = {line.label: line.high_microusd for line in estimate(request, CATALOG.spec(offer), offer).lines}
    assert abs(lines["1 reference image"] / 10**6 - Decimal(usd)) <= Decimal("0.00005")


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
    # Runware's measured call: 196 tokens of image at $30 and 25 of text at $5.
    ("runware/gpt-image-2.5-flare", Usage(25, 0, 196), 1, 6_005),
    # The figures in Replicate's log of a call: 711 x $5, 646 x $10, 4,160 x $40, and the fee.
    ("replicate/gpt-image-1", Usage(711, 646, 4160), 1, 3_555 + 6_460 + 166_400 + 1_000),
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
