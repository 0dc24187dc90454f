"""Asking for jobs: polls that break, jobs that never end, and runs of which only a part comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.fakes import fal_faults, faults, replicate_server, runware_faults
from tests.fakes.http_fake import Answer
from tests.fakes.job_faults import NeverEnds, PollBreaks
from tests.playground.job_world import World, noise, only, openai_keys, request_of

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("status", [429, 500, 502])
async def test_polls_that_break_are_asked_again_and_the_job_succeeds(status: int, world: World) -> None:
    world.fake.next(PollBreaks(3, status))
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
    assert view.run.error.kind == ("not_found" if odd == "not found" else "malformed")
    assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
    assert view.run.remote_id is not None
    world.is_told(view)
    assert world.creates == 1


async def test_a_time_limit_counts_what_was_slept(world: World) -> None:
    world.fake.next(NeverEnds())
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
    world.fake.next(runware_faults.PartialFailure())
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


# How long a provider asks to wait


def answer_first(
    world: World, monkeypatch: pytest.MonkeyPatch, is_asked: Callable[[Any], bool], *answers: Answer
) -> None:
    """The first requests of this kind are answered so."""
    real, left = world.fake.answer, list(answers)

    def answered(request: Any, fault: Any) -> Any:
        return left.pop(0) if left and is_asked(request) else real(request, fault)

    monkeypatch.setattr(world.fake, "answer", answered)


def busy(status: int, seconds: object) -> Answer:
    """A refusal that says in its body alone when to come back, in each provider's shape."""
    errors = [{"code": "providerRateLimitExceeded", "message": "Busy.", "retry_after": seconds}]
    return Answer(
        status, {"detail": "Request was throttled.", "status": status, "retry_after": seconds, "errors": errors}
    )


def is_poll(request: Any) -> bool:
    return request.method == "GET" or b"getResponse" in request.body


async def waits_of(world: World, request: Any = None, offer: str = "") -> list[float]:
    """What was slept in a run that succeeded."""
    slept: list[float] = []

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    view = await world.run(request or request_of(), offer, sleep=noted)
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert world.creates == 1
    return slept


@pytest.mark.parametrize("told", [8, "8", 8.0])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_poll_waits_as_long_as_its_answers_body_asks(
    status: int, told: object, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_first(world, monkeypatch, is_poll, busy(status, told))
    assert (await waits_of(world))[1] == 8


@only("fal")
async def test_a_read_of_the_result_waits_as_long_as_its_answers_body_asks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_result(request: Any) -> bool:
        return request.method == "GET" and not request.path.endswith("/status")

    answer_first(world, monkeypatch, is_result, busy(429, "9"))
    assert max(await waits_of(world)) == 9


@only("replicate")
async def test_a_list_of_jobs_is_read_again_when_the_provider_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_first(world, monkeypatch, lambda request: request.path == "/v1/predictions", busy(429, "7"))
    world.fake.next(faults.Reset(after_body=True))
    assert max(await waits_of(world)) == 7


# Uploads


def is_token(request: Any) -> bool:
    return request.path == "/rest/storage/auth/token"


def is_upload(request: Any) -> bool:
    return request.path in ("/v1/files", "/cdn/files/upload")


@pytest.mark.parametrize("status", [429, 503, 500])
@pytest.mark.parametrize("step", [is_token, is_upload], ids=["token", "file"])
@only("replicate", "fal")
async def test_an_upload_that_is_refused_for_a_moment_is_tried_again(
    step: Callable[[Any], bool], status: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_first(world, monkeypatch, step, busy(status, 2), busy(status, "3"))
    side = {"replicate": 600, "fal": 1500}[world.provider]
    slept = await waits_of(world, request_of(images=(noise(1, side),)))
    if (world.provider, step) != ("replicate", is_token) and status != 500:
        assert {2, 3} <= set(slept)


@only("replicate", "fal")
async def test_an_upload_that_never_works_ends_before_anything_is_billed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_first(world, monkeypatch, is_upload, *[busy(429, 1)] * 9)
    side = {"replicate": 600, "fal": 1500}[world.provider]
    view = await world.run(request_of(images=(noise(1, side),)))
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind, view.ledger_state) == ("failed", "rate_limit", "released")
    assert world.is_told(view).startswith("An input image could not be uploaded.")
    assert (world.creates, world.fake.posts) == (0, 0)
    assert sum(is_upload(call) for call in world.fake.calls) == 4


# Polls that tell nothing


async def test_odd_polls_between_good_ones_are_not_added_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that answers with a page now and then, over a long job, has not lost it."""
    world.fake.polls = 12
    real, asked = world.fake.answer, [0]

    def answered(request: Any, fault: Any) -> Any:
        is_result = world.provider == "fal" and not request.path.endswith("/status")
        if is_poll(request) and world.creates and not is_result:
            asked[0] += 1
            if asked[0] % 4:
                return ODD_POLLS["page"]
        return real(request, fault)

    monkeypatch.setattr(world.fake, "answer", answered)
    view = await world.run(request_of(timeout_s=1800.0))
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)


async def test_odd_polls_are_given_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is not known yet after some seconds may be known a little later."""
    answer_polls(world, monkeypatch, ODD_POLLS["not found"], times=7)
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error
    slept: list[float] = []

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    answer_polls(world, monkeypatch, ODD_POLLS["not found"], times=1000)
    view = await world.run(sleep=noted)
    assert view.run.state == "unknown"
    assert 60 <= sum(slept) < 80
    world.fake.violations.clear()


@pytest.mark.parametrize("name", ["pred-0001", "x", "A_b-9" * 12])
@only("replicate")
async def test_a_prediction_may_have_any_id_that_can_stand_in_a_path(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.fake.answer

    def answered(request: Any, fault: Any) -> Any:
        given = next((job.id for job in world.jobs), "none")
        answer = real(replace(request, path=request.path.replace(name, given) if world.jobs else request.path), fault)
        body = orjson.loads(orjson.dumps(answer.body).replace(world.jobs[0].id.encode(), name.encode()))
        return replace(answer, body=body)

    monkeypatch.setattr(world.fake, "answer", answered)
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error
    assert view.run.remote_id == name
