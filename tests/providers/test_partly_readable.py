"""Answers in which some images, or all, cannot be read: nothing that was paid for is thrown away, and neither is its price."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from providers.adapter import Adapter, Reply
from providers.adapters import ADAPTERS
from providers.errors import MalformedReply
from providers.types import Answered, GeneratedImage, ImageResult, Job, PartialImage, RemoteImage

IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNQq9j0HwAEaAJQJeqrSgAAAABJRU5ErkJggg=="
)
TEXT = base64.b64encode(IMAGE).decode()
USAGE = {"input_tokens": 13, "input_tokens_details": {"text_tokens": 13, "image_tokens": 0}, "output_tokens": 784}
BESIDE: dict[str, dict[str, Any]] = {
    "openai": {"usage": USAGE},
    "lumenfall": {"metadata": {"cost": 0.01, "cost_currency": "USD"}},
    "compatible": {"usage": USAGE},
}
PREDICTION = {
    "id": "g6c2x7k1e1rme0ctfix01",
    "status": "succeeded",
    "logs": "Input text token count: 9\nInput image token count: 0\nOutput token count: 800\n",
}
BAD: list[object] = [None, 7, "x", [], {}, {"b64_json": None}, {"b64_json": ""}, {"b64_json": None, "url": None}]
BAD += [{"b64_json": 5, "url": 7}, {"url": "data:,"}, {"url": ""}]


def read(name: str, body: object) -> ImageResult:
    adapter: Adapter = ADAPTERS[name]
    result = adapter.parse(Reply(200, {"x-request-id": "req-1"}, orjson.dumps(body)))
    assert isinstance(result, ImageResult)
    return result


def knows_its_price(answered: Answered) -> bool:
    return answered.cost_microusd == 10_000 or bool(answered.usage and answered.usage.output_tokens)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", BESIDE)
def test_one_unreadable_image_does_not_take_the_others_along(name: str, bad: object) -> None:
    items = [{"b64_json": TEXT}, bad, {"url": "https://example.com/2.png"}, {"url": f"data:image/png;base64,{TEXT}"}]
    result = read(name, {"data": items, **BESIDE[name]})
    assert result.images == (GeneratedImage(IMAGE), RemoteImage("https://example.com/2.png"), GeneratedImage(IMAGE))
    (failure,) = result.failures
    assert (type(failure), failure.may_have_been_billed, failure.request_id) == (MalformedReply, True, "req-1")
    assert (result.made, knows_its_price(result.answered)) == (4, True)


@pytest.mark.parametrize("items", [[None], [None, {}], [], None, {}, "x"])
@pytest.mark.parametrize("name", BESIDE)
def test_where_all_are_unreadable_the_price_stays_known(name: str, items: object) -> None:
    result = read(name, {"data": items, **BESIDE[name]})
    assert result.images == ()
    assert knows_its_price(result.answered)
    assert {type(failure) for failure in result.failures} == {MalformedReply}
    with pytest.raises(MalformedReply):
        read(name, {"data": items})


def test_a_whole_answer_has_no_failures() -> None:
    result = read("openai", {"data": [{"b64_json": TEXT}] * 2})
    assert (len(result.images), result.failures, result.made) == (2, (), 0)


@pytest.mark.parametrize("bad", [None, "", 7, {"url": "https://example.com/1.png"}])
def test_replicate_keeps_what_can_be_fetched(bad: object) -> None:
    body = PREDICTION | {"output": ["https://example.com/0.png", bad, f"data:image/png;base64,{TEXT}"]}
    for result in (read("replicate", body), ADAPTERS["replicate"].parse_poll(_reply(body), Job(str(body["id"])))):
        assert isinstance(result, ImageResult)
        assert result.images == (RemoteImage("https://example.com/0.png"), GeneratedImage(IMAGE))
        assert [failure.request_id for failure in result.failures] == [body["id"]]
        assert result.made == 3
    assert read("replicate", body).job == Job(str(body["id"]))


def test_a_prediction_without_any_image_still_tells_its_tokens() -> None:
    for output in (None, [], [None]):
        result = read("replicate", PREDICTION | {"output": output})
        assert (result.images, len(result.failures)) == ((), 1)
        assert result.answered.usage is not None
    with pytest.raises(MalformedReply):
        read("replicate", PREDICTION | {"output": [None], "logs": ""})


def _reply(body: object) -> Reply:
    return Reply(200, {}, orjson.dumps(body))


def test_an_unreadable_preview_is_passed_over_and_an_unreadable_image_of_a_stream_keeps_its_usage() -> None:
    adapter = ADAPTERS["openai"]
    preview = {"type": "image_generation.partial_image", "b64_json": TEXT, "partial_image_index": 1}
    assert adapter.parse_event("", _reply(preview)) == (PartialImage(IMAGE, 0, 1),)
    assert adapter.parse_event("", _reply(preview | {"b64_json": None})) == ()
    failure, answered = adapter.parse_event("image_generation.completed", _reply({"usage": USAGE}))
    assert isinstance(failure, MalformedReply)
    assert isinstance(answered, Answered)
    assert answered.usage is not None


# Base64 as servers write it


ODD = bytes(range(256)) * 3 + b"\xfb\xff\xfe"
WRITTEN = base64.b64encode(ODD).decode()


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        base64.encodebytes(ODD).decode(),
        base64.encodebytes(ODD).decode().replace("\n", "\r\n"),
        base64.urlsafe_b64encode(ODD).decode(),
        base64.urlsafe_b64encode(ODD + b"x").decode().rstrip("="),
        base64.b64encode(ODD + b"xy").decode().rstrip("="),
        f" {WRITTEN} \n",
    ],
)
@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("name", BESIDE)
def test_base64_is_read_in_every_spelling(name: str, prefix: str, text: str) -> None:
    (image,) = read(name, {"data": [{"b64_json": prefix + text}]}).images
    assert isinstance(image, GeneratedImage)
    assert image.data in (ODD, ODD + b"x", ODD + b"xy")


@pytest.mark.parametrize("text", ["*", "out of memory: try again", "iVBO!", "a", "ünlesbar"])
@pytest.mark.parametrize("name", BESIDE)
def test_text_that_is_no_base64_is_kept_as_it_came(name: str, text: str) -> None:
    (image,) = read(name, {"data": [{"b64_json": text}]}).images
    assert image == GeneratedImage(text.encode())
