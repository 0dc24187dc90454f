"""Prices of the operator's own: read, in force from their day on, and never reaching back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from playground import entering, prices, what_if
from playground.keys import FoundKey
from playground.plan import make_plan
from playground.prices import WrongPrice, figures_of, lines_of
from playground.refusals import NotYours
from providers.catalog import Price
from providers.pricing import cost_of
from providers.rows import CATALOG
from providers.types import ImageRequest, Usage
from storage import ledger, runs
from storage import prices as stored
from storage.ledger_pages import PaidRun
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness

DEAR = "text_in 10\nimage_in 20\nimage_out 60"


def price(one: Harness, offer: str = OFFER) -> Price:
    found = one.services.catalog.offer(offer).price
    assert found
    return found


async def set_price(one: Harness, text: str, day: str, offer: str = OFFER) -> None:
    await prices.set_price(one.services, "local", offer, text, day, "my contract")


@pytest.mark.asyncio
async def test_a_price_holds_from_its_day_on_and_the_newest_wins(harness: Callable[..., Harness]) -> None:
    one = harness()
    listed = price(one)
    today = one.services.clock().date()
    await set_price(one, DEAR, "2999-01-01")
    assert price(one) == listed
    await set_price(one, DEAR, today.isoformat())
    assert (price(one).image_out, price(one).source) == (Decimal(60), "my contract")
    later = replace(one.services, clock=lambda: datetime(2999, 1, 2, tzinfo=UTC))
    await set_price(one, "image_out 7", "2998-01-01")
    prices.reprice(later)
    assert price(one).image_out == 60  # of those that have begun, the one that began last
    assert price(one).price_id.startswith(f"{OFFER}@2999-01-01+")


@pytest.mark.asyncio
async def test_of_two_prices_set_at_once_the_later_holds_at_once(
    harness: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, real = harness(), prices.in_force
    has_read, may_go_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> Any:
        if not has_read.is_set():
            has_read.set()
            may_go_on.wait(1)
        return real(*given)

    monkeypatch.setattr(prices, "in_force", slow)
    first = asyncio.create_task(set_price(one, "image_out 7", "2026-01-01"))
    await asyncio.to_thread(has_read.wait, 10)
    await asyncio.gather(set_price(one, DEAR, "2026-01-02"), set_free(may_go_on, one), first)
    assert price(one).image_out == 60


async def set_free(may_go_on: threading.Event, one: Harness) -> None:
    """Lets the first go on once the second is written, and has had time to be put in."""
    while len(one.services.store.read(stored.standing)) < 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    may_go_on.set()


@pytest.mark.asyncio
async def test_a_run_is_paid_at_the_price_it_was_planned_with(harness: Callable[..., Harness]) -> None:
    one = harness()
    plan = make_plan(ImageRequest(prompt="a", quality="low", size="1024x1024"), [OFFER], one.services.catalog)
    before = plan.runs[0].estimate
    await set_price(one, DEAR, "2026-01-01")
    again = make_plan(plan.runs[0].request, [OFFER], one.services.catalog).runs[0].estimate
    assert plan.runs[0].estimate == before
    assert before.high_microusd is not None
    assert again.high_microusd is not None
    assert again.high_microusd > before.high_microusd
    assert CATALOG.offer(OFFER).price == before.price, "every composition has a catalogue of its own"
    usage = Usage(text_input_tokens=10, image_input_tokens=0, output_tokens=200)
    assert cost_of(usage, again.price) == 10 * 10 + 200 * 60


@pytest.mark.asyncio
@pytest.mark.parametrize("begin", ["listed", "own", "own, taken back"])
async def test_a_run_taken_up_after_a_crash_is_paid_at_the_price_it_was_reserved_with(
    begin: str, harness: Callable[..., Harness]
) -> None:
    first = harness()
    if begin != "listed":
        await set_price(first, "text_in 1\nimage_in 2\nimage_out 3", "2026-01-01")
    kept = price(first)
    plan = make_plan(ImageRequest(prompt="a cat", quality="low", size="1024x1024"), [OFFER], first.services.catalog)
    group = entering.group_of(plan, "local", "run", first.services)
    key = FoundKey("server", None)
    rows = [entering.run_of(group, 0, plan.runs[0], key, first.worker.worker_id, first.services)]
    entering.store(first.services, group, rows, plan, "s")
    if begin == "own, taken back":
        await prices.take_back(first.services, "local", kept.price_id)
    await set_price(first, DEAR, "2026-01-02")
    first.worker.close()  # the process ends with its run in the queue

    with FakeOpenAI(key=KEY) as fake:
        second = harness(openai_url=fake.base_url)
        prices.reprice(second.services)
        assert price(second).image_out == Decimal(60), "today's price is another"
        await second.engine.start()
        async for _ in second.engine.follow_owner("local"):
            pass
        await second.stop()
    view = second.services.store.read(lambda db: runs.get(db, rows[0].run_id, None))
    (line,) = second.services.store.read(lambda db: ledger.lines_of(db, rows[0].run_id))
    assert view
    assert view.run.got
    told = view.run.got["usage"]
    assert isinstance(told, dict)
    by_hand = told["text_input_tokens"] * kept.text_in + told["output_tokens"] * kept.image_out
    assert (line.state, line.amount_microusd, line.source) == ("settled", by_hand, "computed")
    assert line.price_id == kept.price_id


@pytest.mark.asyncio
async def test_a_run_reserved_without_a_price_gets_none_later(harness: Callable[..., Harness]) -> None:
    one = harness()
    offer_id = "replicate/gpt-image-2"
    plan = make_plan(ImageRequest(prompt="a cat", quality="low", size="1024x1024"), [offer_id], one.services.catalog)
    group = entering.group_of(plan, "local", "run", one.services)
    row = entering.run_of(group, 0, plan.runs[0], FoundKey("server", None), "gone", one.services)
    entering.store(one.services, group, [row], plan, "s")
    await set_price(one, "image low * 0.011", "2026-01-01", offer_id)
    assert one.services.catalog.offer(offer_id).price is not None
    assert prices.offer_as_reserved(one.services, row).price is None


@pytest.mark.asyncio
async def test_a_price_taken_back_gives_way_to_the_listed_one(harness: Callable[..., Harness]) -> None:
    one = harness()
    listed = price(one)
    await set_price(one, DEAR, "2026-01-01")
    await prices.take_back(one.services, "local", price(one).price_id)
    assert price(one) == listed
    for work in (prices.set_price(one.services, "visitor", OFFER, DEAR, "2026-01-01", ""),
                 prices.take_back(one.services, "visitor", "x")):  # fmt: skip
        with pytest.raises(NotYours):
            await work


@pytest.mark.asyncio
async def test_what_has_no_price_can_be_given_one(harness: Callable[..., Harness]) -> None:
    one = harness()
    await set_price(one, "image low * 0.011\nimage high 1024x1024 0.05", "2026-01-01", "replicate/gpt-image-2")
    plan = make_plan(
        ImageRequest(prompt="a", quality="high", size="1024x1024"), ["replicate/gpt-image-2"], one.services.catalog
    )
    assert plan.high_microusd == 50_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gold 5",
        "image_out -1",
        "image_out NaN",
        "image_out 1e9",
        "image low 1024 0.01",
        "image_out",
        "image_out 1 2",
    ],
)
def test_what_is_no_price_is_refused_with_the_line(text: str) -> None:
    with pytest.raises(WrongPrice):
        figures_of(text)


@pytest.mark.parametrize("offer", [row.offer_id for row in CATALOG.offers if row.price and not row.price.is_free])
def test_every_listed_price_can_be_written_and_read_back(offer: str) -> None:
    listed = CATALOG.offer(offer).price
    assert listed
    row = prices.StoredPrice("id", offer, "2026-12-01", "x", figures_of(lines_of(listed)), "local", "")
    again = prices.price_of(row, listed)
    kept = ("price_id", "valid_from", "source", "text_out")
    for name in Price.__dataclass_fields__:
        assert name in kept or getattr(again, name) == getattr(listed, name), name


def test_a_price_is_old_after_sixty_days() -> None:
    listed = CATALOG.offer(OFFER).price
    assert listed
    read = listed.valid_from
    assert not prices.is_old(listed, date.fromordinal(read.toordinal() + 60))
    assert prices.is_old(listed, date.fromordinal(read.toordinal() + 61))


def paid(offer: str, amount: int, got: dict[str, object], **asked: object) -> PaidRun:
    return PaidRun("r", offer, amount, {"n": 1} | asked, got, 1, ("1024x1024",), ())


def test_old_runs_at_todays_prices_by_usage_and_by_what_came() -> None:
    usage = {"text_input_tokens": 10, "image_input_tokens": 0, "output_tokens": 200, "text_output_tokens": None}
    runs = [
        paid(OFFER, 7_000, {"usage": usage}),
        paid("runware/gpt-image-1-mini", 9_000, {}, quality="low", size="1024x1024"),
        paid("replicate/gpt-image-2", 5_000, {}),
    ]
    found = {row.offer: (row.paid_microusd, row.today_microusd, row.left_out) for row in what_if.summed(runs, CATALOG)}
    # By hand: 10 x $5 and 200 x $30 per million tokens; $0.005 an image; no price at all.
    assert found[OFFER] == (7_000, 10 * 5 + 200 * 30, 0)
    assert found["runware/gpt-image-1-mini"] == (9_000, 5_000, 0)
    assert found["replicate/gpt-image-2"] == (0, 0, 1)
