"""Runs of which some images came: they are stored, the others are said, and what the provider reports is the cost."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from storage.records import RunView
from tests.fakes.pictures import picture
from tests.harness import OFFER, Harness
from tests.playground.faulty_answers import RawServer, answering

pytestmark = pytest.mark.asyncio
Make = Callable[..., Harness]

ONE, TWO = (base64.b64encode(picture((64, 48), "png", number=number)).decode() for number in (1, 2))
USAGE = {"input_tokens": 13, "input_tokens_details": {"text_tokens": 13, "image_tokens": 0}, "output_tokens": 784}
LUMENFALL = "lumenfall/gpt-image-2"


async def ran(harness: Make, body: object, offer: str, **asked: object) -> RunView:
    async with answering(body) as server:
        base_urls = {"openai": server.url, "lumenfall": server.url}
        one = harness(urls=base_urls, keys={"openai": "sk-0123456789", "lumenfall": "lmnfl_0123.456789"}, key=None)
        view = await one.one(offer=offer, **asked)
        await one.stop()
    return view


CASES: list[tuple[str, dict[str, Any], int, str]] = [
    (OFFER, {"usage": USAGE}, 784 * 30 + 13 * 5, "computed"),
    (LUMENFALL, {"metadata": {"cost": 0.01}}, 10_000, "reported"),
]


@pytest.mark.parametrize(("offer", "beside", "cost", "source"), CASES)
async def test_the_good_images_of_an_answer_are_kept_and_paid(
    offer: str, beside: dict[str, Any], cost: int, source: str, harness: Make
) -> None:
    items = [{"b64_json": ONE}, {"b64_json": None}, {"b64_json": TWO}, None]
    view = await ran(harness, {"data": items, **beside}, offer, n=4)
    assert (view.run.state, [image.position for image in view.images]) == ("succeeded", [0, 1])
    assert view.run.error is not None
    assert view.run.error.message.startswith("2 of 4 images came.")
    assert (view.cost_microusd, view.cost_source, view.ledger_state) == (cost, source, "settled")


@pytest.mark.parametrize("offer", [OFFER, LUMENFALL])
async def test_where_nothing_is_reported_the_cost_is_unknown_and_no_estimate(offer: str, harness: Make) -> None:
    view = await ran(harness, {"data": [{"b64_json": ONE}]}, offer, size="1024x1024", quality="low")
    assert view.run.estimate_microusd is not None
    assert (view.run.state, view.cost_microusd, view.ledger_state) == ("succeeded", None, "unknown")


@pytest.mark.parametrize("items", [[None], [{"b64_json": None}], []])
@pytest.mark.parametrize(("offer", "beside", "cost", "source"), CASES)
async def test_an_answer_without_a_readable_image_costs_what_it_says(
    offer: str, beside: dict[str, Any], cost: int, source: str, items: list[object], harness: Make
) -> None:
    view = await ran(harness, {"data": items, **beside}, offer)
    assert (view.run.state, view.images) == ("failed", ())
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.error.may_have_been_billed) == ("malformed", True)
    assert (view.cost_microusd, view.cost_source, view.ledger_state) == (cost, source, "settled")


@pytest.mark.parametrize("text", ["not base64 at all!", "*" * 20_000])
async def test_text_that_should_have_been_an_image_is_kept(text: str, harness: Make) -> None:
    view = await ran(harness, {"data": [{"b64_json": text}, {"b64_json": ONE}], "usage": USAGE}, OFFER, n=2)
    assert (view.run.state, len(view.images)) == ("succeeded", 1)
    assert view.run.unreadable_sha256 is not None
    assert view.run.error is not None
    assert "Its bytes are kept." in view.run.error.message


@pytest.mark.parametrize("length", [300, 30_000])
async def test_wrapped_base64_is_an_image(length: int, harness: Make) -> None:
    data = picture((64, 48), "png", number=1).ljust(length, b"\0")
    view = await ran(harness, {"data": [{"b64_json": base64.encodebytes(data).decode()}], "usage": USAGE}, OFFER)
    assert (view.run.state, [image.size_bytes for image in view.images]) == ("succeeded", [len(data)])


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"data: " + orjson.dumps({"type": "image_generation.completed", **event}) + b"\n\n" for event in events
    )


async def test_an_unreadable_image_of_a_stream_leaves_the_others_and_the_cost(harness: Make) -> None:
    body = stream(
        {"b64_json": ONE, "usage": USAGE}, {"b64_json": None, "usage": USAGE}, {"b64_json": TWO, "usage": USAGE}
    )
    async with answering_stream(body) as server:
        one = harness(openai_url=server.url)
        view = await one.one(n=3, partial_images=0)
        await one.stop()
    assert (view.run.state, len(view.images)) == ("succeeded", 2)
    assert view.run.error is not None
    assert view.run.error.message.startswith("2 of 3 images came.")
    assert view.cost_microusd == 3 * (784 * 30 + 13 * 5)


def answering_stream(body: bytes) -> RawServer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + body)
        await writer.drain()

    return RawServer(answer)
