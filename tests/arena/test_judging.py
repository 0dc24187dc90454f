"""Voters on the store's boards: those who push are left out, the honest are not, and letting in restores every count."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from arena import board, judging
from arena.board import BoardQuery
from arena.elo_audit import stale_days
from arena.judging import EVERY, UnknownVoter, VoterWatch
from arena.ratings.collusion import at_least
from playground.services import Services, timestamp
from storage import exclusions, tallies, vote_counts, votes
from storage.records import Answer, Battle, Outcome, Vote
from storage.tallies import BoardFilter
from storage.verify import verify
from tests.arena.many_votes import _write
from tests.arena.test_voter_checks import STRENGTHS, Manner, against_all, always_a, judge, push_target
from tests.arena.world import add_run, make_services

OFFERS = tuple(f"openai/model-{number}" for number in range(8))
TARGET = OFFERS[3]
HONEST, RIGGED = 120, 6


class Polls:
    """Votes by manner, as in the checks' own tests, but in a store."""

    def __init__(self, folder: Path) -> None:
        self.services = make_services(folder)
        self.images = {offer: add_run(self.services, offer)[0] for offer in OFFERS}
        self.number = 0

    def poll(
        self,
        voter: str,
        manner: Manner,
        count: int,
        *,
        seed: int,
        decided_ms: int | None = 2500,
        only: str | None = None,
    ) -> None:
        """Votes of one voter, on battles of the offer `only` where one is named."""
        rng = np.random.default_rng(seed)
        made = []
        for _ in range(count):
            self.number += 1
            a, b = rng.choice(len(OFFERS), 2, replace=False).tolist()
            while only and OFFERS.index(only) not in (a, b):
                a, b = rng.choice(len(OFFERS), 2, replace=False).tolist()
            at = timestamp(self.services.clock() - timedelta(hours=10) + timedelta(seconds=self.number))
            battle = Battle(
                battle_id=f"{self.number:032x}", voter=voter, operation="generate", prompt="A fox",
                image_a=self.images[OFFERS[a]], image_b=self.images[OFFERS[b]], offer_a=OFFERS[a], offer_b=OFFERS[b],
                source="history", is_demo=False, probability=0.5, state="voted", created_at=at, expires_at=at,
            )  # fmt: skip
            outcome: Outcome = manner(rng, a, b)
            second: Answer | None = None
            made.append((battle, Vote(battle.battle_id, voter, outcome, decided_ms, True, None, at, second, second)))
        _write(self.services, made)

    def rating(self) -> float:
        found = asyncio.run(board.leaderboard(self.services, BoardQuery()))
        return next(row.rated.rating for row in found.rows if row.rated.competitor == TARGET)


@pytest.fixture
def polls(tmp_path: Path) -> Iterator[Polls]:
    one = Polls(tmp_path)
    yield one
    assert one.services.store.read(tallies.held) == one.services.store.read(tallies.recounted)
    assert stale_days(one.services) == []
    one.services.store.close()


def honest(polls: Polls, voters: int = HONEST, count: int = 60) -> None:
    for seed in range(voters):
        polls.poll(f"honest {seed}", judge, count, seed=seed)


def left_out(services: Services) -> dict[str, str]:
    return {row.voter: row.kind for row in services.store.read(exclusions.in_force)}


def test_who_pushes_one_model_is_left_out_and_the_honest_are_not(polls: Polls) -> None:
    honest(polls)
    clean = polls.rating()
    for number in range(RIGGED):
        polls.poll(f"rigged {number}", push_target, 240, seed=1000 + number)
    pushed, before = polls.rating(), polls.services.store.read(tallies.held)
    found = judging.check(polls.services).left_out
    rigged = [row for row in found if row.voter.startswith("rigged")]
    assert len(rigged) == RIGGED
    assert len(found) - len(rigged) <= HONEST // 100
    assert {row.kind for row in rigged} == {"favourite"}
    assert all(TARGET in row.reason for row in rigged)
    assert abs(polls.rating() - clean) < 0.1 * abs(pushed - clean)
    assert judging.check(polls.services).left_out == []
    for row in found:
        polls.services.store.write(lambda db, voter=row.voter: exclusions.readmit(db, voter, polls.services.now()))
    assert polls.services.store.read(tallies.held) == before
    assert polls.rating() == pytest.approx(pushed)
    assert verify(polls.services.store) == []


@pytest.mark.parametrize(("voters", "count", "least"), [(12, 40, 10), (10, 100, 10)])
def test_who_push_together_are_found_where_one_alone_would_not_be(
    polls: Polls, voters: int, count: int, least: int
) -> None:
    honest(polls, 60, 40)
    clean = polls.rating()
    for number in range(voters):
        polls.poll(f"rigged {number}", push_target, count, seed=2000 + number)
    pushed = polls.rating()
    found = [row.voter for row in judging.check(polls.services).left_out]
    assert len([voter for voter in found if voter.startswith("rigged")]) >= least
    assert [voter for voter in found if voter.startswith("honest")] == []
    assert abs(polls.rating() - clean) < 0.1 * abs(pushed - clean)


def test_tastes_are_no_push(polls: Polls) -> None:
    for number in range(80):
        taste = np.random.default_rng(5000 + number).normal(0, 0.6, len(OFFERS))

        def by_taste(rng: np.random.Generator, a: int, b: int, taste: np.ndarray = taste) -> str:
            lead = STRENGTHS[a] + taste[a] - STRENGTHS[b] - taste[b]
            return "a" if rng.random() < 1 / (1 + np.exp(-lead)) else "b"

        polls.poll(f"honest {number}", by_taste, 60, seed=number)
    assert judging.check(polls.services).left_out == []


