"""Faults of contents and streams do on the wire what they say."""

import base64
import contextlib
import io
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.fakes import faults
from tests.fakes.asking import BODY, STREAM, final_bytes, generate, stream_text, wait_until
from tests.fakes.faults import Fault, WrongShape
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.samples import assert_valid


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
