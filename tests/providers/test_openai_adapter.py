"""The OpenAI adapter against golden calls, and against what OpenAI's own client sends for the same request."""

from __future__ import annotations

import io
from dataclasses import replace

import openai
import orjson
import pytest
from PIL import Image

from playground.plan import make_plan
from providers.adapter import Reply
from providers.adapters import ADAPTERS
from providers.adapters.openai_errors import error_of
from providers.adapters.replies import retry_after_s
from providers.bodies import call_document
from providers.errors import MalformedReply
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.wire import Part
from tests.harness import KEY, OFFER, Harness


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(out, "PNG")
    return out.getvalue()


def given_image(colour: str = "red") -> InputImage:
    from hashlib import sha256

    data = png(colour)
    return InputImage(data, "image/png", 32, 32, sha256(data).hexdigest())


FULL = ImageRequest(
    "A red fox",
    n=2,
    size="1536x1024",
    quality="low",
    background="opaque",
    output_format="webp",
    output_compression=70,
    moderation="low",
    input_fidelity="high",
    partial_images=2,
    user="u-1",
)


def test_a_generation_is_this_json() -> None:
    run = make_plan(FULL, [OFFER], CATALOG).runs[0]
    assert (run.call.method, run.call.path, run.call.is_stream) == ("POST", "/images/generations", True)
    assert run.call.json == {
        "model": "gpt-image-2",
        "prompt": "A red fox",
        "n": 2,
        "size": "1536x1024",
        "quality": "low",
        "background": "opaque",
        "output_format": "webp",
        "output_compression": 70,
        "moderation": "low",
        "user": "u-1",
        "stream": True,
        "partial_images": 2,
    }
    refused = {row.field: row.note for row in run.fields if row.handling == "refused"}
    assert refused == {"input_fidelity": "Only an edit has input images."}


def test_an_edit_is_these_parts() -> None:
    request = replace(FULL, images=(given_image(), given_image("blue")), mask=given_image("green"))
    run = make_plan(request, ["openai/gpt-image-1.5"], CATALOG).runs[0]
    document = call_document(run.call)
    parts = document["multipart"]
    assert isinstance(parts, list)
    assert [part["name"] for part in parts] == [
        *("model", "prompt", "n", "size", "quality", "background", "output_format", "output_compression"),
        *("input_fidelity", "user", "stream", "partial_images", "image[]", "image[]", "mask"),
    ]
    assert parts[10] == {"name": "stream", "value": "true"}
    assert parts[12] | {"sha256": ""} == {
        "name": "image[]",
        "filename": "image-1.png",
        "content_type": "image/png",
        "bytes": len(png("red")),
        "sha256": "",
    }
    assert {row.field for row in run.fields if row.handling == "refused"} == {"moderation"}


def test_each_field_has_exactly_one_account() -> None:
    run = make_plan(replace(FULL, images=(given_image(),), mask=given_image()), [OFFER], CATALOG).runs[0]
    names = [row.field for row in run.fields]
    assert len(names) == len(set(names))
    assert set(names) == {
        *("prompt", "n", "size", "quality", "background", "output_format", "output_compression", "moderation"),
        *("input_fidelity", "partial_images", "user", "images", "mask", "lock_outside_mask"),
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["generation", "edit of one", "edit of three with mask"])
async def test_openais_own_client_sends_the_same(kind: str, tmp_path) -> None:
    images = {"generation": [], "edit of one": ["red"], "edit of three with mask": ["red", "blue", "green"]}[kind]
    shared = {"model": "gpt-image-2", "prompt": "A red fox", "n": 2, "size": "1024x1024", "quality": "low"}
    base = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    out = io.BytesIO()
    base.save(out, "PNG")
    mask = InputImage(out.getvalue(), "image/png", 32, 32, "0" * 64) if "mask" in kind else None
    request = ImageRequest(
        "A red fox", n=2, size="1024x1024", quality="low", images=tuple(map(given_image, images)), mask=mask
    )
    with FakeOpenAI(key=KEY) as fake:
        peer = openai.OpenAI(api_key=KEY, base_url=fake.base_url, max_retries=0)
        if images:
            files = [(f"image-{n}.png", png(colour), "image/png") for n, colour in enumerate(images, 1)]
            more = {"mask": ("mask.png", mask.data, "image/png")} if mask else {}
            peer.images.edit(image=files if len(files) > 1 else files[0], **shared, **more)
        else:
            peer.images.generate(**shared)
        peer.close()
        ours = Harness(tmp_path / "data", openai_url=fake.base_url)
        await ours.run(request, OFFER)
        await ours.stop()
        ours.close()
        assert fake.violations == []
        theirs, own = fake.calls
    assert (theirs.method, theirs.path) == (own.method, own.path)
    assert _comparable(theirs.fields) == _comparable(own.fields)
    assert theirs.headers["authorization"] == own.headers["authorization"]


