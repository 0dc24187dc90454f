"""The fake Runware answers as the reference's fixtures do, and fails as it was told to."""

import base64
import io
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.fakes import faults, runware_server
from tests.fakes.http_fake import RawReply
from tests.fakes.job_faults import GoneAfterwards, NeverEnds, PollBreaks
from tests.fakes.runware_asking import MINI, PNG64, PNG_DATA, PNG_URI, SQUARE, Caller, fetched, images, task
from tests.fakes.runware_faults import (
    AcknowledgedOnly,
    ErrorItems,
    MissingImage,
    PartialFailure,
    TaskFails,
    TimedOutButRan,
)
from tests.fakes.runware_server import FakeRunware


@pytest.fixture
def fake() -> Iterator[FakeRunware]:
    with FakeRunware() as server:
        yield server


@pytest.fixture
def call(fake: FakeRunware) -> Iterator[Caller]:
    with Caller.of(fake) as caller:
        yield caller


def test_fixture_w1(fake: FakeRunware, call: Caller) -> None:
    settings = {"quality": "low", "background": "auto"}
    sent = task(**SQUARE, numberResults=2, outputType="URL", outputFormat="PNG", includeCost=True, settings=settings)
    items = call.send(sent).raise_for_status().json()["data"]
    assert all(set(item) == {"taskType", "taskUUID", "imageUUID", "imageURL", "seed", "cost"} for item in items)
    assert [(item["taskUUID"], item["cost"]) for item in items] == [(sent["taskUUID"], 0.006005)] * 2
    assert [fetched(item["imageURL"]).content for item in items] == fake.served[::-1]
    assert fetched(items[0]["imageURL"]).headers["content-type"] == "image/png"
    assert (fake.violations, fake.posts, fake.creates, fake.polls_seen) == ([], 1, 1, 0)


def test_fixture_w2(fake: FakeRunware, call: Caller) -> None:
    reply = call.create(
        MINI,
        outputType="base64Data",
        outputFormat="PNG",
        inputs={"referenceImages": [PNG_URI]},
        providerSettings={"openai": {"quality": "medium", "background": "transparent"}},
        includeCost=True,
    )
    (item,) = reply.json()["data"]
    assert item["cost"] == 0.011
    data = base64.b64decode(item["imageBase64Data"], validate=True)
    assert [data] == fake.served
    with Image.open(io.BytesIO(data)) as shown:
        assert (shown.format, shown.size, shown.mode) == ("PNG", (1024, 1024), "RGBA")
    assert fake.violations == []


def test_defaults_and_data_uri(fake: FakeRunware, call: Caller) -> None:
    (item,) = call.create(outputType="dataURI", safety={"checkContent": True, "mode": "fast"}).json()["data"]
    assert item["imageDataURI"] == "data:image/jpeg;base64," + base64.b64encode(fake.served[0]).decode()
    assert "cost" not in item
    assert item["NSFWContent"] is False
    with Image.open(io.BytesIO(fake.served[0])) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1024, 1024))


def test_a_task_uuid_is_used_once(fake: FakeRunware, call: Caller) -> None:
    sent = task()
    call.send(sent).raise_for_status()
    reply = call.send(sent)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "conflictTaskUUID")
    assert (fake.creates, fake.posts, len(fake.violations)) == (1, 2, 1)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"[1]", b"[", b""])
def test_a_body_that_is_no_array_of_tasks(fake: FakeRunware, call: Caller, body: bytes) -> None:
    reply = call.client.post(fake.base_url, content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, len(fake.violations)) == (400, 1)


def test_wrong_doors(fake: FakeRunware, call: Caller) -> None:
    assert call.client.post(fake.base_url, content=b"[{}]", headers={"content-type": "text/plain"}).status_code == 400
    assert call.client.get(fake.base_url).status_code == 404
    assert call.client.post(fake.origin + "/v2", json=[task()]).status_code == 404
    for unknown in ({"taskType": "imageUpload"}, {"taskType": 3}, {"taskUUID": str(uuid4())}):
        assert call.send(unknown).status_code == 400
    assert len(fake.violations) == 6


@pytest.mark.parametrize(("given", "violations"), [("Bearer wrong", 0), ("rw-test-0123456789", 1)])
def test_wrong_keys(fake: FakeRunware, call: Caller, given: str, violations: int) -> None:
    reply = call.send(task(), headers={"Authorization": given})
    assert (reply.status_code, reply.json()) == (401, runware_server.INVALID_KEY.body)
    assert (len(fake.violations), fake.creates) == (violations, 0)


def test_the_key_stands_in_its_header_only(fake: FakeRunware, call: Caller) -> None:
    call.create(positivePrompt=f"say {fake.key}")
    assert len(fake.violations) == 1


def test_balance(fake: FakeRunware, call: Caller) -> None:
    sent = {"taskType": "accountManagement", "taskUUID": str(uuid4()), "operation": "getDetails"}
    assert call.send(sent).json() == {"data": [sent | {"balance": 12.34}]}
    assert fake.violations == []
    assert call.send(sent).json()["errors"][0]["code"] == "conflictTaskUUID"
    assert call.send({"taskType": "accountManagement"}).status_code == 400
    assert fake.posts == 0


