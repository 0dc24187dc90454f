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
from arena.ratings.elo import START, EloReplay
from playground.services import LOCAL_OWNER, Services
from storage import battles, exclusions, tallies, votes
from storage.errors import StoreBusy
from storage.records import Battle
from storage.tallies import BoardFilter
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


def open_battle(services: Services, number: int) -> str:
    """One of many of a voter's, each over a prompt of its own."""
    image_a, image_b = a_pair(services, f"Prompt {number}")
    row = Battle(
        battle_id=f"{number:032x}", voter=LOCAL_OWNER, operation="generate", prompt=f"Prompt {number}", image_a=image_a,
        image_b=image_b, offer_a=OFFERS[0], offer_b=OFFERS[1], source="history", is_demo=False, probability=0.5,
        state="open", created_at=services.now(), expires_at="2999-01-01T00:00:00.000Z",
    )  # fmt: skip
    services.store.write(lambda db: battles.insert(db, row))
    return row.battle_id


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


def test_each_of_many_votes_at_once_is_told_its_own_step(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps add up, whatever came behind a vote before it was asked for, and each is what a replay of all votes says."""
    ids = [open_battle(services, number) for number in range(5)]

    async def all_at_once() -> list[VoteResult]:
        return await asyncio.gather(*(battle.vote(services, one, LOCAL_OWNER, "a") for one in ids))

    results = go(all_at_once())
    wanted = BoardFilter("generate", is_demo=False)
    rows = services.store.read(lambda db: list(votes.in_order(db, wanted)))
    replayed = EloReplay()
    steps = []
    for row in rows:
        was = dict(replayed.ratings)
        replayed.take((row.offer_a, row.offer_b, row.outcome))
        now = replayed.ratings
        a, b = row.offer_a, row.offer_b
        steps.append(RatingChange(was.get(a, START), now[a], was.get(b, START), now[b]))
    assert {one.change for one in results} == set(steps)
    assert services.store.read(lambda db: elo_days.kept_whole(db, wanted, "offer"))[-1].ratings == replayed.ratings
    monkeypatch.setattr(elo_days, "MANY", 0)
    a_pair(services, "Last")
    last = vote(services, go(opening.next_battle(services, LOCAL_OWNER)).battle_id)
    assert last.change is not None
    assert last.change.a_before == replayed.ratings[last.reveal.a.offer], "by a replay in a job of its own"


def test_a_vote_that_counted_is_told_also_when_its_step_cannot_be(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> RatingChange:
        raise StoreBusy("Another program holds the database.")

    monkeypatch.setattr(elo_days, "change_at_once", fail)
    monkeypatch.setattr(elo_days, "change_by", fail)
    a_pair(services)
    result = vote(services, go(opening.next_battle(services, LOCAL_OWNER)).battle_id)
    assert (result.counted, result.change) == (True, None)
    assert {result.reveal.a.offer, result.reveal.b.offer} == set(OFFERS)
    assert boards(services) == (1, 1)
