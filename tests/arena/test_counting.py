"""Which votes count on everybody's boards, which on their voter's own only, and that the voter is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from arena import battle, board, choosing, elo_days, judging, opening
from arena.battle import CHOSEN, LEFT_OUT, REPEATED, VoteResult
from arena.board import BoardQuery
from arena.elo_days import RatingChange
from playground.services import LOCAL_OWNER, Services
from storage import exclusions, tallies, votes
from storage.errors import StoreBusy
from tests.arena.world import add_run

OFFERS = ("openai/gpt-image-2", "openai/gpt-image-1-mini")


@pytest.fixture
def services(services: Services) -> Iterator[Services]:
    yield services
    assert services.store.read(tallies.held) == services.store.read(tallies.recounted)


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def a_pair(services: Services, prompt: str = "A lighthouse at dusk") -> list[str]:
    return [add_run(services, offer, prompt)[0] for offer in OFFERS]


def vote(services: Services, battle_id: str) -> VoteResult:
    found = go(battle.vote(services, battle_id, LOCAL_OWNER, "a"))
    assert isinstance(found, VoteResult)
    return found


def boards(services: Services) -> tuple[int, int]:
    """Votes on everybody's board, and on the voter's own."""
    both = (go(board.leaderboard(services, BoardQuery(voter=voter))) for voter in (None, LOCAL_OWNER))
    everybodys, own = (one.votes for one in both)
    return everybodys, own


def test_a_voter_who_is_left_out_is_told_so_and_counts_again_when_let_in(services: Services) -> None:
    a_pair(services)
    services.store.write(lambda db: exclusions.exclude(db, LOCAL_OWNER, "by_hand", "paid", services.now()))
    result = vote(services, go(opening.next_battle(services, LOCAL_OWNER)).battle_id)
    assert (result.counted, result.is_own, result.reason) == (False, True, LEFT_OUT)
    assert "paid" not in LEFT_OUT
    assert boards(services) == (0, 1)
    services.store.write(lambda db: exclusions.readmit(db, LOCAL_OWNER, services.now()))
    assert boards(services) == (1, 1)


def test_a_pair_picked_with_its_makers_in_sight_counts_on_the_voters_own_board_only(services: Services) -> None:
    one, two = a_pair(services)
    blind = go(choosing.start_from_images(services, LOCAL_OWNER, one, two))
    assert blind.source == "chosen"
    result = vote(services, blind.battle_id)
    assert (result.counted, result.is_own, result.reason) == (False, True, CHOSEN)
    assert (result.change.a_before, result.change.a_after) == (1000, 1000)
    assert boards(services) == (0, 1)
    row = services.store.read(lambda db: db.execute("select counted, reason from votes").fetchone())
    assert row == (1, CHOSEN)
    (exported,) = services.store.read(lambda db: list(votes.exported(db, tallies.BoardFilter())))
    assert (exported["source"], exported["counted"], exported["reason"]) == ("chosen", 0, CHOSEN)
    assert services.store.read(votes.left_out) == {CHOSEN: 1}
    assert [(one.votes.votes, one.votes.counted) for one in judging.voters(services)] == [(1, 0)]


def test_leaving_out_a_voter_and_letting_them_in_leaves_picked_pairs_where_they_were(services: Services) -> None:
    one, two = a_pair(services)
    vote(services, go(choosing.start_from_images(services, LOCAL_OWNER, one, two)).battle_id)
    a_pair(services, "Another")
    vote(services, go(opening.next_battle(services, LOCAL_OWNER)).battle_id)
    assert boards(services) == (1, 2)
    services.store.write(lambda db: exclusions.exclude(db, LOCAL_OWNER, "by_hand", "test", services.now()))
    assert boards(services) == (0, 2)
    assert [row.votes for row in services.store.read(exclusions.in_force)] == [1]
    services.store.write(lambda db: exclusions.readmit(db, LOCAL_OWNER, services.now()))
    assert boards(services) == (1, 2)


def test_a_vote_on_a_picked_pair_is_taken_back(services: Services) -> None:
    one, two = a_pair(services)
    blind = go(choosing.start_from_images(services, LOCAL_OWNER, one, two))
    vote(services, blind.battle_id)
    go(battle.take_back(services, blind.battle_id, LOCAL_OWNER))
    assert boards(services) == (0, 0)
    assert services.store.read(votes.left_out) == {votes.TAKEN_BACK: 1}


def test_a_picked_pair_that_has_its_vote_counts_nowhere(services: Services) -> None:
    one, two = a_pair(services)
    vote(services, go(opening.next_battle(services, LOCAL_OWNER)).battle_id)
    result = vote(services, go(choosing.start_from_images(services, LOCAL_OWNER, one, two)).battle_id)
    assert (result.counted, result.is_own, result.reason) == (False, False, REPEATED)
    assert boards(services) == (1, 1)


def test_a_waiting_pair_that_was_picked_and_voted_on_meanwhile_does_not_come_back(services: Services) -> None:
    one, two = a_pair(services)
    waiting = go(opening.next_battle(services, LOCAL_OWNER))
    assert vote(services, go(choosing.start_from_images(services, LOCAL_OWNER, one, two)).battle_id).reason == CHOSEN
    assert go(opening.next_battle(services, LOCAL_OWNER)) is None
    a_pair(services, "Another")
    fresh = go(opening.next_battle(services, LOCAL_OWNER))
    assert fresh.prompt == "Another"
    assert vote(services, fresh.battle_id).counted
    assert vote(services, waiting.battle_id).reason == REPEATED, "its page may still be open"


def test_a_vote_that_counted_is_told_also_when_its_step_cannot_be(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> RatingChange:
        raise StoreBusy("Another program holds the database.")

    monkeypatch.setattr(elo_days, "change_by", fail)
    a_pair(services)
    result = vote(services, go(opening.next_battle(services, LOCAL_OWNER)).battle_id)
    assert (result.counted, result.change) == (True, None)
    assert {result.reveal.a.offer, result.reveal.b.offer} == set(OFFERS)
    assert boards(services) == (1, 1)