def test_upload_and_use(fake: FakeRunware, call: Caller) -> None:
    sent = {"taskType": "mediaStorage", "taskUUID": str(uuid4()), "operation": "upload", "media": PNG_URI}
    (stored,) = call.send(sent).json()["data"]
    assert fetched(stored["mediaURL"]).content == PNG_DATA
    assert fetched(stored["mediaURL"]).headers["content-type"] == "image/png"
    call.create(**images(stored["mediaUUID"], stored["mediaURL"])).raise_for_status()
    assert fake.violations == []
    assert call.send(sent | {"taskUUID": str(uuid4()), "media": PNG64}).json()["errors"][0]["code"] == "invalidMedia"


def test_several_tasks_in_one_request(fake: FakeRunware, call: Caller) -> None:
    good, bad = task(), task(steps=1)
    reply = call.send(good, bad)
    assert reply.status_code == 200
    assert [item["taskUUID"] for item in reply.json()["data"]] == [good["taskUUID"]]
    assert [error["taskUUID"] for error in reply.json()["errors"]] == [bad["taskUUID"]]
    assert (fake.posts, fake.creates) == (1, 1)


def test_fixture_w4(fake: FakeRunware, call: Caller) -> None:
    sent = task(deliveryMethod="async", includeCost=True)
    ids = {"taskType": "imageInference", "taskUUID": sent["taskUUID"]}
    assert call.send(sent).json() == {"data": [ids]}
    assert call.details(sent["taskUUID"])["response"] == {"data": []}
    answers = [call.poll(sent["taskUUID"]).json() for _ in range(4)]
    assert answers[0] == {"data": [ids | {"status": "processing", "progress": 40}]}
    assert answers[1] == {"data": [ids | {"status": "processing"}]}
    assert answers[2] == answers[3]
    (item,) = answers[2]["data"]
    assert item["status"] == "success"
    assert fetched(item["imageURL"]).content == fake.served[0]
    assert call.details(sent["taskUUID"])["response"]["data"][0]["imageURL"] == item["imageURL"]
    state = fake.tasks[str(sent["taskUUID"])]
    assert (state.status, state.polls, state.request, fake.polls_seen) == ("success", 4, sent, 4)
    assert (fake.violations, fake.creates, fake.posts) == ([], 1, 1)


def test_images_of_an_async_task_end_one_by_one(call: Caller) -> None:
    sent = task(deliveryMethod="async", numberResults=3)
    call.send(sent)
    states = [[item["status"] for item in call.poll(sent["taskUUID"]).json()["data"]] for _ in range(3)]
    assert states == [["processing"], ["success", "processing"], ["success"] * 3]


def test_a_sync_task_can_be_looked_up(call: Caller) -> None:
    sent = task()
    (item,) = call.send(sent).json()["data"]
    assert call.poll(sent["taskUUID"]).json() == {"data": [{"status": "success"} | item]}
    assert call.details(sent["taskUUID"])["request"] == sent
    assert call.details(sent["taskUUID"])["response"] == {"data": [item]}


def test_an_unknown_task(fake: FakeRunware, call: Caller) -> None:
    reply = call.poll(str(uuid4()))
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "taskNotFound")
    assert fake.violations == []
    call.send({"taskType": "getResponse", "taskUUID": str(uuid4()), "wait": 1})
    assert len(fake.violations) == 1


def test_fixture_w3(fake: FakeRunware, call: Caller) -> None:
    fake.next(PartialFailure(failed=2), PartialFailure())
    sent, later = task(numberResults=3), task(numberResults=2, deliveryMethod="async")
    body = call.send(sent).raise_for_status().json()
    assert len(body["data"]) == len(fake.served) == 1
    assert [(error["code"], error["taskUUID"]) for error in body["errors"]] == [
        ("invalidProviderContent", sent["taskUUID"])
    ] * 2
    call.send(later)
    body = [call.poll(later["taskUUID"]).json() for _ in range(3)][-1]
    assert [entry["status"] for entry in (*body["data"], *body["errors"])] == ["success", "error"]


def test_task_fails(fake: FakeRunware, call: Caller) -> None:
    fake.next(TaskFails("invalidProviderContent", http_status=400), TaskFails("timeoutProvider", "Too late."))
    reply = call.create()
    assert (reply.status_code, list(reply.json())) == (400, ["errors"])
    sent = task(deliveryMethod="async", numberResults=2)
    assert "errors" not in call.send(sent).json()
    last = [call.poll(sent["taskUUID"]) for _ in range(3)][-1]
    ids = {"taskType": "imageInference", "taskUUID": sent["taskUUID"]}
    error = ids | {"status": "error", "code": "timeoutProvider", "message": "Too late."}
    assert (last.status_code, last.json()) == (200, {"errors": [error]})
    assert (fake.tasks[str(sent["taskUUID"])].status, fake.served) == ("error", [])


