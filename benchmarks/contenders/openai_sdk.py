"""The official client, without its retries."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from openai import AsyncOpenAI


@asynccontextmanager
async def calls(base_url: str, folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """See `benchmarks.contenders.__main__`."""
    names = itertools.count()
    async with AsyncOpenAI(api_key="sk-test-0123456789", base_url=base_url, max_retries=0) as client:

        async def call() -> None:
            answer = await client.images.generate(
                model="gpt-image-2", prompt="A red fox", size="1024x1024", quality="low"
            )
            data = base64.b64decode(answer.data[0].b64_json)
            (folder / f"{next(names)}.png").write_bytes(data)

        yield call
