"""The official SDK can work with the fake: no rule is broken, and what it gets is what was served."""

import base64
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.pictures import Format
from tests.fakes.samples import FLARE, FOX, assert_valid, mask, upload


@pytest.fixture
def sdk(fake: FakeOpenAI) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=fake.key, base_url=fake.base_url, max_retries=0, timeout=5) as client:
        yield client


def decoded(answer: Any) -> list[bytes]:
    return [base64.b64decode(item.b64_json) for item in answer.data]


def events(client: httpx.Client, path: str, **request: Any) -> list[tuple[str, dict[str, Any]]]:
    """Event names and data of a stream, read with nothing but the standard library."""
    text = client.post(path, **request).raise_for_status().text
    found = []
    for block in text.replace("\r\n", "\n").removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(("model", "size"), [(FLARE, "1360x768"), ("gpt-image-1-mini", "1024x1536")])
def test_generate(fake: FakeOpenAI, sdk: openai.OpenAI, output_format: Any, model: str, size: Any) -> None:
    answer = sdk.images.generate(model=model, prompt=FOX, size=size, quality="low", output_format=output_format)
    assert fake.violations == []
    assert decoded(answer) == fake.served
    assert (answer.size, answer.quality, answer.output_format) == (size, "low", output_format)
    with Image.open(io.BytesIO(fake.served[0])) as shown:
        assert (shown.format, "{}x{}".format(*shown.size)) == (output_format.upper(), size)


