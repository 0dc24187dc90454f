"""Locks that cannot be made, and processes that die before they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground import lock_keeping
from playground.lock_keeping import MAX_TRIES
from storage import history, locks
from storage.errors import StoreFull
from storage.records import RunView
from storage.verify import verify
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness
from tests.playground.job_world import World, killed, only, until
from tests.playground.locked_edits import check_locked, edit, photo
from ui.documents import run_document

Make = Callable[..., Harness]


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server
        assert server.violations == []


# What goes wrong


@pytest.mark.asyncio
async def test_a_lock_that_fails_is_a_note_and_never_fails_the_run(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(lock_keeping, "lock", broken)
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit(n=2))
    await one.stop()
    assert (view.run.state, view.run.error, len(view.images)) == ("succeeded", None, 2)
    assert [lock.state for lock in view.locks] == ["refused"] * 2
    assert all(lock.note.startswith("Something failed inside the app") for lock in view.locks)


@pytest.mark.asyncio
async def test_an_input_whose_file_is_gone_is_a_note(harness: Make, fake: FakeOpenAI) -> None:
    one, base = harness(openai_url=fake.base_url), photo()
    (view,) = await one.run(edit(images=(base,)))
    owe_again(one)
    one.services.store.blobs.delete(base.sha256)
    await one.stop()
    assert lock_keeping.lock_left(one.services, one.worker, never) == 1
    view = looked(one)
    assert [lock.state for lock in view.locks] == ["refused"]
    assert "not there any more" in view.locks[0].note


def never() -> bool:
    return False


def looked(one: Harness) -> RunView:
    (view,) = one.services.store.read(lambda db: history.page(db, None).runs)
    return view


def owe_again(one: Harness) -> None:
    """As if no lock had been made yet."""

    def write(db: Any) -> None:
        db.conn.execute("delete from derived_images")
        db.conn.execute("update locks set state = 'due', tries = 0, note = ''")

    one.services.store.write(write)
    for _, path in list(one.services.store.blobs.all()):
        if not one.services.store.read(lambda db, path=path: history.owns_blob(db, path.stem, None)):
            path.unlink()


@pytest.mark.asyncio
async def test_what_a_full_disk_left_due_is_made_later(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise StoreFull("The disk is full.")

    one, base = harness(openai_url=fake.base_url), photo()
    monkeypatch.setattr(lock_keeping, "_keep", full)
    (view,) = await one.run(edit(images=(base,)))
    assert (view.run.state, [lock.state for lock in view.locks]) == ("succeeded", ["due"])
    document: Any = run_document(view, one.services)
    assert "not put back yet" in document["images"][0]["lock_note"]
    monkeypatch.undo()
    await one.engine.catch_up(20)
    await one.stop()
    view = looked(one)
    assert (view.locks[0].state, view.locks[0].tries) == ("made", 2)
    assert verify(one.services.store) == []


# A process that dies


@pytest.mark.asyncio
async def test_what_a_crash_left_due_is_made_at_the_next_start(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, base = harness(openai_url=fake.base_url), photo()
    monkeypatch.setattr(lock_keeping, "lock_images", lambda *_: None)
    (view,) = await first.run(edit(images=(base,), n=2))
    await first.stop()
    monkeypatch.undo()
    assert [(lock.state, lock.tries) for lock in view.locks] == [("due", 0)] * 2
    # It died before it could say how the run ended.
    first.services.store.write(lambda db: db.conn.execute("update runs set state = 'sending', finished_at = null"))
    first.services.store.write(lambda db: db.conn.execute("update ledger set state = 'reserved'"))
    second = harness(openai_url=fake.base_url)
    await second.engine.start()
    await second.engine.catch_up(20)
    view = looked(second)
    await second.stop()
    assert view.run.state == "unknown"
    check_locked(second, view, base)
    assert fake.posts == 1


@pytest.mark.asyncio
async def test_a_run_of_a_living_process_is_left_to_it(harness: Make, fake: FakeOpenAI) -> None:
    first = harness(openai_url=fake.base_url)
    await first.run(edit())
    owe_again(first)
    first.services.store.write(lambda db: db.conn.execute("update runs set state = 'sending'"))
    second = harness(openai_url=fake.base_url)
    assert lock_keeping.lock_left(second.services, second.worker, never) == 0
    first.worker.close()
    assert lock_keeping.lock_left(second.services, second.worker, lambda: True) == 0, "a stop is heeded"
    assert lock_keeping.lock_left(second.services, second.worker, never) == 1
    await first.stop()
    assert [lock.state for lock in looked(second).locks] == ["made"]


@pytest.mark.asyncio
async def test_an_image_that_ends_the_process_is_not_tried_for_ever(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    await one.stop()
    owe_again(one)
    (image,) = view.images
    for _ in range(MAX_TRIES):
        assert one.services.store.write(lambda db: locks.begin(db, image.image_id, MAX_TRIES))
    assert lock_keeping.lock_left(one.services, one.worker, never) == 1
    (lock,) = looked(one).locks
    assert (lock.state, lock.tries, lock.locked) == ("refused", MAX_TRIES, None)
    assert "not tried again" in lock.note


@only("fal")
@pytest.mark.asyncio
async def test_a_job_whose_image_came_before_the_crash_is_locked_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image's row is there, its lock is not; the job is asked for again, and the image comes a second time."""
    base, offer = photo(), "fal/gpt-image-2"
    first, reached, may_go = world.process(), threading.Event(), threading.Event()

    def hang(*_: Any) -> None:
        reached.set()
        may_go.wait(20)

    monkeypatch.setattr(lock_keeping, "lock_images", hang)
    await world.submit(first, edit(images=(base,)), offer)
    await until(reached.is_set)
    monkeypatch.undo()
    async with killed(world, first):
        assert [lock.state for lock in (await world.view(first)).locks] == ["due"]
        view = await world.restarted()
        may_go.set()
    assert (view.run.state, len(view.images)) == ("succeeded", 1)
    check_locked(world.made[-1], view, base)
    assert world.creates == 1
