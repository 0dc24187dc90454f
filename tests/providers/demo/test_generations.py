"""`POST /v1/images/generations`: the shape of its reply, and that each parameter is honoured."""

import base64
import time

import numpy as np
import pytest

from providers.demo import MODELS
from tests.providers.demo.wire import Answer, call, distance, generate, pixels


def file_of(answer: Answer, index: int = 0) -> bytes:
    return base64.b64decode(answer.json["data"][index]["b64_json"])


@pytest.mark.asyncio
async def test_reply_has_openai_shape() -> None:
    answer = await generate("A quiet bay", quality="medium", n=2)

    body = answer.json
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("demo-")
    assert set(body) == {"created", "background", "output_format", "quality", "size", "data", "usage"}
    assert abs(body["created"] - time.time()) < 60
    assert (body["background"], body["output_format"], body["quality"]) == ("opaque", "png", "medium")
    assert [set(row) for row in body["data"]] == [{"b64_json"}, {"b64_json"}]
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == sum(usage["input_tokens_details"].values())
    assert usage["output_tokens_details"] == {"image_tokens": usage["output_tokens"], "text_tokens": 0}


@pytest.mark.asyncio
@pytest.mark.parametrize(("quality", "tokens"), [("low", 158), ("medium", 1372), ("high", 5488)])
async def test_output_tokens_follow_gpt_image_2(quality: str, tokens: int) -> None:
    answer = await generate(size="1536x1024", quality=quality, output_format="jpeg")

    assert answer.json["usage"]["output_tokens"] == tokens


@pytest.mark.asyncio
@pytest.mark.parametrize("model", MODELS)
async def test_same_call_gives_same_bytes(model: str) -> None:
    first, second = [await generate("Morning ridges in mist", model=model) for _ in range(2)]

    assert file_of(first) == file_of(second)


@pytest.mark.asyncio
async def test_variations_differ_visibly() -> None:
    answer = await generate("Morning ridges in mist", model="painterly", n=3)

    first, second, third = answer.images()
    assert min(distance(first, second), distance(first, third), distance(second, third)) > 6


@pytest.mark.asyncio
async def test_first_of_three_is_the_one_asked_alone() -> None:
    assert file_of(await generate(n=3)) == file_of(await generate(n=1))


@pytest.mark.asyncio
async def test_models_answer_in_different_manners() -> None:
    painterly, flat, sketch = [(await generate("A red fox", model=model)).images()[0] for model in MODELS]

    assert min(distance(painterly, flat), distance(painterly, sketch), distance(flat, sketch)) > 8
    assert np.ptp(pixels(sketch), axis=2).mean() < np.ptp(pixels(flat), axis=2).mean()


@pytest.mark.asyncio
@pytest.mark.parametrize("size", ["1024x1024", "1024x1536", "1920x1088", "1536x512", "512x1536"])
async def test_size_is_exact(size: str) -> None:
    answer = await generate("A lighthouse", size=size)

    assert answer.json["size"] == size
    assert "{}x{}".format(*answer.images()[0].size) == size


@pytest.mark.asyncio
async def test_largest_size_is_exact() -> None:
    answer = await generate("Dunes", size="3840x2160", output_format="jpeg")

    assert answer.images()[0].size == (3840, 2160)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("prompt", "size"),
    [("Portrait of a king", "1024x1536"), ("A wide valley", "1536x1024"), ("An apple", "1024x1024")],
)
async def test_auto_size_follows_the_prompt(prompt: str, size: str) -> None:
    assert (await generate(prompt, size="auto")).json["size"] == size


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "pillow"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
async def test_format_is_honoured(name: str, pillow: str) -> None:
    answer = await generate(output_format=name)

    assert answer.json["output_format"] == name
    assert answer.images()[0].format == pillow


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["jpeg", "webp"])
async def test_stronger_compression_makes_smaller_files(name: str) -> None:
    sizes = [len(file_of(await generate(output_format=name, output_compression=c))) for c in (10, 60, 100)]

    assert sizes == sorted(set(sizes))


@pytest.mark.asyncio
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["png", "webp"])
async def test_transparent_background_has_clear_and_solid_parts(model: str, name: str) -> None:
    answer = await generate("A red fox", model=model, background="transparent", output_format=name)

    picture = answer.images()[0]
    alpha = np.asarray(picture.getchannel("A"))
    assert picture.mode == "RGBA"
    assert answer.json["background"] == "transparent"
    assert (alpha < 8).mean() > 0.3
    assert (alpha > 240).mean() > 0.05


@pytest.mark.asyncio
async def test_quality_adds_detail() -> None:
    low, high = [(await generate("A pine forest", model="painterly", quality=q)).images()[0] for q in ("low", "high")]

    def sharpness(levels: np.ndarray) -> float:
        return float(np.abs(np.diff(levels, axis=1)).mean())

    assert sharpness(pixels(high)) > sharpness(pixels(low))


@pytest.mark.asyncio
async def test_auto_quality_says_what_was_used() -> None:
    assert (await generate(quality="auto")).json["quality"] == "medium"


@pytest.mark.asyncio
async def test_harmless_parameters_are_accepted() -> None:
    answer = await generate(user="u-1", safety_identifier="s-1", moderation="low", background="auto", stream=False)

    assert answer.status == 200


@pytest.mark.asyncio
async def test_models_are_listed() -> None:
    answer = await call("GET", "/v1/models", {}, b"")

    assert answer.json["object"] == "list"
    assert [row["id"] for row in answer.json["data"]] == list(MODELS)
    assert all(set(row) == {"id", "object", "created", "owned_by"} for row in answer.json["data"])


@pytest.mark.asyncio
async def test_whole_answer_shows_its_stages_but_comes_within_two_seconds() -> None:
    body = b'{"model":"painterly","prompt":"A lighthouse","size":"1024x1024","quality":"low"}'
    started = time.monotonic()
    await call("POST", "/v1/images/generations", {}, body, pace=1)

    assert 0.3 < time.monotonic() - started < 2
