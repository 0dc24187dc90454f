"""Replicate's errors, lost predictions, cancelling, uploads and key checks."""

from __future__ import annotations

from typing import Any

import pytest

from providers.adapter import Attachment, FilePart, HttpCall
from providers.errors import MalformedReply, ProviderDown
from providers.types import Job, KeyStatus
from tests.fakes import replicate_server as fake
from tests.fakes.http_fake import RawReply
from tests.providers.replicate_world import (
    ADAPTER,
    FLARE,
    ID,
    JOB,
    MINI,
    R1,
    R2,
    SENT_AT,
    document,
    failed,
    picture,
    reply,
)

VERSION = "The specified version does not exist (or perhaps you don't have permission to use it?)"


@pytest.mark.parametrize(
    ("raw", "kind", "param", "wait_s", "words"),
    [
        (fake.UNAUTHENTICATED, "auth", None, None, "refused the key"),
        (fake.NO_CREDIT, "quota", None, None, "Add credit there"),
        (fake.NOT_FOUND, "not_found", None, None, "could not be found"),
        (fake.PROMPT_MISSING, "validation", "input", None, "prompt is required"),
        (fake.BAD_ASPECT, "validation", "aspect_ratio", None, "must be one of the following"),
        (fake.LOW_CREDIT, "rate_limit", None, 5, "add credit"),
        (fake.THROTTLED, "rate_limit", None, 1, "Expected available in 1 second"),
        (fake.SERVER_ERROR, "server", None, None, "error 500"),
        (
            RawReply(422, {"title": "Invalid version or not permitted", "detail": VERSION}),
            "not_found",
            None,
            None,
            "",
        ),
        (RawReply(403, {"detail": "Forbidden"}), "permission", None, None, "Forbidden"),
        (RawReply(503, b"<html>"), "server", None, None, "Nothing was run"),
    ],
)
def test_each_refusal_has_its_kind(raw: Any, kind: str, param: str | None, wait_s: float | None, words: str) -> None:
    error = ADAPTER.parse_error(reply(raw.body, raw.status, **dict(raw.headers)))
    assert (error.kind, error.param, error.retry_after_s, error.status) == (kind, param, wait_s, raw.status)
    assert error.may_have_been_billed is (raw.status == 500)
    assert words in error.message
    assert "{provider}" in error.message


@pytest.mark.parametrize(
    ("body", "headers", "wait_s"),
    [
        ({"retry_after": 5}, {"retry-after": "1"}, 5),
        ({"retry_after": 0.5}, {}, 0.5),
        ({"retry_after": "soon"}, {"retry-after": "1"}, 1),
        ({"retry_after": -1}, {}, None),
        ({"retry_after": True}, {}, None),
        ({"detail": "Request was throttled. Expected available in 1 second."}, {}, 1),
        ({"detail": "Your rate limit resets in ~5s."}, {}, 5),
        (b"", {}, None),
    ],
)
def test_the_wait_is_read_from_the_body_first(body: object, headers: dict[str, str], wait_s: float | None) -> None:
    error = ADAPTER.parse_error(reply(body, 429, **headers))
    assert (error.kind, error.retry_after_s) == ("rate_limit", wait_s)


FIELDS: list[object] = [None, {}, [], [7], [{}], [{"field": 7}], [{"field": ""}]]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", {"detail": ["x"], "title": 7}, *({"invalid_fields": raw} for raw in FIELDS)]
)
def test_refusals_without_their_usual_shape_still_have_a_kind(body: object) -> None:
    error = ADAPTER.parse_error(reply(body, 422))
    assert (error.kind, error.param) == ("validation", None)


def openai_text(status: int, code: str, words: str = "It went wrong.", param: str = "None") -> str:
    inner = f"{{'message': '{words}', 'type': 'x', 'param': {param}, 'code': '{code}'}}"
    return f"Error code: {status} - {{'error': {inner}}}"


