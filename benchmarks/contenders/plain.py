"""The floor: httpx, json, base64, one file. It checks nothing, and nothing is certain to be on disk."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

BODY = {"model": "gpt-image-2", "prompt": "A red fox", "size": "1024x1024", "quality": "low"}


@asynccontextmanager
async def calls(base_url: str, folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """See `benchmarks.contenders.__main__`."""
    names = itertools.count()
    async with httpx.AsyncClient(timeout=60, headers={"authorization": "Bearer sk-test-0123456789"}) as client:

        async def call() -> None:
            answer = await client.post(f"{base_url}/images/generations", json=BODY)
            data = base64.b64decode(answer.json()["data"][0]["b64_json"])
            (folder / f"{next(names)}.png").write_bytes(data)

        yield call
