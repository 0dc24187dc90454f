"""Money and keys at providers with jobs: little credit, keys of others, and images that cannot be fetched."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from playground.services import LOCAL_OWNER
from providers.client import MAX_TRIES
from providers.errors import MissingKey
from tests.fakes import fal_faults, faults, replicate_server
from tests.fakes.http_fake import RawReply
from tests.fakes.job_faults import GoneAfterwards, NeverEnds
from tests.playground.job_world import Frozen, World, killed, only, openai_keys, quick, request_of, until

pytestmark = pytest.mark.asyncio

MINI = "replicate/gpt-image-1-mini"


@pytest.mark.parametrize("n", [3, 5])
@only("replicate")
async def test_an_account_with_little_credit_gets_all_images_one_after_another(n: int, world: World) -> None:
    world.fake.low_credit = True
    view = await world.run(request_of(n), "replicate/gpt-image-2", sleep=quick)
    assert view.run.state == "succeeded", view.run.error
    assert view.run.error is None
    assert len(view.images) == n
    world.is_kept(view)
    assert world.creates == n
    assert world.fake.throttled >= n - 1
    assert world.fake.posts == n + world.fake.throttled


@only("replicate")
async def test_a_limit_that_lets_nobody_through_is_not_asked_for_ever(world: World) -> None:
    world.fake.takes_only = 1
    world.fake.next(NeverEnds())
    view = await world.run(request_of(2, timeout_s=30.0), "replicate/gpt-image-2")
    assert view.run.error is not None
    assert world.creates == 1
    # Those it tries in a row, and once more so many after the other one got through.
    assert world.fake.posts <= 2 * MAX_TRIES


@only("replicate")
async def test_a_model_on_an_own_key_is_refused_without_it_before_anything_is_stored(world: World) -> None:
    async with world.running() as one:
        with pytest.raises(MissingKey, match="your own OpenAI key"):
            await one.run(request_of(), MINI)
        assert await world.views(one) == []
    assert world.fake.posts == 0


@only("replicate")
async def test_a_queued_run_waits_for_the_typed_key_that_it_would_hand_on(world: World) -> None:
    """The server's own OpenAI key, should there be one, does not pay for what was meant for a typed one."""
    world.fake.always(NeverEnds())
    clock = Frozen()
    one = world.process(sleep=clock)
    openai = one.services.catalog.provider("openai")
    one.services.keys.put(openai, LOCAL_OWNER, world.fake.openai_key)
    for _ in range(8):
        await world.submit(one, offer=MINI)
    last = await world.submit(one, offer=MINI)
    await until(lambda: world.creates == 8)
    async with killed(world, one):
        world.fake.always(None)
        for job in world.jobs:
            job.fault = None
        world.lets_jobs_end()
        keys = {"replicate": world.fake.key, "openai": "sk-of-the-server-0123456789"}
        async with world.running(keys=keys) as second:
            await second.engine.start()
            await until(lambda: second.engine.live(last) is not None and second.engine.live(last).note)
            live = second.engine.live(last)
            assert live is not None
            assert live.note is not None
            assert "key is here again" in live.note
            second.services.keys.put(openai, LOCAL_OWNER, world.fake.openai_key)
            await second.engine.key_arrived(LOCAL_OWNER)
            async with asyncio.timeout(20):
                async for _ in second.engine.follow_owner(LOCAL_OWNER):
                    pass
            states = {view.run.state for view in await world.views(second)}
    assert states == {"succeeded"}
    assert world.creates == 9


@only("replicate")
async def test_a_queued_run_names_the_key_that_it_waits_for(world: World) -> None:
    clock = Frozen()
    one = world.process(sleep=clock)
    one.services.keys.put(one.services.catalog.provider("openai"), LOCAL_OWNER, world.fake.openai_key)
    for _ in range(8):
        await world.submit(one, offer=MINI)
    last = await world.submit(one, offer=MINI)
    await until(lambda: world.creates == 8)
    async with killed(world, one), world.running() as second:
        await second.engine.start()
        live = second.engine.live(last)
        assert live is not None
        assert live.note is not None
        assert "your OpenAI key" in live.note


