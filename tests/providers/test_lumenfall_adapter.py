"""The Lumenfall adapter: golden calls, judged by the strict fake's rules too, and what its rows say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from providers.adapter import HttpCall
from providers.adapters.lumenfall import LumenfallAdapter
from providers.catalog import Catalog
from providers.checks import problems_of
from providers.pricing import estimate
from providers.rows import openai
from providers.rows.lumenfall import OFFERS, PROVIDER
from providers.types import FieldHandling, ImageRequest
from tests.fakes import lumenfall_rules
from tests.fakes.wire import Part
from tests.providers.building import built_by, made_image

CATALOG = Catalog((PROVIDER,), openai.MODELS, OFFERS)
ADAPTER = LumenfallAdapter()
FAL_EDIT = "fal/gpt-image-1-mini-edit"


IMAGE, MASK = made_image(), made_image("#00000000", "RGBA")
SETTINGS: dict[str, Any] = {"quality": "low", "background": "opaque", "output_format": "webp", "output_compression": 70}
SETTINGS |= {"moderation": "low", "input_fidelity": "high", "partial_images": 2, "user": "u-1"}
FULL = replace(ImageRequest("A red fox", n=2, size="1536x1024", aspect_ratio="1:1", resolution="2K"), **SETTINGS)
FULL = replace(FULL, images=(IMAGE, made_image("blue")), mask=MASK)


def built(request: ImageRequest, model: str = "gpt-image-2") -> tuple[HttpCall, dict[str, FieldHandling]]:
    return built_by(ADAPTER, request, f"lumenfall/{model}", CATALOG)


def body_of(request: ImageRequest, model: str = "gpt-image-2") -> dict[str, object]:
    call, _ = built(request, model)
    assert isinstance(call.json, dict)
    return call.json


def problems_at_the_fake(call: HttpCall, models: dict[str, lumenfall_rules.Model] | None = None) -> list[str]:
    known = models or lumenfall_rules.MODELS
    if call.json is not None:
        verdict = lumenfall_rules.judge_generation(call.json, known)
    else:
        parts = [Part(name, None, None, value.encode()) for name, value in call.form]
        parts += [Part(part.name, part.filename, part.media_type, part.data) for part in call.files]
        verdict = lumenfall_rules.judge_edit(tuple(parts), known)
    return [problem.message for problem in verdict.problems]


def test_l1_is_built_as_the_fixture_but_asks_for_the_bytes() -> None:
    call, _ = built(ImageRequest("A red fox", size="1024x1024", quality="low", output_format="png"))
    assert call == HttpCall(
        "POST",
        "/images/generations",
        json={
            "model": "gpt-image-2",
            "prompt": "A red fox",
            "n": 1,
            "size": "1024x1024",
            "quality": "low",
            "output_format": "png",
            "response_format": "b64_json",
        },
    )


def test_an_edit_is_these_parts() -> None:
    call, rows = built(FULL, "gpt-image-1.5")
    assert (call.method, call.path, call.json, call.is_stream) == ("POST", "/images/edits", None, False)
    assert call.form == (
        ("model", "gpt-image-1.5"),
        ("prompt", "A red fox"),
        ("n", "2"),
        ("size", "1536x1024"),
        ("quality", "low"),
        ("background", "opaque"),
        ("output_format", "webp"),
        ("output_compression", "70"),
        ("moderation", "low"),
        ("input_fidelity", "high"),
        ("user", "u-1"),
        ("response_format", "b64_json"),
    )
    assert [part.name for part in call.files] == ["image[]", "image[]", "mask"]
    refused = {name: row.note for name, row in rows.items() if row.handling == "refused"}
    assert refused == {
        "aspect_ratio": "The size decides.",
        "resolution": "The size decides.",
        "partial_images": "Lumenfall sends no previews.",
    }
    assert set(rows) == {
        *("prompt", "n", "size", "aspect_ratio", "resolution", "quality", "background", "output_format"),
        *("output_compression", "moderation", "input_fidelity", "partial_images", "user", "images", "mask"),
    }
    assert problems_at_the_fake(call) == []


@pytest.mark.parametrize("model", ["gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2", FAL_EDIT])
def test_every_offer_is_taken_by_the_fake(model: str) -> None:
    call, _ = built(FULL, model)
    assert problems_at_the_fake(call) == []
    assert call.form[0] == ("model", model)
    if model != FAL_EDIT:
        assert problems_at_the_fake(built(replace(FULL, images=(), mask=None), model)[0]) == []


@pytest.mark.parametrize(
    ("asked", "sent", "handling"),
    [
        ({"size": "auto"}, {}, "converted"),
        ({"size": "1920x1088"}, {"size": "1920x1088"}, "passthrough"),
        ({"size": "1920x1080"}, {}, "refused"),
        ({"size": "large"}, {}, "refused"),
        ({"size": "16:9"}, {"size": "16:9"}, "passthrough"),
        ({"size": "16:9", "resolution": "2K"}, {"aspect_ratio": "16:9", "resolution": "2K"}, "renamed"),
        ({"size": "1.91:1"}, {"size": "1408x736"}, "converted"),
        ({"aspect_ratio": "16:9"}, {"aspect_ratio": "16:9"}, "passthrough"),
        ({"aspect_ratio": "16:9", "resolution": "4K"}, {"aspect_ratio": "16:9", "resolution": "4K"}, "passthrough"),
        ({"aspect_ratio": "2.39:1"}, {"size": "1584x656"}, "converted"),
        ({"aspect_ratio": "wide"}, {}, "refused"),
        ({"resolution": "2K"}, {"resolution": "2K"}, "passthrough"),
        ({"resolution": "1.5k", "aspect_ratio": "1:1"}, {"size": "1536x1536"}, "converted"),
        ({"quality": "high"}, {"quality": "high"}, "passthrough"),
        ({"quality": "auto"}, {}, "converted"),
        ({"quality": "xhigh"}, {}, "refused"),
        ({"background": "opaque"}, {"background": "opaque"}, "passthrough"),
        ({"background": "auto"}, {}, "converted"),
        ({"background": "transparent"}, {}, "refused"),
        ({"output_format": "gif"}, {"output_format": "gif"}, "passthrough"),
        ({"output_format": "avif"}, {"output_format": "avif"}, "passthrough"),
        ({"output_format": "bmp"}, {}, "refused"),
        ({"output_compression": 50}, {}, "refused"),
        ({"moderation": "low"}, {"moderation": "low"}, "passthrough"),
        ({"moderation": "auto"}, {}, "converted"),
        ({"input_fidelity": "high"}, {}, "refused"),
        ({"partial_images": 0}, {}, "refused"),
        ({"user": "u-1"}, {"user": "u-1"}, "passthrough"),
    ],
)
def test_a_field_of_a_generation(asked: dict[str, Any], sent: dict[str, object], handling: str) -> None:
    request = replace(ImageRequest("A red fox"), **asked)
    call, rows = built(request)
    fixed = {"model": "gpt-image-2", "prompt": "A red fox", "n": 1, "response_format": "b64_json"}
    assert call.json == fixed | sent
    assert rows[next(iter(asked))].handling == handling
    assert problems_at_the_fake(call) == []


def test_compression_goes_with_jpeg_and_webp() -> None:
    assert body_of(ImageRequest("x", output_format="jpeg", output_compression=50))["output_compression"] == 50
    assert "output_compression" not in body_of(ImageRequest("x", output_format="avif", output_compression=50))
    assert "output_compression" not in body_of(ImageRequest("x", output_format="jpeg", output_compression=101))


def test_a_transparent_gif_is_asked_for_as_png() -> None:
    request = ImageRequest("x", background="transparent", output_format="gif")
    call, rows = built(request, "gpt-image-1.5")
    assert isinstance(call.json, dict)
    assert (call.json["background"], call.json["output_format"]) == ("transparent", "png")
    assert rows["output_format"].handling == "emulated"
    assert problems_at_the_fake(call) == []


def test_the_route_to_fal_gets_no_field_of_openai() -> None:
    call, rows = built(replace(FULL, size="1:1", resolution=None, aspect_ratio=None), FAL_EDIT)
    assert {name for name, _ in call.form} & {"moderation", "user", "input_fidelity"} == set()
    assert [part.name for part in call.files] == ["image[]", "image[]"]
    for name in ("moderation", "user", "input_fidelity", "mask"):
        assert rows[name].handling == "refused"


@pytest.mark.parametrize(("model", "has_them"), [("openai/gpt-image-2", True), ("replicate/gpt-image-2", False)])
def test_a_route_typed_by_hand(model: str, has_them: bool) -> None:
    call, _ = built(ImageRequest("x", quality="high", moderation="low", user="u"), model)
    assert isinstance(call.json, dict)
    assert call.json["model"] == model
    assert call.json["quality"] == "high"
    assert ("moderation" in call.json, "user" in call.json) == (has_them, has_them)


@pytest.mark.parametrize(
    ("model", "is_priced", "qualities", "retires_on"),
    [
        ("openai/gpt-image-1-mini", True, 4, date(2026, 12, 1)),
        ("openai/gpt-image-2", True, 4, None),
        ("fal/gpt-image-1-mini", False, 6, date(2026, 12, 1)),
        ("fal/gpt-image-1.5-edit", False, 6, date(2026, 12, 1)),
        ("replicate/gpt-image-1", False, 6, date(2026, 10, 23)),
        ("openai/gpt-image-2.5-flare", False, 6, None),
        ("openai/unheard-of", False, 6, None),
        ("fal", False, 6, None),
    ],
)
def test_the_model_behind_a_forced_route_is_known(
    model: str, is_priced: bool, qualities: int, retires_on: date | None
) -> None:
    offer = CATALOG.offer(f"lumenfall/{model}")
    assert (offer.model_id, offer.provider_model_id, offer.price is not None) == (model, model, is_priced)
    spec = CATALOG.spec(offer)
    assert (len(spec.qualities), spec.retires_on, spec.max_images) == (qualities, retires_on, 10)
    if is_priced:
        listed = CATALOG.offer(f"lumenfall/{model.partition('/')[2]}")
        asked = ImageRequest("A red fox", size="1024x1024", quality="low")
        assert estimate(asked, spec, offer) == estimate(asked, CATALOG.spec(listed), listed)


@pytest.mark.parametrize(("asked", "made"), [("hd", "high"), ("standard", "medium")])
def test_the_gateways_own_names_of_qualities(asked: str, made: str) -> None:
    offer = CATALOG.offer("lumenfall/gpt-image-2")
    spec = CATALOG.spec(offer)
    request = ImageRequest("A red fox", size="1024x1024", quality=asked)
    call, rows = built(request)
    assert isinstance(call.json, dict)
    assert (call.json["quality"], rows["quality"].handling) == (asked, "passthrough")
    assert made in rows["quality"].note
    assert list(problems_of(request, spec, PROVIDER)) == []
    assert estimate(request, spec, offer) == estimate(replace(request, quality=made), spec, offer)
    assert problems_at_the_fake(call) == []


def test_an_openai_model_the_gateway_does_not_list_is_never_streamed() -> None:
    call, rows = built(ImageRequest("x", quality="max", partial_images=2), "gpt-image-2.5-flare")
    assert problems_at_the_fake(call, {"gpt-image-2.5-flare": lumenfall_rules.FLARE}) == []
    assert rows["partial_images"].handling == "refused"


def test_a_mask_without_an_image_is_not_sent() -> None:
    call, rows = built(ImageRequest("x", mask=MASK))
    assert (call.path, call.files, rows["mask"].handling) == ("/images/generations", (), "refused")


def test_one_image_is_plain_image() -> None:
    call, rows = built(ImageRequest("x", images=(IMAGE,)))
    assert [part.name for part in call.files] == ["image"]
    assert rows["images"].sent_as == "image"


def test_a_quote_is_the_same_body_as_a_dry_run() -> None:
    call, _ = built(ImageRequest("A red fox"))
    assert ADAPTER.quote(call) == replace(call, path="/images/generations?dryRun=true")
    assert ADAPTER.quote(built(ImageRequest("x", images=(IMAGE,)))[0]) is None


def test_the_rows_say_what_the_gateway_sells() -> None:
    two, fal = CATALOG.offer("lumenfall/gpt-image-2"), CATALOG.offer(f"lumenfall/{FAL_EDIT}")
    asked = ImageRequest("A red fox", size="1024x1024", quality="low")
    assert estimate(asked, CATALOG.spec(two), two).low_microusd == 196 * 30 + 3 * 5
    assert estimate(replace(asked, n=3, images=(IMAGE,)), CATALOG.spec(fal), fal).low_microusd == 60_000
    assert {offer.price.text_out for offer in OFFERS if offer.price} == {None, Decimal(10)}
    assert CATALOG.spec(CATALOG.offer("lumenfall/gpt-image-1")).retires_on == date(2026, 10, 23)
    for request, field in (
        (replace(asked, background="transparent"), "background"),
        (replace(asked, images=(IMAGE,) * 11), "images"),
        (replace(asked, partial_images=1), "partial_images"),
    ):
        assert [problem.field for problem in problems_of(request, CATALOG.spec(two), PROVIDER)] == [field]
    assert list(problems_of(replace(asked, output_format="avif", moderation="low"), CATALOG.spec(two), PROVIDER)) == []
    masked = replace(asked, images=(IMAGE,), mask=MASK, lock_outside_mask=False)
    assert [problem.field for problem in problems_of(masked, CATALOG.spec(fal), PROVIDER)] == ["mask"]
