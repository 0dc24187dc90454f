"""A battle made now, by the real engine and the drawn models."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arena import battle, choosing, opening
from playground import library
from playground.services import LOCAL_OWNER
from providers.types import ImageRequest
from tests.harness import Harness

pytestmark = pytest.mark.asyncio

OFFERS = ("demo/painterly", "demo/sketch")


async def test_what_was_made_for_a_battle_shows_elsewhere_only_after_the_vote(harness: Callable[..., Harness]) -> None:
    one = harness()
    earlier = await one.run(ImageRequest("a cat"), "demo/flat")
    blind = await opening.start_new(one.services, one.engine, LOCAL_OWNER, ImageRequest("a fox"), OFFERS)

    async def seen() -> tuple[list[str], list[str]]:
        page, count = await library.history_page(one.services, LOCAL_OWNER)
        assert count == len(page.runs)
        groups = await library.recent_groups(one.services, LOCAL_OWNER, limit=9)
        return [view.run.prompt for view in page.runs], [group.group.template for group in groups]

    assert await seen() == (["a cat"], ["a cat"])
    operator, _ = await library.history_page(one.services, None)
    assert len(operator.runs) == 3
    result = await battle.vote(one.services, blind.battle_id, LOCAL_OWNER, "a", 900)
    assert {result.reveal.a.offer, result.reveal.b.offer} == set(OFFERS)
    assert await seen() == (["a fox", "a fox", "a cat"], ["a cat"])
    await one.stop()
    assert len(earlier) == 1


async def test_a_run_that_fails_calls_the_battle_off_in_words(harness: Callable[..., Harness]) -> None:
    one = harness()
    with pytest.raises(opening.BattleOff) as off:
        await opening.start_new(one.services, one.engine, LOCAL_OWNER, ImageRequest("a fox [blocked]"), OFFERS)
    await one.stop()
    assert len(off.value.reasons) == 2
    assert "refused this prompt" in off.value.reasons[0]


async def test_two_results_of_one_press_are_sent_to_a_vote(harness: Callable[..., Harness]) -> None:
    one = harness()
    runs = await one.run(ImageRequest("a fox"), "demo/flat", "demo/sketch")
    other = await one.run(ImageRequest("a cat"), "demo/flat")
    blind = await choosing.start_from_group(one.services, LOCAL_OWNER, runs[0].run.group_id)
    assert blind.prompt == "a fox"
    result = await battle.vote(one.services, blind.battle_id, LOCAL_OWNER, "b", 900)
    assert {result.reveal.a.offer, result.reveal.b.offer} == {"demo/flat", "demo/sketch"}
    for group_id, owner in ((other[0].run.group_id, LOCAL_OWNER), (runs[0].run.group_id, "somebody else")):
        with pytest.raises(opening.BattleOff):
            await choosing.start_from_group(one.services, owner, group_id)
    await one.stop()
