"""litellm, without its retries."""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import litellm


@asynccontextmanager
async def calls(base_url: str, folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """See `benchmarks.contenders.__main__`."""
    names = itertools.count()

    async def call() -> None:
        answer = await litellm.aimage_generation(
            model="openai/gpt-image-2",
            prompt="A red fox",
            size="1024x1024",
            quality="low",
            api_base=base_url,
            api_key="sk-test-0123456789",
            max_retries=0,
        )
        data = base64.b64decode(answer.data[0].b64_json)
        (folder / f"{next(names)}.png").write_bytes(data)

    yield call