def _comparable(fields: object) -> object:
    """A multipart body as a set: neither side promises an order between different names."""
    if isinstance(fields, tuple):
        parts = [part for part in fields if isinstance(part, Part)]
        return sorted((part.name, part.filename or "", part.content_type or "", part.data) for part in parts)
    return fields


BROKEN = [
    b"",
    b"null",
    b"[]",
    b"{",
    b'{"data": []}',
    b'{"data": [{}]}',
    b'{"data": [{"b64_json": ""}]}',
    b'{"data": {}}',
]


@pytest.mark.parametrize("body", BROKEN)
def test_an_answer_that_cannot_be_read_says_so(body: bytes) -> None:
    with pytest.raises(MalformedReply) as raised:
        ADAPTERS["openai"].parse(Reply(200, {}, body))
    assert raised.value.may_have_been_billed


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b'{"error": null}', b'{"error": "plain"}'])
def test_errors_without_their_usual_shape_still_have_a_kind(body: bytes) -> None:
    assert error_of(Reply(500, {}, body)).kind == "server"
    assert error_of(Reply(401, {}, body)).kind == "auth"


def test_gateway_words_for_retired_models_are_known() -> None:
    for body in (
        b'{"error": {"message": "The model \'dall-e-3\' does not exist.", "code": "invalid_value"}}',
        b'{"error": {"message": "x", "code": "model_not_found"}}',
    ):
        assert error_of(Reply(400, {}, body)).kind == "not_found"


def test_waiting_times_in_all_their_forms() -> None:
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "7"}) == 7
    assert retry_after_s({"retry-after": "-7"}) == 0
    assert retry_after_s({"retry-after-ms": "1500"}) == 1.5
    assert retry_after_s({"retry-after": "soon"}) is None
    assert retry_after_s({"retry-after": "Fri, 01 Jan 1999 00:00:00 GMT"}) == 0


@pytest.mark.parametrize(
    ("status", "message", "kind", "words"),
    [
        (
            400,
            "Your request was rejected by the safety system. safety_violations=[violence].",
            "moderation",
            "violence",
        ),
        (400, "Your request was rejected by the safety system.", "moderation", "Change the wording"),
        (403, "Blocked by our content policy.", "moderation", "Change the wording"),
        (429, "You exceeded your current quota, please check your plan and billing details.", "quota", "Add credit"),
        (400, "Billing hard limit has been reached.", "quota", "Add credit"),
        (429, "You have no credits remaining. Add credits to continue.", "quota", "Add credit"),
        (429, "Rate limit reached for gpt-image-2 on input-images per min.", "rate_limit", "too many"),
        (500, "The safety system had an error. insufficient_quota", "server", "error 500"),
        (401, "Incorrect key; see our content policy.", "auth", "refused the key"),
    ],
)
def test_where_the_code_was_lost_on_the_way_the_words_tell_the_kind(
    status: int, message: str, kind: str, words: str
) -> None:
    for code in (None, str(status), "UPSTREAM_ERROR"):
        body = {"error": {"message": message, "type": "image_generation_user_error", "param": "None", "code": code}}
        error = error_of(Reply(status, {}, orjson.dumps(body)))
        assert (error.kind, error.param) == (kind, None)
        assert words in error.message
        assert error.retryable == (kind in ("rate_limit", "server"))
    # A code that is known goes before words.
    body = {"error": {"message": message, "code": "invalid_api_key"}}
    assert error_of(Reply(status, {}, orjson.dumps(body))).kind == "auth"


@pytest.mark.parametrize("offer", ["openai/gpt-image-9", "lumenfall/openai/gpt-image-9", "lumenfall/fal/gpt-image-2"])
def test_an_id_typed_by_hand_is_asked_for_no_quality_that_nobody_chose(offer: str) -> None:
    run = make_plan(ImageRequest("A red fox"), [offer], CATALOG, default_quality="low").runs[0]
    assert isinstance(run.call.json, dict)
    assert set(run.call.json) - {"response_format"} == {"model", "prompt", "n"}
    asked = make_plan(ImageRequest("A red fox", quality="high"), [offer], CATALOG, default_quality="low").runs[0]
    assert isinstance(asked.call.json, dict)
    assert asked.call.json["quality"] == "high"
    listed = make_plan(ImageRequest("A red fox"), [OFFER], CATALOG, default_quality="low").runs[0]
    assert isinstance(listed.call.json, dict)
    assert listed.call.json["quality"] == "low"
