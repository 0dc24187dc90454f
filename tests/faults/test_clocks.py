"""A clock that jumps, back or ahead, while something is under way: what is measured, ordered and chained does not follow it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from arena import battle
from playground import library
from storage import battles
from storage.anchors import anchor_of
from storage.records import Battle
from storage.verify import check_anchor, verify
from tests.arena.world import Clock, add_run, make_services
from tests.fakes.fal_server import FakeFal
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness
from tests.noon import NOON
from tests.playground.job_world import quick


class Jumping:
    """Each time it is asked, it is somewhere else: a year back, two ahead, and so on."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return NOON + timedelta(days=365 * (self.asked % 3 - 1), seconds=self.asked)


@pytest.mark.asyncio
@pytest.mark.parametrize("offer", ["openai/gpt-image-2", "fal/gpt-image-2"])
async def test_runs_end_and_are_measured_whatever_the_clock_says(harness: Callable[..., Harness], offer: str) -> None:
    with FakeOpenAI(key=KEY) as openai, FakeFal() as fal:
        one = harness(
            openai_url=openai.base_url, urls={"fal": fal.base_url}, keys={"fal": fal.key}, upload_urls={"fal": fal.rest_url},
            sleep=quick, clock=Jumping(),
        )  # fmt: skip
        views = [await one.one(f"A fox {number}", offer, quality="low", size="1024x1024") for number in range(3)]
        page, _ = await library.history_page(one.services, None)
        posts = openai.posts + fal.posts
        await one.stop()
    assert posts == 3
    for view in views:
        assert view.run.state == "succeeded", view.run.error
        assert view.run.latency_ms is not None
        assert 0 <= view.run.latency_ms < 20_000
    assert [view.run.prompt for view in page.runs] == ["A fox 2", "A fox 1", "A fox 0"], "in the order of their making"
    assert verify(one.services.store) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(hours=-1)])
async def test_votes_stand_in_their_order_although_the_clock_went_back(tmp_path: Path, jump: timedelta) -> None:
    clock = Clock()
    services = make_services(tmp_path, clock=clock)
    images = [add_run(services, offer)[0] for offer in ("openai/x", "fal/x")]

    def write(number: int) -> str:
        battle_id = f"{number:032x}"
        one = Battle(
            battle_id=battle_id, voter="local", operation="generate", prompt="A fox", image_a=images[0], image_b=images[1],
            offer_a="openai/x", offer_b="fal/x", source="history", is_demo=False, probability=0.5, state="open",
            created_at=services.now(), expires_at="2030-01-01T00:00:00.000Z",
        )  # fmt: skip
        services.store.write(lambda db: battles.insert(db, one))
        return battle_id

    await battle.vote(services, write(1), "local", "a", 900)
    before = services.store.read(anchor_of)
    clock.move(jump)
    second = write(2)
    await battle.vote(services, second, "local", "b", 900)
    await battle.take_back(services, second, "local")
    clock.move(-2 * jump)
    await battle.vote(services, write(3), "local", "tie", 900)
    order = services.store.read(lambda db: db.conn.execute("select outcome from votes order by seq").fetchall())
    assert order == [("a",), ("b",), ("tie",)]
    assert verify(services.store) == []
    assert check_anchor(services.store, before) == []
    assert services.store.read(anchor_of).at.links == 4
    services.store.close()
