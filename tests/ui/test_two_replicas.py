"""Two replicas behind the nginx of the documents, over PostgreSQL and an S3 server, in real browsers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.deploy.nginx import Front, nginx
from tests.deploy.two_replicas import TwoReplicas, two_replicas
from tests.ui.browser import WIDE
from tests.ui.shell import wait_for
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

JOURNEYS, AT_ONCE = 40, 8
LIMITS = "runs=0,running=0,votes=0,uploads=0,upload_mb=0,storage_mb=0,key_tries=0,address=4"
"""All these visitors come from one address."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoReplicas]:
    with two_replicas(tmp_path_factory.mktemp("replicas"), DIPTYCH_VISITOR_LIMITS=LIMITS) as running:
        yield running


@contextmanager
def visiting(browser: Browser, front: Front, at: str = "") -> Iterator[Visit]:
    """A visitor in a browser of their own; `at`: who lands on another replica than that one."""
    with ExitStack() as stack:
        context = stack.enter_context(browser.new_context(viewport=WIDE, reduced_motion="reduce"))
        context.request.get(front.url)
        while at and replica_of(context, front) == at:
            context.clear_cookies()
            context.request.get(front.url)
        one = Visit(context.new_page(), front)
        yield one
        assert one.errors == []
        assert one.foreign == []


def replica_of(context: BrowserContext, front: Front) -> str:
    return str(context.request.get(f"{front.url}replica").json()["replica"])


def vote_blind(one: Visit) -> None:
    """On the two pictures of the newest group."""
    with one.traffic.answered():
        one.newest().get_by_role("link", name="Vote blind").click()
    board = one.page.locator("#ar-board")
    expect(board.get_by_test_id("battle")).to_have_attribute("data-gate", "open")
    board.get_by_role("button", name="A better").click()
    expect(board).to_contain_text("Your vote counted")


def prompts_in_history(one: Visit) -> Sequence[str]:
    one.tab("History")
    expect(one.page.locator(".hi-tile img").first).to_be_visible()
    return one.page.locator(".hi-tile img").evaluate_all("all => all.map(one => one.alt)")


def told(both: TwoReplicas, statement: str) -> Any:
    with psycopg.connect(both.database_url, options="-c search_path=diptych") as conn:
        return conn.execute(statement.encode()).fetchone()[0]


def test_visitors_of_two_replicas_make_pictures_vote_and_see_their_own(browser: Browser, both: TwoReplicas) -> None:
    votes = told(both, "select count(*) from votes")
    with ExitStack() as stack:
        first = stack.enter_context(visiting(browser, both.front))
        second = stack.enter_context(visiting(browser, both.front, replica_of(first.page.context, both.front)))
        for one, subject in ((first, "An owl"), (second, "A whale")):
            one.choose("demo/flat", "demo/sketch")
            one.prompt(subject)
            one.run()
        for one in (first, second):
            expect(one.tiles("done")).to_have_count(2)
            vote_blind(one)
        for one, subject, other in ((first, "An owl", "A whale"), (second, "A whale", "An owl")):
            seen = prompts_in_history(one)
            assert [text for text in seen if subject in text]
            assert [text for text in seen if other in text] == []
        for owner, stranger in ((first, second), (second, first)):
            picture = owner.page.locator(".hi-tile img").first.evaluate("one => one.src")
            fetched = [one.page.context.request.get(picture).status for one in (owner, stranger)]
            assert fetched == [200, 404], "whose a picture is holds at the other replica too"
    assert told(both, "select count(*) from votes") == votes + 2


