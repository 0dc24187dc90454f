"""Several replicas over one PostgreSQL database, each with a data folder of its own: here as engines of one process.

Two processes of the whole app, one of them killed, are in `tests/faults/test_replicas.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground import calls
from playground.image_store import ImageStore
from playground.limits import LimitReached
from playground.plan import make_plan
from playground.refusals import PlanRefused
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from playground.usage import UseRefused
from playground.visitor_settings import PublicSettings, VisitorLimits
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage import seats
from storage.blob_places import read_place
from storage.errors import StoreError
from storage.moving import KEYS, PASSING
from storage.records import RunView
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness, no_sleep
from tests.playground.faulty_answers import all_runs, posts
from tests.playground.job_world import Frozen, until, world_of
from tests.postgres_server import PostgresServer, need_server, running_server
from ui.pace import TooOften

pytestmark = pytest.mark.asyncio

LEASE_S = 1.0
PLAN = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    need_server()
    with running_server() as one:
        yield one


Make = Callable[..., Harness]


@pytest.fixture
def replica(server: PostgresServer, tmp_path: Path) -> Iterator[Make]:
    """Makes replicas over one database and one store of images, each with a data folder of its own."""
    made: list[Harness] = []
    place = read_place(f"file://{tmp_path / 'images'}")
    images = ImageStore(place, 1_000, False, None, None, None)
    url = server.url_of(tmp_path / "database")

    def make(settings: Settings | None = None, **changes: Any) -> Harness:
        folder = tmp_path / f"replica{len(made)}"
        shared = replace(settings or Settings(), lease_s=LEASE_S, images=images)
        one = Harness(folder, database_url=url, settings=shared, **changes)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@contextlib.contextmanager
def holding() -> Iterator[tuple[FakeOpenAI, threading.Event]]:
    """A provider that gives its answers once the event is set."""
    with FakeOpenAI(key=KEY) as fake:
        released = threading.Event()
        fake.always(faults.Held(released))
        yield fake, released


def kill(one: Harness) -> None:
    """For all that others can tell it is as if its process had been killed: its lease is not renewed any more."""
    one.worker._leave = lambda _line: None
    one.worker.close()


@contextlib.contextmanager
def cut_off(one: Harness) -> Iterator[None]:
    """Meanwhile it is not seen by others, and knows nothing of them."""
    turn, is_off = one.worker._turn, threading.Event()

    def broken(_line: Any) -> None:
        is_off.set()
        raise sqlite3.OperationalError("nobody can be reached")

    one.worker._turn = broken
    one.worker._ring()
    is_off.wait()
    yield
    one.worker._turn = turn


async def ended(one: Harness, seconds: float = 15.0) -> RunView:
    """The only run, as this replica sees it end."""
    async with asyncio.timeout(seconds):
        async for _ in one.engine.follow_owner(LOCAL_OWNER):
            pass
    (view,) = await all_runs(one)
    return view


async def stopped(*replicas: Harness) -> None:
    for one in replicas:
        await one.engine.close(0)
        await one.services.client.close()


def workers(one: Harness) -> set[str]:
    return {
        name for (name,) in one.services.store.read(lambda db: db.execute("select worker_id from workers").fetchall())
    }


# A replica dies


async def test_a_job_of_a_dead_replica_is_fetched_by_another_one(replica: Make, tmp_path: Path) -> None:
    with world_of("replicate", tmp_path, replica) as world:
        dying, living = world.process(sleep=Frozen()), world.process(sleep=no_sleep)
        await living.engine.start()
        run_id = await world.submit(dying)
        await until(lambda: dying.services.client.jobs._sleep.sleepers)
        assert living.worker.is_alive(dying.worker.worker_id)
        kill(dying)
        world.lets_jobs_end()
        view = await ended(living)
        assert (view.run.run_id, view.run.state, view.run.worker) == (run_id, "succeeded", living.worker.worker_id)
        assert world.creates == 1, "nothing is sent twice"
        world.is_kept(view)
        assert workers(living) == {living.worker.worker_id}, "nothing is left of the dead"
        await stopped(dying, living)


async def test_a_call_of_a_dead_replica_is_unknown_and_its_picture_comes_back_with_its_disk(
    replica: Make, server: PostgresServer
) -> None:
    with holding() as (fake, released):
        dying, living = replica(openai_url=fake.base_url), replica(openai_url=fake.base_url)
        await living.engine.start()
        await dying.engine.submit(PLAN, LOCAL_OWNER)
        await posts(fake, 1)
        with cut_off(dying):
            view = await ended(living)
            assert (view.run.state, view.ledger_state, view.images) == ("unknown", "unknown", ())
            assert view.run.error.may_have_been_billed
            # It was not dead: the answer comes, and what was paid for is kept. Its end is not told over the other's.
            released.set()
            await until(lambda: not dying.engine.all_live())
        (late,) = await all_runs(living)
        assert (late.run.state, late.ledger_state, len(late.images)) == ("unknown", "unknown", 1)
        assert fake.posts == 1
        await until(lambda: dying.worker.worker_id in workers(living))
        await stopped(dying, living)


async def test_queued_runs_go_on_elsewhere_if_their_key_is_there(replica: Make) -> None:
    with holding() as (fake, released):
        dying = replica(openai_url=fake.base_url)
        openai = CATALOG.provider("openai")
        for _ in range(6):
            await dying.engine.submit(PLAN, LOCAL_OWNER)
        dying.services.keys.put(openai, "visitor", KEY)
        await dying.engine.submit(PLAN, "visitor")
        await posts(fake, 5)
        living = replica(openai_url=fake.base_url)
        await living.engine.start()
        with cut_off(dying):
            await until(lambda: living.engine.live(_of(living, "visitor").run_id), 10)
            assert "add it in Settings" in living.engine.live(_of(living, "visitor").run_id).note
            released.set()
            await until(lambda: not dying.engine.all_live() and not living.engine.all_live())
        assert fake.posts == 6, "the typed key is in the memory of its replica alone"
        living.services.keys.put(openai, "visitor", KEY)
        await living.engine.key_arrived("visitor")
        await until(lambda: _of(living, "visitor").state == "succeeded")
        views = await all_runs(living)
        assert sorted(view.run.state for view in views) == ["succeeded"] * 2 + ["unknown"] * 5
        assert fake.posts == 7
        await stopped(dying, living)


def _of(one: Harness, owner: str) -> Any:
    from storage import history

    return one.services.store.read(lambda db: history.page(db, owner, limit=1)).runs[0].run


async def test_a_run_that_waits_for_a_key_goes_to_the_replica_where_it_is_typed(replica: Make, tmp_path: Path) -> None:
    with holding() as (fake, released):
        openai = CATALOG.provider("openai")
        first, waiting, typed = (replica(openai_url=fake.base_url) for _ in range(3))
        first.services.keys.put(openai, "visitor", KEY)
        for _ in range(6):
            await first.engine.submit(PLAN, "visitor")
        await posts(fake, 5)
        await waiting.engine.start()
        await first.engine.close(0)
        await until(lambda: waiting.engine.live(_of(waiting, "visitor").run_id))
        await typed.engine.start()
        fake.always(None)
        typed.services.keys.put(openai, "visitor", KEY)
        await typed.engine.key_arrived("visitor")
        await until(lambda: _of(typed, "visitor").state == "succeeded")
        assert _of(typed, "visitor").worker == typed.worker.worker_id
        assert fake.posts == 6
        # Keys are in memory: neither the database, nor a file, nor what is told holds one.
        typed.services.store.backup(tmp_path / "copy.sqlite3")
        assert files_with(KEY, tmp_path) == []
        tables = typed.services.store.read(_all_rows)
        assert KEY not in tables
        released.set()
        await stopped(first, waiting, typed)


def files_with(words: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def _all_rows(db: Any) -> str:
    names = sorted(KEYS.keys() | PASSING)
    return "".join(str(db.execute(f"select * from {name}").fetchall()) for name in names)


async def test_an_outage_of_the_server_kills_nobody(replica: Make, server: PostgresServer) -> None:
    with holding() as (fake, released):
        one, other = replica(openai_url=fake.base_url), replica(openai_url=fake.base_url)
        await one.engine.start()
        await other.engine.start()
        await one.engine.submit(PLAN, LOCAL_OWNER)
        await posts(fake, 1)
        both = workers(one)
        assert both == {one.worker.worker_id, other.worker.worker_id}
        with cut_off(other):
            server.stop()
            await asyncio.sleep(2 * LEASE_S)
            with pytest.raises(StoreError):
                one.worker.is_alive(other.worker.worker_id)
            server.start()
            # The first that is back finds the others' leases long over.
            for _ in range(6):
                await asyncio.sleep(LEASE_S / 10)
                assert workers(one) == both
        for _ in range(12):
            await asyncio.sleep(LEASE_S / 10)
            assert workers(one) == both
        released.set()
        view = await ended(other)
        assert (view.run.state, view.run.worker) == ("succeeded", one.worker.worker_id)
        await stopped(one, other)


# Across replicas


async def test_a_run_is_followed_and_stopped_from_another_replica(replica: Make) -> None:
    with holding() as (fake, released):
        carrying, watching = replica(openai_url=fake.base_url), replica(openai_url=fake.base_url)
        await carrying.engine.start()
        await watching.engine.start()
        await carrying.engine.submit(PLAN, LOCAL_OWNER)
        await posts(fake, 1)
        watcher = asyncio.create_task(ended(watching))
        await asyncio.sleep(0.1)
        released.set()
        began = time.monotonic()
        view = await watcher
        assert view.run.state == "succeeded"
        assert time.monotonic() - began < 1.0, "news, and not a look now and then"
        released.clear()
        group_id = await carrying.engine.submit(PLAN, LOCAL_OWNER)
        await posts(fake, 2)
        stranger = await watching.engine.cancel_all("somebody else", group_id)
        began = time.monotonic()
        assert (stranger, await watching.engine.cancel_all(LOCAL_OWNER, group_id)) == (0, 1)
        assert time.monotonic() - began < 1.0
        assert (await all_runs(watching))[0].run.state == "unknown", "it was sent, and may be billed"
        released.set()
        await stopped(carrying, watching)


async def test_a_stop_waits_for_a_replica_that_cannot_be_told(replica: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from playground import stopping

    monkeypatch.setattr(stopping, "_WAIT_S", 0.1)
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        carrying, asking = replica(openai_url=fake.base_url), replica(openai_url=fake.base_url)
        carrying.worker.look_every_s = 60.0
        await carrying.engine.start()
        await carrying.engine.submit(PLAN, LOCAL_OWNER)
        await posts(fake, 1)
        with cut_off(carrying):
            (view,) = await all_runs(asking)
            assert await asking.engine.cancel(view.run.run_id, LOCAL_OWNER)
            assert (await all_runs(asking))[0].run.state == "sending"
        view = await ended(asking)
        assert view.run.error.message.startswith("Stopped.")
        rows = asking.services.store.read(lambda db: db.execute("select * from stops").fetchall())
        assert rows == [], "what was heeded is forgotten"
        await stopped(carrying, asking)


# Limits


async def outcomes(tries: list[Any], refusal: type[Exception]) -> tuple[int, int]:
    """How many of them went through and how many were refused, all at once; whatever else they raise is raised."""
    ends = await asyncio.gather(*tries, return_exceptions=True)
    other = [end for end in ends if isinstance(end, BaseException) and not isinstance(end, refusal)]
    assert other == []
    refused = sum(isinstance(end, refusal) for end in ends)
    return len(ends) - refused, refused


async def test_a_cap_holds_to_the_last_run_over_two_replicas(replica: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        capped = Settings(limits={"day": 45 * PLAN.high_microusd})
        two = [replica(capped, openai_url=fake.base_url) for _ in range(2)]
        for one in two:
            await one.engine.start()
        presses = [two[number % 2].engine.submit(PLAN, LOCAL_OWNER) for number in range(64)]
        assert await outcomes(presses, LimitReached) == (45, 19)
        assert len(await all_runs(two[0])) <= 45
        assert fake.posts <= 5
        assert await two[0].engine.cancel_all(LOCAL_OWNER) == 45
        await stopped(*two)


async def test_a_visitor_has_one_share_of_all_replicas(replica: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        allowed = VisitorLimits(running=4, runs=6, votes=5, key_tries=5, address=2)
        public = Settings(mode="public", public=PublicSettings(limits=allowed), calls_per_minute=7)
        two = [replica(public, openai_url=fake.base_url) for _ in range(2)]
        for one in two:
            one.services.keys.put(CATALOG.provider("openai"), "ann", KEY)
            one.app.services.usage.seen("ann", "203.0.113.9")
        presses = [two[number % 2].engine.submit(PLAN, "ann") for number in range(12)]
        assert await outcomes(presses, PlanRefused) == (4, 8), "so many at once"
        await asyncio.gather(*(one.engine.cancel_all("ann") for one in two))
        presses = [two[number % 2].engine.submit(PLAN, "ann") for number in range(4)]
        assert await outcomes(presses, PlanRefused) == (2, 2), "so many in an hour, those refused not counted"
        tries = [two[number % 2].services.usage.count("key_tries", "ann") for number in range(16)]
        assert await outcomes(tries, UseRefused) == (5, 11)
        later = [
            await one.services.usage.counted("votes", "ann", is_apart=is_apart)
            for one, is_apart in zip(two, (True, False), strict=True)
        ]
        two[1].services.store.write(later[1])
        votes = [two[number % 2].services.usage.count("votes", "ann") for number in range(6)]
        assert await outcomes(votes, UseRefused) == (3, 3), "in a private session too, whose rows are elsewhere"
        others = [
            two[number % 2].services.usage.count("key_tries", f"v{number}", address="203.0.113.9")
            for number in range(9)
        ]
        assert await outcomes(others, UseRefused) == (5, 4), "one address, however many visitors"
        paced = [two[number % 2].app.pace.count("ann") for number in range(16)]
        assert await outcomes(paced, TooOften) == (7, 9)
        subjects = two[0].services.store.read(lambda db: db.execute("select subject from uses").fetchall())
        assert not any("ann" in name or "203" in name[:4] for (name,) in subjects), "under a hash"
        await stopped(*two)


async def test_a_stop_while_a_place_is_given_back_is_too_late(replica: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    give_back, is_asked, may_go_on = seats.give_back, threading.Event(), threading.Event()

    def slow(db: Any, seat_id: str) -> None:
        is_asked.set()
        may_go_on.wait(5)
        give_back(db, seat_id)

    monkeypatch.setattr(seats, "give_back", slow)
    with FakeOpenAI(key=KEY) as fake:
        one = replica(openai_url=fake.base_url)
        await one.engine.submit(PLAN, LOCAL_OWNER)
        await until(is_asked.is_set)
        stop = asyncio.create_task(one.engine.cancel_all(LOCAL_OWNER))
        await asyncio.sleep(0.05)
        may_go_on.set()
        await stop
        view = await ended(one)
        assert (view.run.state, len(view.images), view.ledger_state) == ("succeeded", 1, "settled")
        await stopped(one)


@contextlib.asynccontextmanager
async def writing(one: Harness) -> AsyncIterator[None]:
    """Meanwhile this replica is the one that writes, and nobody else can."""
    is_writing, may_end = threading.Event(), threading.Event()

    def job(db: Any) -> None:
        db.conn.execute("select 1").fetchall()
        is_writing.set()
        may_end.wait(10)

    task = asyncio.create_task(asyncio.to_thread(one.services.store.write, job))
    await until(is_writing.is_set)
    try:
        yield
    finally:
        may_end.set()
        await task


def waits_for_others(one: Harness, milliseconds: int) -> None:
    """That long, before it says that others write."""
    one.services.store.write(lambda db: db.conn.execute(f"set lock_timeout = {milliseconds}").fetchall())


async def test_who_waits_for_a_place_can_be_stopped_while_the_database_takes_nothing(replica: Make) -> None:
    one, other = replica(), replica()
    waits_for_others(one, 200)
    async with writing(other):
        waiting = asyncio.create_task(one.engine._places.seats.take("openai"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=0.5)
        assert waiting.cancelled()
    await stopped(one, other)


async def test_places_are_given_back_and_asked_for_until_the_database_takes_it_and_an_outage_is_told_once(
    replica: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("playground.seats._LOOK_AGAIN_S", 0.02)
    one, other = replica(), replica()
    places = one.engine._places.seats
    waits_for_others(one, 20)
    held = [await places.take("openai") for _ in range(3)]
    async with writing(other):
        for seat_id in held:
            places.give_back(seat_id, "openai")
        await asyncio.sleep(0.2)
        assert seats_of(one) == {*held}
    await until(lambda: not seats_of(one))
    async with writing(other):
        waiting = asyncio.create_task(places.take("openai"))
        await asyncio.sleep(0.2)
    place = await waiting
    assert seats_of(one) == {place}
    warned = [each for each in caplog.records if (each.name, each.levelname) == ("playground.seats", "WARNING")]
    assert len(warned) == 2, "of each outage one, however many places and tries"
    await stopped(one, other)


def seats_of(one: Harness) -> set[str]:
    rows = one.services.store.read(lambda db: db.execute("select seat_id from seats").fetchall())
    return {seat_id for (seat_id,) in rows}


async def test_a_providers_limit_holds_over_all_replicas(replica: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0
    send = calls.send

    async def counted(*args: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await send(*args)
        finally:
            at_once -= 1

    monkeypatch.setattr(calls, "send", counted)
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Slow(0.02))
        two = [replica(openai_url=fake.base_url) for _ in range(2)]
        for one in two:
            await one.engine.start()
        await asyncio.gather(*(two[number % 2].engine.submit(PLAN, LOCAL_OWNER) for number in range(16)))
        for one in two:
            async with asyncio.timeout(20):
                async for _ in one.engine.follow_owner(LOCAL_OWNER):
                    pass
        assert {view.run.state for view in await all_runs(two[0])} == {"succeeded"}
        assert (fake.posts, most) == (16, CATALOG.provider("openai").max_concurrent)
        await until(lambda: not seats_of(two[0]))
        await stopped(*two)
