"""What Lumenfall answers: the reference's fixtures, hostile answers, errors, the balance and quotes."""

from __future__ import annotations

import orjson
import pytest

from providers.adapter import HttpCall, Reply
from providers.adapters.lumenfall import LumenfallAdapter
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
from providers.types import GeneratedImage, RemoteImage

ADAPTER = LumenfallAdapter()
PNG1 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNQq9j0HwAEaAJQJeqrSgAAAABJRU5ErkJggg=="
L1_HEADERS = {"x-lumenfall-provider": "openai", "x-lumenfall-model": "gpt-image-2"}
L1_HEADERS |= {"x-lumenfall-request-id": "req_lf_1"}
METADATA = {
    "model": "gpt-image-2",
    "executed_model": "openai/gpt-image-2",
    "provider": "openai",
    "provider_name": "OpenAI",
    "cost": 0.005945,
    "cost_currency": "USD",
}
L1 = {
    "created": 1795248000,
    "size": "1024x1024",
    "output_format": "png",
    "data": [{"url": "https://media.lumenfall.ai/fix/1.png"}],
    "metadata": METADATA,
}


def test_l1_is_read() -> None:
    result = ADAPTER.parse(Reply(200, L1_HEADERS, orjson.dumps(L1)))
    assert result.images == (RemoteImage("https://media.lumenfall.ai/fix/1.png"),)
    assert result.answered.got == {
        "size": "1024x1024",
        "output_format": "png",
        "route": "openai/gpt-image-2",
        "provider_name": "OpenAI",
    }
    assert result.answered.cost_microusd == 5945
    assert result.answered.request_id == "req_lf_1"
    assert result.answered.usage is None


@pytest.mark.parametrize(
    ("change", "headers", "cost", "route", "request_id"),
    [
        ({"metadata": METADATA | {"cost": "0.02"}}, {}, 20_000, "openai/gpt-image-2", None),
        ({"metadata": METADATA | {"cost_currency": "EUR"}}, {}, None, "openai/gpt-image-2", None),
        ({"metadata": METADATA | {"cost": -1}}, {}, None, "openai/gpt-image-2", None),
        ({"metadata": None, "id": "gen_7"}, {}, None, None, "gen_7"),
        ({"metadata": "free"}, L1_HEADERS, None, "openai/gpt-image-2", "req_lf_1"),
        ({"metadata": {"cost": 0.1, "executed_model": 7}, "size": 5}, {}, 100_000, None, None),
    ],
)
def test_what_the_gateway_tells_beside_the_images(
    change: dict[str, object], headers: dict[str, str], cost: int | None, route: str | None, request_id: str | None
) -> None:
    body = L1 | {"data": [{"b64_json": PNG1}]} | change
    result = ADAPTER.parse(Reply(200, headers, orjson.dumps(body)))
    assert isinstance(result.images[0], GeneratedImage)
    assert (result.answered.cost_microusd, result.answered.got.get("route")) == (cost, route)
    assert result.answered.request_id == request_id


