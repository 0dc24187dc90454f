"""Markup in every text that the page and its saved files show, in a real browser: it is read as text and never runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.arena.world import make_services, picture
from tests.hostile.texts import EVIL, FILE_NAME, SHORT, files, fill
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


def file(number: int) -> dict[str, str | bytes]:
    return {"name": FILE_NAME, "mimeType": "image/png", "buffer": picture(number=number)}


def a_variable(visit: Visit) -> None:
    page = visit.page
    visit.choose("demo/flat")
    page.fill("#pg-prompt textarea", "A boat of {kind}")
    cell = page.get_by_label("kind, row 1")
    cell.fill(EVIL)
    expect(cell).to_have_value(EVIL)
    visit.typed = f"A boat of {EVIL}"
    visit.run()
    expect(visit.tiles("done")).to_have_count(1)
    expect(visit.newest()).to_contain_text(f"A boat of {EVIL}")


def a_prompt_of_a_battle(visit: Visit) -> None:
    page = visit.page
    visit.tab("Arena")
    page.get_by_role("button", name="New battle").click()
    page.get_by_role("radio", name="Your own").check()
    page.set_input_files("#ar-upload input[type=file]", file(3))
    expect(page.get_by_test_id("own-source").locator("img")).to_have_attribute("alt", re.compile("onerror"))
    page.get_by_label("Remove source image 1").click()
    page.fill("#ar-prompt", EVIL)
    page.select_option("#ar-first", "demo/flat")
    page.select_option("#ar-second", "demo/sketch")
    page.click("#ar-start")
    expect(page.locator(".ar-prompt")).to_have_text(EVIL)
    expect(page.get_by_test_id("battle")).to_have_attribute("data-gate", "open")
    held(page)
    page.keyboard.press("1")
    expect(page.get_by_test_id("said")).to_contain_text("Your vote counted.")


def the_name_of_a_file(visit: Visit) -> None:
    page = visit.page
    page.set_input_files("#pg-upload input[type=file]", file(5))
    expect(page.get_by_test_id("reference").locator("button").first).to_have_attribute("title", re.compile("onerror"))
    held(page)
    visit.tab("History")
    page.locator("#fi-recall summary").click()
    page.set_input_files("#fi-recall-file", file(6))
    expect(page.get_by_test_id("recall-said")).to_be_visible()
    expect(page.locator(".fi-asked")).to_have_attribute("alt", re.compile("onerror"))


@pytest.mark.parametrize("where", [a_variable, a_prompt_of_a_battle, the_name_of_a_file])
def test_what_a_visitor_types_or_hands_over_is_shown_as_words(where: Callable[[Visit], None], visit: Visit) -> None:
    visit.page.on("dialog", lambda dialog: visit.errors.append(dialog.message))
    where(visit)
    held(visit.page)
