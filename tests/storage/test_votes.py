"""Votes: what boards count of them, in sums and one by one; votes taken back, and voters left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage import battles, curation, elo_days, exclusions, history, tallies, votes
from storage.curation import Picked
from storage.database import Store
from storage.elo_days import EloDay
from storage.facts import differing_facts
from storage.records import Battle, Outcome, Vote
from storage.rows import fetch
from storage.tallies import BoardFilter
from storage.votes import Said
from tests.arena.world import add_run, make_services

DAY = "2026-11-{:02d}T12:00:00.000Z"
OUTCOMES: list[Outcome] = ["a", "b", "a", "tie", "both_bad"]


class Votes:
    """Votes over one pair of images: only the rows matter."""

    def __init__(self, folder: Path) -> None:
        services = make_services(folder)
        self.store: Store = services.store
        self.images = [add_run(services, offer)[0] for offer in ("openai/x", "fal/x")]
        self.number = 0

    def battle(self, **changes: object) -> Battle:
        self.number += 1
        battle = Battle(
            battle_id=f"{self.number:032x}", voter="local", operation="generate", prompt="A fox",
            image_a=self.images[0], image_b=self.images[1], offer_a="openai/x", offer_b="fal/x", source="history",
            is_demo=False, probability=0.5, state="open", created_at=DAY.format(1), expires_at=DAY.format(30),
        )  # fmt: skip
        battle = replace(battle, **changes)
        self.store.write(lambda db: battles.insert(db, battle))
        return battle

    def vote(self, outcome: Outcome = "a", day: int = 2, *, counted: bool = True, **changes: object) -> int:
        fields = {name: changes.pop(name, None) for name in ("follows", "looks")}
        battle = self.battle(**changes)

        def write(db: Database) -> int:
            reason = None if counted else "You have voted before."
            vote = Vote(battle.battle_id, battle.voter, outcome, 900, counted, reason, DAY.format(day), **fields)
            assert battles.end(db, battle.battle_id, battle.voter, state="voted", now=DAY.format(day))
            return votes.insert(db, vote, battle)

        return self.store.write(write)

    def sums(self, **wanted: object) -> dict[str, int]:
        found = self.store.read(lambda db: tallies.grouped(db, BoardFilter(**wanted)))
        return {one.outcome: one.votes for one in found}

    def audit(self) -> None:
        assert self.store.read(tallies.held) == self.store.read(tallies.recounted)
        assert self.store.read(differing_facts) == []


@pytest.fixture
def world(tmp_path: Path):
    one = Votes(tmp_path)
    yield one
    one.audit()
    one.store.close()


def test_runs_are_ordered_by_what_their_pictures_won_and_lost_and_a_vote_taken_back_is_none(world: Votes) -> None:
    def listed() -> list[tuple[str, int]]:
        page = world.store.read(lambda db: history.page(db, "local", sort="rating"))
        sql = "select f.rating from run_facts as f join runs as r on r.seq = f.seq where r.run_id = ?"
        ids = [view.run.run_id for view in page.runs]
        return [(one, world.store.read(lambda db, o=one: db.execute(sql, [o]).fetchone()[0])) for one in ids]

    (newer, _), (older, _) = listed()
    world.vote("a")
    assert listed() == [(older, 1), (newer, -1)]
    for outcome in ("b", "b", "tie", "both_bad"):
        world.vote(outcome, image_a=world.images[0], image_b=world.images[1])
    world.vote("b", counted=False)
    assert listed() == [(newer, 0), (older, -2)]
    assert world.store.read(lambda db: votes.said_of_run(db, older)) == Said(won=1, lost=2, even=1, both_bad=1)
    assert world.store.read(lambda db: votes.said_of_run(db, newer)) == Said(won=2, lost=1, even=1, both_bad=1)
    world.vote("a", image_a=world.images[1], image_b=world.images[0])
    battle = world.store.read(lambda db: battles.get(db, f"{world.number:032x}", "local"))
    assert battle
    assert listed() == [(newer, 1), (older, -3)]
    assert world.store.write(lambda db: votes.take_back(db, battle, now=DAY.format(3), since=DAY.format(1)))
    assert listed() == [(newer, 0), (older, -2)]
    world.store.write(lambda db: curation.trash(db, "local", Picked(runs=[older]), DAY.format(4)))
    world.vote("a")
    assert world.store.read(differing_facts) == []
    world.store.write(lambda db: curation.restore(db, "local", Picked(runs=[older])))
    assert listed() == [(newer, -1), (older, -1)]
    world.store.write(lambda db: db.execute("delete from votes where outcome = 'b'") and None)
    assert world.store.read(differing_facts) == []
    world.store.write(tallies.make_anew)


def test_a_board_counts_what_counts_in_sums_and_in_order(world: Votes) -> None:
    places = [world.vote(outcome) for outcome in OUTCOMES]
    world.vote("a", counted=False)
    world.vote("b", board="edit-multi")
    world.vote("b", is_demo=True)
    assert places == sorted(places)
    assert world.store.read(tallies.board_sizes) == {
        ("generate", False): 5,
        ("edit-multi", False): 1,
        ("generate", True): 1,
    }
    assert world.store.read(votes.left_out) == {"You have voted before.": 1}
    assert world.sums() == {"a": 2, "b": 1, "tie": 1, "both_bad": 1}
    in_order = world.store.read(lambda db: list(votes.in_order(db, BoardFilter())))
    assert [vote.outcome for vote in in_order] == OUTCOMES
    some = world.store.read(lambda db: list(votes.in_order(db, BoardFilter(), after=places[0], before=places[3])))
    assert some == in_order[1:3]


def test_categories_dates_and_voters_narrow_a_board(world: Votes) -> None:
    world.vote("a", 2, category="text", voter="ann")
    world.vote("b", 3, category="text", voter="bob")
    world.vote("tie", 4, category="own", voter="bob")
    assert world.store.read(lambda db: tallies.categories(db, "generate", is_demo=False)) == {"own": 1, "text": 2}
    assert world.sums(category="text") == {"a": 1, "b": 1}
    assert world.sums(voter="bob") == {"b": 1, "tie": 1}
    assert world.sums(since=DAY.format(3), until=DAY.format(4)) == {"b": 1}
    assert world.sums(voter="bob", category="text", since=DAY.format(3)) == {"b": 1}


def test_second_questions_have_boards_of_their_own(world: Votes) -> None:
    world.vote("a", follows="b", looks="tie")
    world.vote("a", follows="b")
    assert world.sums(question="follows") == {"b": 2}
    assert world.sums(question="looks") == {"tie": 1}
    assert world.sums(question="looks", voter="local") == {"tie": 1}
    assert world.sums() == {"a": 2}


def test_a_vote_is_taken_back_once_in_time_and_before_the_next_battle(world: Votes) -> None:
    world.vote("a")
    first = world.store.read(lambda db: battles.get(db, f"{1:032x}", "local"))
    assert first is not None

    def take(db: Database, since: str = DAY.format(2), now: str = DAY.format(2)) -> bool:
        return votes.take_back(db, first, now=now, since=since)

    assert not world.store.write(lambda db: take(db, since=DAY.format(3)))
    assert world.sums() == {"a": 1}
    assert world.store.write(take)
    assert not world.store.write(take)
    assert world.sums() == {}
    assert world.store.read(votes.left_out) == {votes.TAKEN_BACK: 1}
    world.vote("b", created_at=DAY.format(2))
    second = world.store.read(lambda db: battles.get(db, f"{2:032x}", "local"))
    world.battle(shown_at=DAY.format(3))
    assert not world.store.write(lambda db: votes.take_back(db, second, now=DAY.format(3), since=DAY.format(2)))
    assert world.sums() == {"b": 1}


def test_a_voter_is_left_out_and_counted_again(world: Votes) -> None:
    world.vote("a", voter="ann")
    world.vote("b", voter="bob", follows="a")
    assert world.store.write(lambda db: exclusions.exclude(db, "bob", "favourite", "For fal/x: z 7.", DAY.format(5)))
    assert not world.store.write(lambda db: exclusions.exclude(db, "bob", "side", "again", DAY.format(5)))
    world.vote("b", voter="bob", follows="b")
    world.audit()
    assert world.sums() == {"a": 1}
    assert world.sums(question="follows") == {}
    assert [vote.voter for vote in world.store.read(lambda db: list(votes.in_order(db, BoardFilter())))] == ["ann"]
    assert world.sums(voter="bob") == {"b": 2}
    (row,) = world.store.read(exclusions.in_force)
    assert (row.voter, row.kind, row.votes) == ("bob", "favourite", 2)
    assert world.store.read(exclusions.shares).share == pytest.approx(2 / 3)
    assert world.store.read(votes.left_out) == {"Voters left out": 2}
    assert world.store.write(lambda db: exclusions.readmit(db, "bob", DAY.format(6)))
    assert not world.store.write(lambda db: exclusions.readmit(db, "bob", DAY.format(6)))
    assert world.sums() == {"a": 1, "b": 2}
    assert world.sums(question="follows") == {"a": 1, "b": 1}
    assert world.store.read(exclusions.lifted) == {("bob", "favourite")}


@pytest.mark.parametrize("since", [None, DAY.format(2), DAY.format(4), DAY.format(9)])
def test_the_share_left_out_is_that_of_the_votes_themselves(world: Votes, since: str | None) -> None:
    for day, voter in enumerate(["ann", "bob", "ann", "cid", "bob", "ann", "bob"], 1):
        world.vote("a", day, voter=voter)
    world.vote("b", 8, voter="dan", counted=False)
    world.vote("tie", 3, voter="bob", counted=False)
    for voter in ("bob", "cid"):
        world.store.write(lambda db, voter=voter: exclusions.exclude(db, voter, "by_hand", "-", DAY.format(9)))
    world.store.write(lambda db: exclusions.readmit(db, "cid", DAY.format(9)))
    rows = world.store.read(lambda db: fetch(db, "select voter, reason, voted_at from votes"))
    public = [row["voter"] for row in rows if row["reason"] is None and (since is None or row["voted_at"] >= since)]
    found = world.store.read(lambda db: exclusions.shares(db, since))
    assert (found.counted, found.excluded) == (sum(one != "bob" for one in public), public.count("bob"))


def test_what_was_replayed_is_forgotten_from_the_vote_on_that_changed(world: Votes) -> None:
    places = [world.vote("a", day, voter=voter) for day, voter in ((2, "ann"), (3, "bob"), (4, "ann"))]
    days = [
        EloDay(DAY.format(day)[:10], seq, n, {"x": 1.0})
        for n, (day, seq) in enumerate(zip((2, 3, 4), places, strict=True))
    ]
    wanted = BoardFilter()
    world.store.write(lambda db: elo_days.keep(db, wanted, "offer", "1", days))
    assert world.store.read(lambda db: elo_days.kept(db, wanted, "offer", "1")) == days
    assert world.store.read(lambda db: elo_days.kept(db, wanted, "offer", "2")) == []
    world.store.write(lambda db: exclusions.exclude(db, "bob", "by_hand", "test", DAY.format(5)))
    assert world.store.read(lambda db: elo_days.kept(db, wanted, "offer", "1")) == days[:1]


def test_everything_is_exported_with_what_does_not_count(world: Votes) -> None:
    world.vote("a", category="text", prompt_id="text-neon")
    world.vote("b", counted=False)
    rows = world.store.read(lambda db: list(votes.exported(db, BoardFilter())))
    assert [(row["outcome"], row["counted"], row["reason"]) for row in rows] == [
        ("a", 1, ""), ("b", 0, "You have voted before."),
    ]  # fmt: skip
    assert (rows[0]["prompt_id"], rows[0]["probability"], rows[0]["offer_a"]) == ("text-neon", 0.5, "openai/x")
