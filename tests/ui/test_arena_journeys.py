"""The Arena in a real browser: no byte before a vote tells a maker, and what a voter does from the first battle on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from arena import bank
from tests.arena.world import add_run, make_services, picture
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY
from tests.ui.browser import PATIENCE_MS, RunningApp, served
from tests.ui.makers import told_in
from tests.ui.recorder import Recorder, Told
from tests.ui.traffic import Traffic

pytestmark = pytest.mark.browser

EDIT = bank.prompts("edit-multi")[0]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app whose history holds pairs of both tasks, with real models beside the drawn ones."""
    folder = tmp_path_factory.mktemp("arena")
    services = make_services(folder / "data")
    base = picture((80, 60))
    for number in range(8):
        for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini"):
            data = picture((300, 200), form="PNG" if number % 2 else "JPEG")
            add_run(services, offer, f"Number {number}", data=data, inputs=[base] if number == 3 else ())
    services.store.close()
    with FakeOpenAI(key=KEY) as fake, served(folder, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=fake.base_url) as one:
        yield one


@pytest.fixture(scope="module")
def door(app: RunningApp) -> Iterator[Recorder]:
    with Recorder(app.port) as one:
        yield one


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


@pytest.fixture
def traffic(page: Page, door: Recorder, errors: list[str]) -> Traffic:
    """Of the page, opened through the recording door; all that the Playground says of makers has been said."""
    # Compressed bodies could not be searched.
    page.set_extra_http_headers({"Accept-Encoding": "identity"})
    page.set_default_timeout(PATIENCE_MS)
    one = Traffic(page)
    page.goto(door.url)
    page.wait_for_selector("body.ready")
    one.settle()
    door.take()
    return one


def arrived(page: Page) -> None:
    expect(page.get_by_test_id("battle")).to_have_attribute("data-gate", "open", timeout=PATIENCE_MS)
    expect(page.locator("#ar-a")).to_be_enabled()


def facts(app: RunningApp) -> list[str]:
    """What only the originals have: ids, hashes, sizes in bytes and offers of everything that was made."""
    data = app.log.parent / "data" / "diptych.sqlite3"
    with sqlite3.connect(f"file:{data}?mode=ro", uri=True) as db:
        rows = db.execute(
            "select i.image_id, i.sha256, r.run_id, r.group_id, i.size_bytes from images i join runs r using (run_id)"
        ).fetchall()
    ids = {str(value) for *values, size in rows for value in values}
    sizes = {size for *_, size in rows}
    return sorted(ids | {form.format(size) for size in sizes for form in (":{},", '"{}"', "content-length: {}\r")})


def assert_blind(told: Told, page: Page, app: RunningApp) -> None:
    text = told.text.decode("utf-8", "replace") + page.locator("#tab-arena").inner_html()
    assert "blind/" in text, "nothing was recorded"
    assert len(told.pictures) > 100_000, "no images were recorded"
    prompt = page.locator(".ar-prompt").text_content()
    assert prompt
    assert told_in(text, prompt) == []
    assert told_in(text, "", facts(app)) == []
    assert told_in(told.pictures.decode("latin-1"), "", [fact for fact in facts(app) if len(fact) > 5]) == []


def test_no_byte_tells_a_maker_before_a_vote_on_a_pair_already_made(
    page: Page, traffic: Traffic, door: Recorder, app: RunningApp
) -> None:
    with traffic.answered():
        page.get_by_role("tab", name="Arena").click()
    for task in ("Generate", "Edit"):
        arrived(page)
        page.click("#ar-source")
        with traffic.answered():
            page.get_by_role("radio", name=task, exact=True).check()
        expect(page.locator(".ar-wanted")).to_have_text(task)
        page.keyboard.press("Escape")
        arrived(page)
        assert_blind(door.take(), page, app)
        assert len(page.locator(".ar-input").all()) == (task == "Edit")
        with traffic.answered():
            page.keyboard.press("1")
        expect(page.get_by_test_id("said")).to_contain_text("Your vote counted.")
        assert b"gpt image 2" in door.take().text, "the makers come with the vote"
        with traffic.answered():
            page.keyboard.press("n")