def test_the_largest_size_is_quick(fake: FakeOpenAI, sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(model="gpt-image-2", prompt=FOX, size="3840x2160", n=10)
    assert decoded(answer) == fake.served
    assert len(set(fake.served)) == 10
    assert fake.violations == []


def test_every_field_a_generation_may_have(fake: FakeOpenAI, sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(
        model="gpt-image-2.6-sunburst",
        prompt="x" * 32_000,
        n=3,
        size="auto",
        quality="xhigh",
        background="transparent",
        moderation="low",
        output_format="webp",
        output_compression=0,
        complexity="high",
        safety_identifier="größe-✓",
        user="u",
    )
    assert fake.violations == []
    assert len(answer.data or []) == 3
    assert decoded(answer) == fake.served
    assert (answer.background, answer.size) == ("transparent", "1024x1024")
    with Image.open(io.BytesIO(fake.served[0])) as shown:
        assert shown.has_transparency_data


@pytest.mark.parametrize("count", [1, 2, 16])
def test_edit(fake: FakeOpenAI, sdk: openai.OpenAI, count: int) -> None:
    formats: Iterator[Format] = itertools.cycle(("png", "jpeg", "webp"))
    images: Any = [upload(number, image_format) for number, image_format in zip(range(count), formats, strict=False)]
    answer = sdk.images.edit(model="gpt-image-2", prompt="Put the hat on the fox", image=images, n=2)
    assert fake.violations == []
    assert decoded(answer) == fake.served
    assert [part.data for part in fake.calls[0].parts("image[]")] == [data for _, data, _ in images]
    assert [part.filename for part in fake.calls[0].parts("image[]")] == [name for name, _, _ in images]


def test_edit_of_one_plain_image_with_mask(fake: FakeOpenAI, sdk: openai.OpenAI) -> None:
    answer = sdk.images.edit(
        model="gpt-image-1.5", prompt="A hat", image=upload(1), mask=mask(), input_fidelity="high", user="someone"
    )
    assert fake.violations == []
    assert decoded(answer) == fake.served
    assert len(fake.calls[0].parts("image")) == len(fake.calls[0].parts("mask")) == 1


def test_edit_with_markup(fake: FakeOpenAI, sdk: openai.OpenAI) -> None:
    sdk.images.edit(model=FLARE, prompt="Follow the arrow", image=upload(1), markup=mask())
    assert fake.violations == []


@pytest.mark.parametrize("partials", [0, 1, 2, 3])
def test_stream(fake: FakeOpenAI, sdk: openai.OpenAI, partials: int) -> None:
    stream = sdk.images.generate(model=FLARE, prompt=FOX, stream=True, partial_images=partials)
    seen = list(stream)
    assert fake.violations == []
    assert [event.type for event in seen] == ["image_generation.partial_image"] * partials + [
        "image_generation.completed"
    ]
    assert [base64.b64decode(seen[-1].b64_json)] == fake.served
    assert fake.partials_sent == partials


@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize("done", [False, True])
def test_stream_of_an_edit_in_every_wire_form(fake: FakeOpenAI, sdk: openai.OpenAI, crlf: bool, done: bool) -> None:
    fake.sse_crlf, fake.sse_done = crlf, done
    stream = sdk.images.edit(
        model=FLARE, prompt="A hat", image=[upload(1)], stream=True, partial_images=1, n=2, safety_identifier="größe-✓"
    )
    seen = [event for event in stream if event.type == "image_edit.completed"]
    assert fake.violations == []
    assert [base64.b64decode(event.b64_json) for event in seen] == fake.served
    assert [event.safety_identifier for event in seen] == ["größe-✓"] * 2
    assert len(fake.served) == fake.partials_sent == 2


def test_wrong_key_and_model_list(fake: FakeOpenAI, sdk: openai.OpenAI) -> None:
    assert "gpt-image-2" in [model.id for model in sdk.models.list()]
    assert fake.posts == 0
    with pytest.raises(openai.AuthenticationError, match=r"sk-wron\*\*\*\*\*678"):
        sdk.with_options(api_key="sk-wrong-345678").images.generate(model=FLARE, prompt=FOX)
    assert fake.posts == 1
    assert len(fake.violations) == 1


def test_answers_follow_the_schema_and_the_worked_example(fake: FakeOpenAI, client: httpx.Client) -> None:
    body = {"model": FLARE, "prompt": FOX, "n": 1, "size": "1024x1024", "quality": "low", "output_format": "png"}
    reply = client.post("/images/generations", json=body)
    assert_valid(reply.json(), "response")
    assert reply.headers["x-request-id"] == fake.calls[0].request_id
    assert reply.json()["usage"] == {
        "input_tokens": 13,
        "input_tokens_details": {"text_tokens": 13, "image_tokens": 0},
        "output_tokens": 196,
        "output_tokens_details": {"image_tokens": 196, "text_tokens": 0},
        "total_tokens": 209,
    }


def test_an_edit_is_billed_as_in_the_worked_example(fake: FakeOpenAI, client: httpx.Client) -> None:
    form = {"model": "gpt-image-2.5-flare", "prompt": "Put the hat on the fox", "size": "1536x1024", "quality": "high"}
    files = [("image[]", upload(number, size=(1024, 1024))) for number in (1, 2)] + [("mask", mask((1024, 1024)))]
    reply = client.post("/images/edits", data=form, files=files)
    assert_valid(reply.json(), "response")
    counted = reply.json()["usage"]
    assert (counted["input_tokens"], counted["output_tokens"], counted["total_tokens"]) == (2098, 1372, 3470)
    assert fake.violations == []


def test_stream_events_follow_the_schema(fake: FakeOpenAI, client: httpx.Client) -> None:
    body = {"model": FLARE, "prompt": FOX, "stream": True, "partial_images": 2, "quality": "low", "user": "u"}
    *partials, (name, completed) = events(client, "/images/generations", json=body)
    for partial_name, partial in partials:
        assert partial_name == partial["type"] == "image_generation.partial_image"
        assert_valid(partial, "partial")
    assert [partial["partial_image_index"] for _, partial in partials] == [0, 1]
    assert name == completed["type"]
    assert_valid(completed, "completed")
    assert completed["usage"]["output_tokens"] == 396
    assert completed["safety_identifier"] == "u"


@pytest.mark.parametrize("how", ["sum", "total"])
def test_usage_of_a_stream_of_several_images(fake: FakeOpenAI, client: httpx.Client, how: Any) -> None:
    fake.stream_usage = how
    body = {"model": FLARE, "prompt": FOX, "n": 3, "stream": True, "quality": "low"}
    totals = [data["usage"]["total_tokens"] for _, data in events(client, "/images/generations", json=body)]
    assert totals == ([209, 196, 196] if how == "sum" else [209, 405, 601])


def test_chunks_end_at_awkward_places(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.sse_crlf = True
    body = {"model": FLARE, "prompt": FOX, "stream": True, "user": "größe"}
    with client.stream("POST", "/images/generations", json=body) as reply:
        assert reply.headers["transfer-encoding"] == "chunked"
        pieces = list(reply.iter_raw())
    assert any(piece.endswith("ö".encode()[:1]) for piece in pieces)
    assert any(piece.endswith(b"\r") for piece in pieces)
    assert b"".join(pieces).endswith(b"\r\n\r\n")


def test_one_connection_serves_many_requests(fake: FakeOpenAI, client: httpx.Client) -> None:
    for _ in range(3):
        client.post("/images/generations", json={"model": FLARE, "prompt": FOX}).raise_for_status()
        client.get("/models").raise_for_status()
    assert fake.posts == 3
    assert [call.method for call in fake.calls] == ["POST", "GET"] * 3
    assert fake.violations == []


def test_a_model_can_be_retired(client: httpx.Client, fake: FakeOpenAI) -> None:
    fake.models = {name: family for name, family in fake.models.items() if name != FLARE}
    reply = client.post("/images/generations", json={"model": FLARE, "prompt": FOX})
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
