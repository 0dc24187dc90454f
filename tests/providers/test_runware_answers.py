"""What the Runware adapter reads: fixtures W1 to W5, the error table row by row, jobs in all states, and nonsense."""

from __future__ import annotations

import base64
import json

import pytest

from providers.adapter import CALL_ID, HttpCall, PollPace, Reply
from providers.adapters.runware import RunwareAdapter
from providers.errors import JobUnknown, MalformedReply, ProviderDown, ProviderError
from providers.types import GeneratedImage, ImageResult, Job, Pending, RemoteImage
from tests.fakes import runware_server
from tests.fakes.http_fake import RawReply

ADAPTER = RunwareAdapter()
W1_ID = "2b6f0cc9-04d8-4f0e-9a3e-1c1d3c1b7a01"
PNG0 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="  # fixture PNG0
TASK = {"taskType": "imageInference", "taskUUID": W1_ID}
URL = "https://im.runware.ai/image/ws/2/ii/"
URL_A, URL_1 = f"{URL}a.png", f"{URL}5b1a3d8e-0f6f-4d3c-8a11-6a2d9f5f0001.png"
ITEM = TASK | {
    "imageUUID": "5b1a3d8e-0f6f-4d3c-8a11-6a2d9f5f0001",
    "imageURL": URL_1,
    "seed": 1234567,
    "cost": 0.006005,
}
URL_2 = f"{URL}5b1a3d8e-0f6f-4d3c-8a11-6a2d9f5f0002.png"
ITEM_2 = ITEM | {"imageURL": URL_2, "seed": 1234568}
ITEM_A = {name: value for name, value in ITEM.items() if name != "seed"} | {"imageURL": URL_A}
BASE64 = TASK | {"imageBase64Data": PNG0, "cost": 0.011}
PROCESSING = TASK | {"status": "processing", "progress": 40}
REFUSED = TASK | {
    "code": "invalidProviderContent",
    "message": "The provider rejected the request because of its content policy.",
}
LATE = TASK | {
    "status": "error",
    "code": "timeoutProvider",
    "message": "The external provider did not respond within the timeout window.",
}
BUSY = {"taskType": "getResponse", "taskUUID": W1_ID, "code": "inferenceRateLimitExceeded"}
JOB = Job(W1_ID)
WAITS = Pending(JOB)


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, headers, json.dumps(body).encode())


def seen(body: object, *, polled: bool = True) -> ImageResult | Pending:
    return ADAPTER.parse_poll(reply(body), JOB) if polled else ADAPTER.parse(reply(body))


@pytest.mark.parametrize("polled", [True, False])
@pytest.mark.parametrize(
    ("items", "images", "cost"),
    [
        ([ITEM, ITEM_2], (RemoteImage(URL_1, 1234567), RemoteImage(URL_2, 1234568)), 12_010),  # W1
        ([BASE64], (GeneratedImage(base64.b64decode(PNG0)),), 11_000),  # W2
        ([TASK | {"imageDataURI": f"data:image/png;base64,{PNG0}"}], (GeneratedImage(base64.b64decode(PNG0)),), None),
        ([ITEM_A | {"status": "success"}], (RemoteImage(URL_A),), 6005),  # W4
        ([ITEM_A, ITEM_A | {"cost": None}], (RemoteImage(URL_A),) * 2, None),
        ([ITEM_A | {"cost": "free"}], (RemoteImage(URL_A),), None),
        ([ITEM_A | {"cost": 0.0000004}] * 5, (RemoteImage(URL_A),) * 5, 2),
    ],
)
def test_images_and_cost(items: list[object], images: tuple[object, ...], cost: int | None, polled: bool) -> None:
    result = seen({"data": items}, polled=polled)
    assert isinstance(result, ImageResult)
    assert (result.images, result.failures, result.answered.got) == (images, (), {})
    assert (result.answered.cost_microusd, result.answered.request_id) == (cost, W1_ID)


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ({"data": [ITEM_A], "errors": [REFUSED]}, ["moderation"]),  # W3
        ({"data": [ITEM_A, LATE]}, ["timeout"]),
        ({"data": [LATE, ITEM_A], "errors": [REFUSED, "words"]}, ["timeout", "moderation", "server"]),
        ({"data": [ITEM_A, TASK | {"imageURL": 5}, 7, BASE64 | {"imageBase64Data": "*"}, TASK]}, ["malformed"] * 4),
    ],
)
def test_images_are_kept_beside_failures(body: object, kinds: list[str]) -> None:
    for polled in (True, False):
        result = seen(body, polled=polled)
        assert isinstance(result, ImageResult)
        assert result.images == (RemoteImage(URL_A),)
        assert [failure.kind for failure in result.failures] == kinds


