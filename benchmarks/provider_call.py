"""What the engine adds to a provider call: against plain httpx + json + base64 + one file written, in the same run.

The floor writes without fsync, without a database, without a thumbnail; so the ratio is what durability and the page cost.
"""

from __future__ import annotations

import asyncio
import base64
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from providers.types import ImageRequest
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness

ROUNDS, QUICK_ROUNDS = 15, 3
SIZE = "1024x1024"


async def measure(*, quick: bool = False) -> list[str]:
    """Lines with median milliseconds of floor and engine, and their ratio, for one call and for sixteen at once."""
    lines, rounds = [], QUICK_ROUNDS if quick else ROUNDS
    with FakeOpenAI(key=KEY) as fake, tempfile.TemporaryDirectory() as folder:
        one = Harness(Path(folder) / "data", openai_url=fake.base_url)
        async with httpx.AsyncClient(base_url=fake.base_url, headers={"Authorization": f"Bearer {KEY}"}) as plain:
            for together in (1, 16):
                floor = await _median_ms(lambda: _floor(plain, Path(folder)), together, rounds)
                engine = await _median_ms(lambda: _engine(one), together, rounds)
                ratio = engine / floor
                lines.append(f"{together:3} at once: floor {floor:7.1f} ms, engine {engine:7.1f} ms, ratio {ratio:.2f}")
        await one.stop()
        one.close()
    return lines


async def _median_ms(work: Callable[[], Awaitable[None]], together: int, rounds: int) -> float:
    await work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(together)))
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


async def _floor(plain: httpx.AsyncClient, folder: Path) -> None:
    body = {"model": "gpt-image-2", "prompt": "A red fox", "size": SIZE, "quality": "low"}
    answer = await plain.post("images/generations", json=body, timeout=60)
    data = base64.b64decode(answer.json()["data"][0]["b64_json"])
    await asyncio.to_thread((folder / f"{time.perf_counter_ns()}.png").write_bytes, data)


async def _engine(one: Harness) -> None:
    await one.run(ImageRequest("A red fox", size=SIZE, quality="low"), OFFER)
