"""What goes wrong at a provider with jobs: kind, state, money and words of each, and that nothing is sent twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from providers.adapters import ADAPTERS
from providers.rows import CATALOG
from tests.fakes import fal_faults, faults, replicate_server, runware_faults, runware_server
from tests.fakes.faults import Fault
from tests.fakes.http_fake import Answer, RawReply
from tests.playground.job_splits import split_in_ones
from tests.playground.job_world import World, noise, only, openai_keys, request_of

pytestmark = pytest.mark.asyncio


@dataclass(frozen=True)
class Ends:
    """How a run with this fault ends."""

    fault: Fault
    kind: str
    is_billed: bool = False
    param: str | None = None
    creates: int = 0


NO_SUCH_MODEL = {
    "code": "unknownModel",
    "message": "No such model.",
    "parameter": "model",
    "taskType": "imageInference",
}

ENDS: dict[str, dict[str, Ends]] = {
    "replicate": {
        "forbidden": Ends(RawReply(403, {"detail": "Not for you.", "status": 403}), "permission"),
        "not found": Ends(replicate_server.NOT_FOUND, "not_found"),
        "no version": Ends(
            RawReply(
                422, {"title": "Invalid version or not permitted", "detail": "The specified version does not exist"}
            ),
            "not_found",
        ),
        "bad field": Ends(replicate_server.BAD_ASPECT, "validation", param="aspect_ratio"),
        "missing field": Ends(replicate_server.PROMPT_MISSING, "validation", param="input"),
        "sensitive": Ends(replicate_server.JobFails(replicate_server.SENSITIVE_TEXT, 0), "moderation", creates=1),
        "OpenAI key": Ends(replicate_server.JobFails(replicate_server.BAD_OPENAI_KEY_TEXT), "auth", creates=1),
        "job breaks": Ends(replicate_server.JobFails("CUDA out of memory"), "server", is_billed=True, creates=1),
        "aborted": Ends(replicate_server.Aborted(), "server", creates=1),
        "no output": Ends(replicate_server.OutputMissing(), "malformed", is_billed=True, creates=1),
        "server error": Ends(replicate_server.SERVER_ERROR, "server", is_billed=True),
        "no id": Ends(RawReply(201, {"status": "starting"}), "malformed", is_billed=True),
        "odd id": Ends(RawReply(201, {"id": "../../v1/account", "status": "starting"}), "malformed", is_billed=True),
        "redirect": Ends(RawReply(307, b"", {"location": "http://127.0.0.1:9/"}), "server"),
    },
    "runware": {
        "third party": Ends(runware_server.THIRD_PARTY_CREDITS, "quota"),
        "forbidden": Ends(RawReply(403, {"errors": [{"code": "forbidden", "message": "No."}]}), "permission"),
        "no model": Ends(RawReply(404, {"errors": [NO_SUCH_MODEL]}), "not_found", param="model"),
        "bad field": Ends(runware_server.BAD_DIMENSIONS, "validation", param="width"),
        "error items": Ends(runware_faults.ErrorItems("contentPolicyViolation"), "moderation", creates=1),
        "refused in 200": Ends(RawReply(200, {"errors": [NO_SUCH_MODEL]}), "not_found", param="model"),
        "gave up": Ends(runware_faults.TaskFails("timeoutProvider"), "timeout", is_billed=True, creates=1),
        "broke": Ends(runware_faults.TaskFails("inferenceError"), "server", is_billed=True, creates=1),
        "new code": Ends(runware_faults.TaskFails("somethingNobodyKnows"), "unknown", is_billed=True, creates=1),
        "server error": Ends(RawReply(500, {"errors": [{"code": "internalServerError"}]}), "server", is_billed=True),
        "gateway": Ends(runware_server.GATEWAY_TIMEOUT, "server", is_billed=True),
        "odd data": Ends(RawReply(200, {"data": "soon"}), "malformed", is_billed=True),
        "no task": Ends(RawReply(200, {"data": [{}]}), "malformed", is_billed=True),
    },
    "fal": {
        "forbidden": Ends(fal_faults.FORBIDDEN, "permission"),
        "not found": Ends(fal_faults.NOT_FOUND, "not_found"),
        "refused at once": Ends(RawReply(422, fal_faults.BAD_VALUE.body), "validation", param="image_size"),
        "bad value": Ends(fal_faults.BAD_VALUE, "validation", param="image_size", creates=1),
        "timed out": Ends(fal_faults.TIMED_OUT, "timeout", creates=1),
        "runner": Ends(fal_faults.RUNNER, "server", creates=1),
        "error in 200": Ends(fal_faults.CompletedWithError(), "server", creates=1),
        "no images": Ends(fal_faults.NoImages(), "malformed", is_billed=True, creates=1),
        "server error": Ends(fal_faults.SERVER_ERROR, "server", is_billed=True),
        "proxy": Ends(fal_faults.INGRESS, "server", is_billed=True),
        "no addresses": Ends(RawReply(200, {"request_id": "a-b-c"}), "malformed", is_billed=True),
    },
}
CASES = [(provider, name) for provider, ends in ENDS.items() for name in ends]


@pytest.mark.parametrize(("world", "name"), CASES, indirect=["world"], ids=[f"{one}-{two}" for one, two in CASES])
async def test_each_fault_ends_in_words_and_is_paid_at_most_once(name: str, world: World) -> None:
    expected = ENDS[world.provider][name]
    world.fake.next(expected.fault)
    async with world.running() as one:
        (view,) = await one.run(request_of(), world.offer)
        error = view.run.error
        assert error is not None
        assert (error.kind, error.may_have_been_billed) == (expected.kind, expected.is_billed), error
        assert view.run.state == ("unknown" if expected.is_billed else "failed")
        assert view.ledger_state == ("unknown" if expected.is_billed else "released")
        assert view.cost_microusd == (None if expected.is_billed else 0)
        assert error.param == expected.param
        world.is_told(view)
        assert (world.fake.posts, world.creates) == (1, expected.creates)
        (again,) = await one.run(request_of(), world.offer)
    assert again.run.state == "succeeded"
    assert world.fake.posts == 2


SLOW_DOWN = {
    "replicate": (replicate_server.LOW_CREDIT, replicate_server.THROTTLED),
    "runware": (runware_server.RATE_LIMITED, runware_server.UNAVAILABLE),
    "fal": (fal_faults.RATE_LIMITED, fal_faults.UNAVAILABLE),
}


async def test_what_was_not_taken_is_sent_again_and_makes_one_job(world: World) -> None:
    world.fake.next(*SLOW_DOWN[world.provider])
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert (world.creates, world.fake.posts) == (1, 3)


async def test_the_wait_that_a_provider_names_is_kept(world: World) -> None:
    waits: list[float] = []

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    headers = {"retry-after": "7"}
    by_provider = {"replicate": replicate_server.LOW_CREDIT, "runware": runware_server.RATE_LIMITED,
                   "fal": fal_faults.RATE_LIMITED}  # fmt: skip
    answer = by_provider[world.provider]
    world.fake.next(answer if world.provider == "replicate" else replace(answer, headers=headers))
    view = await world.run(sleep=noted)
    assert view.run.state == "succeeded"
    assert waits[0] == (5 if world.provider == "replicate" else 7)


async def test_a_provider_that_repeats_the_key_shows_it_to_nobody(world: World) -> None:
    said = f"{'x' * 590} {world.fake.key} and {world.fake.key}"
    body = {"detail": said, "errors": [{"code": said, "message": said, "parameter": world.fake.key}]}
    headers = {"x-request-id": world.fake.key, "x-fal-request-id": world.fake.key}
    for status in (400, 401, 422, 500, 200):
        world.fake.next(RawReply(status, body, headers))
        view = await world.run()
        assert view.run.state in ("failed", "unknown")
        assert world.fake.key not in str(view)


@only("replicate")
async def test_a_job_that_repeats_the_openai_key_shows_it_to_nobody(world: World) -> None:
    key = world.fake.openai_key
    words = f"Error code: 401 - {{'error': {{'message': 'Incorrect API key provided: {key}', 'param': '{key}'}}}}"
    for text in (words, f"Something broke with {key} in it"):
        world.fake.next(replicate_server.JobFails(text))
        view = await world.run(offer="replicate/gpt-image-1-mini", **openai_keys(world))
        assert view.run.state in ("failed", "unknown")
        assert key not in str(view)


# Lost answers


def impatient(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.2) -> None:
    """The answer that names the job is not waited for long."""
    monkeypatch.setattr(type(ADAPTERS[world.provider]), "submit_s", seconds)


def in_ones(world: World) -> dict[str, Any]:
    """How a process asks for one image with each call."""
    return {"catalog": split_in_ones(CATALOG, world.offer)}


LOST: dict[str, Fault] = {
    "hang": faults.Hang(),
    "reset": faults.Reset(after_body=True),
    "cut headers": faults.CutHeaders(),
    "cut body": faults.CutBody(),
}


@pytest.mark.parametrize("lost", LOST)
async def test_a_job_whose_answer_was_lost_is_looked_for_and_never_sent_again(
    lost: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(world, monkeypatch)
    world.fake.next(LOST[lost])
    view = await world.run(request_of(2))
    assert (world.creates, world.fake.posts) == (1, 1)
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert view.run.remote_id is not None


@pytest.mark.parametrize("lost", LOST)
@only("replicate", "fal")
async def test_identical_calls_that_were_lost_find_a_job_each(
    lost: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(world, monkeypatch)
    world.fake.next(LOST[lost], LOST[lost], None)
    view = await world.run(request_of(3), **in_ones(world))
    assert view.run.state == "succeeded", view.run.error
    assert view.run.error is None
    world.is_kept(view)
    assert (world.creates, world.fake.posts) == (3, 3)


@only("replicate", "fal")
async def test_a_lost_call_that_finds_its_twins_job_first_leaves_the_twin_its_own(world: World) -> None:
    """Of two identical calls one breaks while the other still waits for its answer: either job will do for either."""
    world.fake.next(faults.Slow(0.4), faults.Reset(after_body=True))
    view = await world.run(request_of(2), **in_ones(world))
    assert view.run.state == "succeeded"
    assert view.run.error is None
    world.is_kept(view)
    assert world.creates == 2


@only("replicate")
async def test_a_list_that_cannot_be_read_at_once_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.fake.answer
    broken = [3]

    def answer(request: Any, fault: Any) -> Any:
        if (request.method, request.path) == ("GET", "/v1/predictions") and broken[0]:
            broken[0] -= 1
            return replicate_server._answer(replicate_server.SERVER_ERROR)
        return real(request, fault)

    monkeypatch.setattr(world.fake, "answer", answer)
    world.fake.next(faults.Reset(after_body=True))
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert world.creates == 1


@only("replicate", "fal")
async def test_a_lost_call_takes_no_older_job_and_none_of_another_kind(world: World) -> None:
    async with world.running() as one:
        await one.run(request_of(), world.offer)
        await one.run(request_of(quality="medium"), world.offer)
        await one.run(request_of(), f"{world.provider}/gpt-image-2")
        world.fake.runs_on_break = False
        world.fake.next(faults.Reset(after_body=True))
        (view,) = await one.run(request_of(), world.offer)
    assert (view.run.state, view.images, view.ledger_state) == ("unknown", (), "unknown")
    assert world.creates == 3


@only("fal")
@pytest.mark.parametrize("changes", [{"list_lag": 3}, {"list_page_items": 1}], ids=["behind", "pages"])
async def test_a_list_that_is_behind_or_long_is_read_on(changes: dict[str, int], world: World) -> None:
    async with world.running() as one:
        for quality in ("medium", "high"):
            await one.run(request_of(quality=quality), world.offer)
        for name, value in changes.items():
            setattr(world.fake, name, value)
        world.fake.next(faults.Reset(after_body=True))
        (view,) = await one.run(request_of(), world.offer)
        assert (view.run.state, len(view.images)) == ("succeeded", 1), view.run.error
    assert world.creates == 3


EMPTY = Answer(200, {"items": [], "next_cursor": None, "has_more": False})
WITHOUT_INPUTS = {"endpoint_id": "openai/gpt-image-2.5/flare/text-to-image", "sent_at": "2099-01-01T00:00:00Z"}
UNFOUND: dict[str, tuple[Answer, int]] = {
    "empty": (EMPTY, 20),
    "forbidden": (Answer(403, {"detail": "This key may not list requests."}), 1),
    "unknown field": (Answer(422, {"detail": "Bad query."}), 1),
    "no list": (Answer(200, {"items": None}), 20),
    "without inputs": (
        Answer(200, {"items": [{"request_id": "764cabcf-b745-4b3e-ae38-1200304cf45b"} | WITHOUT_INPUTS]}),
        20,
    ),
}
"""Answers of fal's list in which nothing is found, and how often it is asked."""


