"""What the Runware adapter reads: fixtures W1 to W5, the error table row by row, jobs in all states, and nonsense."""

from __future__ import annotations

import base64
import json

import pytest

from providers.adapter import CALL_ID, HttpCall, PollPace, Reply
from providers.adapters.runware import RunwareAdapter
from providers.errors import InvalidKey, JobUnknown, MalformedReply, ProviderError
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
ITEM_2 = ITEM | {"imageUUID": "5b1a3d8e-0f6f-4d3c-8a11-6a2d9f5f0002", "imageURL": URL_2, "seed": 1234568}
ITEM_A = {name: value for name, value in ITEM.items() if name not in ("seed", "imageUUID")} | {"imageURL": URL_A}
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
        ({"data": [LATE, ITEM_A], "errors": [REFUSED, "words"]}, ["timeout", "moderation", "unknown"]),
        ({"data": [ITEM_A, TASK | {"imageURL": 5}, 7, BASE64 | {"imageBase64Data": ""}, TASK]}, ["malformed"] * 4),
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
        ({"data": []}, True, WAITS),
        ({}, True, WAITS),
        ({"data": [TASK | {"status": "success"}]}, True, WAITS),
        ({"errors": [BUSY]}, True, WAITS),
    ],
)
def test_not_yet(body: object, polled: bool, expected: Pending) -> None:
    assert seen(body, polled=polled) == expected


# How many were asked for


OF_FOUR = Job(W1_ID, {"images": "4"})
ITEMS = [ITEM | {"imageUUID": f"image-{number}", "imageURL": f"{URL}{number}.png"} for number in range(5)]
BAD = TASK | {"imageUUID": "image-9", "status": "error", "code": "invalidProviderContent"}
LOST = {"code": "timeoutProvider", "message": "x"} | TASK


def of_four(*items: object, errors: tuple[object, ...] = ()) -> ImageResult | Pending:
    return ADAPTER.parse_poll(reply({"data": list(items), "errors": list(errors)}), OF_FOUR)


WHOLE: list[tuple[list[object], tuple[object, ...], int, list[str]]] = [
    (ITEMS[:4], (), 4, []),
    # More than were asked for are kept; what else is said to be processed is old news.
    (ITEMS, (), 5, []),
    ([*ITEMS[:4], PROCESSING], (), 4, []),
    ([*ITEMS[:3], BAD], (), 3, ["moderation"]),
    ([*ITEMS[:3], BAD | {"status": "ERROR"}], (), 3, ["moderation"]),
    (ITEMS[:3], (LOST,), 3, ["timeout"]),
    ([ITEMS[0], BAD, BAD | {"imageUUID": "image-8"}], (LOST,), 1, ["moderation", "moderation", "timeout"]),
]


@pytest.mark.parametrize(("items", "errors", "images", "kinds"), WHOLE)
def test_a_job_has_ended_when_as_many_have_as_were_asked_for(
    items: list[object], errors: tuple[object, ...], images: int, kinds: list[str]
) -> None:
    found = of_four(*items, errors=errors)
    assert isinstance(found, ImageResult)
    assert len(found.images) == images
    assert [failure.kind for failure in found.failures] == kinds
    assert found.answered.cost_microusd == 6005 * images


NOT_WHOLE: list[tuple[list[object], tuple[object, ...], int, str]] = [
    (ITEMS[:2], (), 2, "2 of 4 images ready"),
    ([ITEMS[0], ITEMS[0], ITEMS[0], ITEMS[0]], (), 1, "1 of 4 images ready"),
    ([*ITEMS[:3], ITEMS[3] | {"taskUUID": "another"}], (), 3, "3 of 4 images ready"),
    ([*ITEMS[:3], PROCESSING], (), 3, "processing, 40%, 3 of 4 images ready"),
    ([*ITEMS[:2], BAD, PROCESSING | {"status": "Processing", "progress": None}], (LOST,), 2,
     "processing, 2 of 4 images ready"),
    ([*ITEMS[:3], TASK], (), 3, "3 of 4 images ready"),
    (ITEMS[:3], (BUSY,), 3, "3 of 4 images ready"),
    (ITEMS[:3], (LOST | {"taskUUID": "another"},), 3, "3 of 4 images ready"),
]  # fmt: skip


