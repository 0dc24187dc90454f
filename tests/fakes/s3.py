"""An S3 server on loopback that we did not write (moto's), behind a door of ours at which its faults are set.

Start moto alone with `python -m tests.fakes.s3`: it prints its port.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Self

KEYS = {
    "AWS_ACCESS_KEY_ID": "an-id-of-nobody",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-nobody",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_ROOT = Path(__file__).parents[2]
_SOMEBODY = {"Authorization": "AWS4-HMAC-SHA256 Credential=somebody/20261122/us-east-1/s3/aws4_request"}
"""Moto asks who it is, and believes anything."""
_ERROR = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}, says the store</Message></Error>'


class S3:
    """Context manager. `fault`: `None`, `(status, code)`, `"down"`, `"cut"` (half of what is asked for) or `"silent"`."""

    def __init__(self) -> None:
        self.fault: tuple[int, str] | str | None = None
        self.asked: Counter[str] = Counter()
        self.let_go = threading.Event()
        self._numbers = count()
        s3 = self

        class Handler(_Door):
            door = s3

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        # In a process of its own: it loads much, and warns of itself.
        self._moto = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.s3"], cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._moto.stdout
        self.port = int(self._moto.stdout.readline())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._moto.kill()
        self._moto.communicate()

    def environment(self) -> dict[str, str]:
        """What a client has to be told."""
        return {**KEYS, "AWS_ENDPOINT_URL_S3": self.url}

    def new_bucket(self) -> str:
        """The name of a bucket of one's own."""
        name = f"bucket-{next(self._numbers)}"
        self.answer("PUT", f"/{name}", {}, b"")
        return name

    def object(self, bucket: str, name: str) -> bytes | None:
        """What lies there, past the door."""
        status, _, data = self.answer("GET", f"/{bucket}/{name}", _SOMEBODY, b"")
        return data if status == 200 else None

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Moto's answer."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            asking.request(method, path, body or None, headers)
            answer = asking.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            asking.close()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    door: S3

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.door.asked[self.command] += 1
        fault = self.door.fault
        if fault == "silent":
            self.door.let_go.wait(30)
        if fault in ("down", "silent"):
            self.close_connection = True
            return
        if isinstance(fault, tuple):
            status, headers, data = (
                fault[0],
                [("Content-Type", "application/xml")],
                _ERROR.format(code=fault[1]).encode(),
            )
        else:
            status, headers, data = self.door.answer(self.command, self.path, dict(self.headers.items()), body)
        self.send_response_only(status)
        told = {name.lower(): value for name, value in headers}
        length = told.pop("content-length", "0") if self.command == "HEAD" else str(len(data))
        for name, value in {**told, "content-length": length}.items():
            if name not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            is_cut = fault == "cut" and self.command == "GET"
            self.wfile.write(data[: len(data) // 2] if is_cut else data)
            self.close_connection = self.close_connection or is_cut

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def handle_expect_100(self) -> bool:
        """At once: the client sends no body before."""
        is_expected = super().handle_expect_100()
        self.wfile.flush()
        return is_expected

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def main() -> None:
    """Serves until it is killed."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    sys.stdout.write(f"{server.get_host_and_port()[1]}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
