"""Each fault does on the wire what it says."""

import base64
import email.utils
import json
import time
from typing import Any

import httpx
import pytest

from tests.fakes import faults
from tests.fakes.asking import BODY, generate, raw_answer, stream_text, wait_until
from tests.fakes.faults import Fault
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.samples import FLARE, FOX, assert_valid, upload


@pytest.mark.parametrize(
    ("fault", "status", "kind", "code"),
    [
        (faults.WRONG_KEY, 401, "invalid_request_error", "invalid_api_key"),
        (faults.ORG_NOT_VERIFIED, 403, "invalid_request_error", None),
        (faults.MODERATION_BLOCKED, 400, "image_generation_user_error", "moderation_blocked"),
        (faults.MODEL_GONE, 404, "invalid_request_error", "model_not_found"),
        (faults.rate_limited(), 429, "input-images", "rate_limit_exceeded"),
        (faults.NO_CREDIT, 429, "insufficient_quota", "insufficient_quota"),
        (faults.HARD_LIMIT, 400, "billing_limit_user_error", "billing_hard_limit_reached"),
        (faults.SERVER_ERROR, 500, "server_error", None),
        (faults.unavailable(), 503, "server_error", None),
        (faults.REQUEST_TIMEOUT, 408, "server_error", None),
        (faults.CONFLICT, 409, "invalid_request_error", None),
    ],
)
def test_error_replies(
    fake: FakeOpenAI, client: httpx.Client, fault: Fault, status: int, kind: str, code: str | None
) -> None:
    fake.next(fault)
    reply = generate(client)
    assert_valid(reply.json(), "error")
    error = reply.json()["error"]
    assert (reply.status_code, error["type"], error["code"]) == (status, kind, code)
    assert "{" not in error["message"]
    assert reply.headers["x-request-id"] == fake.calls[0].request_id
    assert "retry-after" not in reply.headers or status == 429
    assert generate(client).status_code == 200
    assert (fake.posts, fake.violations) == (2, [])


def test_what_error_messages_repeat(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.MODERATION_BLOCKED, faults.WRONG_KEY, faults.KEY_ECHOED, faults.ORG_NOT_VERIFIED)
    blocked, wrong, echoed = (generate(client) for _ in range(3))
    unverified = client.post("/images/edits", data={"model": FLARE, "prompt": FOX}, files={"image": upload(1)})
    assert blocked.headers["x-request-id"] in blocked.text
    assert "safety_violations=[violence, self-harm]" in blocked.text
    assert "sk-test*****789" in wrong.text
    assert fake.key not in wrong.text
    assert fake.key in echoed.text
    assert f"`{FLARE}`" in unverified.text


