"""A loopback server that answers image calls with PNGs of one size, all at the same moment. It runs in a process of its own.

Answers differ in one small chunk of the PNG, so that no contender can save a file because it is there already.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import random
import struct
import zlib

from benchmarks import loopback
from benchmarks.loopback import png_chunk

WIDTH = 1000
BYTES_A_ROW = WIDTH * 3 + 1
"""As RGB noise, which does not compress: 500 rows make a file of 1.5 MB."""
QUIET_S = 0.5
"""Fewer calls than were announced are answered when no further one came for so long."""
_HEAD_BYTES = 33
"""PNG signature and IHDR: a multiple of three, so that base64 can be cut there."""


class Answers:
    """Whole HTTP answers; only the bytes that differ are made anew for each."""

    def __init__(self, megabytes: float) -> None:
        height = round(megabytes * 1e6 / BYTES_A_ROW)
        noise = random.Random(1)
        rows = b"".join(b"\0" + noise.randbytes(WIDTH * 3) for _ in range(height))
        head = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, height, 8, 2, 0, 0, 0))
        rest = png_chunk(b"IDAT", zlib.compress(rows, 1)) + png_chunk(b"IEND", b"")
        self._numbers = itertools.count(1)
        own = self._own_chunk()
        self.image_bytes = len(head) + len(own) + len(rest)
        opening = b'{"created": 1776729600, "background": "opaque", "data": [{"b64_json": "'
        closing = (
            b'"}], "output_format": "png", "quality": "low", "size": "1024x1024", "usage": ' + loopback.USAGE + b"}"
        )
        length = len(opening) + len(closing) + (self.image_bytes + 2) // 3 * 4
        self._before = loopback.answer_head(length) + opening + base64.b64encode(head)
        self._after = base64.b64encode(rest) + closing

    def _own_chunk(self) -> bytes:
        """36 bytes that no other answer has: a multiple of three again."""
        return png_chunk(b"diPt", next(self._numbers).to_bytes(24, "big"))

    def next(self) -> tuple[bytes, bytes, bytes]:
        """One answer, in pieces to be sent one after the other."""
        return self._before, base64.b64encode(self._own_chunk()), self._after


class Gate:
    """Holds calls until so many wait, or no further one comes."""

    def __init__(self, together: int) -> None:
        self._together = together
        self._waiting = 0
        self._open = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def passed(self) -> None:
        """Returns when all may go on."""
        self._waiting += 1
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting >= self._together:
            self._release()
            return
        self._timer = asyncio.get_running_loop().call_later(QUIET_S, self._release)
        await self._open.wait()

    def _release(self) -> None:
        self._open.set()
        self._open, self._waiting, self._timer = asyncio.Event(), 0, None


async def serve(together: int, megabytes: float) -> None:
    """Serves until standard input ends. Prints the port and the size of an image."""
    answers, gate = Answers(megabytes), Gate(together)

    async def answer(_came_at: float) -> tuple[bytes, bytes, bytes]:
        await gate.passed()
        return answers.next()

    await loopback.serve(answer, answers.image_bytes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--together", type=int, required=True)
    parser.add_argument("--megabytes", type=float, default=1.5)
    given = parser.parse_args()
    asyncio.run(serve(given.together, given.megabytes))
