"""Faults by a word in the prompt, and calls refused as OpenAI refuses them."""

import asyncio
import io
import json
import time

import pytest
from PIL import Image

from providers.demo import DemoServer
from tests.providers.demo.wire import File, base_picture, call, edit, form, generate, half_mask, png


@pytest.mark.asyncio
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("word", "status", "kind", "code"),
    [
        ("fail", 500, "server_error", None),
        ("blocked", 400, "image_generation_user_error", "moderation_blocked"),
        ("rate", 429, "input-images", "rate_limit_exceeded"),
        ("quota", 429, "insufficient_quota", "insufficient_quota"),
        ("key", 401, "invalid_request_error", "invalid_api_key"),
    ],
)
async def test_word_in_prompt_brings_the_fault(
    word: str, status: int, kind: str, code: str | None, stream: bool
) -> None:
    answer = await generate(f"A calm sea [{word}] at noon", stream=stream)

    assert answer.status == status
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert (answer.error["type"], answer.error["code"]) == (kind, code)
    assert answer.headers["x-request-id"].startswith("demo-")


@pytest.mark.asyncio
async def test_rate_limit_says_when_to_come_back() -> None:
    assert (await generate("[rate]")).headers["retry-after"] == "2"


@pytest.mark.asyncio
async def test_refusal_names_the_violation() -> None:
    assert "safety_violations=[violence]" in (await generate("[blocked]")).error["message"]


@pytest.mark.asyncio
@pytest.mark.parametrize("stream", [False, True])
async def test_cut_answer_breaks_in_the_middle(stream: bool) -> None:
    body = json.dumps({"model": "flat", "prompt": "sea [cut]", "quality": "low", "stream": stream}).encode()
    reply = await DemoServer(pace=0).answer("POST", "/v1/images/generations", {}, body)
    got = await anext(reply.chunks)
    with pytest.raises(ConnectionResetError):
        await anext(reply.chunks)

    assert reply.status == 200
    assert len(got) > 1000
    assert not got.endswith((b"}", b"\n"))


@pytest.mark.asyncio
async def test_slow_stream_keeps_sending_partials() -> None:
    body = b'{"model":"flat","prompt":"sea [slow]","quality":"low","stream":true,"partial_images":3,"size":"1024x640"}'
    reply = await DemoServer(pace=0.06).answer("POST", "/v1/images/generations", {}, body)
    started = time.monotonic()
    moments = [time.monotonic() - started async for _ in reply.chunks]

    assert len(moments) == 4
    # The first comes long before the last, however busy the machine is.
    assert moments[0] < moments[-1] - 0.5
    assert moments[-1] > 1.1


@pytest.mark.asyncio
async def test_drawing_leaves_the_event_loop_free() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticker = asyncio.create_task(tick())
    await generate("forest", model="painterly", size="1536x1024", quality="high")
    ticker.cancel()

    assert ticks >= 5


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"response_format": "url"}, 400, "unknown_parameter", "response_format"),
        ({"input_fidelity": "high"}, 400, "unknown_parameter", "input_fidelity"),
        ({"size": "1920x1080"}, 400, "invalid_value", "size"),
        ({"size": "4096x4096"}, 400, "invalid_value", "size"),
        ({"size": "512x512"}, 400, "invalid_value", "size"),
        ({"size": "3840x3840"}, 400, "invalid_value", "size"),
        ({"size": "3200x800"}, 400, "invalid_value", "size"),
        ({"size": "0x0"}, 400, "invalid_value", "size"),
        ({"size": "large"}, 400, "invalid_value", "size"),
        ({"size": 1024}, 400, "invalid_type", "size"),
        ({"prompt": ""}, 400, "empty_string", "prompt"),
        ({"prompt": "x" * 32_001}, 400, "string_above_max_length", "prompt"),
        ({"prompt": None}, 400, "missing_required_parameter", "prompt"),
        ({"prompt": ["a"]}, 400, "invalid_type", "prompt"),
        ({"n": 0}, 400, "integer_below_min_value", "n"),
        ({"n": 11}, 400, "integer_above_max_value", "n"),
        ({"n": "2"}, 400, "invalid_type", "n"),
        ({"n": True}, 400, "invalid_type", "n"),
        ({"n": 1.5}, 400, "invalid_type", "n"),
        ({"quality": "xhigh"}, 400, "invalid_value", "quality"),
        ({"output_format": "gif"}, 400, "invalid_value", "output_format"),
        ({"output_compression": 50}, 400, "invalid_value", "output_compression"),
        ({"output_compression": 101, "output_format": "jpeg"}, 400, "integer_above_max_value", "output_compression"),
        ({"background": "clear"}, 400, "invalid_value", "background"),
        ({"background": "transparent", "output_format": "jpeg"}, 400, "invalid_value", "background"),
        ({"stream": "yes"}, 400, "invalid_type", "stream"),
        ({"stream": True, "partial_images": 4}, 400, "integer_above_max_value", "partial_images"),
        ({"partial_images": 2}, 400, "invalid_value", "partial_images"),
        ({"moderation": "off"}, 400, "invalid_value", "moderation"),
        ({"model": "dall-e-3"}, 404, "model_not_found", "model"),
    ],
)
async def test_bad_field_is_refused_by_name(fields: dict[str, object], status: int, code: str, param: str) -> None:
    answer = await generate(**{"prompt": "hello", **fields})

    assert answer.status == status
    assert (answer.error["code"], answer.error["param"]) == (code, param)


