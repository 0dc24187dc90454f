"""The Arena by keyboard and on a phone: the focus goes on with what was pressed, and all that is asked is in sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from arena.prompts import DEMO_PROMPTS
from tests.ui.browser import PATIENCE_MS, PHONE, RunningApp
from tests.ui.traffic import Traffic

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app for visitors, of whom each test is a new one without a history."""
    folder = tmp_path_factory.mktemp("keyboard")
    one = RunningApp(folder / "data", folder / "log.txt", DIPTYCH_MODE="public")
    yield one
    one.stop()
    assert "Traceback" not in one.log.read_text()


@pytest.fixture
def arena(page: Page, app: RunningApp) -> str:
    """The tab's address."""
    page.set_default_timeout(PATIENCE_MS)
    return f"{app.url}#arena"


def begin(page: Page, arena: str) -> None:
    """A demo battle by keyboard, until its images are there."""
    page.goto(arena)
    page.locator("#ar-demo").press("Enter")
    expect(page.get_by_test_id("battle")).to_have_attribute("data-gate", "open", timeout=2 * PATIENCE_MS)


def test_the_focus_goes_from_the_start_over_stop_to_the_answers_and_on(page: Page, arena: str) -> None:
    page.goto(arena)
    page.locator("#ar-demo").press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    battle = page.get_by_test_id("battle")
    expect(battle).to_have_attribute("data-gate", "open", timeout=2 * PATIENCE_MS)
    answers = page.get_by_role("group", name="Which is better?")
    expect(answers).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#ar-a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(battle).to_have_attribute("data-state", "revealed")
    expect(page.locator("#ar-next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(answers).to_be_focused(timeout=2 * PATIENCE_MS)


def test_a_demo_battle_after_a_reload_leads_to_another_and_so_does_its_skip(page: Page, arena: str) -> None:
    begin(page, arena)
    first = page.locator(".ar-prompt").inner_text()
    page.reload()
    expect(page.get_by_test_id("battle")).to_have_attribute("data-gate", "open")
    expect(page.locator(".ar-prompt")).to_have_text(first)
    page.keyboard.press("3")
    expect(page.get_by_test_id("battle")).to_have_attribute("data-state", "revealed")
    for key in ("n", "0"):
        page.keyboard.press(key)
        expect(page.get_by_test_id("battle")).to_have_attribute("data-state", "working")
        expect(page.get_by_test_id("battle")).to_have_attribute("data-gate", "open", timeout=2 * PATIENCE_MS)
        assert page.locator(".ar-prompt").inner_text() in DEMO_PROMPTS


def test_a_late_answer_of_the_form_does_not_take_the_place_of_the_battle_that_was_started(
    page: Page, arena: str
) -> None:
    traffic = Traffic(page)
    page.goto(arena)
    page.get_by_role("button", name="New battle").click()
    expect(page.locator("#ar-start")).to_be_enabled()
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/queue/join*", hold_first)
    page.get_by_role("radio", name="Medium").check()
    while not held:
        page.wait_for_timeout(50)
    page.click("#ar-start")
    battle = page.get_by_test_id("battle")
    expect(battle).to_have_attribute("data-gate", "open", timeout=2 * PATIENCE_MS)
    held[0].continue_()
    traffic.settle()
    expect(battle).to_have_attribute("data-state", "battle")
    page.keyboard.press("1")
    expect(battle).to_have_attribute("data-state", "revealed")
    page.get_by_role("button", name="Next battle").click()
    expect(page.get_by_test_id("battle-form")).to_be_visible()


def test_on_a_phone_the_two_more_questions_stand_over_the_answers_in_sight(page: Page, arena: str) -> None:
    page.set_viewport_size(PHONE)
    begin(page, arena)
    page.evaluate("localStorage.setItem('diptych-arena-questions', 'on')")
    page.reload()
    expect(page.get_by_test_id("battle")).to_have_attribute("data-gate", "open")
    questions = page.get_by_test_id("questions")
    box, answers = questions.bounding_box(), page.locator(".ar-bar.answers").bounding_box()
    assert box
    assert answers
    assert box["y"] > 400
    assert box["y"] + box["height"] <= answers["y"] + 1
    assert all(one.bounding_box()["height"] >= 40 for one in questions.get_by_role("button").all())
    questions.get_by_role("button", name="Alike").first.click()
    expect(questions.get_by_role("button", name="Alike").first).to_have_attribute("aria-pressed", "true")
    # The last line of words can be scrolled clear of what stands before it.
    page.mouse.wheel(0, 5000)
    line = page.locator(".ar-line .link").last
    expect(line).to_be_in_viewport()
    page.wait_for_timeout(300)
    below = line.bounding_box()
    assert below
    assert below["y"] + below["height"] <= box["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