@pytest.mark.parametrize(
    ("text", "kind", "may_be_billed", "words"),
    [
        (fake.BLOCKED_TEXT, "moderation", False, "It names: violence."),
        (fake.SENSITIVE_TEXT, "moderation", False, "safety filter"),
        ("This goes against the content policy.", "moderation", False, "safety filter"),
        ("NSFW content detected.", "moderation", False, "safety filter"),
        (fake.BAD_OPENAI_KEY_TEXT, "auth", False, "OpenAI refused the OpenAI key"),
        ("Incorrect API key provided", "auth", False, "OpenAI refused the OpenAI key"),
        ("Error code: 401 - no", "auth", False, "OpenAI refused the OpenAI key"),
        (openai_text(429, "insufficient_quota"), "quota", False, "no credit left"),
        (openai_text(400, "billing_hard_limit_reached"), "quota", False, "no credit left"),
        (openai_text(404, "model_not_found"), "not_found", False, "no longer has this model"),
        (openai_text(400, "invalid_value", "The model does not exist"), "not_found", False, "no longer has this model"),
        (openai_text(403, "None", "Your organization must be verified"), "permission", False, "must be verified"),
        (openai_text(429, "rate_limit_exceeded"), "rate_limit", True, "too many requests"),
        (openai_text(400, "invalid_value"), "validation", False, "It went wrong."),
        (openai_text(500, "server_error", "The model was not found"), "server", True, "error 500"),
        (openai_text(408, "None"), "server", True, "It went wrong."),
        ("Prediction ce005f-e005-4aE005b timed out", "server", True, "timed out"),
        (None, "server", True, "failed while making"),
        ({"detail": ["CUDA"]}, "server", True, "CUDA"),
    ],
)
def test_each_way_to_fail_has_its_kind(text: object, kind: str, may_be_billed: bool, words: str) -> None:
    for polled in (True, False):
        error = failed(R1 | {"status": "failed", "error": text}, polled=polled)
        assert (error.kind, error.may_have_been_billed, error.request_id) == (kind, may_be_billed, ID)
        assert words in error.message
        assert "sk-bad" not in error.message


def test_a_failure_needs_no_more_than_a_status_and_names_openais_field() -> None:
    error = failed({"status": "failed", "output": None, "error": openai_text(400, "invalid_value", param="'size'")})
    assert (error.kind, error.param, error.request_id) == ("validation", "size", ID)


@pytest.mark.parametrize("status", ["canceled", "aborted"])
def test_a_cancelled_prediction_cost_nothing(status: str) -> None:
    body = R1 | {"status": status}
    error = failed(body)
    assert isinstance(error, ProviderDown)
    assert not error.may_have_been_billed
    assert ADAPTER.is_cancelled(reply(body))


def test_cancelling() -> None:
    assert ADAPTER.cancel(JOB) == HttpCall("POST", f"/v1/predictions/{ID}/cancel")
    bodies: list[object] = [R1, R2, {"status": 404}, {"status": "failed"}, b"", []]
    for body in bodies:
        assert not ADAPTER.is_cancelled(reply(body))


# Finding


def found(
    items: list[object], sent: dict[str, object] | None = None, sent_at: str = SENT_AT, model: str = MINI
) -> list[str]:
    listed = reply({"next": None, "previous": None, "results": items})
    asked = (sent or document()) | {"path": f"/v1/models/openai/{model}/predictions"}
    return [job.remote_id for job in ADAPTER.parse_found(listed, asked, sent_at)]


def item(job_id: str = ID, made_at: str = SENT_AT, model: str = MINI, **changes: Any) -> dict[str, object]:
    return R2 | {"id": job_id, "created_at": made_at, "model": f"openai/{model}", "input": R1["input"] | changes}


def test_a_lost_prediction_is_found_by_its_input() -> None:
    assert ADAPTER.find({}, "") == HttpCall("GET", "/v1/predictions")
    assert found([R1]) == [ID]


