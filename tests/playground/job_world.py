"""The three providers with jobs, each with its strict fake, as tests of the engine look at them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground import library
from playground.plan import Plan, make_plan
from playground.services import LOCAL_OWNER
from providers.types import ImageRequest, InputImage
from storage.records import RunView
from storage.verify import verify
from tests.fakes.fal_server import FakeFal
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.harness import KEY, Harness

PROVIDERS = ("replicate", "runware", "fal")
FAKES: dict[str, Callable[[], Any]] = {"replicate": FakeReplicate, "runware": FakeRunware, "fal": FakeFal}
VARIABLES = {
    "replicate": ("REPLICATE_API_TOKEN", "REPLICATE_BASE_URL"),
    "runware": ("RUNWARE_API_KEY", "RUNWARE_BASE_URL"),
    "fal": ("FAL_KEY", "FAL_BASE_URL"),
}
NAMES = {"replicate": "Replicate", "runware": "Runware", "fal": "fal"}
FOX = "A red fox"

PLAIN = {"size": "1024x1024", "quality": "low"}
"""What is asked where nothing else matters: its price is certain."""


def request_of(n: int = 1, **fields: Any) -> ImageRequest:
    return ImageRequest(FOX, n=n, **(PLAIN | fields))


@dataclass
class World:
    """One provider, its fake, and the applications over one data folder."""

    provider: str
    fake: Any
    data_dir: Path
    make: Callable[..., Harness]
    made: list[Harness] = field(default_factory=list)
    has_upload_address: bool = True
    has_list: bool = True
    """Whether fal's list of past requests can be reached."""

    @property
    def name(self) -> str:
        return NAMES[self.provider]

    @property
    def offer(self) -> str:
        return f"{self.provider}/gpt-image-2.5-flare"

    @property
    def creates(self) -> int:
        return int(self.fake.creates)

    @property
    def cancels(self) -> int:
        return {"replicate": lambda: self.fake.cancels, "runware": lambda: 0, "fal": lambda: len(self.fake.cancels)}[
            self.provider
        ]()

    @property
    def jobs(self) -> list[Any]:
        """As the fake knows them, oldest first."""
        return list((self.fake.tasks if self.provider == "runware" else self.fake.jobs).values())

    @property
    def polls(self) -> int:
        return sum(job.polls for job in self.jobs)

    def process(self, **changes: Any) -> Harness:
        """One process over the data folder, with the keys in its environment."""
        upload_urls = {"fal": self.fake.rest_url} if self.provider == "fal" and self.has_upload_address else {}
        given = {
            "urls": {self.provider: self.fake.base_url},
            "key": None,
            "keys": {self.provider: self.fake.key},
            "upload_urls": upload_urls,
            "jobs_urls": {"fal": self.fake.platform_url} if self.provider == "fal" and self.has_list else {},
        }
        one = self.make(**(given | changes))
        self.made.append(one)
        return one

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[Harness]:
        one = self.process(**changes)
        yield one
        await one.stop()

    async def run(self, request: ImageRequest | None = None, offer: str = "", **changes: Any) -> RunView:
        """The ended run of a process that does nothing else."""
        async with self.running(**changes) as one:
            (view,) = await one.run(request or request_of(), offer or self.offer)
        return view

    def plan(self, one: Harness, request: ImageRequest | None = None, offer: str = "") -> Plan:
        return make_plan(request or request_of(), [offer or self.offer], one.services.catalog)

    async def submit(self, one: Harness, request: ImageRequest | None = None, offer: str = "") -> str:
        """The id of a run that has begun."""
        group_id = await one.engine.submit(self.plan(one, request, offer), LOCAL_OWNER)
        return (await self.views(one, group_id))[0].run.run_id

    async def views(self, one: Harness, group_id: str | None = None) -> list[RunView]:
        if group_id is not None:
            found = await library.group(one.services, group_id, LOCAL_OWNER)
            assert found is not None
            return list(found.runs)
        page, _ = await library.history_page(one.services, None)
        return list(page.runs)

    async def view(self, one: Harness) -> RunView:
        """The only run."""
        (view,) = await self.views(one)
        return view

    async def ended(self, one: Harness, seconds: float = 20.0) -> RunView:
        """The only run, when it has ended."""
        async with asyncio.timeout(seconds):
            async for _ in one.engine.follow_owner(LOCAL_OWNER):
                pass
        return await self.view(one)

    async def restarted(self, **changes: Any) -> RunView:
        """The only run, as a new process makes it end."""
        async with self.running(**changes) as one:
            await one.engine.start()
            return await self.ended(one)

    def lets_jobs_end(self) -> None:
        """Every job is done at the next poll."""
        self.fake.polls = 0
        for job in self.jobs:
            if self.provider == "replicate":
                job.pending = 0
            elif self.provider == "runware":
                job.waits = 0

    def served(self) -> list[str]:
        return sorted(hashlib.sha256(data).hexdigest() for data in self.fake.served)

    def is_kept(self, view: RunView) -> None:
        """Every image that was made is stored once, byte for byte."""
        assert sorted(image.sha256 for image in view.images) == self.served()
        blobs = self.made[-1].services.store.blobs
        for image in view.images:
            path = blobs.find(image.sha256)
            assert path is not None
            assert path.read_bytes() in self.fake.served
        assert [image.position for image in view.images] == list(range(len(view.images)))

    def is_told(self, view: RunView) -> str:
        """The words of the run's error: a sentence that names the provider and hides what must be hidden."""
        assert view.run.error is not None
        words = view.run.error.message
        assert words.endswith((".", "”")), words
        assert self.name in words, words
        assert "{" not in words.replace("{'", ""), words
        return words

    def leaks(self) -> list[Path]:
        """Files in the data folder that hold a key."""
        return [
            path
            for path in self.data_dir.rglob("*")
            if path.is_file()
            for data in [path.read_bytes()]
            if any(key.encode() in data for key in self.secrets)
        ]

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.fake.key, getattr(self.fake, "openai_key", KEY)

    def audit(self) -> None:
        """What must hold whatever happened."""
        assert self.fake.violations == []
        assert self.leaks() == []
        for one in self.made[-1:]:
            assert [problem for problem in verify(one.services.store) if problem.kind != "ledger_unreserved"] == []


