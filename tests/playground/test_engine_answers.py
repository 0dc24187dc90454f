"""Odd answers, repeated keys, dead processes and slow lines: what the engine makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.plan import make_plan
from playground.services import LOCAL_OWNER, new_ulid
from providers.client import Errand
from providers.rows import CATALOG
from providers.transport import Access
from providers.types import ImageRequest, InputImage
from storage.engines.file_worker import FileWorker
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER
from tests.playground.faulty_answers import (
    Make,
    RawServer,
    all_runs,
    answering,
    posts,
)

pytestmark = pytest.mark.asyncio


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


async def test_a_process_killed_beside_a_living_one_is_taken_up(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.always(faults.Hang())
    living, dying = harness(openai_url=fake.base_url), harness(openai_url=fake.base_url)
    monkeypatch.setattr(living.worker, "look_every_s", 0.05)
    await living.engine.start()
    await dying.engine.submit(make_plan(ImageRequest("a fox"), [OFFER], CATALOG), LOCAL_OWNER)
    await posts(fake, 1)
    dying.worker.close()
    async with asyncio.timeout(10):
        async for _ in living.engine.follow_owner(LOCAL_OWNER):
            pass
    (view,) = await all_runs(living)
    assert view.run.state == "unknown"
    await living.stop()
    await dying.engine.cancel_all(LOCAL_OWNER)
    await dying.services.client.close()


async def test_many_processes_that_look_at_once_agree_that_one_is_dead(tmp_path: Path) -> None:
    dead = FileWorker(tmp_path, new_ulid())
    dead._lock.release()
    watchers = [FileWorker(tmp_path, new_ulid()) for _ in range(8)]
    for _ in range(20):
        dead._path(dead.worker_id).touch()
        found = await asyncio.gather(*(asyncio.to_thread(one.is_alive, dead.worker_id) for one in watchers))
        assert not any(found)
    assert watchers[0].is_alive(watchers[1].worker_id)
    for one in watchers:
        one.close()


async def test_a_run_on_a_typed_key_waits_for_it_and_never_goes_on_with_the_servers(
    harness: Make, fake: FakeOpenAI
) -> None:
    fake.always(faults.Hang())
    first = harness(openai_url=fake.base_url)
    openai = CATALOG.provider("openai")
    first.services.keys.put(openai, LOCAL_OWNER, KEY)
    plan = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)
    for _ in range(6):
        await first.engine.submit(plan, LOCAL_OWNER)
    await posts(fake, 5)
    await first.engine.close(drain_s=0)
    await first.services.client.close()
    first.close()
    second = harness(openai_url=fake.base_url)
    await second.engine.start()
    found = await all_runs(second)
    assert sorted(view.run.state for view in found) == ["queued"] + ["unknown"] * 5
    waiting = next(view.run.run_id for view in found if view.run.state == "queued")
    live = second.engine.live(waiting)
    assert live is not None
    assert live.note is not None
    assert "OpenAI key" in live.note
    assert fake.posts == 5
    fake.always(None)
    second.services.keys.put(openai, LOCAL_OWNER, KEY)
    await second.engine.key_arrived(LOCAL_OWNER)
    async for _ in second.engine.follow_owner(LOCAL_OWNER):
        pass
    ends = sorted(view.run.state for view in await all_runs(second))
    await second.stop()
    assert ends == ["succeeded"] + ["unknown"] * 5
    assert fake.posts == 6


async def test_a_large_upload_is_written_in_pieces_that_each_have_their_time(
    harness: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that reads steadily but slowly gets it all, though the whole takes longer than one piece may."""
    from providers import transport

    monkeypatch.setattr(transport, "WRITE_S", 0.6)
    got = 0

    async def read_slowly(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal got
        while piece := await reader.read(256 * 1024):
            got += len(piece)
            await asyncio.sleep(0.02)

    async def ignore(_event: object) -> None:
        return

    size = 24 * 2**20
    image = InputImage(b"\x89PNG" + bytes(size), "image/png", 64, 64, "0" * 64)
    call = make_plan(ImageRequest("a fox", images=(image,)), [OFFER], CATALOG).runs[0].call
    async with RawServer(read_slowly) as server:
        one = harness(openai_url=server.url)
        access = Access(CATALOG.provider("openai"), server.url, KEY)
        started = asyncio.get_running_loop().time()
        calling = asyncio.create_task(one.services.client.generate(Errand(call, access, 30), ignore))
        while got < size and not calling.done():
            await asyncio.sleep(0.05)
        took = asyncio.get_running_loop().time() - started
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await one.stop()
    assert got >= size, "the upload was given up"
    assert took > 0.6


async def test_a_time_limit_before_any_connection_bills_nobody(harness: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = harness(openai_url="http://127.0.0.1:9/v1")
    planned = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)
    run = planned.runs[0]

    async def never(*_args: object, **_more: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("httpcore._backends.auto.AutoBackend.connect_tcp", never)
    short = replace(planned, runs=(replace(run, request=replace(run.request, timeout_s=0.3)),))
    await one.engine.submit(short, LOCAL_OWNER)
    async with asyncio.timeout(10):
        async for _ in one.engine.follow_owner(LOCAL_OWNER):
            pass
    (view,) = await all_runs(one)
    await one.stop()
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind, view.ledger_state) == ("failed", "timeout", "released")


@pytest.mark.parametrize("url", ["http://[::1/v1", "ftp://127.0.0.1/v1"])
async def test_an_address_that_is_none_is_said_at_once_and_bills_nobody(url: str, harness: Make) -> None:
    one = harness(openai_url=url)
    view = await one.one()
    await one.stop()
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind, view.ledger_state) == ("failed", "network", "released")


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_a_huge_or_cut_error_page_does_not_hide_the_status(status: int, harness: Make) -> None:
    async with answering({"error": {"message": "x" * 3_000_000}}, status=status) as server:
        one = harness(openai_url=server.url)
        view = await one.one()
        await one.stop()
    assert view.run.error is not None
    assert view.run.error.kind == {401: "auth", 429: "rate_limit", 500: "server"}[status]


async def test_a_thumbnail_that_cannot_be_written_costs_no_image(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    thumbs = one.services.store.data_dir / "thumbs"
    for path in sorted(thumbs.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    thumbs.rmdir()
    thumbs.write_text("in the way")
    view = await one.one(n=3)
    await one.stop()
    assert view.run.state == "succeeded"
    assert len(view.images) == 3


async def test_the_cost_of_a_stream_is_that_of_all_its_images(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    single = await one.one(size="1024x1024", quality="low", partial_images=0)
    triple = await one.one(size="1024x1024", quality="low", partial_images=0, n=3)
    await one.stop()
    assert single.cost_microusd is not None
    assert triple.cost_microusd is not None
    assert triple.cost_microusd - single.cost_microusd == 2 * 196 * 30
