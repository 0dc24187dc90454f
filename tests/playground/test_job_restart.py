"""A process that ends while jobs are under way: the next one goes on with them, and nothing is sent or paid twice."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from playground.services import LOCAL_OWNER
from providers.rows import CATALOG
from storage import jobs
from storage.records import RunView
from tests.fakes import faults
from tests.fakes.job_faults import NeverEnds
from tests.harness import Harness
from tests.noon import since_noon
from tests.playground.job_splits import split_in_ones
from tests.playground.job_world import (
    Frozen,
    World,
    killed,
    only,
    openai_keys,
    request_of,
    until,
)

pytestmark = pytest.mark.asyncio


def is_whole(world: World, view: RunView, images: int, creates: int = 1) -> None:
    """The run came to its good end, as if nothing had happened."""
    assert view.run.state == "succeeded", view.run.error
    assert view.run.error is None
    assert len(view.images) == images
    world.is_kept(view)
    assert (world.creates, world.fake.posts, world.cancels) == (creates, creates, 0)
    assert (view.run.latency_ms, view.run.first_byte_ms) == (None, None), "nobody measured how long it took"


async def waiting(world: World, one: Harness, clock: Frozen, calls: int = 1) -> None:
    """All calls of the run wait between polls."""
    await until(lambda: clock.sleepers == calls and world.creates == calls)
    assert (await world.view(one)).run.state == "waiting"


async def test_a_stop_leaves_a_waiting_job_to_the_next_start(world: World) -> None:
    world.fake.next(NeverEnds())
    one = world.process(sleep=Frozen(after=2))
    run_id = await world.submit(one, request_of(2))
    await until(lambda: world.polls >= 1)
    await one.engine.close(drain_s=0)
    left = await world.view(one)
    await one.services.client.close()
    assert (left.run.state, left.ledger_state) == ("waiting", "reserved")
    assert left.run.remote_id is not None
    assert world.cancels == 0
    one.close()
    for job in world.jobs:
        job.fault = None
    world.lets_jobs_end()
    view = await world.restarted()
    assert view.run.run_id == run_id
    is_whole(world, view, 2)


async def test_a_call_that_is_being_answered_when_the_process_stops_is_waited_for_and_then_left(world: World) -> None:
    world.fake.next(faults.Slow(0.3))
    one = world.process(sleep=Frozen())
    await world.submit(one)
    await until(lambda: world.creates == 1)
    await one.engine.close(drain_s=10)
    left = await world.view(one)
    await one.services.client.close()
    assert (left.run.state, left.ledger_state) == ("waiting", "reserved")
    assert world.cancels == 0
    one.close()
    is_whole(world, await world.restarted(), 1)


async def test_of_several_calls_each_is_left_where_it_stands(world: World) -> None:
    catalog = split_in_ones(CATALOG, world.offer)
    world.fake.next(None, faults.Slow(0.4))
    one = world.process(sleep=Frozen(), catalog=catalog)
    await world.submit(one, request_of(2))
    await until(lambda: world.creates == 2)
    await one.engine.close(drain_s=10)
    left = await world.view(one)
    await one.services.client.close()
    assert (left.run.state, left.ledger_state) == ("waiting", "reserved")
    one.close()
    is_whole(world, await world.restarted(catalog=catalog), 2, creates=2)


async def test_a_job_of_a_process_that_was_killed_is_fetched_by_the_next(world: World) -> None:
    clock = Frozen(after=1)
    one = world.process(sleep=clock)
    await world.submit(one, request_of(3))
    await waiting(world, one, clock)
    async with killed(world, one):
        view = await world.restarted()
        is_whole(world, view, 3)
        if world.provider == "runware":
            assert (view.cost_microusd, view.cost_source) == (3 * 6005, "reported")
        if world.provider == "fal":
            assert (view.cost_microusd, view.cost_source) == (view.run.estimate_microusd, "estimated")


async def test_several_jobs_of_a_run_are_taken_up_together(world: World) -> None:
    catalog = split_in_ones(CATALOG, world.offer)
    clock = Frozen()
    one = world.process(sleep=clock, catalog=catalog)
    await world.submit(one, request_of(3))
    await waiting(world, one, clock, calls=3)
    async with killed(world, one):
        is_whole(world, await world.restarted(catalog=catalog), 3, creates=3)


async def test_a_job_that_had_ended_is_not_asked_for_again(world: World) -> None:
    catalog = split_in_ones(CATALOG, world.offer)
    world.fake.next(None, NeverEnds())
    clock = Frozen(after=9)
    one = world.process(sleep=clock, catalog=catalog)
    run_id = await world.submit(one, request_of(2))

    def open_and_ended() -> list[bool]:
        found = one.services.store.read(lambda db: jobs.of_run(db, run_id))
        return sorted(job.ended is None for job in found)

    await until(lambda: open_and_ended() == [False, True])
    async with killed(world, one):
        done = next(job for job in world.jobs if job.fault is None)
        polls = done.polls
        for job in world.jobs:
            job.fault = None
        world.lets_jobs_end()
        is_whole(world, await world.restarted(catalog=catalog), 2, creates=2)
        assert done.polls == polls


def forget_jobs(one: Harness) -> None:
    """As a crash leaves it between a provider's answer and the note of its id."""

    def write(db: object) -> None:
        db.execute("delete from jobs")
        db.execute("update runs set state = 'sending', remote_id = null")

    one.services.store.write(write)