@pytest.mark.parametrize(
    ("body", "polled", "expected"),
    [
        ({"data": [TASK]}, False, WAITS),
        ({"data": [TASK], "errors": [REFUSED]}, False, WAITS),
        ({"data": [PROCESSING]}, True, Pending(JOB, "processing, 40%")),
        ({"data": [ITEM_A, PROCESSING | {"progress": "x"}], "errors": [REFUSED]}, True, Pending(JOB, "processing")),
        ({"data": []}, True, WAITS),
        ({}, True, WAITS),
        ({"data": [TASK | {"status": "success"}]}, True, WAITS),
        ({"errors": [BUSY]}, True, WAITS),
    ],
)
def test_not_yet(body: object, polled: bool, expected: Pending) -> None:
    assert seen(body, polled=polled) == expected


@pytest.mark.parametrize(
    ("body", "kind", "billed"),
    [
        ({"errors": [LATE]}, "timeout", True),  # W4
        ({"data": [LATE]}, "timeout", True),
        ({"errors": [REFUSED]}, "moderation", False),
        ({"errors": [REFUSED, LATE]}, "moderation", True),
        ({"errors": [BUSY | {"code": "invalidApiKey"}]}, "auth", True),
    ],
)
def test_a_job_that_failed(body: object, kind: str, billed: bool) -> None:
    with pytest.raises(ProviderError) as raised:
        seen(body)
    assert (raised.value.kind, raised.value.may_have_been_billed, raised.value.request_id) == (kind, billed, W1_ID)


@pytest.mark.parametrize("task_type", ["getResponse", "imageInference"])
@pytest.mark.parametrize("code", ["taskNotFound", "taskFailedOrNotFound", "taskResultExpired"])
def test_a_job_that_is_not_known(task_type: str, code: str) -> None:
    with pytest.raises(JobUnknown) as raised:
        seen({"errors": [TASK | {"taskType": task_type, "code": code}]})
    assert isinstance(raised.value, ProviderDown)
    assert raised.value.may_have_been_billed


@pytest.mark.parametrize(
    ("answer", "kind", "param"),
    [
        (runware_server.INVALID_KEY, "auth", "apiKey"),
        (runware_server.BAD_DIMENSIONS, "validation", "width"),
        (runware_server.THIRD_PARTY_CREDITS, "quota", None),
        (runware_server.NO_CREDITS, "quota", None),
        (runware_server.RATE_LIMITED, "rate_limit", None),
        (runware_server.UNAVAILABLE, "server", None),
    ],
)
def test_w5(answer: RawReply, kind: str, param: str | None) -> None:
    error = ADAPTER.parse_error(reply(answer.body, answer.status))
    assert (error.kind, error.param, error.status) == (kind, param, answer.status)
    assert not error.may_have_been_billed


