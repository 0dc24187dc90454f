"""A vote is taken back before the next battle only, whichever way that one came."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from arena import battle, opening
from arena.battle import VoteRefused
from playground.services import LOCAL_OWNER, Services
from tests.arena.world import Clock, add_run


@pytest.fixture
def services(services: Services) -> Services:
    for prompt in ("One", "Two", "Three"):
        for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini"):
            add_run(services, offer, prompt)
    return services


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def next_of(services: Services) -> str:
    return str(go(opening.next_battle(services, LOCAL_OWNER)).battle_id)


def another(services: Services) -> str:
    """A second open battle, as another browser tab has it."""
    return str(go(opening.start_from_history(services, LOCAL_OWNER)).battle_id)


def vote(services: Services, battle_id: str) -> None:
    go(battle.vote(services, battle_id, LOCAL_OWNER, "a"))


def undo(services: Services, battle_id: str) -> None:
    go(battle.take_back(services, battle_id, LOCAL_OWNER))


def assert_too_late(services: Services, battle_id: str) -> None:
    with pytest.raises(VoteRefused) as refused:
        undo(services, battle_id)
    assert refused.value.kind == "too_late"


def test_a_vote_is_taken_back_while_its_battle_is_the_last_that_was_shown(services: Services, clock: Clock) -> None:
    first = next_of(services)
    clock.move(timedelta(seconds=3))
    vote(services, first)
    clock.move(timedelta(seconds=3))
    undo(services, first)


def test_a_battle_taken_up_again_is_the_next_one(services: Services, clock: Clock) -> None:
    waiting = next_of(services)
    clock.move(timedelta(seconds=1))
    voted = another(services)
    clock.move(timedelta(seconds=1))
    vote(services, voted)
    clock.move(timedelta(seconds=1))
    assert next_of(services) == waiting
    assert_too_late(services, voted)


def test_a_battle_in_the_same_millisecond_is_the_next_one(services: Services, clock: Clock) -> None:
    voted = next_of(services)
    clock.move(timedelta(seconds=1))
    vote(services, voted)
    assert next_of(services) != voted
    assert_too_late(services, voted)


def test_a_later_vote_makes_it_too_late(services: Services, clock: Clock) -> None:
    first, second = next_of(services), another(services)
    clock.move(timedelta(seconds=1))
    vote(services, first)
    clock.move(timedelta(seconds=1))
    vote(services, second)
    assert_too_late(services, first)
    undo(services, second)


def test_what_another_voter_does_changes_nothing(services: Services, clock: Clock) -> None:
    for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini"):
        add_run(services, offer, owner="somebody")
    first = next_of(services)
    clock.move(timedelta(seconds=1))
    vote(services, first)
    clock.move(timedelta(seconds=1))
    theirs = go(opening.next_battle(services, "somebody"))
    go(battle.vote(services, theirs.battle_id, "somebody", "b"))
    undo(services, first)
