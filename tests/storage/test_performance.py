"""How offers did: percentiles, previews and success by offer, without what would unblind a battle."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from arena.performance import performance, success_rate
from playground.services import Services, timestamp
from storage import battles
from storage import performance as stored
from storage.performance import OfferTimes
from storage.records import Battle
from storage.unrevealed import MAKING, UNREVEALED
from tests.arena.world import Clock, add_run, make_services

LONG_AGO = "2000-01-01T00:00:00.000Z"


def times(services: Services, **asked: Any) -> dict[str, OfferTimes]:
    told: dict[str, Any] = {"whose": None, "viewer": "nobody", "blind_at": None, "since": LONG_AGO} | asked

    def read(db: Database) -> list[OfferTimes]:
        return stored.of_offers(db, **told)

    return {one.offer: one for one in services.store.read(read)}


def change(services: Services, sql: str) -> None:
    services.store.write(lambda db: db.conn.execute(sql) and None)


def test_percentiles_are_times_that_were_measured(services: Services) -> None:
    for seconds in range(1, 21):
        add_run(services, latency_ms=1_000 * seconds)
    add_run(services, "fal/gpt-image-2", latency_ms=None)
    add_run(services, "fal/gpt-image-1", latency_ms=7_000)
    found = times(services)
    ours = found["openai/gpt-image-2"]
    assert (ours.runs, ours.succeeded, ours.faults, ours.p50_ms, ours.p95_ms) == (20, 20, 0, 10_000, 19_000)
    assert (found["fal/gpt-image-1"].p50_ms, found["fal/gpt-image-1"].p95_ms) == (7_000, 7_000)
    assert (found["fal/gpt-image-2"].p50_ms, found["fal/gpt-image-2"].p95_ms) == (None, None)
    assert list(found) == ["openai/gpt-image-2", "fal/gpt-image-1", "fal/gpt-image-2"]


def test_a_refused_prompt_is_no_fault_of_the_offer_and_a_cancelled_run_is_none(services: Services) -> None:
    for _ in range(6):
        add_run(services)
    change(services, "update runs set state = 'failed', error = '{\"kind\": \"refused\"}' where seq = 1")
    change(services, "update runs set state = 'failed', error = '{\"kind\": \"timeout\"}' where seq = 2")
    change(services, "update runs set state = 'unknown', latency_ms = 300000 where seq = 3")
    change(services, "update runs set state = 'cancelled' where seq = 4")
    ours = times(services)["openai/gpt-image-2"]
    assert (ours.runs, ours.succeeded, ours.faults) == (5, 2, 2)
    assert success_rate(ours) == 0.5
    assert ours.p95_ms == 24_800


def test_previews_have_a_median_of_their_own(services: Services) -> None:
    for _ in range(4):
        add_run(services)
    change(services, "update runs set first_preview_ms = 1000 * seq where seq < 4")
    assert times(services)["openai/gpt-image-2"].first_preview_p50_ms == 2_000


def test_the_first_byte_has_a_median_of_its_own_over_those_that_went_well(services: Services) -> None:
    for _ in range(5):
        add_run(services)
    change(services, "update runs set first_byte_ms = 1000 * seq where seq < 5")
    change(services, "update runs set state = 'failed' where seq = 1")
    assert times(services)["openai/gpt-image-2"].first_byte_p50_ms == 3_000
    add_run(services, "fal/gpt-image-1")
    assert times(services)["fal/gpt-image-1"].first_byte_p50_ms is None


def test_only_the_owners_and_recent_runs_count(services: Services) -> None:
    add_run(services)
    add_run(services, owner="somebody")
    assert times(services)["openai/gpt-image-2"].runs == 2
    assert times(services, whose="somebody")["openai/gpt-image-2"].runs == 1
    change(services, "update runs set queued_at = '2026-01-01T00:00:00.000Z' where seq = 1")
    assert times(services, since="2026-06-01T00:00:00.000Z")["openai/gpt-image-2"].runs == 1


@pytest.mark.asyncio
async def test_runs_of_an_open_battle_stay_out_until_its_vote_as_they_do_everywhere(services: Services) -> None:
    for offer in ("openai/gpt-image-2", "fal/gpt-image-2"):
        add_run(services, offer)
    one, two = add_run(services, "openai/gpt-image-2"), add_run(services, "fal/gpt-image-2")
    now = services.clock()
    battle = Battle(
        battle_id="0" * 32, voter="local", operation="generate", prompt="x", image_a=one[0], image_b=two[0],
        offer_a="openai/gpt-image-2", offer_b="fal/gpt-image-2", source="new", is_demo=False, probability=1,
        state="open", created_at=timestamp(now), expires_at=timestamp(now + timedelta(hours=24)),
    )  # fmt: skip
    services.store.write(lambda db: battles.insert(db, battle))
    assert {row.offer: row.runs for row in await performance(services, "local")} == {
        "fal/gpt-image-2": 1,
        "openai/gpt-image-2": 1,
    }
    change(services, "update battles set state = 'voted'")
    assert {row.runs for row in await performance(services, "local")} == {2}


@pytest.mark.asyncio
async def test_runs_of_a_battle_in_the_making_stay_out_until_it_could_have_begun(tmp_path: Path) -> None:
    clock = Clock()
    services = make_services(tmp_path, clock=clock)
    add_run(services)
    change(services, "update groups set kind = 'battle'")
    add_run(services, "fal/gpt-image-2")
    change(
        services,
        "update runs set group_id = (select group_id from runs where seq = 1), state = 'sending' where seq = 2",
    )
    assert await performance(services, "local") == []
    change(services, "update runs set state = 'succeeded'")
    assert await performance(services, "local") == [], "its row comes within seconds"
    clock.move(MAKING)
    assert len(await performance(services, "local")) == 2
    services.store.close()


def test_the_history_and_the_performance_hide_by_one_rule() -> None:
    assert UNREVEALED in stored._ENDED


@pytest.mark.asyncio
async def test_a_month_is_looked_at(tmp_path: Path) -> None:
    clock = Clock()
    services = make_services(tmp_path, clock=clock)
    add_run(services)
    clock.move(timedelta(days=29))
    assert len(await performance(services, "local")) == 1
    clock.move(timedelta(days=2))
    assert await performance(services, "local") == []
    services.store.close()


def test_the_newest_runs_are_found_by_an_index(services: Services) -> None:
    whose = stored._RECENT % "where owner = :whose"
    plan = services.store.read(
        lambda db: [
            str(row)
            for row in db.conn.execute(
                f"explain query plan {whose} x as (select 1) select * from recent", {"whose": "x", "newest": 9}
            ).fetchall()
        ]
    )
    assert any("runs_by_owner" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)
