"""A loopback server that answers each image call with a PNG of its own after a fixed time. It runs in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import itertools
import random
import struct
import sys
import zlib

from PIL import Image

EDGE = 1024
_IEND_BYTES = 12
_NOISE = 12
"""Standard deviation of the grain: enough that the file is as large as a photograph's PNG, about 1.5 MB."""


class Pictures:
    """PNGs of soft colours under grain. They look different, and no two are the same file."""

    def __init__(self, many: int = 12) -> None:
        grain = Image.effect_noise((EDGE, EDGE), _NOISE)
        self._files = []
        for number in range(many):
            dice = random.Random(number)
            coarse = [Image.frombytes("L", (5, 5), dice.randbytes(25)).resize((EDGE, EDGE), 3) for _ in range(3)]
            buffer = io.BytesIO()
            Image.merge("RGB", [Image.blend(band, grain, 0.25) for band in coarse]).save(
                buffer, "PNG", compress_level=1
            )
            self._files.append(buffer.getvalue())
        self._numbers = itertools.count()

    def next(self) -> bytes:
        """The next file, with its number in a small chunk before the end."""
        number = next(self._numbers)
        data = self._files[number % len(self._files)]
        own = b"diPt" + number.to_bytes(8, "big")
        chunk = struct.pack(">I", len(own) - 4) + own + struct.pack(">I", zlib.crc32(own))
        return data[:-_IEND_BYTES] + chunk + data[-_IEND_BYTES:]


async def serve(seconds: float) -> None:
    """Serves until standard input ends. Prints the port."""
    pictures = Pictures()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                ends_at = asyncio.get_running_loop().time() + seconds
                await reader.readexactly(_length(head))
                body = _answer(pictures.next())
                await asyncio.sleep(ends_at - asyncio.get_running_loop().time())
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_benchmark\r\n")
                writer.write(f"content-length: {len(body)}\r\n\r\n".encode())
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def _answer(image: bytes) -> bytes:
    usage = (
        b'{"input_tokens": 9, "input_tokens_details": {"image_tokens": 0, "text_tokens": 9}, "output_tokens": 272, '
        b'"total_tokens": 281}'
    )
    return (
        b'{"created": 1776729600, "data": [{"b64_json": "' + base64.b64encode(image) + b'"}], "usage": ' + usage + b"}"
    )


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    asyncio.run(serve(parser.parse_args().seconds))
