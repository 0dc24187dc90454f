"""A door in front of the app that keeps every byte on its way to the browser: headers, bodies, events."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

_CHUNK = re.compile(rb"\r\n[0-9a-f]{1,8}\r\n")
_HEAD = re.compile(rb"HTTP/1\.1 \d+ .*?\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"content-length: (\d+)")


@dataclass(frozen=True, slots=True)
class Told:
    """What came, in lower case."""

    text: bytes
    """Headers, documents, events; the marks between chunks of one body are removed."""
    pictures: bytes
    """Bodies of images, in which a short word may stand by chance."""

    def __add__(self, other: Told) -> Told:
        return Told(self.text + other.text, self.pictures + other.pictures)


def _apart(data: bytes) -> Told:
    text, pictures, at = b"", b"", 0
    for head in _HEAD.finditer(data):
        if head.start() < at:
            continue
        length = _LENGTH.search(head[0].lower())
        if b"content-type: image/" in head[0].lower() and length:
            text += data[at : head.end()]
            at = head.end() + int(length[1])
            pictures += data[head.end() : at]
    return Told(_CHUNK.sub(b"", text + data[at:]).lower(), pictures.lower())


class Recorder:
    """Listens on a port of its own and passes everything on to `port`."""

    def __init__(self, port: int) -> None:
        self._target = port
        # By connection: what is said on several at once must not be torn apart.
        self._kept: dict[int, bytearray] = {}
        self._lock = threading.Lock()
        self._browsers: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}/"
        self._threads: list[threading.Thread] = []
        self._start(self._answer)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for browser in self._browsers:
            with contextlib.suppress(OSError):
                browser.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)

    def take(self) -> Told:
        """What came since the last time."""
        with self._lock:
            kept, self._kept = self._kept, {}
        told = Told(b"", b"")
        for data in kept.values():
            told += _apart(bytes(data))
        return told

    def _answer(self) -> None:
        while True:
            try:
                browser, _ = self._door.accept()
            except OSError:
                return
            self._browsers.append(browser)
            self._start(self._serve, browser)

    def _start(self, work: Callable[..., None], *given: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _serve(self, browser: socket.socket) -> None:
        with browser, socket.create_connection(("127.0.0.1", self._target)) as app:
            back = self._start(self._pass, app, browser, self._keep)
            self._pass(browser, app, lambda _source, _data: None)
            back.join()

    def _keep(self, source: socket.socket, data: bytes) -> None:
        with self._lock:
            self._kept.setdefault(id(source), bytearray()).extend(data)

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, see: Callable[[socket.socket, bytes], None]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                see(source, data)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
