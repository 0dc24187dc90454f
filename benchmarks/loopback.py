"""What the loopback servers of the benchmarks share: reading calls, writing answers, and chunks of a PNG."""

from __future__ import annotations

import asyncio
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterable

USAGE = (
    b'{"input_tokens": 9, "input_tokens_details": {"image_tokens": 0, "text_tokens": 9}, "output_tokens": 272, '
    b'"total_tokens": 281}'
)


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


def answer_head(length: int) -> bytes:
    """The head of an answer whose body has so many bytes."""
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_benchmark\r\n"
        b"content-length: " + str(length).encode() + b"\r\n\r\n"
    )


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its length and sum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
