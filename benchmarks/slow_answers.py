"""A loopback server that answers each image call with a PNG of its own after a fixed time. It runs in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import itertools
import random

from PIL import Image

from benchmarks import loopback

EDGE = 1024
_IEND_BYTES = 12
_NOISE = 12
"""Standard deviation of the grain: enough that the file is as large as a photograph's PNG, about 1.5 MB."""
_OPENING = b'{"created": 1776729600, "data": [{"b64_json": "'
_CLOSING = b'"}], "usage": ' + loopback.USAGE + b"}"


class Pictures:
    """PNGs of soft colours under grain. They look different, and no two are the same file."""

    def __init__(self, many: int = 12, edge: int = EDGE) -> None:
        grain = Image.effect_noise((edge, edge), _NOISE)
        files = []
        for number in range(many):
            dice = random.Random(number)
            coarse = [Image.frombytes("L", (5, 5), dice.randbytes(25)).resize((edge, edge), 3) for _ in range(3)]
            buffer = io.BytesIO()
            Image.merge("RGB", [Image.blend(band, grain, 0.25) for band in coarse]).save(
                buffer, "PNG", compress_level=1
            )
            files.append(buffer.getvalue())
        self._pieces = [_cut(file) for file in files]
        self._base64 = [base64.b64encode(same) for same, _ in self._pieces]
        self._numbers = itertools.count()

    def next(self) -> bytes:
        """The next file, with its number in a small chunk before the end."""
        which, own = self._next()
        return self._pieces[which][0] + own

    def next_base64(self) -> tuple[bytes, bytes]:
        """The next file as base64, in two pieces of which only the second is encoded now."""
        which, own = self._next()
        return self._base64[which], base64.b64encode(own)

    def _next(self) -> tuple[int, bytes]:
        number = next(self._numbers)
        which = number % len(self._pieces)
        rest = self._pieces[which][1]
        chunk = loopback.png_chunk(b"diPt", number.to_bytes(8, "big"))
        return which, rest[:-_IEND_BYTES] + chunk + rest[-_IEND_BYTES:]


def _cut(file: bytes) -> tuple[bytes, bytes]:
    """What is the same in all answers, as long as base64 can be cut there, and the rest."""
    same = (len(file) - _IEND_BYTES) // 3 * 3
    return file[:same], file[same:]


async def serve(seconds: float) -> None:
    """Serves until standard input ends. Prints the port."""
    pictures = Pictures()

    async def answer(came_at: float) -> tuple[bytes, ...]:
        # Encoding megabytes now would hold up the calls that come at the same moment: they would be late, and by our fault.
        image = pictures.next_base64()
        await asyncio.sleep(came_at + seconds - asyncio.get_running_loop().time())
        body = (_OPENING, *image, _CLOSING)
        return loopback.answer_head(sum(map(len, body))), *body

    await loopback.serve(answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    asyncio.run(serve(parser.parse_args().seconds))
