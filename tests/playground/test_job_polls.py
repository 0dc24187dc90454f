"""Asking for jobs: polls that break, jobs that never end, and runs of which only a part comes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.fakes import fal_faults, faults, replicate_server, runware_server
from tests.fakes.http_fake import Answer
from tests.playground.job_world import World, only, openai_keys, request_of

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("status", [429, 500, 502])
async def test_polls_that_break_are_asked_again_and_the_job_succeeds(status: int, world: World) -> None:
    world.fake.next(world.own.PollBreaks(3, status))
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded", view.run.error
    assert view.run.error is None
    world.is_kept(view)
    assert (world.creates, world.fake.posts, world.cancels) == (1, 1, 0)


def answer_polls(world: World, monkeypatch: pytest.MonkeyPatch, answer: Answer, times: int) -> None:
    """The next polls are answered so, whatever the job does."""
    real = world.fake.answer
    left = [times]

    def answered(request: Any, fault: Any) -> Any:
        is_poll = request.method == "GET" or b"getResponse" in request.body
        if is_poll and left[0] and world.creates:
            left[0] -= 1
            return answer
        return real(request, fault)

    monkeypatch.setattr(world.fake, "answer", answered)


ODD_POLLS = {
    "page": Answer(200, b"<html>hello</html>", content_type="text/html"),
    "list": Answer(200, [1, 2]),
    "nothing": Answer(200, b""),
    "not found": Answer(404, {"detail": "Not found"}),
}


@pytest.mark.parametrize("odd", ODD_POLLS)
async def test_a_few_odd_polls_cost_nothing(odd: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_polls(world, monkeypatch, ODD_POLLS[odd], times=3)
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert world.creates == 1


@pytest.mark.parametrize("odd", ODD_POLLS)
async def test_odd_polls_that_last_end_in_doubt(odd: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_polls(world, monkeypatch, ODD_POLLS[odd], times=1000)
    view = await world.run()
    assert view.run.error is not None
    assert view.run.error.kind == ("server" if odd == "not found" else "malformed")
    assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
    assert view.run.remote_id is not None
    world.is_told(view)
    assert world.creates == 1


async def test_a_job_that_never_ends_is_told_to_stop_at_the_time_limit(world: World) -> None:
    world.fake.next(world.own.NeverEnds())
    began = time.monotonic()
    view = await world.run(request_of(timeout_s=30.0))
    assert time.monotonic() - began < 2
    assert view.run.error is not None
    assert view.run.error.kind == "timeout"
    words = world.is_told(view)
    assert world.creates == 1
    assert world.cancels == (0 if world.provider == "runware" else 1)
    if world.provider == "replicate":
        # The prediction says that it was cancelled: nothing is open.
        assert (view.run.state, view.ledger_state, view.cost_microusd) == ("failed", "released", 0)
        assert "may" not in words
    else:
        assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
        assert "may have billed" in words


async def test_a_time_limit_counts_what_was_slept(world: World) -> None:
    world.fake.next(world.own.NeverEnds())
    slept: list[float] = []

    async def noted(seconds: float) -> None:
        slept.append(seconds)

    await world.run(request_of(timeout_s=60.0), sleep=noted)
    assert 40 < sum(slept) <= 70
    assert max(slept) <= 10
    assert world.polls >= 5


# Only a part comes


@only("runware")
async def test_images_of_a_task_that_fails_in_part_are_kept_said_and_priced(world: World) -> None:
    world.fake.next(runware_server.PartialFailure())
    view = await world.run(request_of(4))
    assert view.run.state == "succeeded"
    assert len(view.images) == 3
    world.is_kept(view)
    assert world.is_told(view).startswith("3 of 4 images came.")
    assert view.run.error is not None
    assert view.run.error.kind == "moderation"
    assert (view.cost_microusd, view.cost_source) == (3 * 6005, "reported")


@pytest.mark.parametrize("failing", [0, 1])
@only("fal")
async def test_one_of_several_calls_that_fails_leaves_the_others(failing: int, world: World) -> None:
    world.fake.next(*[None] * failing, fal_faults.BLOCKED)
    view = await world.run(request_of(5))
    assert view.run.state == "succeeded"
    assert len(view.images) in (1, 4)
    assert view.run.error is not None
    assert view.run.error.message.startswith(f"{len(view.images)} of 5 images came.")
    assert "fal" in view.run.error.message
    assert view.run.estimate_microusd is not None
    assert view.cost_microusd == round(view.run.estimate_microusd * len(view.images) / 5)
    assert (view.cost_source, view.ledger_state) == ("estimated", "settled")
    assert world.creates == 2


@only("replicate")
async def test_a_call_that_fails_beside_two_that_succeed_costs_no_image(world: World) -> None:
    world.fake.next(None, replicate_server.JobFails(replicate_server.BLOCKED_TEXT), None)
    view = await world.run(request_of(3), "replicate/gpt-image-2")
    assert view.run.state == "succeeded"
    assert len(view.images) == 2
    assert sorted(image.sha256 for image in view.images) == world.served()
    assert world.is_told(view).startswith("2 of 3 images came.")
    assert world.creates == 3


async def test_a_call_in_doubt_beside_one_that_succeeds_leaves_the_cost_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from providers.rows import CATALOG
    from tests.playground.job_splits import split_in_ones

    monkeypatch.setattr(world.fake, "runs_on_break", False)
    world.fake.next(None, faults.Reset(after_body=True))
    view = await world.run(request_of(2), catalog=split_in_ones(CATALOG, world.offer))
    assert view.run.state == "succeeded"
    assert len(view.images) == 1
    assert view.run.error is not None
    assert view.run.error.may_have_been_billed
    assert (view.cost_microusd, view.ledger_state) == (None, "unknown")
    assert world.is_told(view).startswith("1 of 2 images came.")


@only("replicate")
async def test_tokens_of_several_calls_are_one_cost(world: World) -> None:
    from providers.rows import CATALOG
    from tests.playground.job_splits import split_in_ones

    offer = "replicate/gpt-image-1-mini"
    view = await world.run(request_of(3), offer, catalog=split_in_ones(CATALOG, offer), **openai_keys(world))
    assert view.run.state == "succeeded"
    assert world.creates == 3
    assert view.cost_microusd == 3 * (1000 + 9 * 2 + 272 * 8)
    assert view.cost_source == "computed"
