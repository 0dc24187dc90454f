"""What OpenAI-compatible servers answer: images, usage, errors of every shape, and their lists of models."""

from __future__ import annotations

import orjson
import pytest

from providers.adapter import HttpCall, Reply
from providers.adapters.compatible import CompatibleAdapter
from providers.errors import (
    ContentRefused,
    InvalidKey,
    InvalidRequest,
    MalformedReply,
    ModelUnavailable,
    NotPermitted,
    ProviderDown,
    ProviderError,
    QuotaExceeded,
    RateLimited,
)
from providers.types import NO_LIST, GeneratedImage, RemoteImage

ADAPTER = CompatibleAdapter()
PNG1 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNQq9j0HwAEaAJQJeqrSgAAAABJRU5ErkJggg=="
LOCALAI_URL = "http://localhost:8080/generated-images/b64123.png"
C3 = {
    "id": "x",
    "created": 1,
    "data": [{"b64_json": None, "url": LOCALAI_URL}],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
}


@pytest.mark.parametrize(
    ("body", "image"),
    [
        ({"created": 1795248000.5, "data": [{"url": "/v1/images/abc.png"}]}, RemoteImage("/v1/images/abc.png")),
        ({"data": [{"b64_json": f"data:image/png;base64,{PNG1}"}]}, None),
        ({"data": [{"b64_json": PNG1, "file_path": "x", "resize": 1}], "metrics": {}}, None),
        ({"data": [{"url": f"data:image/png;base64,{PNG1}"}]}, None),
        (C3, RemoteImage(LOCALAI_URL)),
        ({"data": [{"url": "https://a/b.png", "revised_prompt": "r"}]}, RemoteImage("https://a/b.png", None, "r")),
    ],
)
def test_c1_to_c3_are_read(body: object, image: RemoteImage | None) -> None:
    result = ADAPTER.parse(Reply(200, {}, orjson.dumps(body)))
    (found,) = result.images
    if image is None:
        assert isinstance(found, GeneratedImage)
        assert found.data.startswith(b"\x89PNG")
    else:
        assert found == image
    assert result.answered.usage is None
    assert result.answered.cost_microusd is None


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}, None),
        ({"input_tokens": 5, "output_tokens": 196, "input_tokens_details": {"text_tokens": 5}}, 196),
        ([], None),
        ("many", None),
    ],
)
def test_zeros_are_no_usage(usage: object, tokens: int | None) -> None:
    body = {"data": [{"b64_json": PNG1}], "usage": usage}
    found = ADAPTER.parse(Reply(200, {}, orjson.dumps(body))).answered.usage
    assert (found.output_tokens if found else None) == tokens


@pytest.mark.parametrize(("told", "cost"), [("0.0421", 42_100), ("4.2e-05", 42), ("None", None), ("-1", None)])
def test_the_cost_litellm_tells(told: str, cost: int | None) -> None:
    headers = {"x-litellm-response-cost": told, "x-litellm-call-id": "call-1"}
    answered = ADAPTER.parse(Reply(200, headers, orjson.dumps({"data": [{"b64_json": PNG1}]}))).answered
    assert (answered.cost_microusd, answered.request_id) == (cost, "call-1")


HOSTILE: list[object] = [None, [], {}, {"data": None}, {"data": []}, {"data": {}}, {"data": [None]}, {"data": [{}]}]
HOSTILE += [{"data": [{"b64_json": ""}]}, {"data": [{"b64_json": 5, "url": 7}]}, {"data": [{"url": "data:,"}]}]


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_answer_is_malformed(body: object) -> None:
    with pytest.raises(MalformedReply):
        ADAPTER.parse(Reply(200, {}, orjson.dumps(body)))


EXTRA = {"type": "extra_forbidden", "loc": ["body", "quality"], "msg": "Extra inputs are not permitted"}
NO_EDITS = "no edits route"


