"""Replicate's adapter: golden calls, judged by the fake's rules, what rows tell, and prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from providers.adapter import Attachment
from providers.bodies import attachments
from providers.checks import problems_of
from providers.pricing import estimate
from providers.rows import openai
from providers.rows.replicate import OFFERS, PROVIDER
from providers.types import (
    ImageRequest,
)
from tests.providers.replicate_world import (
    ADAPTER,
    CATALOG,
    FIFTEEN,
    FLARE,
    MINI,
    ONE,
    OWN_KEY,
    R1,
    TWO,
    build,
    document,
    input_of,
    picture,
    sent_in,
)

# Asking


def test_the_first_fixture_is_what_is_built() -> None:
    asked = ImageRequest("A red fox", n=2, aspect_ratio="3:2", quality="low", output_format="png")
    call, _ = build(MINI, asked)
    assert (call.method, call.path, call.base) == ("POST", "/v1/models/openai/gpt-image-1-mini/predictions", "api")
    assert call.headers == {"Prefer": "wait=1"}
    assert call.json == {"input": R1["input"] | {"openai_api_key": OWN_KEY}}
    assert document()["input"] == R1["input"] | {"openai_api_key": "$OPENAI_API_KEY"}


@pytest.mark.parametrize("fidelity", ["low", "high"])
@pytest.mark.parametrize("model", [ONE, MINI])
def test_the_seed_models_take_all_twelve_inputs(model: str, fidelity: str) -> None:
    image = picture()
    asked = ImageRequest(
        "A red fox",
        n=10,
        size="1024x1536",
        quality="high",
        background="transparent",
        output_format="webp",
        output_compression=70,
        moderation="low",
        input_fidelity=fidelity,
        user="u-1",
        images=(image,),
    )
    call, rows = build(model, asked)
    assert call.json == {
        "input": {
            "openai_api_key": OWN_KEY,
            "prompt": "A red fox",
            "aspect_ratio": "2:3",
            "input_images": [Attachment(image.data, "image/png", image.sha256, "image-1.png")],
            "number_of_images": 10,
            "quality": "high",
            "background": "transparent",
            "input_fidelity": fidelity,
            "moderation": "low",
            "output_format": "webp",
            "output_compression": 70,
            "user_id": "u-1",
        }
    }
    names = {name: row.handling for name, row in rows.items()}
    assert names == dict.fromkeys(("prompt", "quality", "background", "moderation"), "passthrough") | dict.fromkeys(
        ("output_format", "output_compression", "input_fidelity"), "passthrough"
    ) | dict.fromkeys(("n", "user", "images"), "renamed") | {"size": "converted"}


@pytest.mark.parametrize(
    ("model", "has_key"), [(ONE, True), (MINI, True), (FIFTEEN, False), (TWO, False), (FLARE, False)]
)
def test_a_bare_prompt_becomes_one_png_at_each_offer(model: str, has_key: bool) -> None:
    sent = {"prompt": "A fox", "number_of_images": 1, "output_format": "png"}
    assert input_of(model, ImageRequest("A fox")) == sent | ({"openai_api_key": OWN_KEY} if has_key else {})
    offer = CATALOG.offer(f"replicate/{model}")
    assert offer.provider_model_id == f"openai/{model}"
    assert offer.needs_key_of == (("openai",) if has_key else ())


@pytest.mark.parametrize(
    ("model", "asked", "handling", "ratio"),
    [
        (MINI, {"size": "1024x1024"}, "converted", "1:1"),
        (MINI, {"size": "1536x1024"}, "converted", "3:2"),
        (TWO, {"size": "2:3"}, "renamed", "2:3"),
        (TWO, {"size": "16:9"}, "converted", "3:2"),
        (TWO, {"size": "auto"}, "converted", "1:1"),
        (FLARE, {"size": "auto"}, "renamed", "auto"),
        (FIFTEEN, {"aspect_ratio": "2:3"}, "passthrough", "2:3"),
        (FIFTEEN, {"aspect_ratio": "16:9"}, "converted", "3:2"),
        (FLARE, {"resolution": "4K"}, "converted", "1:1"),
        (TWO, {"size": "2048x2048"}, "refused", None),
        (FLARE, {"size": "huge"}, "refused", None),
    ],
)
def test_shapes(model: str, asked: dict[str, str], handling: str, ratio: str | None) -> None:
    call, rows = build(model, ImageRequest("A fox", **asked))
    name = next(iter(asked))
    assert rows[name].handling == handling
    assert sent_in(call).get("aspect_ratio") == rows[name].value == ratio
    assert rows[name].note or handling in ("passthrough", "renamed") or asked[name] in openai.FIXED_SIZES.fixed


def test_a_size_of_auto_takes_the_shape_of_the_first_image_where_it_cannot_be_said() -> None:
    asked = ImageRequest("A fox", size="auto", images=(picture(),))
    assert input_of(TWO, asked)["aspect_ratio"] == "3:2"
    assert input_of(FLARE, asked)["aspect_ratio"] == "auto"


@pytest.mark.parametrize(
    ("model", "asked", "field", "handling", "sent"),
    [
        (FLARE, {"quality": "xhigh"}, "quality", "passthrough", "xhigh"),
        (FLARE, {"quality": "max"}, "quality", "passthrough", "max"),
        (TWO, {"quality": "auto"}, "quality", "passthrough", "auto"),
        (TWO, {"quality": "max"}, "quality", "refused", None),
        (TWO, {"background": "opaque"}, "background", "passthrough", "opaque"),
        (TWO, {"background": "transparent"}, "background", "refused", None),
        (FLARE, {"background": "transparent"}, "background", "passthrough", "transparent"),
        (MINI, {"background": "transparent", "output_format": "jpeg"}, "background", "refused", None),
        (MINI, {"moderation": "auto"}, "moderation", "passthrough", "auto"),
        (MINI, {"moderation": "none"}, "moderation", "refused", None),
        (MINI, {"input_fidelity": "low"}, "input_fidelity", "refused", None),
        (MINI, {"input_fidelity": "high", "images": (picture(),)}, "input_fidelity", "passthrough", "high"),
        (FIFTEEN, {"input_fidelity": "high", "images": (picture(),)}, "input_fidelity", "passthrough", "high"),
        (TWO, {"input_fidelity": "low", "images": (picture(),)}, "input_fidelity", "refused", None),
        (TWO, {"output_format": "jpeg"}, "output_format", "passthrough", "jpeg"),
        (TWO, {"output_format": "gif"}, "output_format", "emulated", "png"),
        (TWO, {"output_format": "avif"}, "output_format", "emulated", "png"),
        (TWO, {"output_format": "bmp"}, "output_format", "refused", "png"),
        (TWO, {"output_compression": 0, "output_format": "jpeg"}, "output_compression", "passthrough", 0),
        (TWO, {"output_compression": 101, "output_format": "jpeg"}, "output_compression", "refused", None),
        (TWO, {"output_compression": 50}, "output_compression", "refused", None),
        (TWO, {"partial_images": 2}, "partial_images", "refused", None),
        (TWO, {"mask": picture(), "images": (picture(),)}, "mask", "refused", None),
        (FIFTEEN, {"n": 0}, "n", "refused", None),
        (FIFTEEN, {"n": 11}, "n", "refused", None),
    ],
)
def test_fields(model: str, asked: dict[str, Any], field: str, handling: str, sent: object) -> None:
    call, rows = build(model, ImageRequest("A fox", **asked))
    assert rows[field].handling == handling
    assert set(rows) == {"prompt", "n", *asked}
    assert bool(rows[field].note) == (handling in ("refused", "emulated"))
    assert sent_in(call).get(rows[field].sent_as or field) == sent


@pytest.mark.parametrize(
    ("data_bytes", "upload"), [(196_589, False), (196_590, False), (196_591, True), (196_608, True)]
)
def test_an_image_whose_data_uri_would_be_large_is_uploaded(data_bytes: int, upload: bool) -> None:
    offer = CATALOG.offer("replicate/gpt-image-2")
    asked = ImageRequest("A fox", images=(picture(), picture(data_bytes)))
    call = ADAPTER.build(asked, offer, CATALOG.spec(offer))[0]
    assert [len(file.data) for file in attachments(call)] == ([data_bytes] if upload else [])


def test_rows_tell_the_truth() -> None:
    flare, two, mini = (CATALOG.spec(CATALOG.offer(f"replicate/{model}")) for model in (FLARE, TWO, MINI))
    assert (flare.sizes.has_auto, two.sizes.has_auto, mini.sizes.has_auto) == (True, False, False)
    assert (two.max_n, two.max_n_per_call, flare.max_n_per_call) == (10, 1, 10)
    assert (mini.input_fidelity, two.input_fidelity, flare.input_fidelity) == (("low", "high"), (), ())
    asked = ImageRequest("A fox", input_fidelity="high", images=(picture(),))
    assert list(problems_of(asked, mini, PROVIDER)) == []
    assert all(row.spec and not row.spec.mask and not row.spec.max_partials for row in OFFERS)
    shape = {"size": "2048x2048", "background": "transparent", "quality": "max"}
    asked = ImageRequest("A", **shape, images=(picture(),), mask=picture(), lock_outside_mask=False)
    assert {problem.field for problem in problems_of(asked, two, PROVIDER)} == {"size", "background", "quality", "mask"}


# Prices


def test_own_key_prices_are_openais_with_a_fee() -> None:
    for model in (ONE, MINI):
        price = CATALOG.offer(f"replicate/{model}").price
        assert price is not None
        assert (price.price_id, price.valid_from) == (f"replicate/{model}@2026-11-21", date(2026, 11, 21))
        assert (price.fee_per_image, price.tokens_billed_by, price.needs_report) == (Decimal("0.001"), "OpenAI", True)
    for model in (FIFTEEN, TWO, FLARE):
        offer = CATALOG.offer(f"replicate/{model}")
        assert offer.price is None
        assert "not known" in estimate(ImageRequest("A fox"), CATALOG.spec(offer), offer).note
