"""A disk that takes nothing while runs are under way: what came waits in memory, what was not sent is not sent."""

from __future__ import annotations

import asyncio
import io
import resource
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground import calls, carrying, library
from playground.owners import LOCAL_OWNER
from playground.plan import make_plan
from playground.unsaved import Unsaved, as_zip
from providers.types import ImageRequest
from storage import ledger
from storage.errors import StoreFull
from storage.records import RunView
from storage.verify import verify
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness

Make = Callable[..., Harness]
ROOM_BYTES = 8_000


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server
        assert server.violations == []


@pytest.fixture
def disk() -> Iterator[Callable[[bool], None]]:
    """Fills the disk, or makes room: no file may grow beyond `ROOM_BYTES` meanwhile, and every larger write fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(is_full: bool) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES if is_full else soft, hard))

    yield fill
    fill(False)


@pytest.fixture
def one(harness: Make, fake: FakeOpenAI) -> Harness:
    made = harness(openai_url=fake.base_url)
    object.__setattr__(made.services, "unsaved", Unsaved(retry_s=0.05))
    return made


async def submit(one: Harness, **fields: Any) -> str:
    return await one.engine.submit(
        make_plan(ImageRequest("a fox", **fields), [OFFER], one.services.catalog), LOCAL_OWNER
    )


async def only(one: Harness, group_id: str) -> RunView:
    group = await library.group(one.services, group_id, LOCAL_OWNER)
    assert group is not None
    return group.runs[0]


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_an_answer_waits_in_memory_and_is_saved_once_there_is_room(
    one: Harness, fake: FakeOpenAI, disk: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = calls.keep_images

    def full_from_now_on(*given: Any, **named: Any) -> Any:
        if not tries:
            disk(True)
        tries.append(1)
        return real(*given, **named)

    tries: list[int] = []
    monkeypatch.setattr(calls, "keep_images", full_from_now_on)
    group_id = await submit(one, n=2)
    unsaved = one.services.unsaved
    await until(lambda: len(tries) > 2)
    view = await only(one, group_id)
    held = unsaved.images(LOCAL_OWNER)
    assert (view.run.state, view.images, len(held)) == ("sending", (), 2)
    assert unsaved.images("somebody else") == []
    assert isinstance(one.services.store.trouble, StoreFull)
    assert isinstance(one.services.store.probe(), StoreFull)
    live = one.engine.live(view.run.run_id)
    assert live is not None
    assert "in memory" in str(live.note)
    with zipfile.ZipFile(io.BytesIO(as_zip(held))) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [data for _, data in held]
    async with asyncio.timeout(3):  # who presses Stop does not wait for room
        await one.engine.cancel(view.run.run_id, LOCAL_OWNER)
    disk(False)
    await until(lambda: one.engine.running(LOCAL_OWNER) == 0)
    view = await only(one, group_id)
    blobs = one.services.store.blobs
    assert view.run.state == "succeeded"
    assert [blobs.path(image.sha256, image.media_type).read_bytes() for image in view.images] == [
        data for _, data in held
    ]
    assert unsaved.images(LOCAL_OWNER) == []
    assert one.services.store.trouble is None
    assert fake.posts == 1
    await one.stop()
    assert verify(one.services.store) == []


@pytest.mark.asyncio
async def test_nothing_is_sent_while_the_disk_is_full_and_it_goes_on_by_itself(
    one: Harness, fake: FakeOpenAI, disk: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = carrying._mark_sending, []

    async def full_from_now_on(*given: Any) -> bool:
        if not tries:
            disk(True)
        tries.append(1)
        return await real(*given)

    monkeypatch.setattr(carrying, "_mark_sending", full_from_now_on)
    group_id = await submit(one)
    await until(lambda: len(tries) > 2)
    assert (await only(one, group_id)).run.state == "queued"
    assert fake.posts == 0
    disk(False)
    await until(lambda: one.engine.running(LOCAL_OWNER) == 0)
    assert (await only(one, group_id)).run.state == "succeeded"
    assert fake.posts == 1
    await one.stop()


@pytest.mark.asyncio
async def test_a_shutdown_does_not_wait_for_room_and_the_run_is_unknown_afterwards(
    one: Harness, fake: FakeOpenAI, disk: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch, harness: Make
) -> None:
    real = calls.keep_images

    def full(*given: Any, **named: Any) -> Any:
        disk(True)
        return real(*given, **named)

    monkeypatch.setattr(calls, "keep_images", full)
    group_id = await submit(one)
    await until(lambda: one.services.unsaved.images(LOCAL_OWNER))
    async with asyncio.timeout(5):
        await one.engine.close(0.1)
    disk(False)
    await one.services.client.close()
    again = harness(openai_url=fake.base_url)
    await again.engine.start()
    view = await only(again, group_id)
    assert view.run.state == "unknown"
    assert fake.posts == 1
    total = again.services.store.read(lambda db: ledger.totals(db, LOCAL_OWNER))
    assert total.unknown_count == 1
    await again.stop()
