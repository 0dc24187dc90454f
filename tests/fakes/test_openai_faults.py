"""Each fault does on the wire what it says, once, and counts as a paid POST."""

import base64
import contextlib
import email.utils
import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes import faults
from tests.fakes.faults import Fault, WrongShape
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.samples import FLARE, FOX, assert_valid, upload

BODY = {"model": FLARE, "prompt": FOX, "quality": "low"}
STREAM = BODY | {"stream": True, "partial_images": 2}


def generate(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/images/generations", json=BODY | changes)


def stream_text(client: httpx.Client, **changes: Any) -> tuple[str, Exception | None]:
    """What came of a stream, and how it broke off (None: it ended properly)."""
    received = b""
    try:
        with client.stream("POST", "/images/generations", json=STREAM | changes) as reply:
            for piece in reply.iter_bytes():
                received += piece
    except httpx.TransportError as error:
        return received.decode(errors="replace"), error
    return received.decode(), None


def raw_answer(fake: FakeOpenAI, body: dict[str, Any] = BODY) -> tuple[bytes, Exception | None]:
    """Every byte the server sends for a generation, and the error that ended it, without an HTTP library."""
    content = json.dumps(body).encode()
    head = f"POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {fake.key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", fake.port), timeout=5) as raw:
        raw.sendall(head.encode() + content)
        try:
            while data := raw.recv(65536):
                received += data
        except OSError as error:
            return received, error
    return received, None


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 3
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


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


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("list", [dict]),
        ("no_data", GONE := "gone"),
        ("null_data", None),
        ("empty_data", []),
        ("text_data", "iVBORw0KGgo="),
        ("null_b64", [{"b64_json": None}]),
        ("no_b64", [{}]),
        ("number_b64", [{"b64_json": 42}]),
    ],
)
def test_wrong_shapes(fake: FakeOpenAI, client: httpx.Client, kind: Any, shape: object) -> None:
    fake.next(WrongShape(kind))
    reply = generate(client)
    assert reply.status_code == 200
    body = reply.json()
    assert ([type(each) for each in body] if isinstance(body, list) else body.get("data", GONE)) == shape


def final_bytes(reply: httpx.Response) -> bytes:
    return base64.b64decode(reply.json()["data"][0]["b64_json"], validate=True)


def test_invalid_base64(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.BadBase64(), faults.BadBase64(hidden=True))
    for _ in range(2):
        reply = generate(client)
        with pytest.raises(ValueError, match="base64"):
            final_bytes(reply)
    assert len(base64.b64decode(reply.json()["data"][0]["b64_json"])) > 1000
    assert fake.served == []


@pytest.mark.parametrize("fault", [faults.NotAnImage(), faults.TruncatedImage(), faults.ImageBomb()])
@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_images_that_cannot_be_shown(fake: FakeOpenAI, client: httpx.Client, fault: Fault, output_format: str) -> None:
    fake.next(fault)
    data = final_bytes(generate(client, output_format=output_format))
    assert data == fake.served[0]
    with pytest.raises((OSError, Image.DecompressionBombError)), Image.open(io.BytesIO(data)) as shown:
        shown.load()


def test_wrong_size_and_fewer_images(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.WrongSize(512, 768), faults.FewerImages(2))
    reply = generate(client, size="1360x768")
    with Image.open(io.BytesIO(final_bytes(reply))) as shown:
        assert (shown.size, reply.json()["size"]) == ((512, 768), "1360x768")
    assert len(generate(client, n=3).json()["data"]) == 1
    assert len(fake.served) == 2


def test_stream_ignored(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.StreamIgnored())
    reply = client.post("/images/generations", json=STREAM)
    assert reply.headers["content-type"] == "application/json"
    assert_valid(reply.json(), "response")


@pytest.mark.parametrize("form", ["event", "bare"])
def test_error_in_mid_stream(fake: FakeOpenAI, client: httpx.Client, form: Any) -> None:
    fake.next(faults.StreamError(form))
    text, error = stream_text(client)
    first, last = text.removesuffix("\n\n").split("\n\n")
    assert error is None
    assert first.startswith("event: image_generation.partial_image\n")
    assert last.startswith("event: error\ndata: " if form == "event" else "data: ")
    body = json.loads(last.partition("data: ")[2])
    assert body["error"]["code"] == "moderation_blocked"
    assert body.get("type") == ("error" if form == "event" else None)
    assert "拒绝" in text
    assert (fake.partials_sent, fake.served) == (1, [])


def test_stream_that_ends_without_completed(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.StreamWithoutCompleted())
    text, error = stream_text(client)
    assert (text.count("partial_image\n"), text.count("completed\n"), error) == (2, 0, None)
    assert fake.served == []