# Images that cannot be fetched


async def test_images_that_are_gone_are_said_and_paid(world: World) -> None:
    world.fake.next(GoneAfterwards())
    view = await world.run(request_of(2))
    assert view.images == ()
    assert view.run.error is not None
    assert view.run.error.kind == "malformed"
    assert "not at its address any more (404)" in world.is_told(view)
    assert world.creates == 1
    match world.provider:
        case "replicate":
            expected = "unknown", "unknown", None
        case "runware":
            expected = "failed", "settled", 2 * 6005
        case _:
            expected = "failed", "settled", view.run.estimate_microusd
    assert (view.run.state, view.ledger_state, view.cost_microusd) == expected


@only("replicate")
async def test_the_fee_of_an_image_that_is_gone_is_paid_all_the_same(world: World) -> None:
    world.fake.next(GoneAfterwards())
    view = await world.run(request_of(2), MINI, **openai_keys(world))
    assert view.images == ()
    assert view.cost_microusd == 2 * 1000 + 2 * 9 + 2 * 272 * 8
    assert (view.run.state, view.ledger_state) == ("failed", "settled")


async def test_one_image_that_is_gone_leaves_the_others(world: World) -> None:
    world.fake.media_faults.append(RawReply(404, b"gone", {"content-type": "text/plain"}))
    view = await world.run(request_of(3))
    assert view.run.state == "succeeded"
    assert len(view.images) == 2
    assert world.is_told(view).startswith("2 of 3 images came.")
    if world.provider == "runware":
        assert view.cost_microusd == 3 * 6005
    if world.provider == "fal":
        assert view.cost_microusd == view.run.estimate_microusd


HICCUPS = {
    "busy": RawReply(503, b"later", {"content-type": "text/plain"}),
    "reset": faults.Reset(),
    "cut": faults.CutBody(),
}


@pytest.mark.parametrize("hiccup", HICCUPS)
async def test_a_file_that_does_not_come_at_once_is_fetched_again(hiccup: str, world: World) -> None:
    world.fake.media_faults.append(HICCUPS[hiccup])
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert len(world.fake.media_reads) == 2
    assert world.creates == 1


PAGE = b"<html><body>Sign in to go on.</body></html>"


async def test_a_page_in_an_images_place_is_kept_as_it_came(world: World) -> None:
    world.fake.media_faults.append(RawReply(200, PAGE, {"content-type": "text/html"}))
    view = await world.run()
    assert view.images == ()
    assert view.run.error is not None
    assert view.run.error.kind == "malformed"
    assert "Its bytes are kept." in world.is_told(view)
    assert view.run.unreadable_sha256 == hashlib.sha256(PAGE).hexdigest()
    path = world.made[-1].services.store.blobs.find(view.run.unreadable_sha256)
    assert path is not None
    assert path.read_bytes() == PAGE
    if world.provider == "runware":
        assert (view.run.state, view.cost_microusd) == ("failed", 6005)


@only("runware")
async def test_a_task_without_costs_has_no_known_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = type(world.fake)._item

    def item(self: object, task: object) -> dict[str, object]:
        return {name: value for name, value in real(self, task).items() if name != "cost"}

    monkeypatch.setattr(type(world.fake), "_item", item)
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded"
    assert (view.cost_microusd, view.ledger_state) == (None, "unknown")


@only("fal")
async def test_sizes_that_fal_does_not_tell_are_nobodys_guess(world: World) -> None:
    world.fake.next(fal_faults.NullSizes())
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded"
    assert view.run.got is not None
    assert "size" not in view.run.got
    assert [(image.width, image.height) for image in view.images] == [(1024, 1024)] * 2


@only("replicate")
async def test_an_output_that_shows_early_is_taken_once_it_is_whole(world: World) -> None:
    world.fake.next(replicate_server.ProcessingWithOutput())
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded"
    world.is_kept(view)
