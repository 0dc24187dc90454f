"""The gateway Lumenfall and servers that their owner named, from a request to stored images, prices and words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from playground.key_check import check_key
from playground.offered import access_of
from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from providers.errors import InvalidKey
from providers.rows import CATALOG
from providers.types import FORMATS, ImageRequest, InputImage
from storage.records import RunView
from tests.fakes import lumenfall_server
from tests.fakes.http_fake import HttpFake, RawReply
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.pictures import picture
from tests.harness import Harness

Make = Callable[..., Harness]
FOX = ImageRequest("A red fox")
LOCAL_KEY = "local-key-0123456789"


def input_image(number: int = 1, *, alpha: bool = False) -> InputImage:
    data = picture((64, 48), "png", number=number, alpha=alpha)
    return InputImage(data, "image/png", 64, 48, hashlib.sha256(data).hexdigest())


IMAGES, MASK = tuple(input_image(number) for number in range(3)), input_image(9, alpha=True)


async def ran(one: Harness, request: ImageRequest, offer: str) -> RunView:
    (view,) = await one.run(request, offer)
    await one.stop()
    return view


def check_kept(view: RunView, fake: HttpFake) -> None:
    """All went well, and what was made is stored byte for byte."""
    assert view.run.state == "succeeded", view.run.error
    assert fake.violations == []
    assert sorted(image.sha256 for image in view.images) == sorted(
        hashlib.sha256(data).hexdigest() for data in fake.served
    )
    assert len(view.images) == len(fake.served) > 0


# Lumenfall


@pytest.fixture
def gateway() -> Iterator[FakeLumenfall]:
    with FakeLumenfall() as fake:
        yield fake


@pytest.fixture
def here(harness: Make, gateway: FakeLumenfall) -> Harness:
    return harness(urls={"lumenfall": gateway.base_url}, keys={"lumenfall": gateway.key})


EVERYTHING = replace(FOX, n=3, size="1536x1024", quality="low", background="opaque", output_format="webp", user="u-1")
EVERYTHING = replace(EVERYTHING, output_compression=70, moderation="low")


@pytest.mark.asyncio
async def test_every_field_of_the_gateway_is_sent_and_its_charge_and_route_are_told(
    here: Harness, gateway: FakeLumenfall
) -> None:
    view = await ran(here, EVERYTHING, "lumenfall/gpt-image-2")
    check_kept(view, gateway)
    assert gateway.calls[0].json() == {
        "model": "gpt-image-2",
        "prompt": "A red fox",
        "n": 3,
        "size": "1536x1024",
        "quality": "low",
        "background": "opaque",
        "output_format": "webp",
        "output_compression": 70,
        "moderation": "low",
        "user": "u-1",
        "response_format": "b64_json",
    }
    # 158 tokens an image at $30, and 13 tokens of text at $5, for each of three.
    assert (view.cost_microusd, view.cost_source) == (3 * (158 * 30 + 13 * 5), "reported")
    assert view.run.got is not None
    assert (view.run.got["route"], view.run.got["provider_name"]) == ("openai/gpt-image-2", "OpenAI")
    assert (view.run.got["size"], view.run.got["output_format"]) == ("1536x1024", "webp")
    assert view.run.request_id == "req_lf_1"


@pytest.mark.parametrize("form", ["url", "b64_json"])
@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.asyncio
async def test_both_forms_of_answer_and_all_five_formats_are_kept(
    form: Any, output_format: str, here: Harness, gateway: FakeLumenfall
) -> None:
    gateway.answer_form = form
    view = await ran(here, replace(FOX, n=2, output_format=output_format, quality="low"), "lumenfall/gpt-image-2")
    check_kept(view, gateway)
    assert {image.media_type for image in view.images} == {f"image/{output_format}"}
    assert [image.converted_sha256 for image in view.images] == [None, None]
    assert len(gateway.media_reads) == (2 if form == "url" else 0)
    assert gateway.creates == 1


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.asyncio
async def test_edits_with_references_and_mask(count: int, here: Harness, gateway: FakeLumenfall) -> None:
    request = replace(FOX, images=IMAGES[:count], mask=MASK, input_fidelity="high", aspect_ratio="3:2", quality="low")
    check_kept(await ran(here, request, "lumenfall/gpt-image-1.5"), gateway)
    names = [part.name for part in gateway.calls[0].parts() if part.filename]
    assert names == [*(["image"] if count == 1 else ["image[]"] * count), "mask"]


@pytest.mark.asyncio
async def test_the_route_to_fal_edits_at_one_price(here: Harness, gateway: FakeLumenfall) -> None:
    request = replace(FOX, n=2, images=IMAGES[:1], quality="high", moderation="low", user="u-1")
    view = await ran(here, request, "lumenfall/fal/gpt-image-1-mini-edit")
    check_kept(view, gateway)
    assert view.run.estimate_microusd == view.cost_microusd == 40_000
    assert view.run.got is not None
    assert view.run.got["route"] == "fal/gpt-image-1-mini-edit"


@pytest.mark.asyncio
async def test_an_id_typed_by_hand_is_sent_as_it_stands(here: Harness, gateway: FakeLumenfall) -> None:
    view = await ran(here, replace(FOX, quality="low", size="1024x1024"), "lumenfall/openai/gpt-image-1.5")
    check_kept(view, gateway)
    assert gateway.calls[0].json()["model"] == "openai/gpt-image-1.5"
    assert (view.run.estimate_microusd, view.cost_source) == (272 * 32 + 3 * 5, "reported")


@pytest.mark.parametrize("quality", ["low", "auto"])
@pytest.mark.asyncio
async def test_without_a_charge_in_the_answer_the_cost_is_no_guess(
    quality: str, here: Harness, gateway: FakeLumenfall
) -> None:
    gateway.with_cost = False
    view = await ran(here, replace(FOX, size="1024x1024", quality=quality), "lumenfall/gpt-image-2")
    check_kept(view, gateway)
    assert (view.cost_microusd, view.ledger_state) == (None, "unknown")


ERRORS = [
    # Fault, kind, may be billed, times sent
    (lumenfall_server.BAD_KEY, "auth", False, 1),
    (lumenfall_server.NO_BALANCE, "quota", False, 1),
    (lumenfall_server.PROMPT_TOO_LONG, "validation", False, 1),
    (lumenfall_server.BLOCKED, "moderation", False, 1),
    (lumenfall_server.MODEL_GONE, "not_found", False, 1),
    (lumenfall_server.RATE_LIMITED, "rate_limit", False, 4),
    (lumenfall_server.EXHAUSTED, "server", True, 1),
    (lumenfall_server.INTERNAL, "server", True, 1),
    (lumenfall_server.UPSTREAM, "server", False, 4),
]


@pytest.mark.parametrize(("fault", "kind", "is_doubtful", "posts"), ERRORS)
@pytest.mark.asyncio
async def test_each_refusal_of_the_gateway_has_its_kind(
    fault: RawReply, kind: str, is_doubtful: bool, posts: int, here: Harness, gateway: FakeLumenfall
) -> None:
    gateway.always(fault)
    view = await ran(here, FOX, "lumenfall/gpt-image-2")
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.error.may_have_been_billed) == (kind, is_doubtful)
    assert view.run.state == ("unknown" if is_doubtful else "failed")
    assert (view.cost_microusd, view.ledger_state) == ((None, "unknown") if is_doubtful else (0, "released"))
    assert (gateway.posts, gateway.creates, gateway.violations) == (posts, 0, [])
    if kind == "validation":
        assert view.run.error.param == "prompt"
        assert "1,000 characters" in view.run.error.message


@pytest.mark.asyncio
async def test_a_refusal_that_passes_is_no_failure(here: Harness, gateway: FakeLumenfall) -> None:
    gateway.next(RawReply(429, lumenfall_server.RATE_LIMITED.body, {"set-cookie": "who=me"}), lumenfall_server.UPSTREAM)
    check_kept(await ran(here, FOX, "lumenfall/gpt-image-2"), gateway)
    assert (gateway.posts, gateway.creates) == (3, 1)
    assert not any("cookie" in call.headers for call in gateway.calls)


@pytest.mark.parametrize("quality", ["low", "medium", "high"])
@pytest.mark.asyncio
async def test_a_quote_is_the_gateways_own_price_and_makes_nothing(
    quality: str, here: Harness, gateway: FakeLumenfall
) -> None:
    request = replace(FOX, n=2, size="1024x1024", quality=quality)
    (run,) = make_plan(request, ("lumenfall/gpt-image-2",), CATALOG).runs
    access = access_of_provider(here, "lumenfall")
    quoted = await here.services.client.quote(run.call, access)
    assert (gateway.posts, gateway.creates, gateway.log) == (0, 0, [])
    assert gateway.calls[0].json() == dict(run.call.json)
    view = await ran(here, request, "lumenfall/gpt-image-2")
    assert quoted == view.cost_microusd
    assert gateway.violations == []


@pytest.mark.asyncio
async def test_an_edit_has_no_quote_and_asks_for_none(here: Harness, gateway: FakeLumenfall) -> None:
    (run,) = make_plan(replace(FOX, images=IMAGES[:1]), ("lumenfall/gpt-image-2",), CATALOG).runs
    assert await here.services.client.quote(run.call, access_of_provider(here, "lumenfall")) is None
    assert gateway.calls == []
    await here.stop()


@pytest.mark.asyncio
async def test_a_check_tells_the_balance_and_costs_nothing(harness: Make, gateway: FakeLumenfall) -> None:
    good = harness(urls={"lumenfall": gateway.base_url}, keys={"lumenfall": gateway.key})
    status = await check_key(good.services, CATALOG.provider("lumenfall"), LOCAL_OWNER)
    assert status is not None
    assert (status.words, status.balance_microusd) == ("The key is good. Balance: $12.34.", 12_340_000)
    await good.stop()
    good.close()
    bad = harness(urls={"lumenfall": gateway.base_url}, keys={"lumenfall": "lmnfl_other.secret"})
    with pytest.raises(InvalidKey, match="Lumenfall refused the key"):
        await check_key(bad.services, CATALOG.provider("lumenfall"), LOCAL_OWNER)
    await bad.stop()
    assert (gateway.posts, gateway.creates, gateway.violations) == (0, 0, [])


def access_of_provider(one: Harness, provider_id: str) -> Any:
    provider = one.services.catalog.provider(provider_id)
    key = one.services.keys.find(provider, LOCAL_OWNER)
    assert key is not None
    return access_of(provider, key, one.settings)
