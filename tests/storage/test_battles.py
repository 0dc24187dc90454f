"""Rows of battles and votes: candidates, the guarded end of a battle, and what a board counts."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from sqlite_utils import Database

from playground.services import Services
from storage import battles, votes
from storage.battles import Met
from storage.database import Store
from storage.records import Battle, BattleSource, BattleState, Outcome, Vote
from tests.arena.world import add_run, picture

NOW, LATER, MUCH_LATER = "2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z", "2026-11-23T12:00:00.000Z"


@pytest.fixture
def store(services: Services) -> Store:
    return services.store


def a_battle(
    services: Services, number: int = 1, *, voter: str = "local", offers: tuple[str, str] = ("openai/x", "fal/x")
) -> Battle:
    image_a, image_b = (add_run(services, offer, owner=voter)[0] for offer in offers)
    battle = Battle(
        battle_id=f"{number:032x}", voter=voter, operation="generate", prompt="A lighthouse", image_a=image_a, image_b=image_b,
        offer_a=offers[0], offer_b=offers[1], source="history", is_demo=False, probability=0.5, state="open",
        created_at=NOW, expires_at=LATER,
    )  # fmt: skip
    services.store.write(lambda db: battles.insert(db, battle))
    return battle


def take_vote(store: Store, battle: Battle, outcome: Outcome = "a", *, counted: bool = True) -> int:
    def write(db: Database) -> int:
        assert battles.end(db, battle.battle_id, battle.voter, state="voted", now=NOW)
        reason = None if counted else "test"
        return votes.insert(db, Vote(battle.battle_id, battle.voter, outcome, 900, counted, reason, NOW), battle)

    return store.write(write)


def test_a_battle_comes_back_as_it_was_written(services: Services) -> None:
    battle = a_battle(services)
    assert services.store.read(lambda db: battles.get(db, battle.battle_id, "local")) == battle
    assert services.store.read(lambda db: battles.get(db, battle.battle_id, "somebody")) is None


def test_kin_share_prompt_operation_and_inputs_in_order(services: Services) -> None:
    one, two = picture(), picture()
    groups = [
        [add_run(services, "openai/x", "P")[0], add_run(services, "fal/x", "P")[0]],
        [add_run(services, "openai/x", "p")[0]],
        [add_run(services, "openai/x", "P", inputs=[one])[0], add_run(services, "fal/x", "P", inputs=[one])[0]],
        [add_run(services, "openai/x", "P", inputs=[one, two])[0]],
        [add_run(services, "openai/x", "P", inputs=[two, one])[0]],
    ]
    found = services.store.read(lambda db: battles.candidates(db, "local"))
    kin = {row.image_id: row.kin for row in found}
    assert [len({kin[image] for image in group}) for group in groups] == [1] * 5
    assert len(set(kin.values())) == 5
    newest_first = [image for group in reversed(groups) for image in reversed(group)]
    assert [row.image_id for row in found] == newest_first


def test_unfit_and_foreign_images_are_no_candidates(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    add_run(services, checks=("blank",))
    add_run(services, checks=("size_differs", "damaged"))
    add_run(services, state="failed")
    add_run(services, owner="somebody")
    fit = [add_run(services, checks=("size_differs",))[0] for _ in range(4)]
    assert {row.image_id for row in services.store.read(lambda db: battles.candidates(db, "local"))} == set(fit)
    monkeypatch.setattr(battles, "CANDIDATE_RUNS", 2)
    assert [row.image_id for row in services.store.read(lambda db: battles.candidates(db, "local"))] == fit[:1:-1]


def test_met_tells_of_battles_between_the_given_images_only(services: Services) -> None:
    first, second = a_battle(services, 1), a_battle(services, 2)
    take_vote(services.store, first)
    images = [first.image_a, first.image_b, second.image_a]
    assert services.store.read(lambda db: battles.met(db, "local", images)) == [
        Met(first.image_a, first.image_b, "voted", "history")
    ]
    assert services.store.read(lambda db: battles.met(db, "somebody", images)) == []


def test_a_battle_ends_once_in_time_and_by_its_voter(services: Services) -> None:
    battle = a_battle(services)
    ending = [("somebody", NOW), ("local", LATER), ("local", NOW), ("local", NOW)]
    done = [
        services.store.write(
            lambda db, who=who, now=now: battles.end(db, battle.battle_id, who, state="voted", now=now)
        )
        for who, now in ending
    ]
    assert done == [False, False, True, False]


def test_there_is_never_a_second_vote_row_nor_an_unknown_outcome(services: Services) -> None:
    battle = a_battle(services)
    take_vote(services.store, battle)
    again = Vote(battle.battle_id, "local", "b", None, True, None, NOW)
    with pytest.raises(sqlite3.IntegrityError):
        services.store.write(lambda db: votes.insert(db, again, battle))
    other = a_battle(services, 2)
    with pytest.raises(sqlite3.IntegrityError):
        services.store.write(
            lambda db: votes.insert(db, replace(again, battle_id=other.battle_id, outcome="bothbad"), other)
        )


def test_open_battles_are_found_until_they_expire(services: Services) -> None:
    battle = a_battle(services)
    assert services.store.read(lambda db: battles.newest_open(db, "local", NOW)) == battle
    assert services.store.read(lambda db: battles.newest_open(db, "local", LATER)) is None
    assert services.store.write(lambda db: battles.expire(db, "somebody", MUCH_LATER)) == 0
    assert services.store.write(lambda db: battles.expire(db, "local", NOW)) == 0
    assert services.store.write(lambda db: battles.expire(db, "local", MUCH_LATER)) == 1
    found = services.store.read(lambda db: battles.get(db, battle.battle_id, "local"))
    assert found is not None
    assert found.state == "expired"


@pytest.mark.parametrize(
    ("state", "source", "is_spent"),
    [("voted", "chosen", True), ("voted", "history", True), ("reported", "history", True), ("skipped", "new", True),
     ("skipped", "history", False), ("expired", "history", False)],
)  # fmt: skip
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_an_open_battle_does_not_come_back_once_its_images_are_spent_in_another(
    services: Services, state: BattleState, source: BattleSource, *, is_spent: bool, is_mirrored: bool
) -> None:
    waiting = a_battle(services)
    sides = (waiting.image_b, waiting.image_a) if is_mirrored else (waiting.image_a, waiting.image_b)
    other = replace(waiting, battle_id="f" * 32, image_a=sides[0], image_b=sides[1], state=state, source=source)
    services.store.write(lambda db: battles.insert(db, other))
    found = services.store.read(lambda db: battles.newest_open(db, "local", NOW))
    assert found == (None if is_spent else waiting)
    (met,) = [
        one
        for one in services.store.read(lambda db: battles.met(db, "local", sides))
        if (one.state, one.source) == (state, source)
    ]
    assert met.is_spent == is_spent, "one rule for what is drawn and what comes back"
    before, _ = services.store.write(lambda db: battles.end_by_vote(db, waiting.battle_id, "local", now=NOW))
    assert before is not None
    assert before.is_repeated == (state == "voted")


def test_what_is_asked_of_battles_between_two_votes_reads_no_other_battles(services: Services) -> None:
    battle = a_battle(services)
    asked: list[str] = []

    def read(db: Database) -> list[str]:
        db.conn.set_trace_callback(asked.append)
        battles.newest_open(db, "local", NOW)
        battles.end_by_vote(db, battle.battle_id, "local", now=NOW)
        battles.met(db, "local", [battle.image_a, battle.image_b])
        db.conn.set_trace_callback(None)
        plans = [db.conn.execute(f"explain query plan {sql}") for sql in asked if sql.startswith("select")]
        return [row[3] for plan in plans for row in plan if "USING" in row[3]]

    ways = [step.partition("INDEX ")[2] for step in services.store.write(read)]
    by_pair = "battles_by_pair (voter=? AND image_a=? AND image_b=?)"
    by_id, left_out = "sqlite_autoindex_battles_1 (battle_id=?)", "exclusions_in_force (voter=?)"
    of_both = "battles_by_pair (voter=? AND image_a=?)"
    assert ways == ["battles_open (voter=?)", by_pair, by_id, by_pair, by_pair, left_out, of_both]


def test_facts_are_per_image_and_unknown_stays_unknown(services: Services) -> None:
    image_a = add_run(services, "openai/x", images=4, cost_microusd=40_000, latency_ms=9_000)[0]
    image_b = add_run(services, "fal/x", cost_microusd=None, latency_ms=None)[0]
    battle = replace(a_battle(services), battle_id="f" * 32, image_a=image_a, image_b=image_b)
    services.store.write(lambda db: battles.insert(db, battle))
    take_vote(services.store, battle)
    facts = {
        fact.offer: fact for fact in services.store.read(lambda db: battles.recent_facts(db, "generate", is_demo=False))
    }
    assert (facts["openai/x"].cost_microusd, facts["openai/x"].latency_ms) == (10_000, 9_000)
    assert (facts["fal/x"].cost_microusd, facts["fal/x"].latency_ms) == (None, None)
