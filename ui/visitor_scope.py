"""Ties what Gradio hands out to the visitor it was handed to: sessions, events of its queue, uploaded files.

To Gradio each of these is a bearer secret: whoever knows a session's name reads its stream, whoever knows an event's id takes
its answer or cancels it, whoever knows a file's path gives it to a handler. Here a session gets a new name, made of the one the
page chose and the visitor's token, so nobody can mean another's; events and files are remembered with their visitor.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import PurePath
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.usage import Usage, UseRefused

MAX_BODY_BYTES = 16_000_000
"""Of one event; files travel by themselves."""
MAX_CLAIMS = 50_000
_KEPT_ANSWER_BYTES = 256_000

_API = "/gradio_api/"
_ASKS = re.compile(r"/gradio_api/(?:queue/join|call/.+|run/.+|api/.+|cancel|reset)/?")
_ANSWERS = re.compile(r"/gradio_api/(?:queue/join|call/.+)/?")
_RESULT = re.compile(r"/gradio_api/call/(?:.+)/([^/]+)/?")
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)")
_CHOSEN = ("session_hash", "upload_id")
"""Names that a page makes up for a stream: the second tells how much of which file has come."""
_UPLOAD = re.compile(r"/gradio_api/upload/?")

TOO_LARGE = "This is too large for one request."
NOT_YOURS = "There is no such thing of yours."


class Claims:
    """What belongs to which visitor; the oldest are forgotten first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visitor_of: OrderedDict[str, str] = OrderedDict()

    def claim(self, names: Iterator[str], visitor: str) -> None:
        """From now on these are that visitor's."""
        with self._lock:
            for name in names:
                self._visitor_of[name] = visitor
                if len(self._visitor_of) > MAX_CLAIMS:
                    self._visitor_of.popitem(last=False)

    def belongs(self, name: str, visitor: str) -> bool:
        """Whether it is that visitor's; what nobody claimed is nobody's."""
        with self._lock:
            return self._visitor_of.get(name) == visitor


class VisitorScope:
    """What Gradio hears from a visitor and says to them; for public mode."""

    def __init__(self, app: ASGIApp, usage: Usage) -> None:
        self._app = app
        self._usage = usage
        self._claims = Claims()

    async def __call__(self, scope: Scope, receive: Receive, send: Send, visitor: str, address: str) -> None:
        """Serves one HTTP request. `visitor`: hash of their token, empty without one; `address`: whence, empty if unknown."""
        path, method = scope["path"], scope["method"]
        if not path.startswith(_API):
            await self._app(scope, receive, send)
        elif method == "POST" and _UPLOAD.fullmatch(path):
            await self._upload(scope, receive, send, visitor, address)
        elif method == "POST" and _ASKS.fullmatch(path):
            await self._ask(scope, receive, send, visitor)
        elif (result := _RESULT.fullmatch(path)) and not self._claims.belongs(result[1], visitor):
            await PlainTextResponse(NOT_YOURS, 404)(scope, receive, send)
        else:
            await self._app(_with_own_session(scope, visitor), receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send, visitor: str) -> None:
        try:
            body = await _whole_body(scope, receive)
            document = orjson.loads(body) if body else {}
        except ClientDisconnect:
            return
        except _TooLarge:
            await PlainTextResponse(TOO_LARGE, 413)(scope, receive, send)
            return
        except orjson.JSONDecodeError:
            await PlainTextResponse("This is no JSON.", 400)(scope, receive, send)
            return
        if not self._is_own(scope["path"], document, visitor):
            await PlainTextResponse(NOT_YOURS, 404)(scope, receive, send)
            return
        if isinstance(document, dict) and isinstance(document.get("session_hash"), str):
            document["session_hash"] = own_session(visitor, document["session_hash"])
            body = orjson.dumps(document)
        if _ANSWERS.fullmatch(scope["path"]):
            send = self._claiming(send, visitor, _event_ids)
        await self._app(_with_length(scope, len(body)), _saying(body, receive), send)

    def _is_own(self, path: str, document: object, visitor: str) -> bool:
        if path.startswith(f"{_API}cancel"):
            event = document.get("event_id") if isinstance(document, dict) else None
            return isinstance(event, str) and self._claims.belongs(event, visitor)
        return all(self._claims.belongs(name, visitor) for name in _files(document))

    async def _upload(self, scope: Scope, receive: Receive, send: Send, visitor: str, address: str) -> None:
        if not visitor:
            await PlainTextResponse("Open the page first: files are kept for visitors only.", 403)(scope, receive, send)
            return
        try:
            await self._usage.count("uploads", visitor, address=address)
        except UseRefused as error:
            await _refused(error)(scope, receive, send)
            return
        counted = _Counted(receive, self._usage, visitor, address)
        own = _with_own_session(scope, visitor)
        await self._app(own, counted, counted.answering(self._claiming(send, visitor, _paths)))

    def _claiming(self, send: Send, visitor: str, found_in: Callable[[object], Iterator[str]]) -> Send:
        """Passes the answer on, and before its end remembers whose the things are that it names."""
        kept = bytearray()

        async def claim(message: Message) -> None:
            if message["type"] == "http.response.body" and len(kept) < _KEPT_ANSWER_BYTES:
                kept.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    self._claims.claim(found_in(_document(bytes(kept))), visitor)
            await send(message)

        return claim


