"""Several replicas over one PostgreSQL database, each with a data folder of its own: here as engines of one process.

Limits over all of them are in `test_replica_limits.py`; two processes of the whole app, one of them killed, in
`tests/faults/test_replicas.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import library
from playground.services import LOCAL_OWNER
from playground.uploads import UploadRefused, load_input
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.errors import StoreBusy, StoreError
from storage.moving import KEYS, PASSING
from tests.behind_the_store import going_away, nothing_written
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness, no_sleep
from tests.playground.faulty_answers import Make, all_runs, posts
from tests.playground.job_world import Frozen, until, world_of
from tests.playground.left_runs import left, state_of
from tests.playground.replicas import LEASE_S, PLAN, ended, stopped
from tests.postgres_server import PostgresServer
from tests.ui.handled import event, shown, values
from ui import routes
from ui.pages.playground import editing

pytestmark = pytest.mark.asyncio


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
    try:
        assert is_off.wait(10)
        yield
    finally:
        one.worker._turn = turn


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


async def test_a_key_is_found_where_it_was_typed_also_by_a_run_that_waits_only_later(replica: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        typed, waiting = replica(openai_url=fake.base_url), replica(openai_url=fake.base_url)
        # Only what it is told makes it look.
        typed.worker.look_every_s, waiting.worker.look_every_s = 60.0, 0.02
        await typed.engine.start()
        await waiting.engine.start()
        typed.services.keys.put(CATALOG.provider("openai"), "visitor", KEY)
        await typed.engine.key_arrived("visitor")
        await asyncio.sleep(0.2)
        later = left(waiting, plan=PLAN, typed_by="visitor")
        await until(lambda: state_of(waiting, later) == "succeeded")
        parked = left(waiting, plan=PLAN, typed_by="visitor")
        await until(lambda: waiting.engine.live(parked))
        with nothing_written(waiting.services.store):
            await typed.engine.key_arrived("visitor")
            await asyncio.sleep(0.2)
        await until(lambda: state_of(waiting, parked) == "succeeded")
        assert fake.posts == 2
        await stopped(typed, waiting)


def files_with(words: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def _all_rows(db: Any) -> str:
    names = sorted(KEYS.keys() | PASSING)
    return "".join(str(db.execute(f"select * from {name}").fetchall()) for name in names)


async def test_a_run_that_cannot_go_on_keeps_no_others_from_being_taken_up(replica: Make) -> None:
    one = replica()
    broken = left(one)
    one.services.store.write(lambda db: db.execute("update runs set asked = '{}' where run_id = ?", [broken]).rowcount)
    one.worker.look_every_s = 0.02
    await one.engine.start()
    await asyncio.sleep(0.2)  # it has been looked at again by now
    good = left(one)
    await until(lambda: state_of(one, good) == "succeeded")
    assert state_of(one, broken) == "queued"
    await stopped(one)


async def test_what_was_refused_while_the_server_went_is_never_sent(replica: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        one = replica(openai_url=fake.base_url)
        one.worker.look_every_s = 0.02
        await one.engine.start()
        with going_away(one.services.store):
            with pytest.raises(StoreBusy, match="may be saved"):
                await one.engine.submit(PLAN, LOCAL_OWNER)
            await asyncio.sleep(0.2)  # it looks at it again and again
            (view,) = await all_runs(one)
            assert view.run.state == "queued"
        await until(lambda: state_of(one, view.run.run_id) != "queued")
        (view,) = await all_runs(one)
        assert (view.run.state, view.ledger_state, fake.posts) == ("cancelled", "released", 0)
        await stopped(one)


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


async def test_a_picture_that_only_another_replica_has_on_its_disk_is_awaited_at_every_door(
    replica: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_LOOK_AGAIN_S", 0.01)
    making, asked = replica(), replica()
    (view,) = await making.run(ImageRequest("a fox"), "demo/flat")
    blobs, sha256 = making.services.store.blobs, view.images[0].sha256
    name = blobs.here(sha256).name
    await until(lambda: blobs.waiting() == 0)
    brought = tmp_path / "images" / sha256[:2] / name
    data = brought.read_bytes()
    brought.unlink()
    page = TestClient(Starlette(routes=routes.routes(asked.app)), base_url="http://127.0.0.1")
    doors = [f"/media/{name}", f"/thumbs/{sha256}.webp", f"/history/runs/{view.run.run_id}/0/bare"]
    for door in doors:
        answer = page.get(door)
        assert answer.status_code == 503, door
        assert "on the disk of another server" in answer.text, door
    with pytest.raises(UploadRefused, match="Try again in a minute"):
        await load_input(asked.services, LOCAL_OWNER, sha256)
    item = {"sha256": sha256, "media_type": "image/png", "width": 1024, "height": 1024, "name": ""}
    taken = shown(await editing.on_take(asked.app, None, event(items=[item]), *values()))
    assert [one["sha256"] for one in taken["references"]["value"]["items"]] == [sha256]
    assert library.thumbnails(asked.services, [sha256], LOCAL_OWNER) == {}, "a page with other pictures goes without it"
    brought.write_bytes(data)
    assert [page.get(door).status_code for door in doors] == [200, 200, 200]
    assert page.get(doors[0]).content == data
    await stopped(making, asked)
