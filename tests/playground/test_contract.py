"""The contract of a provider, over all of them: whatever is asked and whatever goes wrong, a run ends with its images, in a
state that says whether money may be gone, and in a sentence; nothing is sent twice, nothing is lost, no key is shown.

What only one provider knows stands in files of its own. `NOT_APPLICABLE` names what a provider cannot be asked, and why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.services import LOCAL_OWNER
from providers.adapter import JobAdapter
from providers.adapters import ADAPTERS
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.records import RunView
from tests.fakes import faults
from tests.fakes.http_fake import RawReply
from tests.fakes.job_faults import NeverEnds, PollBreaks
from tests.harness import Harness
from tests.playground.job_world import Frozen, killed, mask, noise, quick, until
from tests.playground.parties import NOT_APPLICABLE, PARTIES, Meeting, meeting

CASES: set[str] = set()
"""Every case of the contract, as the tests below name them."""


def case(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The test is about these cases, each at every provider that can be asked for it."""
    CASES.update(names)
    pairs = [(one, name) for name in names for one in PARTIES if name not in NOT_APPLICABLE[one]]

    def marked(test: Callable[..., Any]) -> Callable[..., Any]:
        if len(names) == 1:
            with_met = pytest.mark.parametrize("met", [one for one, _ in pairs], indirect=True)
        else:
            ids = [f"{one}-{name}" for one, name in pairs]
            with_met = pytest.mark.parametrize(("met", "name"), pairs, indirect=["met"], ids=ids)
        return pytest.mark.asyncio(with_met(test))

    return marked


@pytest.fixture
def met(
    request: pytest.FixtureRequest, harness: Callable[..., Harness], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Meeting]:
    caplog.set_level(logging.DEBUG)
    with meeting(request.param, tmp_path / "data", harness) as one:
        yield one
        assert one.fake.key not in caplog.text


def asked(met: Meeting, name: str = "", **fields: Any) -> ImageRequest:
    return ImageRequest(met.prompt(name), **{"size": "1024x1024", "quality": "low", **_fit(met), **fields})


def _fit(met: Meeting) -> dict[str, Any]:
    return {"quality": None} if met.provider == "compatible" else {}


def is_good(met: Meeting, view: RunView, images: int) -> None:
    assert view.run.state == "succeeded", view.run.error
    assert view.run.error is None
    assert len(view.images) == images
    assert len({image.position for image in view.images}) == images
    if not met.is_demo:
        met.is_kept(view)
        assert met.posts == 1
    assert view.ledger_state == ("unknown" if view.cost_microusd is None else "settled")
    assert view.run.latency_ms is not None
    assert view.run.first_byte_ms is not None
    assert 0 <= view.run.first_byte_ms <= view.run.latency_ms


def is_refused(met: Meeting, view: RunView, kind: str) -> None:
    """Nothing was made, and nothing is billed."""
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind, view.images) == ("failed", kind, ()), view.run.error
    assert (view.run.error.may_have_been_billed, view.ledger_state, view.cost_microusd) == (False, "released", 0)
    met.is_told(view)


def is_in_doubt(met: Meeting, view: RunView, kind: str) -> None:
    """Nobody knows whether it is billed, and nobody says that it is not."""
    assert view.run.error is not None
    assert (view.run.state, view.run.error.kind) == ("unknown", kind), view.run.error
    assert (view.run.error.may_have_been_billed, view.ledger_state, view.cost_microusd) == (True, "unknown", None)
    if kind != "cancelled":
        met.is_told(view)


# What is asked


@case("one image")
async def test_one_image(met: Meeting) -> None:
    is_good(met, await met.run(asked(met)), 1)


@case("several")
async def test_several_images(met: Meeting) -> None:
    is_good(met, await met.run(asked(met, n=3)), 3)


@case("edit")
async def test_an_edit_of_two_images(met: Meeting) -> None:
    view = await met.run(asked(met, images=(noise(1), noise(2))), met.party.edits)
    is_good(met, view, 1)
    assert len(view.inputs) == 2


@case("mask")
async def test_an_edit_within_a_mask(met: Meeting) -> None:
    is_good(met, await met.run(asked(met, images=(noise(1),), mask=mask()), met.party.edits), 1)


def test_masks_are_asked_wherever_an_offer_takes_them() -> None:
    for name in PARTIES:
        offers = [offer for offer in CATALOG.offers if offer.provider_id == name]
        takes = any(CATALOG.spec(offer).mask for offer in offers) or name == "compatible"
        assert takes is ("mask" not in NOT_APPLICABLE[name])