def own_session(visitor: str, name: str) -> str:
    """The session that Gradio knows under what this visitor's page calls `name`."""
    return hashlib.sha256(f"{visitor} {name}".encode()).hexdigest()[:40]


def _with_own_session(scope: Scope, visitor: str) -> Scope:
    beat = _HEARTBEAT.fullmatch(scope["path"])
    if beat:
        path = f"{_API}heartbeat/{own_session(visitor, beat[1])}"
        return {**scope, "path": path, "raw_path": path.encode()}
    given = parse_qsl(scope.get("query_string", b"").decode("latin1"), keep_blank_values=True)
    if all(name not in _CHOSEN for name, _ in given):
        return scope
    own = [(name, own_session(visitor, value) if name in _CHOSEN else value) for name, value in given]
    return {**scope, "query_string": urlencode(own).encode()}


class _TooLarge(Exception):
    """The body is longer than any event can be."""


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    """Raises: _TooLarge, after which the rest is left unread; ClientDisconnect."""
    body = bytearray()
    async for chunk in Request(scope, receive).stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _TooLarge
    return bytes(body)


def _with_length(scope: Scope, length: int) -> Scope:
    kept = [pair for pair in scope["headers"] if pair[0].lower() not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


def _saying(body: bytes, receive: Receive) -> Receive:
    """The body at once, then whatever comes: Gradio waits there for the other end to go."""
    is_said = False

    async def say() -> Message:
        nonlocal is_said
        if is_said:
            return await receive()
        is_said = True
        return {"type": "http.request", "body": body, "more_body": False}

    return say


class _Counted:
    """Counts the bytes of an upload as they come, and ends it where they are too many for this visitor."""

    def __init__(self, receive: Receive, usage: Usage, visitor: str, address: str) -> None:
        self._receive, self._usage, self._visitor, self._address = receive, usage, visitor, address
        self._uncounted = 0
        self._refusal: UseRefused | None = None
        self._has_answered = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if self._refusal is None and message["type"] == "http.request" and message.get("body"):
            self._uncounted += len(message["body"])
            if self._uncounted > self._usage.uncounted_bytes or not message.get("more_body"):
                await self._count()
        return {"type": "http.disconnect"} if self._refusal else message

    async def _count(self) -> None:
        amount, self._uncounted = self._uncounted, 0
        try:
            await self._usage.count("upload_bytes", self._visitor, amount, address=self._address)
        except UseRefused as error:
            self._refusal = error

    def answering(self, send: Send) -> Send:
        """The answer, or in its place why the upload was ended."""

        async def answer(message: Message) -> None:
            if self._refusal is None:
                await send(message)
            elif not self._has_answered:
                self._has_answered = True
                await _refused(self._refusal)({"type": "http"}, self._receive, send)

        return answer


def _refused(error: UseRefused) -> PlainTextResponse:
    wait = {"Retry-After": str(round(error.again_in_s))} if error.again_in_s else {}
    return PlainTextResponse(str(error), 429, headers=wait)


def _document(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _event_ids(document: object) -> Iterator[str]:
    event = document.get("event_id") if isinstance(document, dict) else None
    if isinstance(event, str):
        yield event


def _paths(document: object) -> Iterator[str]:
    for path in document if isinstance(document, list) else ():
        if isinstance(path, str):
            yield path


def _files(document: object) -> Iterator[str]:
    """Each file on this machine that a JSON value names, however deep."""
    left = [document]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and (PurePath(path).is_absolute() or "meta" in value):
                yield path
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
