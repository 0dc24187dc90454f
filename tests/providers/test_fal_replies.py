"""What the fal adapter makes of answers: the reference's fixtures, every kind of error, shapes nobody promised."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from providers.adapter import Attachment, HttpCall, KeyCheckAdapter, Reply
from providers.adapters.fal import FalAdapter
from providers.bodies import encoded, with_uploads
from providers.catalog import Catalog
from providers.errors import MalformedReply, ProviderError
from providers.rows import openai
from providers.rows.fal import OFFERS, PROVIDER
from providers.types import GeneratedImage, ImageRequest, ImageResult, InputImage, Job, Pending, RemoteImage, Usage
from tests.fakes.fal_asking import PNG1
from tests.fakes.fal_server import FakeFal
from tests.fakes.pictures import picture

CATALOG = Catalog((PROVIDER,), openai.MODELS, OFFERS)
FAL = FalAdapter()

ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
AT = f"https://queue.fal.run/openai/gpt-image-2/requests/{ID}"
JOB = Job(ID, {"status": f"{AT}/status", "result": AT, "cancel": f"{AT}/cancel"})
SUBMITTED = {
    "status": "IN_QUEUE",
    "request_id": ID,
    "queue_position": 0,
    "response_url": AT,
    "status_url": f"{AT}/status",
    "cancel_url": f"{AT}/cancel",
}
IMAGE = {
    "url": "https://v3b.fal.media/files/b/fix/out.png",
    "content_type": "image/png",
    "file_name": "out.png",
    "file_size": 812345,
    "width": 1536,
    "height": 1024,
}


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


# The queue


def test_a_submit_names_the_job_and_its_addresses() -> None:
    assert FAL.parse(reply(SUBMITTED)) == Pending(JOB, "in line")
    assert FAL.parse(reply(SUBMITTED | {"queue_position": 3})).words == "in line, place 3"


ADDRESSES = ("status_url", "response_url", "cancel_url")
NO_ADDRESS = [None, 7, "", ["https://queue.fal.run"], "/requests/1/status"]


@pytest.mark.parametrize("value", NO_ADDRESS)
@pytest.mark.parametrize("there", ADDRESSES)
def test_of_one_good_address_the_others_follow(there: str, value: object) -> None:
    body = SUBMITTED | {name: value for name in ADDRESSES if name != there}
    assert FAL.parse(reply(body)) == Pending(JOB, "in line")


@pytest.mark.parametrize("value", NO_ADDRESS)
def test_a_submit_that_says_nothing_of_its_job_cannot_be_read(value: object) -> None:
    for missing in (("request_id",), ADDRESSES):
        with pytest.raises(MalformedReply) as raised:
            FAL.parse(
                reply(
                    SUBMITTED | {name: None if name == "request_id" else value for name in missing},
                    x_fal_request_id="r-1",
                )
            )
        assert raised.value.may_have_been_billed
        assert raised.value.request_id == ("r-1" if "request_id" in missing else ID)


def test_an_address_is_only_put_together_from_one_that_is_of_this_job() -> None:
    odd = {"status_url": "https://queue.fal.run/status/7", "response_url": "https://queue.fal.run/result/7"}
    found = FAL.parse(reply(SUBMITTED | odd | {"cancel_url": None})).job
    assert found.tracking == {"status": odd["status_url"], "result": odd["response_url"]}
    assert FAL.cancel(found) is None
    for other in (f"https://queue.fal.run/openai/gpt-image-2/requests/{ID}-2/status", odd["status_url"]):
        with pytest.raises(MalformedReply):
            FAL.parse(reply(SUBMITTED | {"status_url": other, "response_url": None, "cancel_url": None}))


def test_a_job_is_followed_at_the_addresses_it_came_with() -> None:
    assert FAL.poll(JOB) == HttpCall("GET", f"{AT}/status")
    assert FAL.cancel(JOB) == HttpCall("PUT", f"{AT}/cancel")
    assert (FAL.pace.first_s, FAL.pace.factor, FAL.pace.longest_s) == (0.5, 1.4, 2.0)
    waiting = {"status": "IN_QUEUE", "request_id": ID, "queue_position": 1}
    running = {"status": "IN_PROGRESS", "logs": [{"message": "generating", "level": "INFO", "source": "USER"}]}
    done = {"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 14.2}}
    assert FAL.parse_poll(reply(waiting, 202), JOB) == Pending(JOB, "in line, place 1")
    assert FAL.parse_poll(reply(running, 202), JOB) == Pending(JOB, "in progress")
    assert FAL.parse_poll(reply(done), JOB) == HttpCall("GET", AT)
    for status in ("completed", "Completed"):
        assert FAL.parse_poll(reply(done | {"status": status}), JOB) == HttpCall("GET", AT)
    assert FAL.parse_poll(reply(waiting | {"status": "in_queue"}, 202), JOB) == Pending(JOB, "in line, place 1")


@pytest.mark.parametrize(
    "body", [{}, [], None, "COMPLETED", {"status": None}, {"status": ["COMPLETED"]}, {"status": "?"}]
)
def test_an_unknown_status_is_an_error(body: object) -> None:
    with pytest.raises(MalformedReply) as raised:
        FAL.parse_poll(reply(body), JOB)
    assert raised.value.may_have_been_billed


def test_a_cancellation_is_never_certain() -> None:
    assert not FAL.is_cancelled(reply({"status": "CANCELLATION_REQUESTED"}, 202))
    assert not isinstance(FAL, KeyCheckAdapter)


def test_the_fixture_of_a_result() -> None:
    found = FAL.parse_result(reply({"images": [IMAGE]}), JOB)
    assert found.images == (RemoteImage("https://v3b.fal.media/files/b/fix/out.png"),)
    assert found.answered.got == {"size": "1536x1024", "output_format": "png"}
    assert (found.answered.request_id, found.answered.usage, found.answered.cost_microusd) == (ID, None, None)


def test_a_data_uri_is_the_image_itself() -> None:
    found = FAL.parse_result(reply({"images": [{"url": f"data:image/png;base64,{PNG1}"}]}), JOB)
    assert found.images == (GeneratedImage(base64.b64decode(PNG1)),)
    assert found.answered.got == {}


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"width": None, "height": None}, {"output_format": "png"}),
        ({"width": "1536"}, {"output_format": "png"}),
        ({"content_type": None}, {"size": "1536x1024"}),
        ({"content_type": "application/octet-stream"}, {"size": "1536x1024"}),
    ],
)
def test_only_what_fal_reports_is_reported(changes: dict[str, object], got: dict[str, str]) -> None:
    assert FAL.parse_result(reply({"images": [IMAGE | changes]}), JOB).answered.got == got


def test_what_differs_between_images_is_not_told_of_all() -> None:
    found = FAL.parse_result(reply({"images": [IMAGE, IMAGE | {"width": 1024}]}), JOB)
    assert found.answered.got == {"output_format": "png"}


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        (
            {"input_tokens": 9, "output_tokens": 196, "input_tokens_details": {"text_tokens": 9}},
            Usage(9, None, 196, None, 9),
        ),
        ({"prompt_tokens": 9}, None),
        ({"output_tokens": "196"}, None),
        ([1], None),
    ],
)
def test_usage_counts_only_in_openais_shape(raw: object, usage: Usage | None) -> None:
    assert FAL.parse_result(reply({"images": [IMAGE], "usage": raw}), JOB).answered.usage == usage


def test_one_unreadable_image_does_not_take_the_others_along() -> None:
    found = FAL.parse_result(reply({"images": [IMAGE, {"url": None}, 7]}), JOB)
    assert len(found.images) == 1
    assert [(failure.kind, failure.request_id) for failure in found.failures] == [("malformed", ID)] * 2


BROKEN: list[object] = [
    None,
    [],
    {},
    {"images": []},
    {"images": None},
    {"images": {}},
    {"images": [None]},
    {"images": [{"url": 7}]},
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_result_without_images_says_so(body: object) -> None:
    with pytest.raises(MalformedReply) as raised:
        FAL.parse_result(reply(body), JOB)
    assert raised.value.may_have_been_billed
    assert raised.value.request_id == ID


def test_an_answer_that_is_no_json_is_malformed() -> None:
    for read in (FAL.parse, lambda bad: FAL.parse_poll(bad, JOB), lambda bad: FAL.parse_result(bad, JOB)):
        with pytest.raises(MalformedReply):
            read(Reply(200, {}, b"<html>"))


# Uploads

FILE = Attachment(b"bytes", "image/png", "0" * 64, "image-1.png", upload=True)
TOKEN = {"token": "t-1", "token_type": "Bearer", "base_url": "https://v3b.fal.media", "expires_at": "2026-11-21"}


def test_a_file_is_uploaded_under_a_token_and_not_the_key() -> None:
    steps = FAL.upload(FILE)
    first = next(steps)
    assert first == HttpCall("POST", "/storage/auth/token?storage_type=fal-cdn-v3", json={}, base="upload")
    second = steps.send(reply(TOKEN))
    assert (second.method, second.path, second.content) == ("POST", "https://v3b.fal.media/files/upload", FILE)
    assert second.headers == {
        "authorization": "Bearer t-1",
        "content-type": "image/png",
        "x-fal-file-name": "image-1.png",
    }
    with pytest.raises(StopIteration) as stopped:
        steps.send(reply({"access_url": "https://v3b.fal.media/files/x.png"}))
    assert stopped.value.value == "https://v3b.fal.media/files/x.png"


@pytest.mark.parametrize("name", ["token", "token_type", "base_url"])
@pytest.mark.parametrize("value", [None, 7, "", "a\r\nb: c"])
def test_an_upload_without_token_costs_nothing(name: str, value: object) -> None:
    steps = FAL.upload(FILE)
    next(steps)
    with pytest.raises(MalformedReply) as raised:
        steps.send(reply(TOKEN | {name: value}))
    assert not raised.value.may_have_been_billed


def test_an_upload_without_address_costs_nothing() -> None:
    steps = FAL.upload(FILE)
    next(steps)
    steps.send(reply(TOKEN))
    with pytest.raises(MalformedReply) as raised:
        steps.send(reply({"access_url": None}))
    assert not raised.value.may_have_been_billed


# Against the strict fake of the queue


class Door:
    """Sends the adapter's calls to the fake as they are."""

    def __init__(self, fake: FakeFal, http: httpx.Client) -> None:
        self._fake, self._http = fake, http

    def send(self, call: HttpCall) -> Reply:
        base = (
            ""
            if call.path.startswith("http")
            else self._fake.rest_url
            if call.base == "upload"
            else self._fake.base_url
        )
        headers = {"authorization": f"Key {self._fake.key}"} | dict(call.headers)
        content = call.content.data if call.content else encoded(call, {}) if call.json is not None else None
        if call.json is not None:
            headers["content-type"] = "application/json"
        answer = self._http.request(call.method, base + call.path, content=content, headers=headers)
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    def make(self, call: HttpCall) -> ImageResult:
        pending = FAL.parse(self.send(call))
        while True:
            says = FAL.parse_poll(self.send(FAL.poll(pending.job)), pending.job)
            if isinstance(says, HttpCall):
                return FAL.parse_result(self.send(says), pending.job)


