"""Requests to the fake by hand, down to the bytes on the socket."""

import base64
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.samples import FLARE, FOX

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


def final_bytes(reply: httpx.Response) -> bytes:
    return base64.b64decode(reply.json()["data"][0]["b64_json"], validate=True)