def test_error_items(fake: FakeRunware, call: Caller) -> None:
    fake.next(ErrorItems("contentPolicyViolation"))
    sent = task(deliveryMethod="async")
    call.send(sent)
    body = [call.poll(sent["taskUUID"]).json() for _ in range(3)][-1]
    assert [(item["status"], item["code"]) for item in body["data"]] == [("error", "contentPolicyViolation")]


@pytest.mark.parametrize("method", ["sync", "async"])
def test_never_ends(fake: FakeRunware, call: Caller, method: str) -> None:
    fake.next(NeverEnds())
    sent = task(deliveryMethod=method)
    assert "imageURL" not in call.send(sent).json()["data"][0]
    assert {call.poll(sent["taskUUID"]).json()["data"][0]["status"] for _ in range(6)} == {"processing"}
    assert fake.served == []


def test_poll_breaks(fake: FakeRunware, call: Caller) -> None:
    fake.polls = 0
    fake.next(PollBreaks(2, status=503))
    sent = task(deliveryMethod="async")
    call.send(sent)
    assert [call.poll(sent["taskUUID"]).status_code for _ in range(3)] == [503, 503, 200]


def test_missing_image(fake: FakeRunware, call: Caller) -> None:
    fake.next(MissingImage())
    sent = task()
    (item,) = call.send(sent).json()["data"]
    assert "imageURL" not in item
    (found,) = call.poll(sent["taskUUID"]).json()["data"]
    assert found["imageUUID"] == item["imageUUID"]
    assert fetched(found["imageURL"]).content == fake.served[0]


def test_acknowledged_only(fake: FakeRunware, call: Caller) -> None:
    fake.next(AcknowledgedOnly())
    sent = task()
    assert call.send(sent).json() == {"data": [{"taskType": "imageInference", "taskUUID": sent["taskUUID"]}]}
    states = [call.poll(sent["taskUUID"]).json()["data"][0]["status"] for _ in range(3)]
    assert states == ["processing", "processing", "success"]


def test_gone_afterwards(fake: FakeRunware, call: Caller) -> None:
    fake.next(GoneAfterwards())
    assert fetched(call.create().json()["data"][0]["imageURL"]).status_code == 404


def test_timed_out_but_ran(fake: FakeRunware, call: Caller) -> None:
    fake.next(TimedOutButRan())
    sent = task()
    reply = call.send(sent)
    assert (reply.status_code, reply.headers["content-type"]) == (504, "text/html")
    states = [call.poll(sent["taskUUID"]).json()["data"][0]["status"] for _ in range(3)]
    assert states == ["processing", "processing", "success"]
    assert fake.creates == 1


REPLIES = {
    "INVALID_KEY": (401, "invalidApiKey"),
    "BAD_DIMENSIONS": (400, "unsupportedDimensions"),
    "THIRD_PARTY_CREDITS": (400, "thirdPartyInsufficientCredits"),
    "NO_CREDITS": (402, "insufficientCredits"),
    "RATE_LIMITED": (429, "providerRateLimitExceeded"),
    "UNAVAILABLE": (503, "serviceUnavailable"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_fixture_w5(fake: FakeRunware, call: Caller, name: str) -> None:
    planned = getattr(runware_server, name)
    assert isinstance(planned, RawReply)
    fake.always(planned)
    reply = call.create()
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == REPLIES[name]
    assert (fake.posts, fake.creates) == (1, 0)
    fake.always(None)
    call.create().raise_for_status()


def test_gateway_timeout(fake: FakeRunware, call: Caller) -> None:
    fake.next(runware_server.GATEWAY_TIMEOUT)
    reply = call.create()
    assert (reply.status_code, reply.headers["content-type"], reply.text[:6]) == (504, "text/html", "<html>")


@pytest.mark.parametrize(
    ("fault", "ran"),
    [
        (faults.Reset(), True),
        (faults.CutHeaders(), True),
        (faults.CutBody(), True),
        (faults.Hang(), True),
        (faults.Reset(after_body=False), False),
        (faults.Hang(unread=True), False),
    ],
)
def test_a_lost_answer_may_have_run(fake: FakeRunware, call: Caller, fault: faults.Fault, ran: bool) -> None:
    fake.next(fault)
    sent = task()
    with pytest.raises(httpx.TransportError):
        call.send(sent, timeout=0.2)
    reply = call.poll(sent["taskUUID"])
    assert reply.is_success == ran
    assert (fake.posts, fake.creates, len(fake.served)) == (1, int(ran), int(ran))


def test_only_inference_takes_a_fault(fake: FakeRunware, call: Caller) -> None:
    fake.next(runware_server.UNAVAILABLE)
    assert call.poll(str(uuid4())).status_code == 400
    assert call.create().status_code == 503


def test_a_fault_of_another_fake_is_no_pass(fake: FakeRunware, call: Caller) -> None:
    fake.next(faults.Gzip())
    assert call.create().status_code == 500
    assert len(fake.violations) == 1