@pytest.mark.asyncio
async def test_unknown_model_does_not_exist() -> None:
    assert "does not exist" in (await generate(model="nope")).error["message"]


@pytest.mark.asyncio
async def test_bodies_that_are_no_json_object_are_refused() -> None:
    for body in (b"", b"{", b"[1]", b"\xff\xfe"):
        assert (await call("POST", "/v1/images/generations", {}, body)).status == 400


@pytest.mark.asyncio
async def test_unknown_paths_and_methods_are_refused() -> None:
    assert (await call("POST", "/v1/images/variations", {}, b"")).status == 404
    assert (await call("GET", "/v1/images/generations", {}, b"")).status == 405


GOOD = png(base_picture((64, 48)))


def bmp() -> bytes:
    buffer = io.BytesIO()
    base_picture((64, 48)).save(buffer, "BMP")
    return buffer.getvalue()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("files", "code", "param"),
    [
        ([], "missing_required_parameter", "image"),
        ([File("image", b"no image")], "invalid_image_file", "image"),
        ([File("image[]", GOOD), File("image[]", GOOD[:60])], "invalid_image_file", "image"),
        ([File("image", bmp())], "invalid_image_file", "image"),
        ([File("image", GOOD, mime="application/octet-stream")], "unsupported_file_mimetype", "image"),
        ([File("image", GOOD), File("image", GOOD)], "duplicate_parameter", "image"),
        ([File("image[]", GOOD)] * 17, "array_above_max_length", "image"),
        ([File("image", GOOD), File("mask", png(half_mask((64, 64))))], "invalid_image_file", "mask"),
        ([File("image", GOOD), File("mask", GOOD)], "invalid_image_file", "mask"),
        ([File("image", GOOD), File("mask", b"?", mime="text/plain")], "unsupported_file_mimetype", "mask"),
        ([File("mask", png(half_mask((64, 48))))], "missing_required_parameter", "image"),
    ],
)
async def test_bad_files_are_refused(files: list[File], code: str, param: str) -> None:
    answer = await edit("add a moon", files)

    assert answer.status == 400
    assert (answer.error["code"], answer.error["param"]) == (code, param)


@pytest.mark.asyncio
async def test_edit_refuses_what_its_form_does_not_know() -> None:
    answer = await edit("add a moon", [File("image", GOOD)], moderation="low")

    assert (answer.status, answer.error["code"]) == (400, "unknown_parameter")


@pytest.mark.asyncio
async def test_edit_refuses_repeated_and_mistyped_text() -> None:
    assert (await edit("x", [File("image", GOOD)], n="two")).error["code"] == "invalid_type"
    content_type, body = form({"prompt": "x", "model": "flat"}, [File("image", GOOD)])
    again = form({"prompt": "y"}, [])[1].removesuffix(b"--\r\n").rsplit(b"--", 1)[0] + body
    answer = await call("POST", "/v1/images/edits", {"content-type": content_type}, again)
    assert answer.error["code"] == "duplicate_parameter"


@pytest.mark.asyncio
async def test_broken_forms_are_refused() -> None:
    content_type, body = form({"prompt": "x", "model": "flat"}, [File("image", GOOD)])
    for kind, content in (
        (content_type, body[:-20]),
        (content_type, b""),
        ("multipart/form-data", body),
        ("application/json", b"{}"),
    ):
        assert (await call("POST", "/v1/images/edits", {"content-type": kind}, content)).status == 400


def test_sixteen_images_are_the_limit_not_over_it() -> None:
    async def sixteen() -> int:
        small = png(Image.new("RGB", (64, 64), "teal"))
        return (await edit("together", [File("image[]", small)] * 16, size="1024x640")).status

    assert asyncio.run(sixteen()) == 200
