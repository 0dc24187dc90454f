"""What a browser sees of an app that is killed, that is told to stop, and that has two visitors."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY
from tests.ui.browser import WIDE, RunningApp
from tests.ui.shell import wait_for
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser


def test_after_kill_minus_nine_the_page_says_what_happened(page: Page, tmp_path: Path) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        given = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": fake.base_url}
        first = RunningApp(tmp_path / "data", tmp_path / "log.txt", **given)
        one = Visit(page, first)
        one.choose("openai/gpt-image-2")
        one.prompt("A fox that is cut off")
        one.run()
        expect(one.tiles("running")).to_have_count(1)
        first.kill()
        second = RunningApp(tmp_path / "data", tmp_path / "log.txt", **given)
        again = Visit(page, second)
        expect(again.tiles("unknown")).to_have_count(1)
        expect(again.tiles("unknown")).to_contain_text("may have billed")
        page.goto("about:blank")
        assert second.stop() == 0
        assert fake.posts == 1


def test_a_stop_waits_for_the_call_under_way(page: Page, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with FakeOpenAI(key=KEY) as fake:
        released = threading.Event()
        fake.always(faults.Held(released))
        given = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": fake.base_url}
        first = RunningApp(tmp_path / "data", log, **given)
        one = Visit(page, first)
        one.choose("openai/gpt-image-2")
        one.prompt("A fox that is waited for")
        one.run()
        expect(one.tiles("running")).to_have_count(1)
        page.goto("about:blank")
        first.ask_to_stop()
        wait_for(lambda: "calls under way" in log.read_text())
        assert first.is_running()
        released.set()
        assert first.ended() == 0
        second = RunningApp(tmp_path / "data", log, **given)
        again = Visit(page, second)
        expect(again.tiles("done")).to_have_count(1)
        page.goto("about:blank")
        second.stop()
        assert fake.posts == 1


def test_two_public_visitors_see_only_what_is_theirs(page: Page, browser: Browser, tmp_path: Path) -> None:
    app = RunningApp(tmp_path / "data", tmp_path / "log.txt", DIPTYCH_MODE="public", OPENAI_API_KEY=KEY)
    one = Visit(page, app)
    two = Visit(browser.new_context(viewport=WIDE).new_page(), app)
    for visit, subject in ((one, "An owl"), (two, "A whale")):
        expect(visit.page.locator("#pg-run")).to_contain_text("free")
        visit.prompt(subject)
        visit.run()
    for visit, subject in ((one, "An owl"), (two, "A whale")):
        expect(visit.tiles("done")).to_have_count(2)
        expect(visit.page.locator("[data-testid=group]")).to_have_count(1)
        expect(visit.newest()).to_contain_text(subject)
    original = one.tiles("done").first.get_attribute("data-original")
    assert original is not None
    assert one.page.request.get(app.url + original).ok
    assert two.page.request.get(app.url + original).status == 404
    two.traffic.settle()
    assert "An owl" not in "".join(two.bodies)
    one.tab("Settings")
    expect(one.page.locator("#st-keys")).to_contain_text("No key")
    for visit in (one, two):
        assert visit.errors == []
    two.page.context.close()
    page.goto("about:blank")
    assert app.stop() == 0
    assert KEY not in (tmp_path / "log.txt").read_text()
