"""Stop: a job is ended at its provider, and whatever it brought all the same is kept and paid."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from playground.services import LOCAL_OWNER
from providers.rows import CATALOG
from storage.records import RunView
from tests.fakes import faults, replicate_server
from tests.fakes.http_fake import Answer
from tests.fakes.job_faults import NeverEnds
from tests.harness import Harness
from tests.playground.job_splits import split_in_ones
from tests.playground.job_world import Frozen, World, only, openai_keys, quick, request_of, until

pytestmark = pytest.mark.asyncio


def has_stopped(world: World, view: RunView, jobs: int = 1) -> None:
    """The end of a run whose jobs were cancelled: only Replicate says for certain that nothing comes of them."""
    assert view.run.error is not None
    assert view.run.error.kind == "cancelled"
    assert view.run.error.message.startswith("Stopped.")
    assert world.cancels == (0 if world.provider == "runware" else jobs)
    if world.provider == "replicate":
        assert (view.run.state, view.ledger_state, view.cost_microusd) == ("cancelled", "released", 0)
        assert "Nothing was billed" in view.run.error.message
    else:
        assert (view.run.state, view.ledger_state, view.cost_microusd) == ("unknown", "unknown", None)
        assert "may still bill" in view.run.error.message


async def begun(world: World, **changes: Any) -> tuple[Harness, str]:
    """A run whose job goes on for ever."""
    world.fake.next(NeverEnds())
    one = world.process(**changes)
    run_id = await world.submit(one, request_of(2, timeout_s=1800.0))
    await until(lambda: world.polls >= 1)
    return one, run_id


async def test_three_stops_at_once_are_one(world: World) -> None:
    one, run_id = await begun(world, sleep=quick)
    await asyncio.gather(*(one.engine.cancel(run_id, LOCAL_OWNER) for _ in range(3)))
    has_stopped(world, await world.view(one))
    await one.stop()


async def test_a_job_that_had_ended_meanwhile_keeps_its_images(world: World) -> None:
    one = world.process(sleep=Frozen(after=1))
    run_id = await world.submit(one, request_of(2))
    await until(lambda: world.polls == 1)
    world.lets_jobs_end()
    if world.provider == "replicate":
        with world.fake._lock:
            world.fake._end(world.jobs[0])
    elif world.provider == "fal":
        world.jobs[0].status = "COMPLETED"
    await one.engine.cancel(run_id, LOCAL_OWNER)
    view = await world.view(one)
    await one.stop()
    assert view.run.state == "succeeded", view.run.error
    assert len(view.images) == 2
    world.is_kept(view)
    assert world.creates == 1


async def test_a_stop_while_images_are_fetched_loses_none_and_counts_each_once(world: World) -> None:
    world.fake.media_faults.extend([None, faults.Hang(), faults.Hang()])
    one = world.process()
    run_id = await world.submit(one, request_of(3))
    await until(lambda: len(world.fake.media_reads) == 3)
    async with asyncio.timeout(10):
        while not (await world.view(one)).images:
            await asyncio.sleep(0.01)
    await one.engine.cancel(run_id, LOCAL_OWNER)
    view = await world.view(one)
    await one.stop()
    assert view.run.state == "succeeded", view.run.error
    assert view.run.got is not None
    assert view.run.got["images"] == 3
    world.is_kept(view)
    if world.provider == "runware":
        assert view.cost_microusd == 3 * 6005


async def test_a_stop_before_the_answer_that_names_the_job(world: World) -> None:
    world.fake.next(faults.Slow(5))
    one = world.process()
    run_id = await world.submit(one)
    await until(lambda: world.creates == 1)
    await one.engine.cancel(run_id, LOCAL_OWNER)
    view = await world.view(one)
    await one.stop()
    assert world.creates == 1
    if world.provider == "replicate":
        has_stopped(world, view)
    elif world.provider == "fal":
        assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
    else:
        assert view.ledger_state in ("unknown", "settled")


async def test_a_stop_in_the_line_costs_nothing(world: World) -> None:
    places = CATALOG.provider(world.provider).max_concurrent
    world.fake.always(NeverEnds())
    one = world.process(sleep=Frozen())
    runs = [await world.submit(one) for _ in range(places + 2)]
    await until(lambda: world.creates == places)
    last = runs[-1]
    assert one.engine.place_in_line(last) == 2
    assert await one.engine.cancel(last, LOCAL_OWNER)
    (view,) = [view for view in await world.views(one) if view.run.run_id == last]
    assert view.run.error is not None
    assert (view.run.state, view.ledger_state, view.run.sent_at) == ("cancelled", "released", None)
    assert "Nothing was billed." in view.run.error.message
    assert world.creates == places
    await one.engine.close(0)
    await one.services.client.close()
    states = sorted(view.run.state for view in await world.views(one))
    assert states == ["cancelled", "queued", *["waiting"] * places]
    assert world.cancels == 0


async def test_a_stop_of_several_jobs_keeps_those_that_were_done(world: World) -> None:
    world.fake.next(None, NeverEnds(), NeverEnds())
    one = world.process(sleep=quick, catalog=split_in_ones(CATALOG, world.offer))
    world.fake.polls = 0
    run_id = await world.submit(one, request_of(3, timeout_s=1800.0))
    async with asyncio.timeout(10):
        while not (await world.view(one)).images:
            await asyncio.sleep(0.05)
    await one.engine.cancel(run_id, LOCAL_OWNER)
    view = await world.view(one)
    await one.stop()
    assert view.run.state == "succeeded"
    assert len(view.images) == 1
    assert view.run.error is not None
    assert view.run.error.message.startswith("1 of 3 images came. Stopped.")
    assert view.ledger_state == "unknown"
    assert world.creates == 3
    # The call whose image came may not have noted its end yet; then it asks, too, and its answer is the image.
    assert world.cancels in ((0,) if world.provider == "runware" else (2, 3))


@only("replicate", "fal")
async def test_a_cancel_that_the_provider_does_not_answer_leaves_the_cost_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, run_id = await begun(world, sleep=quick)
    real = world.fake.answer

    def answer(request: Any, fault: Any) -> Any:
        return Answer(503, {"detail": "no"}) if request.path.endswith("/cancel") else real(request, fault)

    monkeypatch.setattr(world.fake, "answer", answer)
    assert await one.engine.cancel(run_id, LOCAL_OWNER)
    view = await world.view(one)
    await one.stop()
    assert (view.run.state, view.ledger_state) == ("unknown", "unknown")


# Where the tokens are billed by another


MINI = "replicate/gpt-image-1-mini"


def openai_may_bill(view: RunView) -> None:
    assert view.run.error is not None
    assert (view.run.state, view.ledger_state, view.cost_microusd) == ("unknown", "unknown", None)
    assert view.run.error.may_have_been_billed
    assert "OpenAI may still bill the tokens" in view.run.error.message
    assert "Nothing" not in view.run.error.message


def nothing_is_billed(view: RunView, state: str = "cancelled") -> None:
    assert view.run.error is not None
    assert (view.run.state, view.ledger_state, view.cost_microusd) == (state, "released", 0)
    assert "OpenAI" not in view.run.error.message


async def stopped_after(world: World, polls: int) -> RunView:
    one = world.process(sleep=Frozen(after=polls), **openai_keys(world))
    run_id = await world.submit(one, request_of(2, timeout_s=1800.0), MINI)
    await until(lambda: world.polls >= polls and world.creates == 1)
    await until(lambda: one.engine.live(run_id) is not None and one.services.client.jobs._sleep.sleepers)
    await one.engine.cancel(run_id, LOCAL_OWNER)
    view = await world.view(one)
    await one.stop()
    assert world.cancels == 1
    return view


@only("replicate")
async def test_a_prediction_on_an_own_key_that_had_begun_may_cost_its_tokens(world: World) -> None:
    world.fake.next(NeverEnds())
    openai_may_bill(await stopped_after(world, polls=1))


@only("replicate")
async def test_a_prediction_on_an_own_key_that_was_stopped_before_it_began_costs_nothing(world: World) -> None:
    world.fake.next(NeverEnds())
    nothing_is_billed(await stopped_after(world, polls=0))


@pytest.mark.parametrize("told", [{"started_at": None}, {}], ids=["never began", "does not say"])
@only("replicate")
async def test_a_prediction_that_was_seen_at_work_or_does_not_say_is_no_free_one(
    told: dict[str, None], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen at work began, whatever the end says; and where nothing says that it did not, it may have."""
    real = world.fake.answer

    def answer(request: Any, fault: Any) -> Any:
        given = real(request, fault)
        if request.path.endswith("/cancel"):
            body = {name: value for name, value in given.body.items() if name != "started_at"}
            return Answer(200, {**body, **told})
        return given

    monkeypatch.setattr(world.fake, "answer", answer)
    world.fake.next(NeverEnds())
    openai_may_bill(await stopped_after(world, polls=1 if told else 0))


@only("replicate")
async def test_a_time_limit_on_an_own_key_leaves_the_tokens_open(world: World) -> None:
    world.fake.next(NeverEnds())
    view = await world.run(request_of(timeout_s=30.0), MINI, **openai_keys(world))
    openai_may_bill(view)
    assert view.run.error is not None
    assert view.run.error.kind == "timeout"
    assert world.cancels == 1


@pytest.mark.parametrize("had_begun", [True, False])
@only("replicate")
async def test_a_prediction_on_an_own_key_that_ends_by_itself_says_whether_tokens_may_cost(
    had_begun: bool, world: World
) -> None:
    world.fake.next(replicate_server.CancelledThere() if had_begun else replicate_server.Aborted())
    view = await world.run(request_of(), MINI, **openai_keys(world))
    assert view.run.error is not None
    assert "cancelled at Replicate" in view.run.error.message
    openai_may_bill(view) if had_begun else nothing_is_billed(view, "failed")


@only("replicate")
async def test_a_prediction_on_replicates_own_key_that_is_cancelled_there_costs_nothing(world: World) -> None:
    world.fake.next(replicate_server.CancelledThere())
    nothing_is_billed(await world.run(), "failed")