def test_where_nginx_goes_round_robin_a_page_says_so_and_goes_on_once_it_does_not(
    browser: Browser, both: TwoReplicas
) -> None:
    with nginx([app.port for app in both.apps], is_sticky=False) as scattering:
        context = browser.new_context(viewport=WIDE)
        page = context.new_page()
        page.goto(f"{scattering.url}#history")
        said = page.get_by_test_id("scattered")
        expect(said).to_contain_text("This page cannot work here yet")
        expect(said).to_contain_text(
            "If you run this server: make the proxy in front of it keep each browser at one copy"
        )
        logs = "".join(app.log.read_text() for app in both.apps)
        assert "so no page works: the proxy in front has to keep each browser at one of them" in logs
        scattering.mend()
        page.wait_for_selector("body.ready")
        assert page.url == f"{scattering.url}#history"
        context.close()


def test_forty_journeys_over_both_and_no_vote_is_lost_or_counted_twice(browser: Browser, both: TwoReplicas) -> None:
    votes = told(both, "select count(*) from votes")
    for _ in range(JOURNEYS // AT_ONCE):
        with ExitStack() as stack:
            people = [stack.enter_context(visiting(browser, both.front)) for _ in range(AT_ONCE)]
            for number, one in enumerate(people):
                one.choose("demo/flat", "demo/sketch")
                one.prompt(f"Boat number {number}")
                one.run()
            for one in people:
                expect(one.tiles("done")).to_have_count(2)
                vote_blind(one)
            for number, one in enumerate(people):
                seen = prompts_in_history(one)
                assert len(seen) == 2
                assert all(f"Boat number {number}" in text for text in seen)
    assert told(both, "select count(*) from votes") == votes + JOURNEYS
    assert told(both, "select count(distinct battle_id) from votes") == votes + JOURNEYS
    boards = [urlopen(f"{app.url}leaderboard.json?scope=all").read() for app in both.apps]
    assert boards[0] == boards[1]


def says_trouble(one: Visit) -> bool:
    """Whether the banner is there; a page is told with the next thing that it asks."""
    one.open()
    one.page.wait_for_timeout(500)
    banner = one.page.get_by_test_id("trouble")
    return banner.count() > 0 and "New images are safe" in banner.first.inner_text()


@pytest.mark.parametrize("fault", ["down", "silent", (403, "AccessDenied"), (507, "InsufficientStorage")], ids=str)
def test_while_the_object_store_takes_nothing_no_picture_is_lost_and_the_page_says_so(
    browser: Browser, both: TwoReplicas, fault: Any
) -> None:
    both.objects.fault = fault
    try:
        with visiting(browser, both.front) as one:
            one.choose("demo/flat")
            one.prompt(f"A picture while the store says {fault}")
            one.run()
            expect(one.tiles("done")).to_have_count(1)
            wait_for(lambda: says_trouble(one))
            both.objects.fault = None
            both.objects.let_go.set()
            expect(one.page.get_by_test_id("trouble")).to_have_count(0, timeout=60_000)
            original = one.tiles("done").first.get_attribute("data-original")
            name = original.rpartition("/")[2].partition("?")[0]
            found = []
            wait_for(lambda: found.append(both.object_of(name)) or found[-1])
            assert hashlib.sha256(found[-1]).hexdigest() == name.partition(".")[0]
    finally:
        both.objects.fault = None
        both.objects.let_go.clear()


def test_a_page_goes_on_at_the_other_replica_when_its_own_is_killed_in_mid_run(
    browser: Browser, both: TwoReplicas
) -> None:
    """The last one: only one replica is left."""
    with visiting(browser, both.front) as one:
        name = replica_of(one.page.context, both.front)
        mine = next(app for app in both.apps if json.load(urlopen(f"{app.url}replica"))["replica"] == name)
        one.choose("demo/flat", "demo/sketch", "demo/painterly")
        one.prompt("Before the kill")
        one.run()
        with one.page.expect_event("load"):
            mine.kill()
        one.page.wait_for_selector("body.ready")
        one.prompt("After the kill")
        one.run()
        expect(one.tiles("done")).to_have_count(3)
        assert replica_of(one.page.context, both.front) != name
        expect(one.page.get_by_test_id("group")).to_have_count(2)
