"""The one door to HTTP: limits, time-outs, and which failures certainly never ran.

A paid call is sent again only when it certainly never ran: no connection was made, or the answer was 429 or 503.
Everything else that breaks after the request left may have been billed, and says so. Redirects are not followed: the
key would travel along.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from providers.adapter import HttpCall, Reply
from providers.base64_strings import Base64Strings
from providers.bodies import encoded
from providers.catalog import Provider
from providers.errors import ConnectionFailed, MalformedReply, ProviderError, TimedOut
from providers.fetching import Fetcher, FetchRules, certificates, no_cookies
from providers.redact import bytes_without_key, with_halves, without_keys

T = TypeVar("T")

CONNECT_S = 10.0
"""A connection that takes longer will not come; nothing was sent yet."""
WRITE_S = 60.0
"""For one piece of an upload, not for the whole; a server that reads nothing for so long is stuck."""
MAX_REPLY_BYTES = 400 * 2**20
"""Ten images of 4K in base64 stay below this."""
MAX_ERROR_BYTES = 2**20
USER_AGENT = "diptych"

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""No connection was made; trying again can help."""
_NEVER_CAN_BE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
"""The request cannot be written at all; trying again cannot help."""


class InProcessReply(Protocol):
    """An answer given inside this process."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer."""
        ...

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        ...


class InProcessServer(Protocol):
    """Something that answers HTTP without a network, as the Demo provider does."""

    async def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> InProcessReply:
        """The answer to one request."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """Where a provider is reached and with which keys."""

    provider: Provider
    base_url: str
    """Without a trailing slash."""
    key: str | None = field(repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """provider_id -> key, for other providers' keys that travel in a body."""
    upload_url: str | None = None
    """Where files are uploaded; `None`: they travel inside the call."""
    jobs_url: str | None = None
    """Where jobs are listed, when that is another address than the base URL; `None`: no list there can be asked."""
    fetch_rules: FetchRules = FetchRules()

    def clean(self, data: bytes) -> bytes:
        """The data without any of the keys, before anybody reads or shortens it."""
        for key in self._hidden():
            data = bytes_without_key(data, key)
        return data

    def clean_text(self, text: str) -> str:
        """The text without any of the keys, or what looks like one."""
        return without_keys(text, *self._hidden())

    def _hidden(self) -> list[str]:
        return [text for key in (self.key, *self.secrets.values()) for text in with_halves(key)]


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose head has arrived."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    chunks: AsyncIterator[bytes]
    """The body, piece by piece; each may be waited for until the deadline."""