@contextmanager
def world_of(provider: str, data_dir: Path, make: Callable[..., Harness], **options: Any) -> Iterator[World]:
    with FAKES[provider](**options) as fake:
        world = World(provider, fake, data_dir, make)
        yield world
        world.audit()


def only(*providers: str) -> pytest.MarkDecorator:
    """The test is about these providers."""
    return pytest.mark.parametrize("world", providers, indirect=True)


def openai_keys(world: World) -> dict[str, Any]:
    """The environment of a process with the person's OpenAI key beside that of Replicate."""
    return {"keys": {world.provider: world.fake.key, "openai": world.fake.openai_key}}


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def quick(seconds: float) -> None:
    """A clock that runs twenty times as fast."""
    await asyncio.sleep(seconds / 20)


class Frozen:
    """A clock that stands still: whoever sleeps by it does so for ever, as after `kill -9`."""

    def __init__(self, after: int = 0) -> None:
        """`after`: so many sleeps pass first."""
        self.left = after
        self.sleepers = 0

    async def __call__(self, _seconds: float) -> None:
        self.left -= 1
        if self.left >= 0:
            await asyncio.sleep(0)
            return
        self.sleepers += 1
        with contextlib.suppress(GeneratorExit):
            await asyncio.Event().wait()


@asynccontextmanager
async def killed(world: World, one: Harness) -> AsyncIterator[None]:
    """The process is dead for all that others can tell: its lock is free, and nothing it does goes on."""
    one.worker.close()
    yield
    await one.engine.close(0)
    await one.services.client.close()


def noise(number: int, side: int = 64) -> InputImage:
    """A picture that cannot be compressed; one of 1500 x 1500 has over 2 MiB."""
    out = io.BytesIO()
    Image.frombytes("L", (side, side), random.Random(number).randbytes(side * side)).save(out, "PNG", compress_level=1)
    data = out.getvalue()
    return InputImage(data, "image/png", side, side, hashlib.sha256(data).hexdigest())


def mask(side: int = 64) -> InputImage:
    image = Image.new("RGBA", (side, side), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (8, 8, 32, 32))
    out = io.BytesIO()
    image.save(out, "PNG")
    return InputImage(out.getvalue(), "image/png", side, side, hashlib.sha256(out.getvalue()).hexdigest())