def test_no_byte_tells_a_maker_before_a_vote_on_a_new_battle(
    page: Page, traffic: Traffic, door: Recorder, app: RunningApp
) -> None:
    with traffic.answered():
        page.get_by_role("tab", name="Arena").click()
    arrived(page)
    for task in ("Generate", "Edit"):
        spent = page.locator("#d-strip .spent").inner_text()
        page.click("#ar-source")
        page.get_by_role("radio", name="New battle").click()
        page.get_by_test_id("battle-form").get_by_role("radio", name=task, exact=True).check()
        expect(page.locator(".ar-task-sources")).to_have_count(int(task == "Edit"))
        expect(page.locator("#ar-start")).to_contain_text("$")
        traffic.settle()
        door.take()
        with traffic.answered():
            page.click("#ar-start")
        arrived(page)
        told = door.take()
        # Another tab says no more than this one.
        with page.expect_response("**/history/page*"):
            page.get_by_role("tab", name="History").click()
        with traffic.answered():
            page.get_by_role("tab", name="Arena").click()
        assert_blind(told, page, app)
        assert page.locator("#d-strip .spent").inner_text() == spent, "a sum beside the battle would tell its makers"
        with traffic.answered():
            page.keyboard.press("2")
        expect(page.get_by_test_id("side-b")).to_contain_text("Your vote")
        expect(page.locator("#d-strip .spent")).not_to_have_text(spent)


def test_a_voter_votes_undoes_zooms_reports_and_goes_on(page: Page, traffic: Traffic, app: RunningApp) -> None:
    with traffic.answered():
        page.get_by_role("tab", name="Arena").click()
    arrived(page)
    expect(page.locator(".ar-line").first).to_contain_text("Battle 1")
    # Enlarged, both move together; no answer goes through while they are.
    page.keyboard.press("z")
    zoom = page.get_by_test_id("zoom")
    expect(zoom.get_by_test_id("zoom-a")).to_contain_text("A")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    moved = zoom.locator("img").evaluate_all("all => all.map((one) => one.style.transform)")
    assert len(set(moved)) == 1
    assert "scale(1.5)" in moved[0]
    page.keyboard.down("f")
    expect(zoom.get_by_test_id("zoom-a")).to_contain_text("B")
    page.keyboard.up("f")
    expect(zoom.get_by_test_id("zoom-a")).to_contain_text("A")
    page.keyboard.press("2")
    expect(page.get_by_test_id("battle")).to_have_attribute("data-state", "battle")
    page.keyboard.press("Escape")
    # Two more questions, answered before the main one.
    page.click("#ar-source")
    page.get_by_role("switch").check()
    page.keyboard.press("Escape")
    page.get_by_test_id("questions").get_by_role("button", name="B").first.click()
    page.get_by_test_id("questions").get_by_role("button", name="Alike").last.click()
    with traffic.answered():
        page.keyboard.press("3")
    expect(page.get_by_test_id("said")).to_contain_text("Your vote counted.")
    with traffic.answered():
        page.click("#ar-undo")
    expect(page.get_by_test_id("said")).to_contain_text("taken back")
    expect(page.locator(".ar-facts").first).not_to_contain_text("rating")
    with traffic.answered():
        page.keyboard.press("n")
    arrived(page)
    expect(page.locator(".ar-line").first).to_contain_text("Battle 2")
    page.click("#ar-report")
    page.get_by_role("button", name="Something else").click()
    page.get_by_label("What is wrong, in your words").fill("1 watermark")
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_test_id("reported")).to_contain_text("ended without a vote")
    expect(page.locator(".ar-box")).to_have_count(0)
    with sqlite3.connect(f"file:{app.log.parent / 'data' / 'diptych.sqlite3'}?mode=ro", uri=True) as db:
        assert db.execute("select words from reports").fetchall() == [("1 watermark",)]
        last = db.execute("select outcome, follows, looks, undone_at is null from votes order by seq desc limit 1")
        assert last.fetchone() == ("tie", "b", "tie", 0)
