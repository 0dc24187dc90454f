"""Limits that hold over several replicas: of money, of visitors, and of calls at once at a provider."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground import calls
from playground.limits import LimitReached
from playground.refusals import PlanRefused
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from playground.usage import UseRefused
from playground.visitor_settings import PublicSettings, VisitorLimits
from providers.rows import CATALOG
from storage import seats
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness
from tests.playground.faulty_answers import Make, all_runs
from tests.playground.job_world import until
from tests.playground.replicas import PLAN, ended, stopped
from ui.pace import TooOften

pytestmark = pytest.mark.asyncio


async def outcomes(tries: list[Any], refusal: type[Exception]) -> tuple[int, int]:
    """How many of them went through and how many were refused, all at once; whatever else they raise is raised."""
    ends = await asyncio.gather(*tries, return_exceptions=True)
    other = [end for end in ends if isinstance(end, BaseException) and not isinstance(end, refusal)]
    assert other == []
    refused = sum(isinstance(end, refusal) for end in ends)
    return len(ends) - refused, refused


async def test_a_cap_holds_to_the_last_run_over_two_replicas(replica: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        capped = Settings(limits={"day": 45 * PLAN.high_microusd})
        two = [replica(capped, openai_url=fake.base_url) for _ in range(2)]
        for one in two:
            await one.engine.start()
        presses = [two[number % 2].engine.submit(PLAN, LOCAL_OWNER) for number in range(64)]
        assert await outcomes(presses, LimitReached) == (45, 19)
        assert len(await all_runs(two[0])) <= 45
        assert fake.posts <= 5
        assert await two[0].engine.cancel_all(LOCAL_OWNER) == 45
        await stopped(*two)


async def test_a_visitor_has_one_share_of_all_replicas(replica: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        allowed = VisitorLimits(running=4, runs=6, votes=5, key_tries=5, address=2)
        public = Settings(mode="public", public=PublicSettings(limits=allowed), calls_per_minute=7)
        two = [replica(public, openai_url=fake.base_url) for _ in range(2)]
        for one in two:
            one.services.keys.put(CATALOG.provider("openai"), "ann", KEY)
            one.app.services.usage.seen("ann", "203.0.113.9")
        presses = [two[number % 2].engine.submit(PLAN, "ann") for number in range(12)]
        assert await outcomes(presses, PlanRefused) == (4, 8), "so many at once"
        await asyncio.gather(*(one.engine.cancel_all("ann") for one in two))
        presses = [two[number % 2].engine.submit(PLAN, "ann") for number in range(4)]
        assert await outcomes(presses, PlanRefused) == (2, 2), "so many in an hour, those refused not counted"
        tries = [two[number % 2].services.usage.count("key_tries", "ann") for number in range(16)]
        assert await outcomes(tries, UseRefused) == (5, 11)
        later = [
            await one.services.usage.counted("votes", "ann", is_apart=is_apart)
            for one, is_apart in zip(two, (True, False), strict=True)
        ]
        two[1].services.store.write(later[1])
        votes = [two[number % 2].services.usage.count("votes", "ann") for number in range(6)]
        assert await outcomes(votes, UseRefused) == (3, 3), "in a private session too, whose rows are elsewhere"
        others = [
            two[number % 2].services.usage.count("key_tries", f"v{number}", address="203.0.113.9")
            for number in range(9)
        ]
        assert await outcomes(others, UseRefused) == (5, 4), "one address, however many visitors"
        paced = [two[number % 2].app.pace.count("ann") for number in range(16)]
        assert await outcomes(paced, TooOften) == (7, 9)
        subjects = two[0].services.store.read(lambda db: db.execute("select subject from uses").fetchall())
        assert not any("ann" in name or "203" in name[:4] for (name,) in subjects), "under a hash"
        await stopped(*two)


async def test_a_stop_while_a_place_is_given_back_is_too_late(replica: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    give_back, is_asked, may_go_on = seats.give_back, threading.Event(), threading.Event()

    def slow(db: Any, seat_id: str) -> None:
        is_asked.set()
        may_go_on.wait(5)
        give_back(db, seat_id)

    monkeypatch.setattr(seats, "give_back", slow)
    with FakeOpenAI(key=KEY) as fake:
        one = replica(openai_url=fake.base_url)
        await one.engine.submit(PLAN, LOCAL_OWNER)
        await until(is_asked.is_set)
        stop = asyncio.create_task(one.engine.cancel_all(LOCAL_OWNER))
        await asyncio.sleep(0.05)
        may_go_on.set()
        await stop
        view = await ended(one)
        assert (view.run.state, len(view.images), view.ledger_state) == ("succeeded", 1, "settled")
        await stopped(one)


@contextlib.asynccontextmanager
async def writing(one: Harness) -> AsyncIterator[None]:
    """Meanwhile this replica is the one that writes, and nobody else can."""
    is_writing, may_end = threading.Event(), threading.Event()

    def job(db: Any) -> None:
        db.conn.execute("select 1").fetchall()
        is_writing.set()
        may_end.wait(10)

    task = asyncio.create_task(asyncio.to_thread(one.services.store.write, job))
    await until(is_writing.is_set)
    try:
        yield
    finally:
        may_end.set()
        await task


def waits_for_others(one: Harness, milliseconds: int) -> None:
    """That long, before it says that others write."""
    one.services.store.write(lambda db: db.conn.execute(f"set lock_timeout = {milliseconds}").fetchall())


async def test_who_waits_for_a_place_can_be_stopped_while_the_database_takes_nothing(replica: Make) -> None:
    one, other = replica(), replica()
    waits_for_others(one, 200)
    async with writing(other):
        waiting = asyncio.create_task(one.engine._places.seats.take("openai"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=0.5)
        assert waiting.cancelled()
    await stopped(one, other)


async def test_places_are_given_back_and_asked_for_until_the_database_takes_it_and_an_outage_is_told_once(
    replica: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("playground.seats._LOOK_AGAIN_S", 0.02)
    one, other = replica(), replica()
    places = one.engine._places.seats
    waits_for_others(one, 20)
    held = [await places.take("openai") for _ in range(3)]
    async with writing(other):
        for seat_id in held:
            places.give_back(seat_id, "openai")
        await asyncio.sleep(0.2)
        assert seats_of(one) == {*held}
    await until(lambda: not seats_of(one))
    async with writing(other):
        waiting = asyncio.create_task(places.take("openai"))
        await asyncio.sleep(0.2)
    place = await waiting
    assert seats_of(one) == {place}
    warned = [each for each in caplog.records if (each.name, each.levelname) == ("playground.seats", "WARNING")]
    assert len(warned) == 2, "of each outage one, however many places and tries"
    await stopped(one, other)


def seats_of(one: Harness) -> set[str]:
    rows = one.services.store.read(lambda db: db.execute("select seat_id from seats").fetchall())
    return {seat_id for (seat_id,) in rows}


async def test_a_providers_limit_holds_over_all_replicas(replica: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0
    send = calls.send

    async def counted(*args: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await send(*args)
        finally:
            at_once -= 1

    monkeypatch.setattr(calls, "send", counted)
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Slow(0.02))
        two = [replica(openai_url=fake.base_url) for _ in range(2)]
        for one in two:
            await one.engine.start()
        await asyncio.gather(*(two[number % 2].engine.submit(PLAN, LOCAL_OWNER) for number in range(16)))
        for one in two:
            async with asyncio.timeout(20):
                async for _ in one.engine.follow_owner(LOCAL_OWNER):
                    pass
        assert {view.run.state for view in await all_runs(two[0])} == {"succeeded"}
        assert (fake.posts, most) == (16, CATALOG.provider("openai").max_concurrent)
        await until(lambda: not seats_of(two[0]))
        await stopped(*two)
