"""How jobs at Runware end whose images come one by one, and what its content check says."""

from __future__ import annotations

import pytest

from playground.services import LOCAL_OWNER
from tests.fakes import runware_faults as own
from tests.playground.job_world import Frozen, World, killed, only, quick, request_of, until

pytestmark = [pytest.mark.asyncio, only("runware")]


@pytest.mark.parametrize("n", [1, 4])
async def test_a_job_goes_on_until_as_many_images_came_as_were_asked_for(n: int, world: World) -> None:
    world.fake.next(own.OneByOne())
    view = await world.run(request_of(n))
    assert (view.run.state, view.run.error) == ("succeeded", None)
    world.is_kept(view)
    assert (view.cost_microusd, view.cost_source) == (n * 6005, "reported")
    assert (world.creates, world.polls) == (1, n)


async def test_images_that_are_there_are_kept_and_priced_when_the_others_never_come(world: World) -> None:
    world.fake.next(own.OneByOne(most=3))
    view = await world.run(request_of(4, timeout_s=60.0))
    assert view.run.state == "succeeded"
    assert len(view.images) == 3
    assert view.run.error is not None
    assert world.is_told(view).startswith("3 of 4 images came. Runware had not finished the job within the time limit")
    assert (view.run.error.kind, view.run.error.may_have_been_billed) == ("timeout", True)
    assert (view.cost_microusd, view.cost_source) == (3 * 6005, "reported")


async def test_a_stop_keeps_the_images_that_are_there(world: World) -> None:
    world.fake.next(own.OneByOne(most=1))
    async with world.running(sleep=quick) as one:
        run_id = await world.submit(one, request_of(3, timeout_s=1800.0))
        await until(lambda: world.polls >= 2)
        await one.engine.cancel(run_id, LOCAL_OWNER)
        view = await world.ended(one)
    assert len(view.images) == 1
    assert world.is_told(view).startswith("1 of 3 images came. Runware had not finished the others")
    assert (view.cost_microusd, view.cost_source) == (6005, "reported")


async def test_a_restart_knows_how_many_images_a_job_should_make(world: World) -> None:
    world.fake.next(own.OneByOne())
    clock = Frozen(after=2)
    one = world.process(sleep=clock)
    await world.submit(one, request_of(4))
    await until(lambda: clock.sleepers == 1)
    assert world.polls == 2
    async with killed(world, one):
        view = await world.restarted()
    assert (view.run.state, view.run.error) == ("succeeded", None)
    world.is_kept(view)
    assert (view.cost_microusd, world.creates) == (4 * 6005, 1)


@pytest.mark.parametrize("moderation", [None, "auto", "low"])
async def test_the_content_check_speaks_where_it_was_asked(moderation: str | None, world: World) -> None:
    world.fake.next(own.Flagged())
    view = await world.run(request_of(2, moderation=moderation))
    assert view.run.got is not None
    was_asked = moderation == "auto"
    assert view.run.got.get("nsfw_content") is (True if was_asked else None)
    assert sum("flagged" in image.checks for image in view.images) == was_asked
