"""What the fakes of job providers share: requests read strictly, whole answers, broken connections, result files.

A subclass says which requests are paid (`is_paid`) and answers each one (`answer`). It notes every broken rule in
`violations`; an honest client leaves that empty, and what it stores is byte for byte what stands in `served`.
"""

import asyncio
import json
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes import faults, wire
from tests.fakes.faults import Fault
from tests.fakes.faulty_server import FaultyServer
from tests.fakes.pictures import Format, picture
from tests.fakes.wire import Head, Part, Socket

MEDIA = "/media/"
"""Result files lie below it. They are public: a client that sends its key there breaks a rule."""

_BROKEN = (faults.Hang, faults.Reset, faults.CutHeaders)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    received_at: float
    """Seconds of the monotonic clock when the body was in."""

    def json(self) -> Any:
        """The parsed body, or None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def parts(self) -> tuple[Part, ...]:
        """The parts of a multipart form; empty when it is none."""
        try:
            return wire.parse_multipart(self.headers.get("content-type", ""), self.body)
        except wire.BadRequestError:
            return ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class RawReply(Fault):
    """This answer instead of the good one. Nothing was made."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


def request_of(head: Head, body: bytes = b"") -> Request:
    """The request as it is known at this moment."""
    path, _, query = head.target.partition("?")
    return Request(head.method, path, dict(parse_qsl(query)), head.headers, body, time.monotonic())


class HttpFake(FaultyServer):
    """Base of the fakes. Attributes may be changed at any time."""

    runs_on_break: bool = True
    """Whether a paid POST whose body arrived is carried out although its answer is lost."""

    def __init__(self, *, key: str, port: int = 0) -> None:
        super().__init__(key=key, port=port)
        self.calls: list[Request] = []
        self.served: list[bytes] = []
        """Bytes of the images made, in order."""
        self.media: dict[str, tuple[bytes, str]] = {}
        """Path -> bytes and content type of each result file."""
        self.media_reads: list[str] = []
        self.media_faults: deque[Fault | None] = deque()
        """For each of the next reads of a result file."""
        self.bend: Callable[[Any], Any] | None = None
        """Changes the JSON of good answers (2xx) that are not a fault's; what it returns is sent, bytes as they are."""

    @abstractmethod
    def is_paid(self, request: Request) -> bool:
        """Whether this request asks for images, by its head."""

    def is_paid_body(self, request: Request) -> bool:
        """The same by its body, for services with one address for everything; asked when `is_paid` says no."""
        return False

    @abstractmethod
    def answer(self, request: Request, fault: Fault | None) -> Answer:
        """Judges and answers one request. Runs in a thread; must not wait. `fault` is of the subclass's own kinds."""

    def violate(self, request: Request, words: str) -> None:
        """Notes a broken rule."""
        self.violations.append(f"{request.method} {request.path}: {words}")

    def draw(self, size: tuple[int, int], image_format: Format, *, alpha: bool = False) -> bytes:
        """A new picture, noted in `served`."""
        data = picture(size, image_format, number=self.next_number(), alpha=alpha)
        self.served.append(data)
        return data

    def publish(self, data: bytes, image_format: str) -> str:
        """Puts a result file up; its absolute address."""
        path = f"{MEDIA}{self.next_number()}.{image_format}"
        self.media[path] = (data, f"image/{image_format}")
        return self.origin + path

    async def exchange(self, sock: Socket, head: Head) -> bool:
        early = request_of(head)
        if early.path.startswith(MEDIA):
            return await self._serve_media(sock, early)
        paid = self.is_paid(early)
        fault = self.take_fault() if paid else None
        if isinstance(fault, faults.Hang) and fault.unread:
            await asyncio.Event().wait()
        if isinstance(fault, faults.Reset) and not fault.after_body:
            sock.reset()
            return False
        request = request_of(head, await wire.read_body(sock.reader, head.headers))
        self.calls.append(request)
        if not paid and self.is_paid_body(request):
            fault = self.take_fault()
        if isinstance(fault, _BROKEN):
            if self.runs_on_break and not _is_early(fault):
                await asyncio.to_thread(self.answer, request, None)
            return await self._break(sock, fault)
        if isinstance(fault, RawReply):
            return await self._send(sock, Answer(fault.status, fault.body, fault.headers))
        answer = bent(await asyncio.to_thread(self.answer, request, fault), self.bend)
        if isinstance(fault, faults.Slow) and await self._left(sock, fault.seconds):
            return False
        if isinstance(fault, faults.CutBody):
            return await self._cut(sock, answer)
        return await self._send(sock, answer)

    async def _serve_media(self, sock: Socket, request: Request) -> bool:
        await wire.read_body(sock.reader, dict(request.headers))
        if "authorization" in request.headers:
            self.violate(request, "the key was sent to a result file")
        fault = self.media_faults.popleft() if self.media_faults else None
        self.media_reads.append(request.path)
        if isinstance(fault, _BROKEN):
            return await self._break(sock, fault)
        if isinstance(fault, RawReply):
            return await self._send(sock, Answer(fault.status, fault.body, fault.headers))
        data, content_type = self.media.get(request.path, (b"", ""))
        if not content_type:
            return await self._send(sock, Answer(404, b"gone", content_type="text/plain"))
        answer = Answer(200, data, content_type=content_type)
        return await (self._cut(sock, answer) if isinstance(fault, faults.CutBody) else self._send(sock, answer))

    async def _break(self, sock: Socket, fault: Fault) -> bool:
        match fault:
            case faults.Hang():
                await self._left(sock, None)
            case faults.Reset():
                sock.reset()
            case _:
                await sock.send(b"HTTP/1.1 200 OK\r\ncontent-type: applica")
        return False

    async def _left(self, sock: Socket, seconds: float | None) -> bool:
        gone = await sock.left_within(seconds)
        self.left_early += gone
        return gone

    async def _send(self, sock: Socket, answer: Answer) -> bool:
        await sock.send(b"".join(answer_bytes(answer)))
        return True

    async def _cut(self, sock: Socket, answer: Answer) -> bool:
        head, body = answer_bytes(answer)
        await sock.send(head + body[: len(body) // 2])
        return False


def bent(answer: Answer, bend: Callable[[Any], Any] | None) -> Answer:
    """The answer with its JSON changed, when it is a good one."""
    if bend is None or isinstance(answer.body, bytes) or not 200 <= answer.status < 300:
        return answer
    return replace(answer, body=bend(json.loads(json.dumps(answer.body))))


def _is_early(fault: Fault) -> bool:
    """Whether it stands for a request never read; taken by `is_paid_body` it comes after the body all the same."""
    return getattr(fault, "unread", False) or not getattr(fault, "after_body", True)


def answer_bytes(answer: Answer) -> tuple[bytes, bytes]:
    """Head and body, ready to send."""
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    headers = {"content-type": answer.content_type, "content-length": str(len(body))} | dict(answer.headers)
    return wire.head_bytes(answer.status, list(headers.items())), body


def wait_until(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    """Waits for something that another thread brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
