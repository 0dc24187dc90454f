"""The Arena in a browser: nothing can be answered before both images were painted, by button or by key, and nothing is asked
before the answer to what was pressed last.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.arena.world import add_run, make_services, picture
from tests.ui.browser import RunningApp
from tests.ui.traffic import Traffic

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app whose history holds pairs."""
    folder = tmp_path_factory.mktemp("gate")
    services = make_services(folder / "data")
    for number in range(8):
        for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini"):
            add_run(services, offer, f"Prompt {number}", data=picture((300, 200)))
    services.store.close()
    one = RunningApp(folder / "data", folder / "log.txt")
    yield one
    assert one.stop() == 0


@pytest.fixture
def arena(app: RunningApp) -> str:
    return f"{app.url}#arena"


def battle_on(page: Page) -> Locator:
    return page.get_by_test_id("battle")


def answers_sent(page: Page) -> list[str]:
    sent: list[str] = []

    def note(request: Any) -> None:
        if "queue/join" in request.url and "blind/" in (request.post_data or ""):
            sent.append(request.post_data)

    page.on("request", note)
    return sent


def held_back(page: Page, address: str) -> list[Route]:
    """What the page asks there from now on, which is not passed on."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(address, hold)
    return held


def abort(route: Route) -> None:
    route.abort()


def let_through(page: Page, address: str, held: list[Route]) -> None:
    for route in held:
        route.continue_()
    page.unroute(address)


def test_buttons_and_keys_pass_one_gate_and_a_vote_goes_once(page: Page, arena: str) -> None:
    held = held_back(page, "**/blind/*/b.webp")
    sent = answers_sent(page)
    with page.expect_response("**/blind/*/a.webp"), page.expect_request("**/blind/*/b.webp"):
        page.goto(arena)
    battle = battle_on(page)
    expect(battle).to_have_attribute("data-gate", "closed")
    expect(page.locator(".ar-box img")).to_have_count(0)
    for key in ("1", "2", "3", "4", "0", "n", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    for button in page.locator("[data-answer]").all():
        expect(button).to_be_disabled()
    assert sent == []

    let_through(page, "**/blind/*/b.webp", held)
    expect(battle).to_have_attribute("data-gate", "open")
    expect(page.get_by_alt_text("Image A")).to_be_visible()
    expect(page.get_by_alt_text("Image B")).to_be_visible()
    for key in ("ArrowRight", "1", "0"):
        page.keyboard.press(key)
    expect(battle).to_have_attribute("data-state", "revealed")
    expect(page.get_by_test_id("said")).to_contain_text("Your vote counted.")
    expect(page.get_by_test_id("side-b")).to_contain_text("Your vote")
    assert len(sent) == 1
    expect(page.locator("[data-answer]")).to_have_count(0)


def test_a_pair_that_does_not_load_can_only_be_skipped(page: Page, arena: str) -> None:
    page.route("**/blind/*/a.webp", abort)
    sent = answers_sent(page)
    page.goto(arena)
    expect(battle_on(page)).to_have_attribute("data-gate", "broken")
    page.keyboard.press("1")
    assert sent == []
    expect(page.get_by_role("button", name="A better")).to_be_disabled()
    page.unroute("**/blind/*/a.webp")
    page.keyboard.press("0")
    expect(battle_on(page)).to_have_attribute("data-gate", "open")


def test_the_image_that_did_not_load_is_named_and_can_be_loaded_again(page: Page, arena: str) -> None:
    page.route("**/blind/*/b.webp", abort)
    page.goto(arena)
    battle = battle_on(page)
    expect(battle).to_have_attribute("data-gate", "broken")
    expect(page.get_by_test_id("side-b")).to_contain_text("Did not load")
    expect(page.get_by_test_id("side-a")).to_contain_text("Waits for the other image")
    expect(page.locator(".ar-line").first).to_contain_text("Image B did not load.")
    expect(page.locator(".ar-box img")).to_have_count(0)
    again = page.get_by_role("button", name="Load image B again")
    again.click()
    expect(again).to_be_visible()
    page.unroute("**/blind/*/b.webp")
    again.press("Enter")
    expect(battle).to_have_attribute("data-gate", "open")
    expect(page.locator(".ar-bar.answers")).to_be_focused()
    page.keyboard.press("2")
    expect(battle).to_have_attribute("data-state", "revealed")


def test_no_key_answers_while_the_focus_is_on_something_with_keys_of_its_own(page: Page, arena: str) -> None:
    sent, traffic = answers_sent(page), Traffic(page)
    page.goto(arena)
    battle = battle_on(page)
    expect(battle).to_have_attribute("data-gate", "open")
    tab = page.get_by_role("tab", name="Arena")
    tab.focus()
    for key in ("ArrowRight", "ArrowLeft", "1", "4", "0", "n", "z"):
        page.keyboard.press(key)
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<ul role=menu tabindex=0 id=mine></ul>')"
    )
    page.locator("#mine").focus()
    page.keyboard.press("ArrowRight")
    expect(battle).to_have_attribute("data-state", "battle")
    expect(page.get_by_test_id("zoom")).to_have_count(0)
    assert sent == []
    for one in (page.get_by_role("tab", name="Settings"), tab):
        with traffic.answered():
            one.click()
    expect(battle).to_have_attribute("data-gate", "open")
    page.keyboard.press("ArrowRight")
    expect(battle).to_have_attribute("data-state", "revealed")


def test_no_place_jumps_when_the_makers_are_shown(page: Page, arena: str) -> None:
    page.goto(arena)
    expect(battle_on(page)).to_have_attribute("data-gate", "open")
    # Five answers make room for two buttons, so of the bar only its height and place from the top stay.
    places = """[
        ...[...document.querySelectorAll('.ar-box, .ar-prompt')].map((one) => JSON.stringify(one.getBoundingClientRect())),
        ...[...document.querySelectorAll('.ar-bar')].map((one) => [one.getBoundingClientRect().top, one.offsetHeight]),
    ]"""
    before = page.evaluate(places)
    page.keyboard.press("3")
    expect(battle_on(page)).to_have_attribute("data-state", "revealed")
    assert page.evaluate(places) == before


def test_while_a_vote_is_taken_back_nothing_else_is_asked(page: Page, arena: str) -> None:
    page.goto(arena)
    expect(battle_on(page)).to_have_attribute("data-gate", "open")
    page.keyboard.press("1")
    expect(page.get_by_test_id("said")).to_contain_text("Your vote counted.")
    held = held_back(page, "**/queue/join**")
    page.click("#ar-undo")
    expect(page.locator("#ar-next")).to_be_disabled()
    page.keyboard.press("n")
    let_through(page, "**/queue/join**", held)
    expect(page.get_by_test_id("said")).to_contain_text("taken back")
    assert len(held) == 1
    page.keyboard.press("n")
    expect(battle_on(page)).to_have_attribute("data-gate", "open")


def test_a_pair_that_a_link_names_is_voted_on_and_left_at_once(page: Page, app: RunningApp) -> None:
    with sqlite3.connect(f"file:{app.log.parent / 'data' / 'diptych.sqlite3'}?mode=ro", uri=True) as db:
        one, two = (row[0] for row in db.execute("select run_id from runs where prompt = 'Prompt 1'"))
    page.goto(f"{app.url}#arena/images/{one}:0/{two}:0")
    battle = battle_on(page)
    expect(page.locator(".ar-line").first).to_contain_text("picked by you, counts for your own board only")
    expect(battle).to_have_attribute("data-gate", "open")
    page.keyboard.press("1")
    expect(page.get_by_test_id("said")).to_contain_text("your vote counts for your own board only")
    page.keyboard.press("n")
    expect(battle).to_have_attribute("data-state", "battle")
    expect(battle).to_have_attribute("data-gate", "open")
