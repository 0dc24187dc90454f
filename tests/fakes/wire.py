"""HTTP/1.1 on a bare socket: reading requests strictly and writing answers byte by byte.

A web framework would hide what faults need: the moment of a reset, a length that lies, where a chunk ends.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus

CHUNK_BYTES = 4093
"""A prime, so that chunk ends never keep step with lines or with groups of base64."""


class BadRequestError(Exception):
    """What arrived is not a request this server can read; the message says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and headers, names in lower case; a repeated header is joined with a comma."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form, in the order sent; `filename` is None for a plain text field."""

    name: str
    filename: str | None
    content_type: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    fields: object
    """A parsed JSON body, a tuple of `Part`, or None when the body was not read or could not be parsed."""
    received_at: float
    """Seconds of the monotonic clock when the body was in."""
    body: bytes
    request_id: str
    """The `x-request-id` of its answer."""

    def parts(self, name: str) -> list[Part]:
        """The form parts of this name, in order."""
        return [part for part in self.fields if part.name == name] if isinstance(self.fields, tuple) else []

    @property
    def model(self) -> str:
        """The model asked for, or an empty string."""
        if isinstance(self.fields, dict):
            return str(self.fields.get("model", ""))
        return next((part.data.decode("utf-8", "replace") for part in self.parts("model")), "")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head, or None when the client closed the connection between requests."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequestError("the connection ended inside the request head") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("the request head is too long") from error
    first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise BadRequestError(f"not an HTTP/1.1 request line: {first!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequestError(f"not a header line: {line!r}")
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return Head(words[0], words[1], headers)


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """The request body, by length or by chunks."""
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise BadRequestError("transfer-encoding must be chunked, without content-length")
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise BadRequestError(f"content-length is no number: {length!r}")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while (line := (await reader.readuntil(b"\r\n")).strip().lower()) != b"0":
        if not re.fullmatch(b"[0-9a-f]{1,8}", line):
            raise BadRequestError(f"not the length of a chunk: {line!r}")
        body += await reader.readexactly(int(line, 16))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return bytes(body)


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """A Content-Type header as lower-case type and its parameters."""
    message = Message()
    message["content-type"] = value
    parameters = dict(message.get_params([], unquote=True)[1:])
    return message.get_content_type() if "/" in value else value.lower(), parameters


def parse_multipart(content_type: str, body: bytes) -> tuple[Part, ...]:
    """The parts of a form.

    Raises:
        BadRequestError: the boundary is missing or wrong, or a part has no usable Content-Disposition.
    """
    boundary = media_type(content_type)[1].get("boundary", "")
    if not boundary:
        raise BadRequestError("multipart/form-data without a boundary")
    mark = b"--" + boundary.encode("latin-1")
    if not body.startswith(mark + b"\r\n"):
        raise BadRequestError("the form does not begin with its boundary")
    *sections, last = (b"\r\n" + body).split(b"\r\n" + mark)
    if last.rstrip(b"\r\n") != b"--":
        raise BadRequestError("the form does not end with its closing boundary")
    return tuple(_parse_part(section) for section in sections[1:])


def _parse_part(section: bytes) -> Part:
    raw_head, found, data = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not found:
        raise BadRequestError("a part of the form has no blank line after its headers")
    headers: dict[str, str] = {}
    for line in raw_head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition = headers.get("content-disposition", "")
    if not disposition.lower().startswith("form-data"):
        raise BadRequestError("a part of the form has no Content-Disposition: form-data")
    fields = dict(re.findall(r';\s*(name|filename)="([^"]*)"', disposition))
    if not fields.get("name"):
        raise BadRequestError("a part of the form has no name")
    return Part(fields["name"], fields.get("filename"), headers.get("content-type"), data)


def head_bytes(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Status line and headers, ready to send."""
    phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk_bytes(data: bytes) -> bytes:
    """One chunk of a chunked body; empty data ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def odd_pieces(data: bytes) -> Iterator[bytes]:
    """The data cut where parsers break: inside UTF-8 characters, inside CRLF, between the two ends of an event.

    Also after three bytes and then every `CHUNK_BYTES`.
    """
    cuts = {3, *range(CHUNK_BYTES, len(data), CHUNK_BYTES)}
    cuts.update(match.start() + 1 for match in re.finditer(rb"[\xc0-\xff]|\r\n|\n(?=\n)", data))
    start = 0
    for cut in sorted(cut for cut in cuts if cut < len(data)):
        yield data[start:cut]
        start = cut
    yield data[start:]


@dataclass(frozen=True, slots=True)
class Socket:
    """One connection of a client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Sends it in one go."""
        self.writer.write(data)
        await self.writer.drain()

    async def send_pieces(self, data: bytes) -> None:
        """Sends it as chunks with odd ends."""
        for piece in odd_pieces(data):
            if piece:
                await self.send(chunk_bytes(piece))

    async def drip(self, data: bytes, interval_s: float, *, chunked: bool) -> bool:
        """Sends one byte at a time; False when the client left before the end."""
        for value in data:
            byte = bytes([value])
            await self.send(chunk_bytes(byte) if chunked else byte)
            if await self.left_within(interval_s):
                return False
        return True

    def reset(self) -> None:
        """Ends the connection with RST instead of FIN, dropping whatever was not sent."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def left_within(self, seconds: float | None) -> bool:
        """Waits, and says whether the client closed the connection meanwhile; None waits until it does."""
        try:
            async with asyncio.timeout(seconds):
                while await self.reader.read(1024):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True