async def test_a_job_whose_id_was_not_stored_is_looked_for(world: World) -> None:
    clock = Frozen()
    one = world.process(sleep=clock)
    await world.submit(one, request_of(2))
    await waiting(world, one, clock)
    if world.provider != "runware":  # where our own id is stored before the call goes out
        forget_jobs(one)
    async with killed(world, one):
        view = await world.restarted()
        is_whole(world, view, 2)


@only("runware")
async def test_a_call_whose_id_was_not_stored_was_not_sent(world: World) -> None:
    clock = Frozen()
    one = world.process(sleep=clock)
    await world.submit(one)
    await waiting(world, one, clock)
    forget_jobs(one)
    async with killed(world, one):
        view = await world.restarted()
    assert (view.run.state, view.ledger_state) == ("cancelled", "released")


@only("replicate")
async def test_identical_calls_of_a_dead_process_find_a_job_each(world: World) -> None:
    clock = Frozen()
    one = world.process(sleep=clock)
    await world.submit(one, request_of(3), "replicate/gpt-image-2")
    await waiting(world, one, clock, calls=3)
    forget_jobs(one)
    async with killed(world, one):
        is_whole(world, await world.restarted(), 3, creates=3)


@only("replicate", "fal")
async def test_a_stop_while_a_dead_processs_job_is_looked_for_says_nothing_of_free(world: World) -> None:
    """What another process had sent may be billed, whatever this one managed to ask."""
    clock = Frozen()
    one = world.process(sleep=clock)
    await world.submit(one)
    await waiting(world, one, clock)
    forget_jobs(one)
    async with killed(world, one):
        looking = world.process(sleep=Frozen())
        world.fake.jobs.clear()
        if world.provider == "replicate":
            await looking.engine.start()
            await asyncio.sleep(0.2)
            await looking.stop()
            left = await world.view(looking)
            assert (left.run.state, left.ledger_state) == ("sending", "reserved"), "the next start looks again"
            looking.close()
            looking = world.process(sleep=Frozen())
        await looking.engine.start()
        await asyncio.sleep(0.1)
        await looking.engine.cancel_all(LOCAL_OWNER)
        view = await world.view(looking)
        await looking.stop()
        assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
        world.fake.violations.clear()  # of asking for a job that this test took away


