"""History in a browser: found, picked, trashed and taken back, by mouse and by keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.ui.browser import RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp("history")) as one:
        yield one


def test_a_person_finds_marks_trashes_and_takes_back(visit: Visit) -> None:
    page = visit.page
    visit.choose("demo/flat", "demo/sketch")
    visit.prompt("A red fox")
    visit.run()
    expect(visit.tiles("done")).to_have_count(2)
    visit.tab("History")
    tiles, count, said = (
        page.locator(".hi-tile"),
        page.get_by_test_id("history-count"),
        page.get_by_test_id("history-said"),
    )
    expect(count).to_have_text("2 runs")
    expect(tiles).to_have_count(2)

    tiles.first.click()
    details = page.get_by_test_id("details")
    expect(details).to_contain_text("Queued")
    details.get_by_role("button", name="4 stars").click()
    expect(page.locator(".hi-words").first).to_contain_text("4★")
    details.get_by_label("Add a tag").fill("Logo")
    details.get_by_label("Add a tag").press("Enter")
    page.get_by_role("button", name="logo", exact=True).click()
    expect(page.locator("#hi-search-box")).to_have_value("tag:logo")
    expect(count).to_have_text("1 run")
    page.locator("#hi-search-box").fill("fox cost:cheap")
    expect(page.locator("#hi-misread")).to_contain_text("a cost is written as")
    page.locator("#hi-search-box").fill("fo")
    expect(count).to_have_text("2 runs")

    tiles.first.focus()
    page.keyboard.press("j")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("f")
    expect(said).to_contain_text("1 image is a favourite.")
    tiles.nth(1).focus()
    page.keyboard.press("Delete")
    expect(said).to_contain_text("1 image in the trash.")
    expect(count).to_have_text("1 run")
    page.keyboard.press("Control+z")
    expect(count).to_have_text("2 runs")

    for box in page.locator("[data-tick]").all():
        box.check(force=True)
    bar = page.get_by_test_id("history-bulk")
    bar.get_by_role("button", name="Compare").click()
    expect(page.get_by_test_id("compare").locator("figure")).to_have_count(2)
    page.keyboard.press("Escape")
    bar.get_by_role("button", name="Trash").click()
    expect(page.get_by_test_id("history-empty")).to_contain_text("All of it is in the trash")
    page.locator("#hi-search-box").fill("")
    page.locator("#hi-trash").click()
    expect(tiles).to_have_count(2)
    page.locator("[data-tick]").first.check(force=True)
    bar.get_by_role("button", name="Delete for ever").click()
    page.get_by_test_id("ask").get_by_role("button", name="Delete for ever").click()
    expect(said).to_contain_text("1 image deleted for ever.")
    said.get_by_role("button", name="Close").click()
    page.locator("[data-tick]").first.check(force=True)
    bar.get_by_role("button", name="Restore").click()
    expect(page.get_by_test_id("history-no_match")).to_contain_text("The trash is empty")
    page.get_by_role("button", name="Show all").click()
    expect(count).to_have_text("1 run")

    run = re.sub("^tile-", "", tiles.first.get_attribute("data-testid") or "")
    visit.open(f"#history/run/{run}")
    expect(page.get_by_test_id("details")).to_contain_text("A red fox")