@only("fal")
@pytest.mark.parametrize("answer", UNFOUND)
async def test_a_job_that_is_in_no_list_leaves_the_run_unknown(answer: str, world: World) -> None:
    world.fake.list_reply, reads = UNFOUND[answer]
    world.fake.next(faults.Reset(after_body=True))
    view = await world.run()
    assert (view.run.state, view.ledger_state) == ("unknown", "unknown")
    assert view.run.error is not None
    assert view.run.error.may_have_been_billed
    world.is_told(view)
    assert (world.creates, world.fake.posts, world.fake.list_reads) == (1, 1, reads)


@only("fal")
async def test_a_list_at_its_usual_place_is_not_asked_by_a_provider_that_was_moved(world: World) -> None:
    world.has_list = False
    world.fake.next(faults.Reset(after_body=True))
    view = await world.run()
    assert (view.run.state, world.fake.list_reads) == ("unknown", 0)


@only("fal")
@pytest.mark.parametrize("form", ["as they were sent", "at addresses", "uploaded"])
async def test_an_edit_finds_the_job_with_its_own_files(form: str, world: World) -> None:
    """Where the list tells the files, those of a twin with another picture, which nobody has claimed, are no match."""
    side = 1500 if form == "uploaded" else 64
    async with world.running() as one:
        if form == "as they were sent":
            await one.run(request_of(images=(noise(1, side),)), world.offer)
            one.services.store.write(lambda db: db.execute("delete from jobs"))
        world.fake.keeps_addresses = form == "at addresses"
        world.fake.next(faults.Reset(after_body=True))
        (view,) = await one.run(request_of(images=(noise(2, side),)), world.offer)
    assert view.run.state == "succeeded", view.run.error
    assert view.run.remote_id == world.jobs[-1].request_id


@only("runware")
async def test_a_gateway_that_gives_up_does_not_end_the_task_behind_it(world: World) -> None:
    world.fake.next(runware_faults.TimedOutButRan())
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded"
    world.is_kept(view)
    assert world.creates == 1


@only("runware")
@pytest.mark.parametrize(
    "fault", [runware_faults.MissingImage(), runware_faults.AcknowledgedOnly()], ids=["bare", "ack"]
)
async def test_items_without_images_are_asked_for_again(fault: Fault, world: World) -> None:
    world.fake.next(fault)
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded"
    world.is_kept(view)
