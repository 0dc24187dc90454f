"""Errors of fal, of its platform and of its models: their kind, what they name, and whether money may be gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.adapter import HttpCall, Reply, ResultCall
from providers.adapters.fal import FalAdapter
from providers.errors import ProviderError
from providers.types import Job
from tests.fakes import fal_faults as fates

FAL = FalAdapter()

ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
AT = f"https://queue.fal.run/openai/gpt-image-2/requests/{ID}"
JOB = Job(ID, {"status": f"{AT}/status", "result": AT, "cancel": f"{AT}/cancel"})
IMAGE = {"url": "https://v3b.fal.media/files/b/fix/out.png", "content_type": "image/png", "width": 1536, "height": 1024}


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def entry(kind: str, *loc: object, msg: str = "Words.") -> dict[str, Any]:
    return {"detail": [{"loc": ["body", *loc], "msg": msg, "type": kind}]}


def platform(kind: str) -> dict[str, str]:
    return {"detail": "Words.", "error_type": kind}


LOCKED = {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}

ERRORS = [
    # status, body, kind, param, billed when it answers the submit, billed when it answers for the job
    (422, fates.BLOCKED.body, "moderation", "prompt", False, False),
    (422, entry("content_policy_violation", "image_urls", 0), "moderation", "image_urls", False, False),
    (422, entry("content_policy_violation"), "moderation", None, False, False),
    (422, {"detail": "It was flagged by a content checker."}, "moderation", None, False, False),
    (422, fates.BAD_VALUE.body, "validation", "image_size", False, False),
    (422, entry("missing", "prompt"), "validation", "prompt", False, False),
    (422, entry("image_too_large", "image_urls", 0), "validation", "image_urls", False, False),
    (422, entry("no_media_generated"), "validation", None, False, True),
    (422, {"detail": "Words."}, "validation", None, False, True),
    (400, platform("bad_request"), "validation", None, False, False),
    (401, fates.UNAUTHORIZED.body, "auth", None, False, True),
    (403, LOCKED, "quota", None, False, True),
    (403, fates.FORBIDDEN.body, "permission", None, False, True),
    (404, fates.NOT_FOUND.body, "not_found", None, False, True),
    (429, fates.RATE_LIMITED.body, "rate_limit", None, False, True),
    (504, platform("request_timeout"), "timeout", None, True, False),
    (504, platform("startup_timeout"), "timeout", None, True, False),
    (503, platform("runner_scheduling_failure"), "server", None, False, False),
    (503, platform("runner_disconnected"), "server", None, False, False),
    (502, platform("runner_incomplete_response"), "server", None, True, False),
    (500, platform("runner_server_error"), "server", None, True, False),
    (500, platform("internal_error"), "server", None, True, False),
    (500, entry("internal_server_error"), "server", None, True, False),
    (499, platform("client_cancelled"), "server", None, False, True),
    (499, {}, "server", None, False, True),
    (502, "<html>nginx</html>", "server", None, True, True),
    (503, None, "server", None, False, True),
]


def ended(answer: Reply) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        FAL.parse_result(answer, JOB)
    return raised.value


@pytest.mark.parametrize(("status", "body", "kind", "param", "at_submit", "of_job"), ERRORS)
def test_errors(status: int, body: object, kind: str, param: str | None, at_submit: bool, of_job: bool) -> None:
    answer = reply(body, status, x_fal_request_id="r-1")
    first, last = FAL.parse_error(answer), ended(answer)
    assert (first.kind, first.status, first.param, first.request_id) == (kind, status, param, "r-1")
    assert (last.kind, last.status, last.param, last.request_id) == (kind, status, param, ID)
    assert (first.may_have_been_billed, last.may_have_been_billed) == (at_submit, of_job)


IN_A_GOOD_ANSWER = [
    (fates.BLOCKED.body, "moderation", "prompt", False),
    (entry("content_policy_violation", "image_urls", 0), "moderation", "image_urls", False),
    (fates.BAD_VALUE.body, "validation", "image_size", False),
    (entry("no_media_generated"), "validation", None, True),
    (platform("runner_server_error"), "server", None, False),
    ({"detail": "Words."}, "server", None, True),
    ({"error": "Words."}, "server", None, True),
    (entry("content_policy_violation") | {"images": []}, "moderation", None, False),
]


@pytest.mark.parametrize(("body", "kind", "param", "billed"), IN_A_GOOD_ANSWER)
def test_an_error_in_an_answer_with_status_200_is_one(
    body: dict[str, Any], kind: str, param: str | None, billed: bool
) -> None:
    error = ended(reply(body))
    assert (error.kind, error.param, error.may_have_been_billed, error.status) == (kind, param, billed, None)
    assert error.request_id == ID
    with_images = FAL.parse_result(reply(body | {"images": [IMAGE]}), JOB)
    assert len(with_images.images) == 1


def test_moderation_says_what_was_stopped() -> None:
    for loc, words in ((("prompt",), "the prompt"), (("image_urls", 0), "an input image"), ((), "this request")):
        message = FAL.parse_error(reply(entry("content_policy_violation", *loc), 422)).message
        assert message.startswith(f"{{provider}} refused {words}.")
        assert "Words." not in message


def test_moderation_counts_before_the_errors_beside_it() -> None:
    both = entry("value_error", "image_size")["detail"] + entry("content_policy_violation", "prompt")["detail"]
    error = FAL.parse_error(reply({"detail": both}, 422))
    assert (error.kind, error.param) == ("moderation", "prompt")


def test_what_fal_said_is_repeated_without_what_looks_like_a_key() -> None:
    error = FAL.parse_error(reply({"detail": "Bad sk-abcdefgh1234"}, 500))
    assert "It said: “Bad [hidden]”" in error.message
    assert "Authentication" not in FAL.parse_error(reply(fates.UNAUTHORIZED.body, 401)).message


def test_headers_tell_as_well() -> None:
    error = FAL.parse_error(reply({"detail": "x"}, 500, x_fal_error_type="request_timeout", retry_after="7"))
    assert (error.kind, error.retry_after_s, error.retryable) == ("timeout", 7.0, True)
    assert not FAL.parse_error(reply({"detail": "x"}, 500, x_fal_retryable="false")).retryable


HOSTILE = [b"", b"null", b"[]", b'"x"', b'{"detail": 7}', b'{"detail": []}', b'{"detail": [7, null]}', b"\xff"]
HOSTILE += [b'{"detail": [{"loc": 7, "msg": 7, "type": 7}]}', b'{"detail": [{"loc": [null]}]}', b'{"error_type": []}']


@pytest.mark.parametrize("body", HOSTILE)
def test_errors_without_their_usual_shape_still_have_a_kind(body: bytes) -> None:
    assert FAL.parse_error(Reply(401, {}, body)).kind == "auth"
    assert FAL.parse_error(Reply(422, {}, body)).kind == "validation"
    assert ended(Reply(500, {}, body)).kind == "server"


# At the end of a job

COMPLETED_ERRORS = [
    # error, error_type, kind, billed
    ("The runner failed.", "runner_server_error", "server", False),
    ("Took too long.", "request_timeout", "timeout", False),
    ("x", "internal_error", "server", False),
    ("Bad size.", "bad_request", "validation", False),
    ("It was flagged by a content checker.", None, "moderation", False),
    ("x", "content_policy_violation", "moderation", False),
    ("Request was cancelled", "client_cancelled", "server", True),
    ("boom", None, "server", True),
    ({"message": "boom"}, 7, "server", True),
    (None, "something_new", "server", True),
]


@pytest.mark.parametrize(("error", "error_type", "kind", "billed"), COMPLETED_ERRORS)
def test_an_error_at_the_end_of_a_job_is_remembered(error: object, error_type: object, kind: str, billed: bool) -> None:
    says = FAL.parse_poll(reply({"status": "COMPLETED", "error": error, "error_type": error_type}), JOB)
    assert isinstance(says, ResultCall)
    assert (says.method, says.path) == ("GET", AT)
    known = says.error
    assert known is not None
    assert (known.kind, known.may_have_been_billed, known.request_id) == (kind, billed, ID)
    assert (f"It said: “{error}”" in known.message) == (isinstance(error, str) and kind != "moderation")


def test_a_job_that_completed_without_an_error_has_none() -> None:
    for empty in ({}, {"error": None, "error_type": None}, {"error": ""}):
        says = FAL.parse_poll(reply({"status": "COMPLETED"} | empty), JOB)
        assert says == HttpCall("GET", AT)
