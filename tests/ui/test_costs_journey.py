"""From a limit that stops a press to the tab where it is set, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from playground.services import timestamp
from storage import ledger, runs
from storage.database import Store
from tests.harness import KEY
from tests.storage.builders import make_group, make_line, make_run
from tests.ui.browser import PHONE, RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """4.90 dollars settled today, one unknown line of 0.05 more."""
    folder = tmp_path_factory.mktemp("costs")
    store, at = Store.open(folder / "data"), timestamp(datetime.now(UTC))
    some = [make_run("r1", state="succeeded", queued_at=at), make_run("r2", state="unknown", queued_at=at)]
    lines = [make_line("r1", amount_microusd=4_900_000, at=at), make_line("r2", amount_microusd=50_000, at=at)]
    store.write(lambda db: runs.insert_group(db, make_group()))
    store.write(lambda db: runs.insert_runs(db, some, [], lines))
    store.write(
        lambda db: ledger.settle(db, "r1", 4_900_000, "computed", None, at) and ledger.mark_unknown(db, "r2", at)
    )
    store.close()
    with served(folder, OPENAI_API_KEY=KEY) as one:
        yield one


def test_a_limit_is_set_stops_a_press_and_an_unknown_is_settled(app: RunningApp, page: Page) -> None:
    visit = Visit(page, app)
    visit.tab("Costs")
    expect(page.get_by_test_id("card-today").locator("dd").first).to_have_text("$4.90")
    limits = page.get_by_test_id("cost-limits")
    limits.get_by_role("button", name="Set one").click()
    day = limits.get_by_label("Day, in US dollars")
    day.fill("lots")
    day.press("Enter")
    expect(limits.get_by_role("alert")).to_contain_text("“lots” is no amount")
    day.fill("4.95")
    day.press("Enter")
    expect(limits.get_by_role("progressbar")).to_have_attribute("aria-label", "Day: $4.95 of $4.95")
    expect(page.locator("#d-strip .spent")).to_contain_text("of $4.95")

    visit.tab("Playground")
    visit.choose("openai/gpt-image-2")
    visit.prompt("A red fox")
    expect(page.locator("#pg-run")).to_have_text("Over the day limit")
    page.click("#pg-run")
    told = page.get_by_test_id("over-limit")
    expect(told).to_contain_text("Today's limit of $4.95 would be passed: $4.95 is spent or held, $0.00 is left")
    told.get_by_role("link", name="Open Costs").click()

    page.get_by_test_id("card-unknown").get_by_role("button").click()
    lines = page.get_by_test_id("ledger")
    lines.get_by_role("button", name="Settle by hand").click()
    lines.get_by_label("Cost in US dollars").fill("0")
    lines.get_by_label("Cost in US dollars").press("Enter")
    expect(page.get_by_test_id("card-unknown").locator("dd").first).to_have_text("None")
    expect(limits.get_by_role("progressbar")).to_have_attribute("aria-label", "Day: $4.90 of $4.95")

    page.get_by_test_id("prices").locator("summary").click()
    expect(page.get_by_test_id("prices").locator("tbody tr").first).to_contain_text("per million tokens")
    visit.tab("Playground")
    expect(page.locator("#pg-run")).to_contain_text("about $0.0059")
    assert visit.errors == []


def test_the_form_of_an_own_price_is_whole_on_a_phone(app: RunningApp, page: Page) -> None:
    page.set_viewport_size(PHONE)
    visit = Visit(page, app)
    visit.open("#costs")
    prices = page.get_by_test_id("prices")
    prices.locator("summary").click()
    prices.get_by_role("button", name="Set an own price for").first.click()
    for field in (prices.get_by_label("Figures in US dollars"), prices.get_by_role("button", name="Set own price")):
        box = field.bounding_box()
        assert box
        assert 0 <= box["x"] < box["x"] + box["width"] <= 390
    assert visit.errors == []


def test_the_operator_of_a_public_server_settles_what_a_visitor_left_unknown(tmp_path: Path, page: Page) -> None:
    store, at = Store.open(tmp_path / "data"), timestamp(datetime.now(UTC))
    run = make_run("r1", owner="visitor", prompt="a secret zebra", state="unknown", queued_at=at)
    store.write(lambda db: runs.insert_group(db, make_group(owner="visitor")))
    store.write(lambda db: runs.insert_runs(db, [run], [], [make_line("r1", at=at, session=f"server {at[:10]}")]))
    store.write(lambda db: ledger.mark_unknown(db, "r1", at) and None)
    store.close()
    public = {"DIPTYCH_MODE": "public", "DIPTYCH_OPERATOR_TOKEN": "t" * 20, "DIPTYCH_SERVER_KEYS": "everyone",
              "DIPTYCH_LIMIT_DAY": "5", "DIPTYCH_LIMIT_VISITOR_DAY": "1", "DIPTYCH_TIME_ZONE": "UTC"}  # fmt: skip
    one = RunningApp(tmp_path / "data", tmp_path / "log.txt", OPENAI_API_KEY=KEY, **public)
    try:
        visit = Visit(page, one)
        visit.tab("Costs")
        expect(page.get_by_test_id("cost-limits")).to_contain_text("$5.00 for all together")
        expect(page.get_by_test_id("others-unknown")).to_have_count(0)
        status = page.evaluate(
            """token => fetch("operator", {method: "POST", headers: {"X-Diptych": "1"}, body: JSON.stringify({token})})
                .then((answer) => answer.status)""",
            "t" * 20,
        )
        assert status == 200
        visit.open()
        visit.tab("Costs")
        expect(page.get_by_test_id("cost-limits")).to_contain_text("$0.031 of $5.00")
        others = page.get_by_test_id("others-unknown")
        expect(others).to_contain_text("1 unknown, $0.031 held")
        expect(others).not_to_contain_text("zebra")
        others.get_by_role("button", name="Settle by hand").click()
        amount = others.get_by_label("Cost in US dollars")
        amount.fill("nothing")
        amount.press("Enter")
        expect(others.get_by_role("alert")).to_contain_text("“nothing” is no amount")
        amount.fill("0.0299")
        amount.press("Enter")
        expect(others).to_have_count(0)
        expect(page.get_by_test_id("cost-limits")).to_contain_text("$0.03 of $5.00")
        assert visit.errors == []
    finally:
        assert one.stop() == 0
