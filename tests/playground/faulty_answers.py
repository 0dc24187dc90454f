"""Processes, answers and files as tests of the engine look at them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from sqlite_utils import Database

from playground import library
from playground.services import LOCAL_OWNER
from storage.records import RunView
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness

Make = Callable[..., Harness]


PLAIN_KEY = "plain-key-of-no-known-shape-0123456789"


async def all_runs(one: Harness) -> list[RunView]:
    page, _ = await library.history_page(one.services, None)
    return list(page.runs)


async def posts(fake: FakeOpenAI, count: int) -> None:
    async with asyncio.timeout(20):
        while fake.posts < count:
            await asyncio.sleep(0.01)


async def restarted(one: Harness, harness: Make, fake: FakeOpenAI, **changes: object) -> list[RunView]:
    """What a second process makes of what the first left."""
    second = harness(openai_url=fake.base_url, **changes)
    await second.engine.start()
    async with asyncio.timeout(20):
        async for _ in second.engine.follow_owner(LOCAL_OWNER):
            pass
    found = await all_runs(second)
    await second.stop()
    return found


ODD_USAGES = [
    {"input_tokens": 1, "input_tokens_details": {"text_tokens": 1, "image_tokens": 0}, "output_tokens": 10**18},
    {
        "input_tokens": 1,
        "input_tokens_details": {"text_tokens": 1, "image_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"text_tokens": 10**6, "image_tokens": 0},
    },
    {"input_tokens": 100_000, "output_tokens": 196},
    {"input_tokens": -5, "output_tokens": -7},
    {"output_tokens": "many"},
]


def files_with(folder: Path, words: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """A socket on loopback that answers by hand; leaving it waits until every connection was closed."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._under_way: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0, limit=2**16)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=10)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def answering(body: object, *, status: int = 200, key: str = KEY) -> RawServer:
    """A server that gives this one answer, with the key in a header too."""
    data = orjson.dumps(body)
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-request-id: req-{key}\r\n"
    head += f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + data)
        await writer.drain()

    return RawServer(answer)


def _set_states(one: Harness, state: str, *, to: int) -> None:
    """As a crash leaves them: some queued runs were just being sent."""

    def write(db: Database) -> None:
        db.execute(
            "update runs set state = ? where run_id in (select run_id from runs where state = 'queued' limit ?)",
            [state, to],
        )

    one.services.store.write(write)