@pytest.mark.parametrize(
    "changes",
    [{"prompt": "A blue fox"}, {"quality": "high"}, {"number_of_images": 1}, {"user_id": "u"}, {"input_images": ["a"]}],
)
def test_another_input_is_another_prediction(changes: dict[str, Any]) -> None:
    assert found([item(**changes)]) == []


def test_the_key_counts_by_being_there() -> None:
    without = {name: value for name, value in R1["input"].items() if name != "openai_api_key"}
    assert found([R1 | {"input": without}]) == []
    assert found([R1 | {"input": without}], document(FLARE)) == [ID]


def test_input_images_count_by_their_number() -> None:
    sent = document(images=(picture(), picture(300_000)))
    assert found([item(input_images=["https://a.example/1", "https://a.example/2"])], sent) == [ID]
    assert found([item(input_images=["https://a.example/1"]), item()], sent) == []


def test_the_oldest_since_the_call_comes_first() -> None:
    times = {
        "late00000": "2026-11-21T10:00:02Z",
        "early0000": "2026-11-21T09:59:50.000Z",
        "before000": "2026-11-21T09:59:49Z",
    }
    zoned = {"zoned0000": "2026-11-21T12:00:01+02:00", "plain0000": "2026-11-21T10:00:00.123456"}
    listed: list[object] = [item(name, made_at) for name, made_at in (times | zoned).items()]
    assert found(listed) == ["early0000", "plain0000", "zoned0000", "late00000"]


def test_a_prediction_of_another_model_is_not_taken() -> None:
    listed: list[object] = [item("mini00000"), item("first0000", model="gpt-image-1")]
    assert found(listed) == ["mini00000"]
    assert found(listed, model="gpt-image-1") == ["first0000"]
    assert found(listed, model="gpt-image-1.5") == []


def test_a_list_of_another_shape_finds_nothing() -> None:
    bad: list[object] = [None, 7, [], {}, item(made_at="soon"), item("a/b"), R1 | {"id": 7}, R1 | {"input": None}]
    assert found([*bad, R1 | {"created_at": None}]) == []
    assert found([R1], sent_at="") == []
    assert found([R1], {"multipart": []}) == []
    bodies: list[object] = [b"", b"[]", {"results": None}, {"results": {}}]
    for body in bodies:
        assert ADAPTER.parse_found(reply(body), document(), SENT_AT) == ()


# Uploading and checking

FILE = Attachment(b"\x89PNG", "image/png", "0" * 64, "image-1.png", upload=True)


def test_an_upload_is_one_form_with_one_file() -> None:
    steps = ADAPTER.upload(FILE)
    part = FilePart("content", "image-1.png", "image/png", FILE.data, FILE.sha256)
    assert next(steps) == HttpCall("POST", "/v1/files", files=(part,))
    address = "https://api.replicate.com/v1/files/file-fix-1"
    with pytest.raises(StopIteration) as done:
        steps.send(reply({"id": "file-fix-1", "name": "a.png", "urls": {"get": address}}, 201))
    assert done.value.value == address


@pytest.mark.parametrize("body", [b"", {}, {"urls": None}, {"urls": {}}, {"urls": {"get": 7}}, {"urls": ["a"]}])
def test_an_upload_without_an_address_cost_nothing(body: object) -> None:
    steps = ADAPTER.upload(FILE)
    next(steps)
    with pytest.raises(MalformedReply) as raised:
        steps.send(reply(body, 201))
    assert not raised.value.may_have_been_billed


def test_the_key_is_checked_by_the_account() -> None:
    assert ADAPTER.check() == HttpCall("GET", "/v1/account")
    assert ADAPTER.parse_check(reply({"type": "user", "username": "test-account"})) == KeyStatus(
        "Signed in as test-account."
    )
    assert ADAPTER.parse_check(reply({"type": "user"})).words == "The key is good."
    assert ADAPTER.poll(Job(ID)) == HttpCall("GET", f"/v1/predictions/{ID}")