@pytest.mark.parametrize(
    ("status", "body", "kind", "param", "words"),
    [
        (422, {"detail": [EXTRA]}, InvalidRequest, "quality", "Switch it off"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "too big"}, EXTRA]}, InvalidRequest, "quality", "n: too big"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "too big"}]}, InvalidRequest, "n", "n: too big"),
        (422, {"detail": [{"loc": ["body", "image[]"], "msg": "bad"}]}, InvalidRequest, "images", "bad"),
        (422, {"detail": "Cannot specify both"}, InvalidRequest, None, "Cannot specify both"),
        (
            400,
            {"error": {"message": "no", "code": "unknown_parameter", "param": "user"}},
            InvalidRequest,
            "user",
            "off",
        ),
        (400, {"error": "Unrecognized request argument supplied: style"}, InvalidRequest, "style", "Switch it off"),
        (400, {"message": "Unknown parameter: 'user'."}, InvalidRequest, "user", "Switch it off"),
        (400, {"error": "Extra inputs are not permitted"}, InvalidRequest, None, "one of the fields"),
        (400, {"object": "error", "message": "m", "type": "BadRequestError", "code": 400}, InvalidRequest, None, "“m”"),
        (401, {"detail": "API key missing"}, InvalidKey, None, "asks for a key"),
        (401, {"error": {"message": "wrong", "code": "401"}}, InvalidKey, None, "refused the key"),
        (403, {"detail": "Invalid API key"}, InvalidKey, None, "refused the key"),
        (403, {"detail": "API key missing"}, InvalidKey, None, "asks for a key"),
        (403, {"detail": "Not for you"}, NotPermitted, None, "Not for you"),
        (404, {"detail": "Not Found"}, ModelUnavailable, None, NO_EDITS),
        (404, b"", ModelUnavailable, None, NO_EDITS),
        (404, {"error": "Cannot POST /v1/images/edits"}, ModelUnavailable, None, NO_EDITS),
        (405, {"detail": "Method Not Allowed"}, InvalidRequest, None, NO_EDITS),
        (404, {"object": "error", "message": "The model `x` does not exist."}, ModelUnavailable, None, "this model"),
        (400, {"error": {"message": "Invalid model name passed in model=x"}}, ModelUnavailable, None, "this model"),
        (400, {"error": {"message": "x", "code": "content_policy_violation"}}, ContentRefused, None, "refused this"),
        (400, {"error": {"message": "litellm.ContentPolicyViolationError: x"}}, ContentRefused, None, "refused this"),
        (402, {"error": "empty"}, QuotaExceeded, None, "no credit"),
        (429, {"error": {"message": "x", "code": "insufficient_quota"}}, QuotaExceeded, None, "no credit"),
        (429, {"detail": "busy"}, RateLimited, None, "busy"),
        (429, {"detail": "You exceeded your current quota."}, QuotaExceeded, None, "no credit"),
        (429, {"message": "insufficient_quota"}, QuotaExceeded, None, "no credit"),
        (403, {"detail": "Billing hard limit has been reached."}, QuotaExceeded, None, "no credit"),
        (
            400,
            {"error": {"message": "safety_violations=[violence]", "param": "None"}},
            ContentRefused,
            None,
            "violence",
        ),
        (400, {"error": {"message": "Bad size", "param": "None", "code": "400"}}, InvalidRequest, None, "Bad size"),
        (500, {"error": "model not loaded"}, ProviderDown, None, "has not loaded this model"),
        (503, {"detail": "Model is not available"}, ProviderDown, None, "has not loaded this model"),
        (503, {"detail": "busy"}, ProviderDown, None, "Nothing was run"),
        (502, b"<html><title>502 Bad Gateway</title></html>", ProviderDown, None, "“502 Bad Gateway”"),
        (500, b"", ProviderDown, None, "error 500"),
    ],
)
def test_an_error(status: int, body: object, kind: type[ProviderError], param: str | None, words: str) -> None:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    error = ADAPTER.parse_error(Reply(status, {"x-request-id": "r-1"}, raw))
    assert type(error) is kind
    assert (error.param, error.status, error.request_id) == (param, status, "r-1")
    assert words in error.message
    assert "{provider}" in error.message
    assert error.may_have_been_billed == (status in (500, 502))


ODD: list[object] = [None, [], 5, {"error": []}, {"error": {}}, {"error": {"message": {"a": 1}, "param": 7}}]
ODD += [{"detail": []}, {"detail": [1]}, {"detail": {}}, {"detail": [{"loc": 5, "msg": None}]}, {"detail": [{}, None]}]


@pytest.mark.parametrize("body", ODD)
def test_an_odd_error_follows_the_status(body: object) -> None:
    assert type(ADAPTER.parse_error(Reply(400, {}, orjson.dumps(body)))) is InvalidRequest


def test_long_words_are_capped() -> None:
    error = ADAPTER.parse_error(Reply(500, {}, b"x" * 100_000))
    assert len(error.message) < 1000


@pytest.mark.parametrize(
    ("body", "kind", "billed"),
    [
        ({"error": "out of memory"}, ProviderDown, True),
        ({"error": {"message": "no", "code": "moderation_blocked"}}, ContentRefused, False),
        ({"object": "error", "message": "bad size", "code": 400}, InvalidRequest, False),
        ({"object": "error", "message": "boom", "code": "many"}, ProviderDown, True),
    ],
)
def test_an_error_inside_a_good_status(body: object, kind: type[ProviderError], billed: bool) -> None:
    with pytest.raises(kind) as caught:
        ADAPTER.parse(Reply(200, {}, orjson.dumps(body)))
    assert caught.value.may_have_been_billed == billed


@pytest.mark.parametrize(
    ("body", "models", "words"),
    [
        ({"data": [{"id": "flux"}, {"id": "sdxl"}, {"id": 5}]}, ("flux", "sdxl"), "lists 2 models."),
        ({"data": [{"id": "flux"}]}, ("flux",), "lists 1 model."),
        ({"data": []}, (), "lists no models."),
    ],
)
def test_the_check_lists_the_models(body: object, models: tuple[str, ...], words: str) -> None:
    assert ADAPTER.check() == HttpCall("GET", "/models")
    status = ADAPTER.parse_check(Reply(200, {}, orjson.dumps(body)))
    assert status.models == models
    assert (status.words, status.is_tested) == (f"The server answers and {words}", True)


@pytest.mark.parametrize("body", [{"data": None}, {}, [], None, "list", {"models": [{"name": "flux"}]}])
def test_a_server_without_a_list_of_models_proves_nothing(body: object) -> None:
    status = ADAPTER.parse_check(Reply(200, {}, orjson.dumps(body)))
    assert (status.words, status.models, status.is_tested) == (NO_LIST, (), False)


def test_a_refusal_with_a_good_status_is_no_list() -> None:
    with pytest.raises(MalformedReply):
        ADAPTER.parse_check(Reply(200, {}, b'{"error": {"message": "no"}}'))
