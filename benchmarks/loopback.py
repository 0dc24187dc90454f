"""What the loopback servers of the benchmarks share: reading calls, writing answers, and chunks of a PNG."""

from __future__ import annotations

import asyncio
import base64
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterable

_OPENING = b'{"created": 1776729600, "background": "opaque", "data": [{"b64_json": "'
_CLOSING = (
    b'"}], "output_format": "png", "quality": "low", "size": "1024x1024", "usage": {"input_tokens": 9, '
    b'"input_tokens_details": {"image_tokens": 0, "text_tokens": 9}, "output_tokens": 272, "total_tokens": 281}}'
)
_HEAD_BYTES = 33
"""PNG signature and IHDR: a multiple of three, so that base64 can be cut there."""
_NUMBER_BYTES = 24
"""In a chunk of 36 bytes: a multiple of three again."""


class ImageAnswer:
    """The whole HTTP answer to an image call, with this PNG. Answers differ in one small chunk of it, so that no contender can
    save a file because it is there already; all else is made here and not while calls come, which would be late for it.
    """

    def __init__(self, png: bytes) -> None:
        self._head, self._rest = png[:_HEAD_BYTES], png[_HEAD_BYTES:]
        self.image_bytes = len(self.file(0))
        length = len(_OPENING) + (self.image_bytes + 2) // 3 * 4 + len(_CLOSING)
        self._before = _answer_head(length) + _OPENING + base64.b64encode(self._head)
        self._after = base64.b64encode(self._rest) + _CLOSING

    def file(self, number: int) -> bytes:
        """The PNG that the answer of this number holds."""
        return self._head + _own_chunk(number) + self._rest

    def pieces(self, number: int) -> tuple[bytes, bytes, bytes]:
        """The answer of this number, in pieces to be sent one after the other."""
        return self._before, base64.b64encode(_own_chunk(number)), self._after


async def serve(answer: Callable[[float], Awaitable[Iterable[bytes]]], *told: object) -> None:
    """Serves until standard input ends. Prints the port, and what else is `told`, on one line.

    `answer` gets the moment at which the head of a call had come, by the loop's clock, and gives the pieces of the whole HTTP
    answer.
    """

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                came_at = asyncio.get_running_loop().time()
                await reader.readexactly(_length(head))
                for piece in await answer(came_at):
                    writer.write(piece)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], *told, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def _answer_head(length: int) -> bytes:
    """The head of an answer whose body has so many bytes."""
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_benchmark\r\n"
        b"content-length: " + str(length).encode() + b"\r\n\r\n"
    )


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its length and sum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _own_chunk(number: int) -> bytes:
    return png_chunk(b"diPt", number.to_bytes(_NUMBER_BYTES, "big"))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