class Transport:
    """Sends calls. One for the whole app; it holds the connections."""

    def __init__(self, in_process: Mapping[str, InProcessServer] | None = None) -> None:
        """`in_process` maps a base address, as `http://demo.invalid`, to what answers it in this process."""
        mounts = {address: _InProcessTransport(server) for address, server in (in_process or {}).items()}
        self.fetcher = Fetcher()
        self._http = httpx.AsyncClient(
            mounts=mounts,
            follow_redirects=False,
            verify=certificates(),
            cookies=no_cookies(),
            timeout=httpx.Timeout(connect=CONNECT_S, write=WRITE_S, read=None, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            headers={"user-agent": USER_AGENT},
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()
        await self.fetcher.close()

    @asynccontextmanager
    async def open(self, call: HttpCall, access: Access, deadline: float) -> AsyncIterator[Opened]:
        """Sends the call and gives the answer's head and its body in pieces, until `deadline` (event loop time).

        Raises: TimedOut, ConnectionFailed; each says whether the call may have been billed.
        """
        progress = _Progress()
        with _faults_in_words(access, progress):
            request = await self._request(call, access)
            request.extensions["trace"] = progress.note
            response = await within(deadline, self._http.send(request, stream=True))
        try:
            headers = {name.lower(): access.clean_text(value) for name, value in response.headers.items()}
            yield Opened(response.status_code, headers, _chunks(response, access, deadline))
        finally:
            await response.aclose()

    async def _request(self, call: HttpCall, access: Access) -> httpx.Request:
        headers = {"accept": "text/event-stream" if call.is_stream else "application/json"}
        if "authorization" not in call.headers and access.key is not None:
            scheme = {"bearer": "Bearer", "key": "Key"}.get(access.provider.auth)
            headers |= {"authorization": f"{scheme} {access.key}"} if scheme else {}
        headers |= call.headers
        url = address_of(call, access)
        if call.json is not None:
            # Files become base64 here: tens of megabytes are not for the event loop.
            body = await asyncio.to_thread(encoded, call, access.secrets)
            headers["content-type"] = "application/json"
            return self._http.build_request(call.method, url, content=body, headers=headers)
        if call.content is not None:
            headers["content-type"] = call.content.media_type
            return self._http.build_request(call.method, url, content=call.content.data, headers=headers)
        if call.files or call.form:
            # httpx sends text fields of `files` as parts without a file name, in this order.
            parts: list[tuple[str, tuple[None, str] | tuple[str, io.BytesIO, str]]] = [
                (name, (None, value)) for name, value in call.form
            ]
            # As a file it is written in pieces of 64 kB, each with its own time limit; as bytes it would be one piece.
            parts += [(part.name, (part.filename, io.BytesIO(part.data), part.media_type)) for part in call.files]
            return self._http.build_request(call.method, url, files=parts, headers=headers)
        return self._http.build_request(call.method, url, headers=headers)


def address_of(call: HttpCall, access: Access) -> str:
    """The call's whole address. One at the provider's usual base is taken to its moved one: a proxy may pass it on as it is.

    Raises: MalformedReply when it is one that the provider named on a host other than its own: the key would go there.
    """
    if call.path.startswith(("http://", "https://")):
        moved = _moved(call.path, access)
        if moved is not None:
            return moved
        own = [origin_of(url) for url in (access.base_url, access.upload_url) if url]
        if origin_of(call.path) not in own and "authorization" not in call.headers:
            raise MalformedReply(
                "{provider} named an address on another host for its job. It was not called: the key would go along.",
                may_have_been_billed=True,
            )
        return call.path
    if call.base == "origin":
        return origin_of(access.base_url) + call.path
    if call.base == "upload":
        return (access.upload_url or access.base_url).rstrip("/") + call.path
    if call.base == "jobs":
        return (access.jobs_url or access.base_url).rstrip("/") + call.path
    return access.base_url + call.path


def _moved(url: str, access: Access) -> str | None:
    """The address below the base URL that the operator set, for one below the provider's usual base URL."""
    usual = access.provider.base_url
    if access.base_url == usual or origin_of(url) != origin_of(usual):
        return None
    wanted, base = urlsplit(url), urlsplit(usual)
    path = wanted.path.removeprefix(base.path)
    if not wanted.path.startswith(base.path) or not (path == "" or path.startswith("/")):
        return None
    return access.base_url + path + (f"?{wanted.query}" if wanted.query else "")


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; empty when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}" if host else ""


async def read_all(opened: Opened) -> Reply:
    """The whole answer, its images decoded already. Raises: MalformedReply when it is too large."""
    strings, size = Base64Strings(_said_bytes(opened.headers)), 0
    async for piece in opened.chunks:
        strings.feed(piece)
        size += len(piece)
        if size > MAX_REPLY_BYTES:
            raise MalformedReply(
                f"The answer of {{provider}} has over {MAX_REPLY_BYTES // 2**20} MB and was not read to its end.",
                may_have_been_billed=True,
            )
    return Reply(opened.status, opened.headers, *strings.close())


def _said_bytes(headers: Mapping[str, str]) -> int:
    """How long the body is to be; 0 where that is not said, or said of its zipped form."""
    said = headers.get("content-length", "")
    return (
        int(said) if said.isascii() and said.isdigit() and len(said) < 12 and "content-encoding" not in headers else 0
    )


async def read_error(opened: Opened) -> Reply:
    """An answer whose status says that it failed: as much of its body as came, since the status decides."""
    body = bytearray()
    with suppress(ProviderError):
        async for piece in opened.chunks:
            body += piece
            if len(body) > MAX_ERROR_BYTES:
                break
    return Reply(opened.status, opened.headers, bytes(body[:MAX_ERROR_BYTES]))


async def within(deadline: float, work: Awaitable[T]) -> T:
    """The awaited value. Raises: TimeoutError when the event loop's clock passes `deadline` first."""
    async with asyncio.timeout_at(deadline):
        return await work


async def _chunks(response: httpx.Response, access: Access, deadline: float) -> AsyncIterator[bytes]:
    pieces = response.aiter_bytes()
    while True:
        try:
            with _faults_in_words(access, _Progress(was_sent=True)):
                piece = await within(deadline, anext(pieces))
        except StopAsyncIteration:
            return
        yield piece


@dataclass(slots=True)
class _Progress:
    """How far one try came, as the HTTP library tells it."""

    was_connecting: bool = False
    was_sent: bool = False

    async def note(self, event: str, _info: Mapping[str, object]) -> None:
        """Called by the HTTP library at each of its steps."""
        self.was_connecting |= event.startswith("connection.connect_")
        self.was_sent |= event.endswith(".send_request_headers.started")

    @property
    def certainly_never_sent(self) -> bool:
        """A connection was begun and no byte of the request was written; on a kept connection nobody can be sure."""
        return self.was_connecting and not self.was_sent


@contextmanager
def _faults_in_words(access: Access, progress: _Progress) -> Iterator[None]:
    """Turns the HTTP library's exceptions into ours, with the question answered whether money may be gone."""
    name = access.provider.name
    try:
        yield
    except TimeoutError:
        raise _timed_out(name, progress) from None
    except (*_NEVER_SENT, *_NEVER_CAN_BE) as error:
        failed = ConnectionFailed(
            f"{name} could not be reached ({_plain(error)}). Nothing was sent. Check the network and the base URL."
        )
        failed.retryable = not isinstance(error, _NEVER_CAN_BE)
        raise failed from None
    except httpx.DecodingError:
        raise MalformedReply(
            f"The answer of {name} is compressed in a broken way.", may_have_been_billed=True
        ) from None
    except httpx.TransportError as error:
        raise ConnectionFailed(
            f"The connection to {name} broke after the request was sent ({_plain(error)}). {name} may have billed it; "
            "check there before you retry.",
            may_have_been_billed=True,
        ) from None


def _timed_out(name: str, progress: _Progress) -> TimedOut:
    if progress.certainly_never_sent:
        return TimedOut(f"{name} could not be reached within the time limit. Nothing was sent.")
    return TimedOut(
        f"No full answer from {name} within the time limit. The request had been sent, so {name} may have billed it. "
        "It is not sent again by itself.",
        may_have_been_billed=True,
    )


def _plain(error: Exception) -> str:
    """What broke, without the library's text: that can hold addresses and header values."""
    words = {
        "ConnectError": "connection refused or unknown host",
        "ConnectTimeout": f"no connection in {CONNECT_S:g} s",
        "ReadError": "connection reset",
        "WriteError": "connection reset while sending",
        "WriteTimeout": "it stopped reading the request",
        "RemoteProtocolError": "the answer was cut off",
        "ProxyError": "the proxy refused",
        "InvalidURL": "the base URL is no http address",
        "UnsupportedProtocol": "the base URL is no http address",
        "LocalProtocolError": "the request could not be written",
    }
    return words.get(type(error).__name__, "connection error")


class _InProcessTransport(httpx.AsyncBaseTransport):
    """Carries a request to a server in this process; its answer streams like any other."""

    def __init__(self, server: InProcessServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        reply = await self._server.answer(request.method, request.url.path, dict(request.headers), body)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=_InProcessStream(reply.chunks))


class _InProcessStream(httpx.AsyncByteStream):
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                yield chunk
        except ConnectionError as error:
            raise httpx.ReadError(str(error)) from error
