"""Markup in every text that the page and its saved files show, in a real browser: it is read as text and never runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.arena.world import make_services
from tests.hostile.texts import SHORT, files, fill
from tests.ui.browser import RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("scripts")
    services = make_services(folder / "data")
    fill(services)
    services.store.close()
    with served(folder) as one:
        yield one


def held(page: Page) -> None:
    """Nothing of it ran, and nothing of it became a part of the page."""
    assert page.evaluate("window.ran") is None
    assert page.locator("img[src=x], svg[onload]").count() == 0


def test_on_every_tab_and_in_the_saved_files_all_words_stay_words(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.on("dialog", lambda dialog: visit.errors.append(dialog.message))
    expect(page.get_by_test_id("group").first).to_contain_text("onerror=window.ran")
    page.get_by_role("button", name="Templates").click()
    expect(page.get_by_test_id("templates").locator("li b")).to_have_text(SHORT)
    page.keyboard.press("Escape")
    held(page)
    visit.tab("History")
    for number in range(page.locator("#hi-grid [data-testid^=tile]").count()):
        page.locator("#hi-grid [data-testid^=tile]").nth(number).click()
        expect(page.get_by_test_id("details")).to_contain_text("onerror=window.ran")
        held(page)
        page.keyboard.press("Escape")
    for name in ("Arena", "Leaderboard", "Costs", "Settings"):
        visit.tab(name)
        visit.traffic.settle()
        held(page)
    services = make_services(tmp_path / "own")
    for name, text in files(services).items():
        path = tmp_path / name
        path.write_text(text)
        page.goto(path.as_uri())
        expect(page.locator("body")).to_contain_text("onerror=window.ran")
        held(page)
    services.store.close()
