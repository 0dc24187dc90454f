"""How jobs at fal end whose answers lack something: addresses that are null, and results that tell less than the status."""

from __future__ import annotations

import pytest

from tests.fakes import fal_faults as fates
from tests.fakes.http_fake import RawReply
from tests.fakes.job_faults import NeverEnds
from tests.playground.job_world import World, only, request_of

pytestmark = [pytest.mark.asyncio, only("fal")]

HTML = {"content-type": "text/html"}
SAYS_LITTLE = {
    "page": RawReply(500, b"<html>oops</html>", HTML),
    "page in 200": RawReply(200, b"<html>oops</html>", HTML),
    "empty": RawReply(200, {}),
    "not found": RawReply(404, {"detail": "Not found"}),
    "refused key": RawReply(401, {"detail": "Authentication is required to access this application"}),
}


@pytest.mark.parametrize(
    "missing", [("cancel_url",), ("response_url",), ("response_url", "cancel_url"), ("status_url",)]
)
async def test_a_job_is_followed_although_an_address_is_missing(missing: tuple[str, ...], world: World) -> None:
    world.fake.next(fates.AddressesMissing(missing))
    view = await world.run(request_of(2))
    assert view.run.state == "succeeded", view.run.error
    world.is_kept(view)
    assert world.creates == 1


async def test_a_job_whose_cancel_address_was_missing_is_cancelled_all_the_same(world: World) -> None:
    class Silent(fates.AddressesMissing, NeverEnds):
        """Both at once."""

    world.fake.next(Silent())
    view = await world.run(request_of(timeout_s=30.0))
    assert view.run.error is not None
    assert world.cancels == 1


async def test_states_in_small_letters_are_states(world: World) -> None:
    world.fake.next(fates.SmallLetters())
    view = await world.run()
    assert view.run.state == "succeeded", view.run.error


@pytest.mark.parametrize("result", SAYS_LITTLE)
async def test_where_the_result_says_little_the_status_has_the_word(result: str, world: World) -> None:
    world.fake.next(fates.CompletedWithError("The runner burst.", result=SAYS_LITTLE[result]))
    view = await world.run()
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.error.may_have_been_billed) == ("server", False)
    assert "The runner burst." in world.is_told(view)
    assert (view.run.state, view.ledger_state) == ("failed", "released")
    assert world.polls <= 4


@pytest.mark.parametrize("result", [fates.BLOCKED, fates.BAD_VALUE])
async def test_where_the_result_says_more_it_has_the_word(result: fates.ResultFails, world: World) -> None:
    told = RawReply(result.status, result.body, result.headers)
    world.fake.next(fates.CompletedWithError("The runner burst.", result=told))
    view = await world.run()
    assert view.run.error is not None
    assert view.run.error.kind == ("moderation" if result is fates.BLOCKED else "validation")
    assert view.run.state == "failed"


async def test_a_refusal_in_an_answer_with_status_200_is_moderation(world: World) -> None:
    world.fake.next(fates.ResultFails(200, fates.BLOCKED.body))
    view = await world.run()
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.error.param) == ("moderation", "prompt")
    assert (view.run.state, view.ledger_state) == ("failed", "released")