@pytest.mark.parametrize("model", [offer.model_id for offer in OFFERS])
def test_the_strict_queue_takes_every_offer_with_an_uploaded_image(model: str) -> None:
    image = InputImage(picture((64, 48), "png", number=1), "image/png", 64, 48, "1" * 64)
    offer = CATALOG.offer(f"fal/{model}")
    call, _ = FAL.build(ImageRequest("x", n=2, size="auto", images=(image,)), offer, CATALOG.spec(offer))
    with FakeFal() as fake, httpx.Client(trust_env=False) as http:
        door = Door(fake, http)
        steps = FAL.upload(Attachment(image.data, image.media_type, image.sha256, "image-1.png", upload=True))
        second = steps.send(door.send(next(steps)))
        with pytest.raises(StopIteration) as stopped:
            steps.send(door.send(second))
        result = door.make(with_uploads(call, {image.sha256: stopped.value.value}))
        assert fake.violations == []
        assert (fake.creates, len(fake.uploads), len(result.images)) == (1, 1, 2)


def test_a_cancelled_job_of_the_strict_queue_has_ended() -> None:
    offer = CATALOG.offer("fal/gpt-image-2")
    call, _ = FAL.build(ImageRequest("x"), offer, CATALOG.spec(offer))
    with FakeFal() as fake, httpx.Client(trust_env=False) as http:
        door = Door(fake, http)
        job = FAL.parse(door.send(call)).job
        assert not FAL.is_cancelled(door.send(FAL.cancel(job)))
        says = FAL.parse_poll(door.send(FAL.poll(job)), job)
        assert isinstance(says, HttpCall)
        with pytest.raises(ProviderError, match="cancelled"):
            FAL.parse_result(door.send(says), job)
        assert fake.violations == []
