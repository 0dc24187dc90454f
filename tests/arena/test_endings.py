"""How a battle ends without a vote: what was reported never comes back, and a skip makes nothing blind that is not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, get_args

import pytest

from arena import battle, board, choosing, opening, reports
from arena.battle import VoteRefused
from arena.board import BoardQuery
from arena.opening import BattleOff
from playground import library
from playground.services import LOCAL_OWNER, Services
from providers.types import ImageRequest
from storage.records import ReportReason
from tests.arena.world import Clock, add_run
from tests.harness import Harness

OFFERS = ("openai/gpt-image-2", "openai/gpt-image-1-mini")


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def a_pair(services: Services, prompt: str = "A lighthouse at dusk") -> list[str]:
    return [add_run(services, offer, prompt)[0] for offer in OFFERS]


def next_of(services: Services) -> Any:
    return go(opening.next_battle(services, LOCAL_OWNER))


@pytest.mark.parametrize("reason", get_args(ReportReason))
def test_a_reported_pair_never_comes_back(services: Services, reason: str) -> None:
    one, two = a_pair(services)
    found = next_of(services)
    ended = go(battle.report(services, found.battle_id, LOCAL_OWNER, reason, "A watermark"))
    assert (ended.state, ended.source) == ("open", "history")
    assert next_of(services) is None
    with pytest.raises(VoteRefused) as refused:
        go(battle.vote(services, found.battle_id, LOCAL_OWNER, "a"))
    assert (refused.value.kind, "reported" in str(refused.value)) == ("reported", True)
    with pytest.raises(BattleOff, match="reported"):
        go(choosing.start_from_images(services, LOCAL_OWNER, one, two))
    assert go(board.leaderboard(services, BoardQuery())).votes == 0


def test_a_report_keeps_a_pair_away_that_was_skipped_or_ran_out_of_time(services: Services, clock: Clock) -> None:
    a_pair(services, "Skipped")
    skipped = next_of(services)
    go(battle.skip(services, skipped.battle_id, LOCAL_OWNER))
    assert go(battle.report(services, skipped.battle_id, LOCAL_OWNER, "broken")).state == "skipped"
    assert next_of(services) is None
    a_pair(services, "Late")
    late = next_of(services)
    clock.move(opening.LIFE + timedelta(minutes=1))
    assert go(battle.report(services, late.battle_id, LOCAL_OWNER, "offensive")).state == "open"
    assert next_of(services) is None


def test_a_report_after_the_vote_leaves_the_vote(services: Services) -> None:
    a_pair(services)
    found = next_of(services)
    go(battle.vote(services, found.battle_id, LOCAL_OWNER, "a"))
    assert go(battle.report(services, found.battle_id, LOCAL_OWNER, "broken")).state == "voted"
    with pytest.raises(VoteRefused, match="has its vote already"):
        go(battle.vote(services, found.battle_id, LOCAL_OWNER, "b"))
    assert go(board.leaderboard(services, BoardQuery())).votes == 1


def test_reports_are_told_to_the_operator_newest_first(services: Services, clock: Clock) -> None:
    for number, reason in enumerate(("broken", "other")):
        a_pair(services, f"Prompt {number}")
        found = next_of(services)
        go(battle.report(services, found.battle_id, LOCAL_OWNER, reason, "Half of it is grey" if number else ""))
        clock.move(timedelta(minutes=1))
    told = reports.listed(services, limit=10)
    assert [(one.report.reason, one.report.words, one.report.prompt) for one in told] == [
        ("other", "Half of it is grey", "Prompt 1"),
        ("broken", "", "Prompt 0"),
    ]
    assert {told[0].report.offer_a, told[0].report.offer_b} == set(OFFERS)
    assert len(told[0].shown_voter) == 16
    assert told[0].shown_voter != LOCAL_OWNER
    assert [path.is_file() for path in told[0].files if path] == [True, True]
    assert len(reports.listed(services, limit=1)) == 1
    assert reports.count(services) == 2


def test_a_skipped_pair_of_history_comes_again_when_no_other_is_left(services: Services) -> None:
    a_pair(services)
    first = next_of(services)
    go(battle.skip(services, first.battle_id, LOCAL_OWNER))
    assert next_of(services).battle_id != first.battle_id


@pytest.mark.asyncio
@pytest.mark.parametrize("ending", ["skip", "report"])
async def test_a_new_battle_that_ended_without_a_vote_is_in_history_and_no_pair_any_more(
    harness: Any, ending: str
) -> None:
    one: Harness = harness(key=None)
    offers = ("demo/painterly", "demo/sketch")
    found = await opening.start_new(one.services, one.engine, LOCAL_OWNER, ImageRequest("a fox"), offers)
    assert (await library.history_page(one.services, LOCAL_OWNER))[1] == 0
    if ending == "skip":
        await battle.skip(one.services, found.battle_id, LOCAL_OWNER)
    else:
        assert (await battle.report(one.services, found.battle_id, LOCAL_OWNER, "maker_shown")).source == "new"
    page, _ = await library.history_page(one.services, LOCAL_OWNER)
    assert {view.run.offer for view in page.runs} == set(offers), "what was paid for is there"
    assert await opening.next_battle(one.services, LOCAL_OWNER) is None, "and is not blind any more"
    await one.stop()