# What is refused


@case("wrong key")
async def test_a_wrong_key_is_said_and_costs_nothing(met: Meeting) -> None:
    is_planned = "wrong key" in met.party.faults
    if is_planned:
        met.ask_for("wrong key")
    changes = {} if is_planned else {"keys": {met.provider: "wrong-key-0123456789"}}
    view = await met.run(asked(met, "wrong key"), **changes)
    is_refused(met, view, "auth")
    assert "Settings" in met.is_told(view)


REFUSED = {"refused field": "validation", "moderation": "moderation", "quota": "quota"}


@case(*REFUSED)
async def test_a_refusal_has_its_kind_and_costs_nothing(name: str, met: Meeting) -> None:
    met.ask_for(name)
    is_refused(met, await met.run(asked(met, name)), REFUSED[name])
    assert met.posts in (1, None)


@case("busy")
async def test_a_limit_that_lasts_is_waited_for_and_then_said(met: Meeting) -> None:
    met.ask_for("busy", always=True)
    is_refused(met, await met.run(asked(met, "busy")), "rate_limit")
    assert met.posts in (4, None)


@case("busy for a moment")
async def test_a_limit_that_passes_is_no_failure(met: Meeting) -> None:
    met.ask_for("busy")
    view = await met.run(asked(met))
    assert view.run.state == "succeeded", view.run.error
    met.is_kept(view)
    assert met.posts == 2


# What cannot be read


@case("malformed", "web page")
async def test_an_answer_that_is_no_json_leaves_the_money_open(name: str, met: Meeting) -> None:
    met.ask_for(name)
    is_in_doubt(met, await met.run(asked(met)), "malformed")
    assert met.posts == 1


def bend(met: Meeting, change: Callable[[list[Any]], None]) -> None:
    """Changes the list of images in every good answer."""

    def bent(body: Any) -> Any:
        found = met.party.images_in(body)
        if found:
            change(found)
        return body

    met.fake.bend = bent


@case("partly unreadable")
async def test_images_that_can_be_read_are_kept_beside_those_that_cannot(met: Meeting) -> None:
    def half(images: list[Any]) -> None:
        images[1::2] = [None] * len(images[1::2])

    bend(met, half)
    met.fake.polls = 0
    view = await met.run(asked(met, n=4))
    assert view.run.error is not None
    assert (view.run.state, len(view.images), view.run.error.kind) == ("succeeded", 2, "malformed"), view.run.error
    assert met.is_told(view).startswith("2 of 4 images came.")
    assert {image.sha256 for image in view.images} < set(met.served())
    assert view.cost_microusd != 0
    assert met.posts == 1


@case("unreadable")
async def test_an_answer_without_a_readable_image_is_not_called_free(met: Meeting) -> None:
    def none(images: list[Any]) -> None:
        images[:] = [None] * len(images)

    bend(met, none)
    view = await met.run(asked(met, n=2))
    assert view.run.error is not None
    assert (view.images, view.run.error.kind) == ((), "malformed")
    assert view.cost_microusd != 0
    # Where the answer tells its cost, that is known; else nobody knows.
    assert (view.run.state, view.ledger_state) in (("unknown", "unknown"), ("failed", "settled"))
    met.is_told(view)
    assert met.posts == 1


@case("duplicates")
async def test_an_image_that_comes_twice_is_kept_and_breaks_nothing(met: Meeting) -> None:
    def twice(images: list[Any]) -> None:
        images[:] = images[:1] * len(images)

    bend(met, twice)
    met.fake.polls = 0
    view = await met.run(asked(met, n=2))
    assert view.run.state == "succeeded", view.run.error
    assert len({image.sha256 for image in view.images}) == 1
    if met.provider == "runware":
        # It names each image, so one that is listed twice is one.
        assert len(view.images) == 1
        assert met.is_told(view).startswith("1 of 2 images came.")
    else:
        assert [image.position for image in view.images] == [0, 1]


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@case("echoed key")
async def test_a_key_that_is_repeated_in_escapes_reaches_nobody(status: int, met: Meeting) -> None:
    key = met.fake.key
    escaped = "".join(rf"\u{ord(char):04x}" for char in key)
    words = f'"You sent {escaped} and {key}"'
    body = (
        f'{{"detail": {words}, "error": {{"message": {words}, "code": {words}}}, "errors": [{{"message": {words}}}]}}'
    )
    met.fake.next(RawReply(status, body.encode(), {"content-type": "application/json"}))
    view = await met.run(asked(met))
    assert view.run.state in ("failed", "unknown")
    assert key not in str(view)


