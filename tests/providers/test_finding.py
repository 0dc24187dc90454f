"""A lost job is looked for in pages that may hold many large files, and nobody else waits while those are compared."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import orjson
import pytest

from providers.adapter import HttpCall, Reply
from providers.finding import Errand, find_job
from providers.rows import CATALOG
from providers.transport import Access
from providers.types import Job
from tests.harness import KEY

ENDPOINT = "openai/gpt-image-2/edit"
SENT_AT = "2026-11-21T10:00:00.123Z"
LARGE = b"x" * 400_000
TOLD = {"sent_as": "data_uri", "sha256": sha256(LARGE).hexdigest(), "bytes": len(LARGE)}
ACCESS = Access(CATALOG.provider("fal"), "https://queue.fal.run", KEY, jobs_url="https://api.fal.ai/v1")
ERRAND = Errand(
    HttpCall("POST", f"/{ENDPOINT}"), ACCESS, 60.0, sent={"prompt": "a fox", "image_urls": [TOLD]}, sent_at=SENT_AT
)


class FilesOfAnAnswer(Mapping[str, bytes]):
    """Files that were taken out of an answer; reading one on the event loop fails."""

    def __getitem__(self, name: str) -> bytes:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return {"first": LARGE}[name]

    def __iter__(self) -> Iterator[str]:
        return iter(["first"])

    def __len__(self) -> int:
        return 1


class OnePage:
    """A list of jobs of one page, which names the file that was sent."""

    async def free(self, *_: object) -> Reply:
        job = {"request_id": "lost", "endpoint_id": ENDPOINT, "sent_at": "2026-11-21T10:00:01Z"}
        item: dict[str, Any] = {**job, "json_input": {"prompt": "a fox", "image_urls": ["first"]}}
        return Reply(200, {}, orjson.dumps({"items": [item], "has_more": False}), FilesOfAnAnswer())


async def ours(_: Job) -> bool:
    return True


async def unheard(_: object) -> None:
    raise AssertionError("it is found at once")


@pytest.mark.asyncio
async def test_large_files_in_a_list_are_compared_beside_the_event_loop() -> None:
    job = await find_job(OnePage(), asyncio.sleep, ERRAND, ours, unheard, 1)
    assert job is not None
    assert job.remote_id == "lost"
