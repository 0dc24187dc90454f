"""Another program holds the database for longer than a write waits: nothing that was sent or came is given up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playground import calls, carrying
from playground.unsaved import Unsaved
from storage.database import Store
from tests.harness import Harness
from tests.playground.job_world import World, request_of

pytestmark = pytest.mark.asyncio
HELD_S = 0.4
Hold = Callable[[Harness, Callable[[], bool]], None]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Has another program hold the database from now on, for a while and until it is felt."""
    others: list[sqlite3.Connection] = []

    def let_go(is_felt: Callable[[], bool]) -> None:
        if is_felt():
            others[0].rollback()
        else:
            asyncio.get_running_loop().call_later(0.05, let_go, is_felt)

    def begin(one: Harness, is_felt: Callable[[], bool]) -> None:
        if not others:
            store: Store = one.services.store
            store._writer._db.conn.execute("pragma busy_timeout=10")
            others.append(sqlite3.connect(store.data_dir / "diptych.sqlite3"))
            others[0].execute("begin immediate")
            asyncio.get_running_loop().call_later(HELD_S, let_go, is_felt)

    yield begin
    for other in others:
        other.close()


@pytest.mark.parametrize("before", ["the job's id", "the images", "the end"])
async def test_a_run_waits_until_it_can_be_written(
    world: World, before: str, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name = {
        "the job's id": (calls, "claim"),
        "the images": (calls, "keep_result"),
        "the end": (carrying, "_end"),
    }[before]
    real = getattr(module, name)
    async with world.running() as one:
        object.__setattr__(one.services, "unsaved", Unsaved(retry_s=0.05))

        async def held(*given: Any) -> Any:
            hold(one, lambda: bool(notes))
            return await real(*given)

        notes: list[str | None] = []
        real_waiter = calls.waiter

        def waiter(call: calls.LiveCall, *words: str) -> Callable[[], None]:
            on_wait = real_waiter(call, *words)

            def noted() -> None:
                on_wait()
                notes.append(call.note)

            return noted

        monkeypatch.setattr(module, name, held)
        monkeypatch.setattr(calls, "waiter", waiter)
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(10):
            (view,) = await one.run(request_of(), world.offer)
        assert asyncio.get_running_loop().time() - began > HELD_S, "it was held"
    assert notes
    assert all(note and "another program holds the database" in note for note in notes)
    assert (view.run.state, view.run.error, len(view.images)) == ("succeeded", None, 1)
    world.is_kept(view)
    assert (world.creates, world.cancels) == (1, 0)