HOSTILE: list[object] = [None, [], {}, {"data": None}, {"data": []}, {"data": {}}, {"data": [None]}, {"data": [{}]}]
HOSTILE += [{"data": [{"b64_json": ""}]}, {"data": [{"b64_json": 5, "url": 7}]}, {"data": ["x"]}]


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_answer_is_malformed(body: object) -> None:
    with pytest.raises(MalformedReply) as caught:
        ADAPTER.parse(Reply(200, {"x-lumenfall-request-id": "r"}, orjson.dumps(body)))
    assert (caught.value.may_have_been_billed, caught.value.request_id) == (True, "r")


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "billed"),
    [
        (401, "AUTHENTICATION_FAILED", "Invalid API key", InvalidKey, False),
        (402, "INSUFFICIENT_BALANCE", "Insufficient balance", QuotaExceeded, False),
        (400, "INVALID_REQUEST", "Too big: expected string to have <=1000 characters", InvalidRequest, False),
        (400, "INVALID_REQUEST", "Bad size", InvalidRequest, False),
        (400, "CONTENT_POLICY_VIOLATION", "The request was rejected", ContentRefused, False),
        (404, "MODEL_NOT_FOUND", "Model 'gpt-image-9' not found", ModelUnavailable, False),
        (404, "MODEL_DISABLED", "off", ModelUnavailable, False),
        (429, "RATE_LIMITED", "Rate limit exceeded", RateLimited, False),
        (502, "ALL_PROVIDERS_EXHAUSTED", "All providers failed", ProviderDown, True),
        (500, "INTERNAL_ERROR", "Internal error", ProviderDown, True),
        (503, "UPSTREAM_ERROR", "The provider failed", ProviderDown, False),
        (400, "UPSTREAM_ERROR", "Invalid size", InvalidRequest, False),
        (400, "UPSTREAM_ERROR", "Your request was rejected by the safety system.", ContentRefused, False),
        (401, "UPSTREAM_ERROR", "Incorrect API key provided", ProviderDown, False),
        (429, "UPSTREAM_ERROR", "slow down", RateLimited, False),
        (429, "UPSTREAM_ERROR", "You exceeded your current quota, please check your plan", QuotaExceeded, False),
        (400, "UPSTREAM_ERROR", "Billing hard limit has been reached.", QuotaExceeded, False),
        (429, "NEW_CODE", "insufficient_quota", QuotaExceeded, False),
        (400, "", "safety_violations=[violence]", ContentRefused, False),
        (403, "", "", NotPermitted, False),
        (504, "NEW_CODE", "late", ProviderDown, True),
    ],
)
def test_an_error(status: int, code: str, message: str, kind: type[ProviderError], billed: bool) -> None:
    body = {"error": {"message": message, "type": "some_error", "code": code}}
    error = ADAPTER.parse_error(Reply(status, {"x-lumenfall-request-id": "req_9"}, orjson.dumps(body)))
    assert type(error) is kind
    assert (error.status, error.request_id, error.may_have_been_billed) == (status, "req_9", billed)
    assert "{provider}" in error.message


def test_a_prompt_too_long_is_said_plainly() -> None:
    message = "Too big: expected string to have <=1000 characters"
    error = ADAPTER.parse_error(Reply(400, {}, orjson.dumps({"error": {"message": message}})))
    assert error.message == "The prompt is too long for {provider}, which takes 1,000 characters here. Shorten it."
    assert error.param == "prompt"


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"error": null}', b'{"error": 5}', b'{"error": {"code": []}}'])
def test_an_error_without_words_follows_the_status(body: bytes) -> None:
    assert type(ADAPTER.parse_error(Reply(402, {}, body))) is QuotaExceeded


@pytest.mark.parametrize(
    ("code", "kind", "billed"),
    [("CONTENT_POLICY_VIOLATION", ContentRefused, False), ("INTERNAL_ERROR", ProviderDown, True)],
)
def test_an_error_inside_a_good_status(code: str, kind: type[ProviderError], billed: bool) -> None:
    with pytest.raises(kind) as caught:
        ADAPTER.parse(Reply(200, {}, orjson.dumps({"error": {"message": "m", "code": code}})))
    assert (caught.value.status, caught.value.may_have_been_billed) == (None, billed)


@pytest.mark.parametrize(
    ("available", "balance", "words"),
    [
        ({"amount": "12.34", "currency": "usd"}, 12_340_000, "The key is good. Balance: $12.34."),
        ({"amount": 7, "currency": "usd"}, 7_000_000, "The key is good. Balance: $7.00."),
        ({"amount": "-3.5", "currency": "usd"}, -3_500_000, "The key is good. Balance: −$3.50."),
        ({"amount": "12345678", "currency": "USD"}, 12_345_678 * 10**6, "The key is good. Balance: $12,345,678.00."),
        ({"amount": None}, None, "The key is good."),
        ({"amount": "12.34", "currency": "eur"}, None, "The key is good."),
        ("much", None, "The key is good."),
    ],
)
def test_the_check_asks_for_the_balance(available: object, balance: int | None, words: str) -> None:
    assert ADAPTER.check() == HttpCall("GET", "/v1/balance", base="origin")
    body = {"object": "balance", "billing_type": "prepaid", "available": available}
    status = ADAPTER.parse_check(Reply(200, {}, orjson.dumps(body)))
    assert (status.balance_microusd, status.words) == (balance, words)


@pytest.mark.parametrize(
    ("change", "micros"),
    [({}, 5945), ({"currency": "EUR"}, None)]
    + [({"total_cost_micros": bad}, None) for bad in ("5945", 5945.5, True, -1, None, 10**12)],
)
def test_l2_is_read(change: dict[str, object], micros: int | None) -> None:
    body = {"estimated": True, "model": "gpt-image-2", "total_cost_micros": 5945, "currency": "USD"} | change
    assert ADAPTER.parse_quote(Reply(200, {}, orjson.dumps(body))) == micros