FAMILIES = {
    "quota": "thirdPartyInsufficientCredits insufficientCredits quotaExceeded lowBalance paymentRequired "
    "environmentPaused",
    "rate_limit": "providerRateLimitExceeded inferenceRateLimitExceeded rateLimitExceeded",
    "moderation": "contentPolicyViolation providerContentPolicyViolation sensitiveContentDetected "
    "unsafeContentDetected nsfwContentDetected promptBlocked imageBlocked moderationFailed invalidProviderContent",
    "auth": "invalidApiKey missingApiKey unauthorized tokenExpired",
    "permission": "forbidden permissionDenied accountSuspended",
    "timeout": "timeoutProvider requestTimeout providerTimeout",
    "not_found": "unknownModel modelNotFound imageNotFound linkExpired taskCancelled",
    "server": "internalServerError serviceUnavailable serverUnavailable standardError unknownError inferenceError "
    "processingFailed taskFailed downloadFailed uploadFailed noAvailableServer modelUnavailable modelDisabled "
    "modelNotReady providerError taskNotFound taskFailedOrNotFound",
    "validation": "invalidSeed missingDimensionParameters conflictTaskUUID duplicateTask unsupportedDimensions "
    "valueTooHigh arrayTooLong maxLength unknownParameter incompatibleParameters somethingNew",
}
RAN = {"conflictTaskUUID", "taskCancelled"}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in FAMILIES.items() for code in codes.split()])
def test_codes(kind: str, code: str) -> None:
    raw = {"code": code, "message": "Words.", "parameter": ["width", "height"], "taskUUID": W1_ID}
    error = ADAPTER.parse_error(reply({"errors": [raw]}, 400))
    assert (error.kind, error.param, error.request_id, error.status) == (kind, "width", W1_ID, 400)
    assert error.may_have_been_billed == (kind in ("timeout", "server") or code in RAN)
    assert ("Words." in error.message) == (kind not in ("moderation", "auth"))


@pytest.mark.parametrize(
    ("status", "code", "kind", "billed"),
    [
        (401, "invalidApiKey", "auth", False),
        (400, "thirdPartyInsufficientCredits", "quota", False),
        (402, "new", "quota", False),
        (429, "maxTasks", "rate_limit", False),
        (503, "serviceUnavailable", "server", False),
        (500, "new", "server", True),
        (504, "new", "server", True),
        (404, "new", "not_found", False),
    ],
)
def test_statuses(status: int, code: str, kind: str, billed: bool) -> None:
    error = ADAPTER.parse_error(
        reply({"errors": [{"code": code, "parameter": "model"}]}, status, **{"retry-after": "7"})
    )
    assert (error.kind, error.may_have_been_billed, error.param, error.retry_after_s) == (kind, billed, "model", 7)
    if code == "new":
        for body in (b"", b"<html>", b"[]", b'{"errors": 5}', b'{"errors": [null]}', b'{"error": {"code": [1]}}'):
            assert ADAPTER.parse_error(Reply(status, {}, body)).kind == kind


@pytest.mark.parametrize(
    "body", [5, [], "x", {}, {"data": []}, {"data": 5}, {"data": [7]}, {"data": [{"imageURL": []}]}]
)
def test_an_answer_that_cannot_be_read_says_so(body: object) -> None:
    with pytest.raises(MalformedReply) as raised:
        seen(body, polled=False)
    assert raised.value.may_have_been_billed


def test_jobs_are_known_by_our_id_and_asked_for_at_this_pace() -> None:
    assert ADAPTER.own_job(W1_ID) == JOB
    assert ADAPTER.poll(JOB) == HttpCall("POST", "", json=[{"taskType": "getResponse", "taskUUID": W1_ID}])
    assert ADAPTER.pace == PollPace(1.0, 1.5, 10.0)
    assert ADAPTER.cancel(JOB) is None


def test_a_key_is_checked_by_the_account() -> None:
    details = {"taskType": "accountManagement", "taskUUID": CALL_ID, "operation": "getDetails"}
    assert ADAPTER.check() == HttpCall("POST", "", json=[details])
    for balance, known in ((12.34, 12_340_000), (0, 0), ("12", None), (True, None), (1e30, None), (None, None)):
        status = ADAPTER.parse_check(reply({"data": [{"balance": balance}]}))
        assert status.balance_microusd == known
        assert ("at least $5" in status.words) == (known == 0)
    with pytest.raises(ProviderError):
        ADAPTER.parse_check(reply({"errors": [{"code": "invalidApiKey"}]}))
