"""A loopback server that answers each image call with a PNG of its own after a fixed time. It runs in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import random

from PIL import Image

from benchmarks import loopback
from benchmarks.loopback import ImageAnswer

EDGE = 1024
_NOISE = 12
"""Standard deviation of the grain: enough that the file is as large as a photograph's PNG, about 1.5 MB."""


class Pictures:
    """PNGs of soft colours under grain. They look different, and no two are the same file."""

    def __init__(self, many: int = 12, edge: int = EDGE) -> None:
        grain = Image.effect_noise((edge, edge), _NOISE)
        self._answers = []
        for number in range(many):
            dice = random.Random(number)
            coarse = [Image.frombytes("L", (5, 5), dice.randbytes(25)).resize((edge, edge), 3) for _ in range(3)]
            buffer = io.BytesIO()
            Image.merge("RGB", [Image.blend(band, grain, 0.25) for band in coarse]).save(
                buffer, "PNG", compress_level=1
            )
            self._answers.append(ImageAnswer(buffer.getvalue()))
        self._numbers = itertools.count()

    def next(self) -> bytes:
        """The next file."""
        answer, number = self._next()
        return answer.file(number)

    def next_answer(self) -> tuple[bytes, bytes, bytes]:
        """The answer with the next file, in pieces to be sent one after the other."""
        answer, number = self._next()
        return answer.pieces(number)

    def _next(self) -> tuple[ImageAnswer, int]:
        number = next(self._numbers)
        return self._answers[number % len(self._answers)], number


async def serve(seconds: float) -> None:
    """Serves until standard input ends. Prints the port."""
    pictures = Pictures()

    async def answer(came_at: float) -> tuple[bytes, bytes, bytes]:
        await asyncio.sleep(came_at + seconds - asyncio.get_running_loop().time())
        return pictures.next_answer()

    await loopback.serve(answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    asyncio.run(serve(parser.parse_args().seconds))
