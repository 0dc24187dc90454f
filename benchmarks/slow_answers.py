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


class Pictures:
    """PNGs of soft colours under grain. They look different, and no two are the same file."""

    def __init__(self, many: int = 12, edge: int = EDGE) -> None:
        grain = Image.effect_noise((edge, edge), _NOISE)
        self._files = []
        for number in range(many):
            dice = random.Random(number)
            coarse = [Image.frombytes("L", (5, 5), dice.randbytes(25)).resize((edge, edge), 3) for _ in range(3)]
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
        chunk = loopback.png_chunk(b"diPt", number.to_bytes(8, "big"))
        return data[:-_IEND_BYTES] + chunk + data[-_IEND_BYTES:]


async def serve(seconds: float) -> None:
    """Serves until standard input ends. Prints the port."""
    pictures = Pictures()

    async def answer(came_at: float) -> tuple[bytes, bytes]:
        body = _body(pictures.next())
        await asyncio.sleep(came_at + seconds - asyncio.get_running_loop().time())
        return loopback.answer_head(len(body)), body

    await loopback.serve(answer)


def _body(image: bytes) -> bytes:
    opening = b'{"created": 1776729600, "data": [{"b64_json": "'
    return opening + base64.b64encode(image) + b'"}], "usage": ' + loopback.USAGE + b"}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    asyncio.run(serve(parser.parse_args().seconds))
