"""What holds at every provider with jobs: images and money of good runs, judged by strict fakes."""

from __future__ import annotations

from typing import Any

import pytest

from providers.types import ImageRequest
from tests.playground.job_world import FOX, World, mask, noise, only, openai_keys, request_of

pytestmark = pytest.mark.asyncio

LARGE_PX = {"replicate": 600, "runware": 600, "fal": 1500}
"""Side of a picture that is uploaded where the provider takes uploads."""


def is_priced(world: World, view: Any, images: int) -> None:
    """Runware tells the cost, fal's is certain before, and of Replicate's own models nobody knows it."""
    match world.provider:
        case "replicate":
            expected = None, "unknown", "unknown"
        case "runware":
            expected = images * 6005, "reported", "settled"
        case _:
            expected = view.run.estimate_microusd, "estimated", "settled"
    assert (view.cost_microusd, view.cost_source, view.ledger_state) == expected


@pytest.mark.parametrize("n", [1, 3, 5, 10])
async def test_all_images_come_and_each_call_is_paid_once(n: int, world: World) -> None:
    view = await world.run(request_of(n))
    assert view.run.state == "succeeded"
    assert view.run.error is None
    assert len(view.images) == n
    world.is_kept(view)
    calls = -(-n // 4) if world.provider == "fal" else 1
    assert (world.creates, world.fake.posts, world.cancels) == (calls, calls, 0)
    is_priced(world, view, n)
    assert view.run.remote_id
    assert view.run.request_id
    assert view.run.got is not None
    assert view.run.got["images"] == n
    assert view.run.latency_ms is not None
    assert view.run.first_byte_ms is not None
    assert 0 <= view.run.first_byte_ms <= view.run.latency_ms


@only("replicate")
async def test_images_that_go_out_one_by_one_are_one_run(world: World) -> None:
    view = await world.run(request_of(3), "replicate/gpt-image-2")
    assert view.run.state == "succeeded"
    world.is_kept(view)
    assert (world.creates, world.fake.posts) == (3, 3)
    assert len({job.id for job in world.jobs}) == 3


@only("replicate")
async def test_an_own_key_pays_openai_and_the_fee_beside_it(world: World) -> None:
    view = await world.run(request_of(2), "replicate/gpt-image-1-mini", **openai_keys(world))
    assert view.run.state == "succeeded"
    world.is_kept(view)
    tokens = 9 * 2 + 2 * 272 * 8
    assert (view.cost_microusd, view.cost_source) == (2 * 1000 + tokens, "computed")
    assert view.run.got is not None
    lines = view.run.got["cost_lines"]
    assert isinstance(lines, list)
    assert sum(line["amount_microusd"] for line in lines) == view.cost_microusd
    assert "$OPENAI_API_KEY" in str(view.run.sent)


@only("replicate")
async def test_a_log_without_tokens_leaves_the_cost_open(world: World) -> None:
    world.fake.logs_with_tokens = False
    view = await world.run(request_of(2), "replicate/gpt-image-1-mini", **openai_keys(world))
    assert (view.run.state, view.cost_microusd, view.ledger_state) == ("succeeded", None, "unknown")


@only("replicate")
async def test_a_prediction_that_ends_within_the_wait_is_remembered_all_the_same(world: World) -> None:
    world.fake.polls = 0
    view = await world.run()
    assert view.run.state == "succeeded"
    world.is_kept(view)
    assert view.run.remote_id == world.jobs[0].id


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("size", ["small", "large"])
async def test_reference_images_travel_inside_or_are_uploaded(count: int, size: str, world: World) -> None:
    side = 64 if size == "small" else LARGE_PX[world.provider]
    images = tuple(noise(number, side) for number in range(count))
    view = await world.run(request_of(images=images))
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert (world.creates, world.fake.posts) == (1, 1)
    if world.provider != "runware":
        uploads = world.fake.uploads if world.provider == "replicate" else len(world.fake.uploads)
        assert uploads == (count if size == "large" else 0)
    assert len(view.inputs) == count
    if world.provider == "runware":
        assert view.cost_source == "reported"


@only("fal")
async def test_without_an_upload_address_large_files_travel_inside(world: World) -> None:
    world.has_upload_address = False
    view = await world.run(request_of(images=(noise(1, LARGE_PX["fal"]),)))
    assert view.run.state == "succeeded"
    assert world.fake.uploads == []


@only("replicate", "fal")
async def test_the_same_large_file_of_several_calls_serves_each(world: World) -> None:
    offer = "replicate/gpt-image-2" if world.provider == "replicate" else world.offer
    n = 2 if world.provider == "replicate" else 5
    view = await world.run(request_of(n, images=(noise(1, LARGE_PX[world.provider]),)), offer)
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert world.creates == 2


@pytest.mark.parametrize("model", ["gpt-image-1.5", "gpt-image-2", "gpt-image-2.5-sunburst"])
@only("fal")
async def test_a_mask_is_sent_where_there_is_a_field_for_it(model: str, world: World) -> None:
    view = await world.run(request_of(images=(noise(1),), mask=mask()), f"fal/{model}")
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    field = "mask_image_url" if model == "gpt-image-1.5" else "mask_url"
    assert field in world.jobs[0].body


@pytest.mark.parametrize(
    ("world", "offer"),
    [
        ("replicate", "replicate/gpt-image-2.5-flare"),
        ("runware", "runware/gpt-image-2.5-flare"),
        ("fal", "fal/gpt-image-1-mini"),
    ],
    indirect=["world"],
)
async def test_a_mask_without_a_lock_stands_in_the_way_where_there_is_none(offer: str, world: World) -> None:
    one = world.process()
    plan = world.plan(one, request_of(images=(noise(1),), mask=mask(), lock_outside_mask=False), offer)
    assert not plan.is_sendable
    assert "mask" in [problem.field for problem in plan.all_problems]
    await one.stop()
    assert world.fake.posts == 0


OLDER = ("gpt-image-1.5", "gpt-image-1-mini", "gpt-image-1")
SAID: dict[str, dict[str, Any]] = {
    "nothing": {},
    "auto": {"size": "auto", "quality": "auto", "background": "auto"},
    "transparent": {"size": "1536x1024", "quality": "medium", "background": "transparent", "output_format": "webp"},
    "jpeg": {"size": "1024x1536", "quality": "high", "output_format": "jpeg"},
    "gif": {"output_format": "gif", "quality": "low"},
}
NOT_SENT = {
    ("fal/gpt-image-1.5", "auto"),  # takes no quality of that name
    ("fal/gpt-image-1", "auto"),
    ("fal/gpt-image-2.5-flare", "transparent"),
    ("fal/gpt-image-2", "transparent"),
    ("replicate/gpt-image-2", "transparent"),
    ("runware/gpt-image-2", "transparent"),
}


async def is_taken(world: World, model: str, said: str) -> None:
    """By the provider, where a plan lets it through; the others are known."""
    offer = f"{world.provider}/{model}"
    changes = openai_keys(world) if world.provider == "replicate" else {}
    async with world.running(**changes) as one:
        request = ImageRequest(FOX, **SAID[said])
        assert world.plan(one, request, offer).is_sendable is ((offer, said) not in NOT_SENT)
        if (offer, said) not in NOT_SENT:
            (view,) = await one.run(request, offer)
            assert view.run.state == "succeeded", view.run.error
            world.is_kept(view)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("model", ["gpt-image-2.5-flare", "gpt-image-2"])
async def test_what_a_plan_lets_through_no_provider_refuses(model: str, said: str, world: World) -> None:
    await is_taken(world, model, said)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("model", OLDER)
async def test_what_a_plan_of_an_older_model_lets_through_no_provider_refuses(
    model: str, said: str, world: World
) -> None:
    await is_taken(world, model, said)
