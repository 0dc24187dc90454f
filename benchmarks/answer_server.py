"""A loopback server that answers image calls with PNGs of one size, all at the same moment. It runs in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import struct
import zlib

from benchmarks import loopback
from benchmarks.loopback import ImageAnswer, png_chunk

WIDTH = 1000
BYTES_A_ROW = WIDTH * 3 + 1
"""As RGB noise, which does not compress: 500 rows make a file of 1.5 MB."""
QUIET_S = 0.5
"""Fewer calls than were announced are answered when no further one came for so long."""


def noise(megabytes: float) -> bytes:
    """A PNG of about this size."""
    height = round(megabytes * 1e6 / BYTES_A_ROW)
    dice = random.Random(1)
    rows = b"".join(b"\0" + dice.randbytes(WIDTH * 3) for _ in range(height))
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", zlib.compress(rows, 1)) + png_chunk(b"IEND", b"")


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
    image, numbers, gate = ImageAnswer(noise(megabytes)), itertools.count(), Gate(together)

    async def answer(_came_at: float) -> tuple[bytes, bytes, bytes]:
        await gate.passed()
        return image.pieces(next(numbers))

    await loopback.serve(answer, image.image_bytes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--together", type=int, required=True)
    parser.add_argument("--megabytes", type=float, default=1.5)
    given = parser.parse_args()
    asyncio.run(serve(given.together, given.megabytes))