@pytest.mark.parametrize(("items", "errors", "images", "words"), NOT_WHOLE)
def test_until_then_what_is_there_is_remembered(
    items: list[object], errors: tuple[object, ...], images: int, words: str
) -> None:
    found = of_four(*items, errors=errors)
    assert isinstance(found, Pending)
    assert (found.job, found.words) == (OF_FOUR, words)
    assert found.so_far is not None
    assert len(found.so_far.images) == images
    assert found.so_far.answered.cost_microusd == 6005 * images


def test_single_images_that_failed_do_not_end_the_job_of_the_others() -> None:
    assert of_four(BAD) == Pending(OF_FOUR)
    with pytest.raises(ProviderError) as raised:
        of_four(*(BAD | {"imageUUID": str(number)} for number in range(4)))
    assert raised.value.kind == "moderation"
    # An error of the task as a whole does.
    with pytest.raises(ProviderError):
        of_four(errors=(LOST,))


def test_what_is_said_of_another_task_is_nothing_to_this_one() -> None:
    others = ITEM | {"taskUUID": "another"}
    assert of_four(others, errors=(LOST | {"taskUUID": "another"},)) == Pending(OF_FOUR)
    assert seen({"data": [others]}) == WAITS
    assert isinstance(seen({"data": [ITEM | {"taskUUID": W1_ID.upper()}]}), ImageResult)


def test_a_job_remembers_how_many_images_were_asked_for() -> None:
    task = {"taskType": "imageInference", "numberResults": 4}
    assert ADAPTER.own_job(W1_ID, HttpCall("POST", "", json=[task])) == OF_FOUR
    assert ADAPTER.own_job(W1_ID, HttpCall("POST", "", json=[{}])).tracking == {"images": "1"}
    # Of a job that an earlier version began nobody knows it: it ends when nothing is said to be processed.
    for tracking in ({}, {"images": ""}, {"images": "many"}, {"images": "-1"}):
        old = Job(W1_ID, tracking)
        assert isinstance(ADAPTER.parse_poll(reply({"data": ITEMS[:2]}), old), ImageResult)
        waits = ADAPTER.parse_poll(reply({"data": [ITEM_A, PROCESSING]}), old)
        assert isinstance(waits, Pending)
        assert waits.so_far is not None


def test_an_answer_at_once_is_the_whole_of_it() -> None:
    """Runware answers so where it is not asked for a job, and nothing forbids it to do so where it is."""
    found = seen({"data": ITEMS[:2]}, polled=False)
    assert isinstance(found, ImageResult)
    assert len(found.images) == 2