@pytest.mark.parametrize(
    ("fault", "events", "served"),
    [
        (faults.StreamCut(), 1, 0),
        (faults.StreamCut("completed"), 3, 1),
        (faults.StreamCut("completed", inside_next=True), 4, 1),
        (faults.CutBody(), 1, 0),
    ],
)
def test_stream_cut(fake: FakeOpenAI, client: httpx.Client, fault: Fault, events: int, served: int) -> None:
    fake.next(fault)
    text, error = stream_text(client, n=2)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert text.count("event: ") == events
    assert len(fake.served) == served


@pytest.mark.parametrize("kind", ["list", "no_data", "null_b64", "number_b64"])
def test_wrong_shapes_in_a_stream(fake: FakeOpenAI, client: httpx.Client, kind: Any) -> None:
    fake.next(WrongShape(kind))
    last = stream_text(client)[0].removesuffix("\n\n").split("\n\n")[-1]
    data = json.loads(last.partition("data: ")[2])
    if kind == "list":
        assert isinstance(data, list)
    else:
        assert data.get("b64_json") in (None, 42)
    assert "event: image_generation.completed" in last


def test_a_stream_fault_without_a_stream_is_reported(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.next(faults.StreamCut())
    assert generate(client).status_code == 200
    assert "the test is wrong" in fake.violations[0]


def test_pace_spreads_the_events_and_notices_who_leaves(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.pace_s = 0.1
    started = time.monotonic()
    stream_text(client)
    assert time.monotonic() - started >= 0.3
    fake.pace_s = 5
    with pytest.raises(httpx.ReadTimeout):
        client.post("/images/generations", json=STREAM, timeout=0.1)
    wait_until(lambda: fake.left_early == 1)


def test_requests_at_the_same_time_do_not_wait_for_each_other(fake: FakeOpenAI, client: httpx.Client) -> None:
    fake.always(faults.Slow(0.4))
    started = time.monotonic()
    threads = [threading.Thread(target=generate, args=(client,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 1.5
    assert (fake.posts, len(set(fake.served)), fake.violations) == (6, 6, [])


@pytest.mark.parametrize(
    "junk",
    [b"hello\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"POST /v1/models HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"GET "],
)
def test_what_is_no_http_is_a_violation(fake: FakeOpenAI, junk: bytes) -> None:
    with socket.create_connection(("127.0.0.1", fake.port), timeout=5) as raw:
        raw.sendall(junk)
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")
    assert len(fake.violations) == 1


def test_chunked_and_expecting_requests_are_read(fake: FakeOpenAI, client: httpx.Client) -> None:
    content = json.dumps(BODY).encode()
    pieces = iter([content[:9], content[9:]])
    headers = {"content-type": "application/json", "expect": "100-continue"}
    assert client.post("/images/generations", content=pieces, headers=headers).status_code == 200
    assert fake.calls[0].body == content


@pytest.mark.parametrize("arrived", [False, True])
def test_leaving_the_fake_ends_what_still_hangs(arrived: bool) -> None:
    with FakeOpenAI() as fake, contextlib.ExitStack() as after:
        fake.always(faults.Hang())
        raw = after.enter_context(socket.create_connection(("127.0.0.1", fake.port), timeout=5))
        raw.sendall(b"POST /v1/images/generations HTTP/1.1\r\n\r\n")
        if arrived:
            wait_until(lambda: fake.posts == 1)
        left_open = after.pop_all()
    with left_open, contextlib.suppress(ConnectionResetError):
        assert raw.recv(10) == b""


def test_leaving_the_fake_does_not_wait_for_a_client_that_never_reads() -> None:
    content = json.dumps(BODY | {"size": "3840x2160", "output_format": "jpeg", "n": 10}).encode()
    head = "POST /v1/images/generations HTTP/1.1\r\nAuthorization: Bearer sk-test-0123456789\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    with FakeOpenAI() as fake, socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", fake.port))
        raw.sendall(head.encode() + content)
        wait_until(lambda: len(fake.served) == 10)


def test_the_command_line_prints_its_address_and_each_request() -> None:
    command = [sys.executable, "-m", "tests.fakes.openai_server", "--fault", "bad-gateway"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        headers = {"Authorization": "Bearer sk-test-0123456789"}
        reply = httpx.post(f"{base_url}/images/generations", json=BODY, headers=headers, trust_env=False)
        assert process.stdout.readline().startswith("POST /v1/images/generations (")
        process.terminate()
    assert reply.status_code == 502


@pytest.mark.parametrize("name", faults.NAMED)
def test_every_named_fault_is_met_without_a_failure_of_the_fake(
    fake: FakeOpenAI, client: httpx.Client, name: str
) -> None:
    fake.next(faults.NAMED[name])
    with contextlib.suppress(httpx.TransportError):
        client.post("/images/generations", json=STREAM | {"n": 2}, timeout=0.15)
    assert (fake.posts, fake.violations) == (1, [])