@pytest.mark.parametrize("order", ["same", "other"])
async def test_images_that_were_stored_before_the_crash_are_stored_once(order: str, world: World) -> None:
    world.fake.media_faults.extend([None, faults.Hang(), faults.Hang()])
    one = world.process()
    await world.submit(one, request_of(3))
    await until(lambda: len(world.fake.media_reads) == 3)
    async with asyncio.timeout(10):
        while not (await world.view(one)).images:
            await asyncio.sleep(0.01)
    early = await world.view(one)
    assert (early.run.state, len(early.images)) == ("downloading", 1)
    if order == "other" and world.provider == "runware":
        for job in world.jobs:
            job.items.reverse()
            job.items.append(job.items.pop(0))
    async with killed(world, one):
        view = await world.restarted()
        assert view.run.got is not None
        assert view.run.got["images"] == 3
        is_whole(world, view, 3)
        assert {image.image_id for image in early.images} <= {image.image_id for image in view.images}


# Typed keys are not stored


def typed(world: World, one: Harness) -> None:
    provider = one.services.catalog.provider(world.provider)
    one.services.keys.put(provider, LOCAL_OWNER, world.fake.key)


async def left_on_a_typed_key(world: World) -> tuple[Harness, str]:
    clock = Frozen()
    one = world.process(sleep=clock, keys={})
    typed(world, one)
    run_id = await world.submit(one)
    await waiting(world, one, clock)
    return one, run_id


@pytest.mark.parametrize("has_server_key", [False, True])
async def test_a_run_on_a_typed_key_waits_for_it_and_goes_on(has_server_key: bool, world: World) -> None:
    one, run_id = await left_on_a_typed_key(world)
    keys = {world.provider: "another-account-0123456789"} if has_server_key else {}
    async with killed(world, one), world.running(keys=keys) as second:
        await second.engine.start()
        await asyncio.sleep(0.1)
        live = second.engine.live(run_id)
        assert live is not None
        assert live.note is not None
        assert f"your {world.name} key" in live.note
        assert "UTC" in live.note
        assert (await world.view(second)).run.state == "waiting"
        polls = world.polls
        await second.engine.key_arrived(LOCAL_OWNER)
        await second.engine.key_arrived("somebody-else")
        assert world.polls == polls
        typed(world, second)
        await second.engine.key_arrived(LOCAL_OWNER)
        is_whole(world, await world.ended(second), 1)


async def test_a_key_that_does_not_come_back_ends_the_run_in_words(world: World) -> None:
    def later() -> datetime:
        return since_noon() + timedelta(hours=2)

    one, run_id = await left_on_a_typed_key(world)
    async with killed(world, one), world.running(keys={}, clock=later) as second:
        await second.engine.start()
        view = await world.ended(second)
        assert second.engine.live(run_id) is None
    assert view.run.error is not None
    assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
    assert "key did not come back in time" in view.run.error.message
    assert view.run.error.may_have_been_billed
    assert world.cancels == 0


async def test_a_run_that_waits_for_its_key_can_be_stopped(world: World) -> None:
    one, run_id = await left_on_a_typed_key(world)
    async with killed(world, one), world.running(keys={}) as second:
        await second.engine.start()
        assert await second.engine.cancel(run_id, "somebody-else") is False
        assert await second.engine.cancel(run_id, LOCAL_OWNER) is True
        view = await world.view(second)
        assert await second.engine.cancel(run_id, LOCAL_OWNER) is False
    assert (view.run.state, view.ledger_state) == ("unknown", "unknown")


@only("replicate")
async def test_a_job_on_an_own_openai_key_is_asked_for_without_it(world: World) -> None:
    clock = Frozen()
    one = world.process(sleep=clock, **openai_keys(world))
    await world.submit(one, offer="replicate/gpt-image-1-mini")
    await waiting(world, one, clock)
    async with killed(world, one):
        view = await world.restarted()
        is_whole(world, view, 1)
        assert view.cost_microusd == 1000 + 9 * 2 + 272 * 8