def test_what_the_content_check_says_is_got() -> None:
    flagged, clean = ITEM | {"NSFWContent": True}, ITEM_2 | {"NSFWContent": False}
    for items, got, flags in (
        ([flagged, clean], {"nsfw_content": True}, [True, False]),
        ([clean], {"nsfw_content": False}, [False]),
        ([ITEM, ITEM_2 | {"NSFWContent": "maybe"}], {}, [False, False]),
        ([BASE64 | {"NSFWContent": True}], {"nsfw_content": True}, [True]),
    ):
        found = seen({"data": items})
        assert isinstance(found, ImageResult)
        assert (found.answered.got, [image.is_flagged for image in found.images]) == (got, flags)


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
    assert (raised.value.kind, raised.value.retryable, raised.value.may_have_been_billed) == ("not_found", False, True)


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
    "auth": "invalidApiKey missingApiKey unauthorized tokenExpired tokenTimeout accountSuspended accountNotFound",
    "permission": "forbidden permissionDenied",
    "timeout": "timeoutProvider requestTimeout providerTimeout",
    "not_found": "unknownModel modelNotFound imageNotFound linkExpired taskCancelled taskNotFound taskFailedOrNotFound "
    "taskResultExpired",
    "server": "internalServerError serviceUnavailable serverUnavailable standardError unknownError inferenceError "
    "processingFailed taskFailed downloadFailed uploadFailed noAvailableServer modelUnavailable modelDisabled "
    "modelNotReady providerError",
    "validation": "invalidSeed missingDimensionParameters conflictTaskUUID duplicateTask unsupportedDimensions "
    "valueTooHigh arrayTooLong maxLength unknownParameter incompatibleParameters",
    "unknown": "somethingNew flobble taskOdd",
}
RAN = {"conflictTaskUUID", "taskCancelled", "taskNotFound", "taskFailedOrNotFound", "taskResultExpired"}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in FAMILIES.items() for code in codes.split()])
def test_codes(kind: str, code: str) -> None:
    raw = {"code": code, "message": "Words.", "parameter": ["width", "height"], "taskUUID": W1_ID}
    error = ADAPTER.parse_error(reply({"errors": [raw]}, 400))
    assert (error.kind, error.param, error.request_id, error.status) == (kind, "width", W1_ID, 400)
    assert error.may_have_been_billed == (kind in ("timeout", "server") or code in RAN)
    assert ("Words." in error.message) == (kind not in ("moderation", "auth"))
    assert error.retryable == (kind in ("rate_limit", "timeout", "server"))


def test_a_code_that_nobody_listed_is_not_taken_for_another() -> None:
    for status, billed in ((200, True), (400, False), (422, False)):
        error = ADAPTER.parse_error(reply({"errors": [{"code": "flobble", "message": "Words."}]}, status))
        assert (error.kind, error.retryable, error.may_have_been_billed) == ("unknown", False, billed)
        assert "“flobble”" in error.message
        assert "Words." in error.message
    bare = ADAPTER.parse_error(reply({"errors": ["Words."]}))
    assert (bare.kind, bare.may_have_been_billed) == ("unknown", True)
    # Where the status has a meaning of its own, that holds.
    for status, kind in ((403, "permission"), (408, "timeout"), (500, "server")):
        assert ADAPTER.parse_error(reply({"errors": [{"code": "flobble"}]}, status)).kind == kind


def test_who_may_not_is_told_from_who_is_not_known() -> None:
    for code, kind in (("forbidden", "permission"), ("accountSuspended", "auth"), ("invalidApiKey", "auth")):
        for status in (200, 400, 403):
            assert ADAPTER.parse_error(reply({"errors": [{"code": code}]}, status)).kind == kind
        assert ADAPTER.parse_error(reply({"errors": [{"code": code}]}, 401)).kind == "auth"


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
    account = {"taskType": "accountManagement", "taskUUID": W1_ID, "operation": "getDetails"}
    for balance, known in (
        (12.34, 12_340_000),
        (0, 0),
        ("12.5", 12_500_000),
        (-1, -1_000_000),
        ("-3.25", -3_250_000),
        (True, None),
        (1e30, None),
        ("much", None),
        (None, None),
    ):
        status = ADAPTER.parse_check(reply({"data": [account | {"balance": balance}]}))
        assert status.balance_microusd == known
        assert ("at least $5" in status.words) == (known is not None and known < 5_000_000)
        assert status.words.startswith("The key is good.")
    assert ADAPTER.parse_check(reply({"data": [account]})).balance_microusd is None
    with pytest.raises(InvalidKey):
        ADAPTER.parse_check(reply({"errors": [{"code": "invalidApiKey"}]}))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": [7]},
        {"data": {}},
        {"data": [{"balance": 12}]},
        {"data": [{"taskType": "imageInference", "balance": 12}]},
        {"error": {"message": "No."}},
        {"object": "list"},
    ],
)
def test_another_servers_answer_does_not_make_a_key_good(body: object) -> None:
    with pytest.raises(MalformedReply) as raised:
        ADAPTER.parse_check(reply(body))
    assert not raised.value.may_have_been_billed
    for page in (b"<html>Login</html>", b"[]"):
        with pytest.raises(MalformedReply):
            ADAPTER.parse_check(Reply(200, {}, page))