# Jobs


@case("polls that fail")
async def test_polls_that_fail_are_asked_again(met: Meeting) -> None:
    met.fake.next(PollBreaks(3, 500))
    is_good(met, await met.run(asked(met, n=2)), 2)


@case("a job without end")
async def test_a_job_without_end_is_told_to_stop_at_the_time_limit(met: Meeting) -> None:
    met.fake.next(NeverEnds())
    began = time.monotonic()
    view = await met.run(asked(met, timeout_s=30.0))
    assert time.monotonic() - began < 3
    assert met.cancels == (0 if met.provider == "runware" else 1)
    if met.provider == "replicate":
        # The prediction says that it was cancelled, and runs on Replicate's own key: nothing is open.
        is_refused(met, view, "timeout")
    else:
        is_in_doubt(met, view, "timeout")
    assert met.posts == 1


@case("other case")
async def test_states_are_understood_however_they_are_written(met: Meeting) -> None:
    def swapped(body: Any) -> Any:
        if isinstance(body, list):
            return [swapped(item) for item in body]
        if isinstance(body, dict):
            return {
                name: value.swapcase() if name == "status" and isinstance(value, str) else swapped(value)
                for name, value in body.items()
            }
        return body

    met.fake.bend = swapped
    is_good(met, await met.run(asked(met, n=2)), 2)


# Stop and restart


@case("stop")
async def test_a_stop_says_what_may_be_billed(met: Meeting) -> None:
    if not met.is_demo:
        met.fake.next(NeverEnds() if met.has_jobs else faults.Hang())
    one = met.process(sleep=quick if met.has_jobs else Frozen(), demo_pace=100.0)
    run_id = await met.submit(one, asked(met, "slow", timeout_s=1800.0))
    await until(lambda: met.polls if met.has_jobs else met.is_demo or met.posts)
    assert await one.engine.cancel(run_id, "somebody-else") is False
    assert await one.engine.cancel(run_id, LOCAL_OWNER) is True
    view = await met.view(one)
    assert await one.engine.cancel(run_id, LOCAL_OWNER) is False
    await one.stop()
    assert view.run.error is not None
    assert view.run.error.message.startswith("Stopped.")
    if met.provider in ("demo", "replicate"):
        # Replicate says that the prediction was cancelled, and the Demo is free.
        assert (view.run.state, view.ledger_state, view.cost_microusd) == ("cancelled", "released", 0)
        assert "Nothing was billed" in view.run.error.message
    else:
        is_in_doubt(met, view, "cancelled")
        assert "may still bill" in view.run.error.message
    assert met.posts in (1, None)


@case("restart")
async def test_a_process_that_died_is_followed_by_one_that_sends_nothing_again(met: Meeting) -> None:
    clock = Frozen(after=1)
    met.fake.next(None if met.has_jobs else faults.Hang())
    one = met.process(sleep=clock)
    await met.submit(one, asked(met, n=2))
    await until(lambda: clock.sleepers if met.has_jobs else met.posts)
    async with killed(met, one):
        view = await met.restarted()
        assert met.posts == 1
        if met.has_jobs:
            assert view.run.state == "succeeded", view.run.error
            assert len(view.images) == 2
            met.is_kept(view)
        else:
            assert view.run.error is not None
            assert (view.run.state, view.ledger_state, view.cost_microusd) == ("unknown", "unknown", None)
            assert "may have billed" in view.run.error.message


# The table itself


def test_every_wire_format_is_held_against_every_case() -> None:
    assert {CATALOG.provider(name).adapter for name in PARTIES if name != "compatible"} | {"compatible"} == set(
        ADAPTERS
    )
    assert set(NOT_APPLICABLE) == set(PARTIES)
    for name, missing in NOT_APPLICABLE.items():
        assert set(missing) <= CASES, name
        assert all(missing.values())
    asked_for = sum(len(CASES) - len(missing) for missing in NOT_APPLICABLE.values())
    assert (len(CASES), sum(map(len, NOT_APPLICABLE.values())), asked_for) == (21, 23, 124)


def test_polls_are_left_out_exactly_where_there_are_no_jobs() -> None:
    for name, missing in NOT_APPLICABLE.items():
        adapter = "compatible" if name == "compatible" else CATALOG.provider(name).adapter
        assert ("polls that fail" in missing) is not isinstance(ADAPTERS[adapter], JobAdapter)