def test_retry_after_in_three_forms(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(
        faults.rate_limited(3),
        faults.rate_limited(90, "http_date"),
        faults.rate_limited(0.25, "ms"),
        faults.rate_limited(None),
        faults.unavailable(2),
    )
    seconds, date, milliseconds, nothing, unavailable = (generate(client).headers for _ in range(5))
    assert seconds["retry-after"] == "3"
    assert email.utils.parsedate_to_datetime(date["retry-after"]).timestamp() - time.time() == pytest.approx(90, abs=2)
    assert milliseconds["retry-after-ms"] == "250"
    assert "retry-after" not in milliseconds
    assert "retry-after" not in nothing
    assert unavailable["retry-after"] == "2"


@pytest.mark.parametrize(("fault", "status"), [(faults.BAD_GATEWAY, 502), (faults.GATEWAY_TIMEOUT, 504)])
def test_gateway_errors_are_html(fake: FakeOpenAI, client: httpx.Client, fault: Fault, status: int) -> None:
    fake.next(fault)
    reply = generate(client)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html")
    assert reply.text.startswith("<html>")


def test_always_holds_until_it_is_taken_back(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.always(faults.SERVER_ERROR)
    fake.next(faults.CONFLICT, None)
    assert [generate(client).status_code for _ in range(4)] == [409, 200, 500, 500]
    fake.always(None)
    assert generate(client).status_code == 200
    assert client.get("/models").status_code == 200
    assert (fake.posts, len(fake.calls)) == (5, 6)


def test_a_wrong_request_is_refused_whatever_is_queued(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.CutBody(), faults.SERVER_ERROR)
    assert generate(client, n=0).status_code == 400
    assert generate(client, n=0).status_code == 500
    assert len(fake.violations) == 2


def test_hang_ends_when_the_client_leaves(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Hang())
    with pytest.raises(httpx.ReadTimeout):
        client.post("/images/generations", json=BODY, timeout=0.2)
    wait_until(lambda: fake.left_early == 1)
    assert (fake.left_early, fake.posts, fake.served) == (1, 1, [])


def test_hang_without_reading_stops_a_large_upload(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Hang(unread=True))
    with pytest.raises(httpx.WriteTimeout):
        client.post("/images/generations", content=bytes(30_000_000), timeout=0.3)
    assert (fake.posts, fake.calls[0].body) == (1, b"")


def test_slow_answers_late(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Slow(0.3))
    started = time.monotonic()
    assert generate(client).status_code == 200
    assert time.monotonic() - started >= 0.3
    assert len(fake.served) == 1


def test_a_slow_answer_is_not_served_to_who_left(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Slow(5))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/images/generations", json=BODY, timeout=0.1)
    wait_until(lambda: fake.left_early == 1)
    assert (fake.left_early, fake.served) == (1, [])


@pytest.mark.parametrize("after_body", [False, True])
def test_reset(fake: FakeOpenAI, client: httpx.Client, after_body: bool) -> None:
    fake.always(faults.Reset(after_body=after_body))
    received, error = raw_answer(fake)
    assert (received, type(error)) == (b"", ConnectionResetError)
    assert bool(fake.calls[0].body) is after_body
    # Which of the two depends on whether the reset meets the client while it writes or while it reads.
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        generate(client)
    assert fake.posts == 2


def test_cut_headers(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.always(faults.CutHeaders())
    assert raw_answer(fake) == (b"HTTP/1.1 200 OK\r\ncontent-type: applica", None)
    with pytest.raises(httpx.RemoteProtocolError):
        generate(client)


def test_cut_body(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.always(faults.CutBody())
    received, error = raw_answer(fake)
    head, _, body = received.partition(b"\r\n\r\n")
    promised = int(head.decode().lower().partition("content-length: ")[2].split("\r\n")[0])
    assert (error, len(body)) == (None, promised // 2)
    with pytest.raises(httpx.RemoteProtocolError):
        generate(client)
    assert fake.served == []


def test_drip_never_lets_a_read_time_out(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Drip(0.05))

    received, until = 0, time.monotonic() + 0.8
    with client.stream("POST", "/images/generations", json=BODY, timeout=0.5) as reply:
        for piece in reply.iter_raw():
            received += len(piece)
            if time.monotonic() > until:
                break
    assert 5 <= received <= 17
    assert fake.served == []


def test_a_drip_followed_to_its_end_is_served(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Drip(0), faults.Drip(0))
    small = {"model": "gpt-image-2", "output_format": "webp", "output_compression": 0}
    first = generate(client, **small).json()["data"][0]["b64_json"]
    text, error = stream_text(client, **small, partial_images=0)
    assert (base64.b64decode(first), error) == (fake.served[0], None)
    assert base64.b64encode(fake.served[1]).decode() in text


@pytest.mark.parametrize("status", [302, 307])
def test_redirect(fake: FakeOpenAI, client: httpx.Client, status: Any) -> None:
    fake.always(faults.Redirect(status))
    reply = generate(client)
    assert (reply.status_code, reply.headers["location"]) == (status, f"http://localhost:{fake.port}/elsewhere")
    assert fake.violations == []
    client.post("/images/generations", json=BODY, follow_redirects=True)
    assert len(fake.violations) == 1
    assert "followed a redirect" in fake.violations[0]
    assert fake.posts == 2


def test_redirect_to_a_given_place(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.Redirect(308, "https://provider.invalid/v1"))
    assert generate(client).headers["location"] == "https://provider.invalid/v1"


def test_gzip_of_json_and_stream(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.always(faults.Gzip())
    reply = generate(client)
    assert reply.headers["content-encoding"] == "gzip"
    assert base64.b64decode(reply.json()["data"][0]["b64_json"]) == fake.served[0]
    text, error = stream_text(client)
    assert (text.count("event: "), error) == (3, None)


def test_invalid_json(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.InvalidJson(), faults.InvalidJson("<html>"))
    with pytest.raises(json.JSONDecodeError):
        generate(client).json()
    assert generate(client).text == "<html>"
    assert fake.served == []
