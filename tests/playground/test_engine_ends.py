"""Every run ends, whoever cancels what and when, and nothing that was paid for is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from playground import library
from playground.plan import make_plan
from playground.services import LOCAL_OWNER, new_ulid
from playground.worker import Worker
from providers.redact import provider_words
from providers.rows import CATALOG
from providers.transport import Access
from providers.types import ImageRequest, InputImage
from storage.records import RunView
from storage.verify import verify
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness

pytestmark = pytest.mark.asyncio

Make = Callable[..., Harness]
PLAIN_KEY = "plain-key-of-no-known-shape-0123456789"


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


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


async def test_a_submit_that_is_cancelled_leaves_nothing_to_be_sent_later(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.Hang())
    for steps in range(6):
        one = harness(openai_url=fake.base_url)
        plan = make_plan(ImageRequest(f"a fox {steps}"), [OFFER, "demo/flat"], CATALOG)
        submitting = asyncio.create_task(one.engine.submit(plan, LOCAL_OWNER))
        for _ in range(steps):
            await asyncio.sleep(0)
        submitting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submitting
        assert one.engine.running(LOCAL_OWNER) == 0
        await one.stop()
        one.close()
    ends = {view.run.state for view in await restarted(one, harness, fake)}
    assert ends <= {"cancelled", "unknown"}
    assert fake.posts <= 6


async def test_a_stop_at_once_ends_the_run(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    group_id = await one.engine.submit(make_plan(ImageRequest("a fox"), [OFFER], CATALOG), LOCAL_OWNER)
    assert await one.engine.cancel_all(LOCAL_OWNER) == 1
    (view,) = await all_runs(one)
    assert view.run.state in ("cancelled", "unknown")
    async with asyncio.timeout(5):
        async for _ in one.engine.follow(group_id, LOCAL_OWNER):
            pass
    await one.stop()


@pytest.mark.parametrize("pauses", range(0, 40, 3))
async def test_a_stop_at_any_moment_never_loses_an_answer_that_came(
    pauses: int, harness: Make, fake: FakeOpenAI
) -> None:
    one = harness(openai_url=fake.base_url)
    await one.engine.submit(make_plan(ImageRequest("a fox", n=3, size="1024x1024"), [OFFER], CATALOG), LOCAL_OWNER)
    for _ in range(pauses):
        await asyncio.sleep(0.002)
    stops = await asyncio.gather(*(one.engine.cancel_all(LOCAL_OWNER) for _ in range(3)))
    (view,) = await all_runs(one)
    assert view.run.state not in ("queued", "sending"), "a stop returns when the end is stored"
    assert view.ledger_state != "reserved"
    if view.run.state == "succeeded":
        assert len(view.images) == 3
        assert view.cost_source == "computed"
    else:
        assert len(view.images) == 0
        assert view.run.state in ("cancelled", "unknown")
    await one.stop()
    assert verify(one.services.store) == []
    assert len(stops) == 3


async def test_a_shutdown_that_does_not_wait_still_stores_each_end(harness: Make, fake: FakeOpenAI) -> None:
    for pause in (0.0, 0.02, 0.05, 0.1):
        one = harness(openai_url=fake.base_url)
        plan = make_plan(ImageRequest("a fox", n=2), [OFFER, "demo/flat"], CATALOG)
        await one.engine.submit(plan, LOCAL_OWNER)
        await asyncio.sleep(pause)
        await one.engine.close(drain_s=0)
        states = {view.run.state for view in await all_runs(one)}
        assert "sending" not in states
        await one.services.client.close()
        one.close()


async def test_nothing_is_sent_after_the_engine_was_closed(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    plan = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)
    submitting = asyncio.create_task(one.engine.submit(plan, LOCAL_OWNER))
    await asyncio.sleep(0)
    await one.engine.close(drain_s=0)
    sent = fake.posts
    await asyncio.gather(submitting, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert fake.posts == sent == 0
    await one.services.client.close()


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


@pytest.mark.parametrize("usage", ODD_USAGES)
async def test_odd_figures_of_a_provider_never_become_a_cost(usage: dict[str, object], harness: Make) -> None:
    from base64 import b64encode

    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    body = {"created": 1, "data": [{"b64_json": b64encode(out.getvalue()).decode()}], "usage": usage}
    one, url, server = await _answering(harness, body)
    view = await one.one(offer="openai/gpt-image-1.5", size="auto", quality="auto")
    await one.stop()
    server.close()
    assert url
    assert view.run.state == "succeeded"
    assert (view.ledger_state, view.cost_microusd) == ("unknown", None)
    assert verify(one.services.store) == []


async def test_a_key_of_any_shape_that_a_provider_repeats_is_kept_nowhere(harness: Make, tmp_path: Path) -> None:
    said = f"{'x' * 590} {PLAIN_KEY} again {PLAIN_KEY}"
    bodies = [
        (500, {"error": {"message": said, "param": PLAIN_KEY, "code": PLAIN_KEY}}),
        (200, {"data": [], "error": {"message": said}}),
        (200, {"data": [{"b64_json": "iVBORw0KGgo="}], "size": PLAIN_KEY, "quality": PLAIN_KEY}),
    ]
    for status, body in bodies:
        one, _, server = await _answering(harness, body, status=status, key=PLAIN_KEY)
        view = await one.one()
        await one.stop()
        server.close()
        one.close()
        assert PLAIN_KEY[:12] not in str(view)
    assert files_with(tmp_path, PLAIN_KEY[:12]) == []


def files_with(folder: Path, words: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


async def _answering(
    harness: Make, body: object, *, status: int = 200, key: str = KEY
) -> tuple[Harness, str, asyncio.Server]:
    """An app whose provider gives this one answer, with the key in a header too."""
    import orjson

    data = orjson.dumps(body)
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-request-id: req-{key}\r\n"
    head += f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head.encode() + data)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    return harness(openai_url=url, key=key), url, server


async def test_words_of_a_provider_are_cut_after_the_key_was_taken_out() -> None:
    assert len(provider_words("x" * 5000)) == 601
    assert PLAIN_KEY not in repr(Access(CATALOG.provider("openai"), "http://x", PLAIN_KEY))


async def test_a_run_whose_offer_left_the_catalogue_is_ended_and_keeps_nobody_from_starting(
    harness: Make, fake: FakeOpenAI
) -> None:
    fake.always(faults.Hang())
    first = harness(openai_url=fake.base_url, demo_pace=100.0)
    plan = make_plan(ImageRequest("[slow] a fox"), ["demo/flat", "demo/sketch", "demo/painterly"], CATALOG)
    for _ in range(2):
        await first.engine.submit(plan, LOCAL_OWNER)
    await asyncio.sleep(0.2)
    await first.engine.close(drain_s=0)
    _set_states(first, "sending", to=3)
    await first.services.client.close()
    first.close()
    found = await restarted(first, harness, fake, catalog=CATALOG.without("demo"))
    assert {view.run.state for view in found} <= {"cancelled", "unknown"}
    assert {view.ledger_state for view in found} == {"released"}


def _set_states(one: Harness, state: str, *, to: int) -> None:
    """As a crash leaves them: some queued runs were just being sent."""

    def write(db: Database) -> None:
        db.execute(
            "update runs set state = ? where run_id in (select run_id from runs where state = 'queued' limit ?)",
            [state, to],
        )

    one.services.store.write(write)


async def test_a_process_killed_beside_a_living_one_is_taken_up(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground import engine as engine_module

    monkeypatch.setattr(engine_module, "_TAKE_UP_EVERY_S", 0.05)
    fake.always(faults.Hang())
    living, dying = harness(openai_url=fake.base_url), harness(openai_url=fake.base_url)
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
    dead = Worker(tmp_path, new_ulid())
    dead._lock.release()
    watchers = [Worker(tmp_path, new_ulid()) for _ in range(8)]
    for _ in range(20):
        dead._path(dead.worker_id).touch()
        found = await asyncio.gather(*(asyncio.to_thread(one.is_alive, dead.worker_id) for one in watchers))
        assert not any(found)
    assert watchers[0].is_alive(watchers[1].worker_id)
    for one in watchers:
        one.close()


async def test_a_run_on_a_typed_key_never_goes_on_with_the_servers(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.Hang())
    first = harness(openai_url=fake.base_url)
    first.services.keys.put(CATALOG.provider("openai"), LOCAL_OWNER, KEY)
    plan = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)
    for _ in range(6):
        await first.engine.submit(plan, LOCAL_OWNER)
    await posts(fake, 5)
    await first.engine.close(drain_s=0)
    await first.services.client.close()
    first.close()
    found = await restarted(first, harness, fake)
    assert fake.posts == 5
    assert sorted(view.run.state for view in found) == ["cancelled"] + ["unknown"] * 5


async def test_a_large_upload_is_written_in_pieces_that_each_have_their_time(
    harness: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that reads steadily but slowly gets it all, though the whole takes longer than one piece may."""
    from providers import transport

    monkeypatch.setattr(transport, "WRITE_S", 0.6)
    got = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        while piece := await reader.read(256 * 1024):
            got += len(piece)
            await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**16)
    one = harness(openai_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    size = 24 * 2**20
    image = InputImage(b"\x89PNG" + bytes(size), "image/png", 64, 64, "0" * 64)
    call = make_plan(ImageRequest("a fox", images=(image,)), [OFFER], CATALOG).runs[0].call
    access = Access(CATALOG.provider("openai"), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", KEY)

    async def ignore(_event: object) -> None:
        return

    started = asyncio.get_running_loop().time()
    calling = asyncio.create_task(one.services.client.generate(call, access, timeout_s=30, on_event=ignore))
    while got < size and not calling.done():
        await asyncio.sleep(0.05)
    took = asyncio.get_running_loop().time() - started
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    server.close()
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
    one, _, server = await _answering(harness, {"error": {"message": "x" * 3_000_000}}, status=status)
    view = await one.one()
    await one.stop()
    server.close()
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
