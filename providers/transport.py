"""The one door to HTTP: limits, time-outs, and which failures certainly never ran.

A paid call is sent again only when it certainly never ran: no connection was made, or the answer was 429 or 503.
Everything else that breaks after the request left may have been billed, and says so. Redirects are not followed: the
key would travel along.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx

from providers.adapter import HttpCall, Reply
from providers.catalog import Provider
from providers.errors import ConnectionFailed, MalformedReply, TimedOut

T = TypeVar("T")

CONNECT_S = 10.0
"""A connection that takes longer will not come; nothing was sent yet."""
WRITE_S = 60.0
"""For one piece of an upload, not for the whole; a server that reads nothing for so long is stuck."""
MAX_REPLY_BYTES = 400 * 2**20
"""Ten images of 4K in base64 stay below this."""
MAX_ERROR_BYTES = 2**20
USER_AGENT = "diptych"

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


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
    """Where a provider is reached and with which key."""

    provider: Provider
    base_url: str
    """Without a trailing slash."""
    key: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose head has arrived."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    chunks: AsyncIterator[bytes]


class Transport:
    """Sends calls. One for the whole app; it holds the connections."""

    def __init__(self, in_process: Mapping[str, InProcessServer] | None = None) -> None:
        """`in_process` maps a base address, as `http://demo.invalid`, to what answers it in this process."""
        mounts = {address: _InProcessTransport(server) for address, server in (in_process or {}).items()}
        self._http = httpx.AsyncClient(
            mounts=mounts,
            follow_redirects=False,
            timeout=httpx.Timeout(connect=CONNECT_S, write=WRITE_S, read=None, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            headers={"user-agent": USER_AGENT},
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def open(self, call: HttpCall, access: Access, deadline: float) -> AsyncIterator[Opened]:
        """Sends the call and gives the answer's head and its body in pieces, until `deadline` (event loop time).

        Raises: TimedOut, ConnectionFailed; each says whether the call may have been billed.
        """
        async with _faults_in_words(access):
            response = await within(deadline, self._http.send(self._request(call, access), stream=True))
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            yield Opened(response.status_code, headers, _chunks(response, access, deadline))
        finally:
            await response.aclose()

    def _request(self, call: HttpCall, access: Access) -> httpx.Request:
        headers = {"accept": "text/event-stream" if call.is_stream else "application/json"}
        if access.provider.auth == "bearer" and access.key is not None:
            headers["authorization"] = f"Bearer {access.key}"
        url = access.base_url + call.path
        if call.files:
            # httpx sends text fields of `files` as parts without a file name, in this order.
            parts: list[tuple[str, tuple[str | None, bytes | str] | tuple[str, bytes, str]]] = [
                (name, (None, value)) for name, value in call.form
            ]
            parts += [(part.name, (part.filename, part.data, part.media_type)) for part in call.files]
            return self._http.build_request(call.method, url, files=parts, headers=headers)
        return self._http.build_request(call.method, url, json=call.json, headers=headers)


async def read_all(opened: Opened, limit: int = MAX_REPLY_BYTES) -> Reply:
    """The whole answer. Raises: MalformedReply when it is larger than `limit` bytes."""
    body = bytearray()
    async for chunk in opened.chunks:
        body += chunk
        if len(body) > limit:
            raise MalformedReply(
                f"The answer has over {limit // 2**20} MB and was not read to its end.", may_have_been_billed=True
            )
    return Reply(opened.status, opened.headers, bytes(body))


async def within(deadline: float, work: Awaitable[T]) -> T:
    """The awaited value. Raises: TimeoutError when the event loop's clock passes `deadline` first."""
    async with asyncio.timeout_at(deadline):
        return await work


async def _chunks(response: httpx.Response, access: Access, deadline: float) -> AsyncIterator[bytes]:
    pieces = response.aiter_bytes()
    while True:
        try:
            async with _faults_in_words(access):
                piece = await within(deadline, anext(pieces))
        except StopAsyncIteration:
            return
        yield piece


@asynccontextmanager
async def _faults_in_words(access: Access) -> AsyncIterator[None]:
    """Turns the HTTP library's exceptions into ours, with the question answered whether money may be gone."""
    name = access.provider.name
    try:
        yield
    except TimeoutError:
        raise TimedOut(
            f"No full answer from {name} within the time limit. The request had been sent, so {name} may have billed it. "
            "It is not sent again by itself.",
            provider=name,
            may_have_been_billed=True,
        ) from None
    except _NEVER_SENT as error:
        raise ConnectionFailed(
            f"{name} could not be reached ({_plain(error)}). Nothing was sent. Check the network and the base URL.",
            provider=name,
        ) from None
    except httpx.DecodingError:
        raise MalformedReply("The answer is compressed in a broken way.", may_have_been_billed=True) from None
    except httpx.TransportError as error:
        raise ConnectionFailed(
            f"The connection to {name} broke after the request was sent ({_plain(error)}). {name} may have billed it; "
            "check there before you retry.",
            provider=name,
            may_have_been_billed=True,
        ) from None


def _plain(error: httpx.HTTPError) -> str:
    """What broke, without the library's text: that can hold addresses and header values."""
    words = {
        "ConnectError": "connection refused or unknown host",
        "ConnectTimeout": f"no connection in {CONNECT_S:g} s",
        "ReadError": "connection reset",
        "WriteError": "connection reset while sending",
        "WriteTimeout": "it stopped reading the request",
        "RemoteProtocolError": "the answer was cut off",
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