@pytest.mark.parametrize(
    ("count", "of", "share", "chance"), [(1, 1, 0.25, 0.25), (2, 3, 0.5, 0.5), (0, 9, 0.1, 1.0), (5, 5, 1.0, 1.0)]
)
def test_the_tail_of_the_binomial(count: int, of: int, share: float, chance: float) -> None:
    assert at_least(count, of, share) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("manner", "decided_ms", "kinds"),
    [(always_a, 2500, {"side"}), (against_all, 2500, {"agreement", "favourite"}), (judge, 200, {"too_fast"})],
)
def test_each_check_has_its_kind(polls: Polls, manner: Manner, decided_ms: int, kinds: set[str]) -> None:
    honest(polls, 40)
    polls.poll("odd", manner, 150, seed=7, decided_ms=decided_ms)
    judging.check(polls.services)
    found = left_out(polls.services)
    assert found.pop("odd") in kinds
    assert found == {}


def test_what_a_person_lifted_is_not_found_again(polls: Polls) -> None:
    honest(polls, 40)
    polls.poll("odd", always_a, 150, seed=7)
    judging.check(polls.services)
    (odd,) = (one for one in judging.voters(polls.services) if one.excluded)
    judging.readmit(polls.services, odd.shown_id)
    judging.check(polls.services)
    assert "side" not in left_out(polls.services).values()
    assert [
        one.kind for one in next(o for o in judging.voters(polls.services) if o.shown_id == odd.shown_id).findings
    ] == (["left"] if not left_out(polls.services) else [])


def test_where_a_third_push_nobody_is_left_out_and_a_person_is_told(polls: Polls) -> None:
    honest(polls, 30, 60)
    for number in range(15):
        polls.poll(f"rigged {number}", push_target, 100, seed=2000 + number)
    watch = VoterWatch(replace(polls.services, settings=replace(polls.services.settings, mode="public")))
    assert watch.alarms == ()
    assert asyncio.run(watch.look()) == []
    assert left_out(polls.services) == {}
    (alarm,) = watch.alarms
    assert alarm.startswith("On the board 'generate': ")
    assert "none of them was left out" in alarm
    assert judging.alarms(polls.services) == watch.alarms


def test_tokens_of_a_few_votes_each_are_left_out_as_a_group(polls: Polls) -> None:
    honest(polls, 60, 40)
    clean = polls.rating()
    for number in range(30):
        polls.poll(f"token {number}", push_target, 19, seed=3000 + number, only=TARGET)
    pushed = polls.rating()
    found = judging.check(polls.services)
    assert len([one for one in found.left_out if one.voter.startswith("token")]) >= 27
    assert [one for one in found.left_out if one.voter.startswith("honest")] == []
    assert abs(polls.rating() - clean) < 0.1 * abs(pushed - clean)
    assert (found.alarms, judging.alarms(polls.services)) == ((), ())


def test_one_owner_or_a_few_are_never_judged(polls: Polls) -> None:
    for number in range(4):
        polls.poll(f"few {number}", push_target, 100, seed=number)
    polls.poll("casual", judge, 19, seed=9)
    assert judging.check(polls.services).left_out == []
    assert [one.findings for one in judging.voters(polls.services)] == [()] * 5


def test_an_unknown_voter_is_an_error(polls: Polls) -> None:
    honest(polls, 1, 1)
    (one,) = judging.voters(polls.services)
    judging.exclude(polls.services, one.shown_id, "why not")
    with pytest.raises(UnknownVoter, match="already"):
        judging.exclude(polls.services, one.shown_id, "why not")
    judging.readmit(polls.services, one.shown_id)
    for shown_id in (one.shown_id, "honest 0"):
        with pytest.raises(UnknownVoter):
            judging.readmit(polls.services, shown_id)


def test_the_watch_looks_at_the_start_and_after_every_so_many_votes(polls: Polls) -> None:
    honest(polls, 40, 30)
    polls.poll("odd", always_a, 150, seed=7)
    watch = VoterWatch(replace(polls.services, settings=replace(polls.services.settings, mode="public")))

    async def looks() -> list[int]:
        counts = [len(await watch.look())]
        polls.poll("late", always_a, 100, seed=8)
        watch._seen = polls.services.store.read(vote_counts.last_seq) - EVERY + 1
        counts.append(len(await watch.look()))
        watch._seen -= 1
        counts.append(len(await watch.look()))
        return counts

    assert asyncio.run(looks()) == [1, 0, 1]
    assert set(left_out(polls.services)) == {"odd", "late"}


def test_the_watch_does_nothing_in_local_mode(polls: Polls) -> None:
    asyncio.run(asyncio.wait_for(VoterWatch(polls.services).run(), 1))


def test_a_vote_of_one_left_out_is_kept_and_not_counted(polls: Polls) -> None:
    honest(polls, 40, 30)
    polls.poll("odd", always_a, 150, seed=7)
    judging.check(polls.services)

    def count(db: Database) -> int:
        return sum(1 for _ in votes.in_order(db, BoardFilter()))

    before = polls.services.store.read(count)
    polls.poll("odd", judge, 3, seed=8)
    assert polls.services.store.read(count) == before == 1200
    assert len(polls.services.store.read(lambda db: list(votes.in_order(db, BoardFilter(voter="odd"))))) == 153
