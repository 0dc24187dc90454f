"""The stream over which a page hears the answers to its events, in a real browser: none is lost when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from tests.ui.browser import RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

STREAM, EVENT = "**/queue/data?*", "**/queue/join?*"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp("stream")) as one:
        yield one


class Streams:
    """How many streams a page has open."""

    def __init__(self, page: Page) -> None:
        self.open = 0
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def _begin(self, request: Request) -> None:
        self.open += "/queue/data" in request.url

    def _end(self, request: Request) -> None:
        self.open -= "/queue/data" in request.url


def wait(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(400):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to that in 20 s")


def settle(page: Page, streams: Streams) -> None:
    """Waits until no stream is open, which is so where nothing is under way."""
    wait(page, lambda: not streams.open)


def test_an_event_taken_on_while_the_stream_ends_is_answered(page: Page, app: RunningApp) -> None:
    streams, visit = Streams(page), Visit(page, app)
    visit.open("#settings")
    page.locator("#st-quality").wait_for()
    settle(page, streams)
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        """The stream is over at the server, and has not come to the page yet."""
        held.append((route, route.fetch()))

    page.route(STREAM, hold, times=1)
    page.select_option("#st-quality", "medium")
    wait(page, lambda: bool(held))
    with page.expect_response(EVENT) as joined:
        page.click("#st-verify")
    joined.value.finished()
    page.wait_for_timeout(300)
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.locator("#st-defaults")).to_contain_text("Kept.")
    expect(page.get_by_test_id("verified")).to_be_visible()
    settle(page, streams)
    assert visit.errors == []


def test_an_answer_that_overtakes_its_event_leaves_no_stream_open(page: Page, app: RunningApp) -> None:
    streams, visit = Streams(page), Visit(page, app)
    visit.open("#settings")
    page.locator("#st-quality").wait_for()
    settle(page, streams)
    opened: list[Route] = []
    taken: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        """The stream until it is let go, and the word that the second event was taken on."""
        if "/queue/data" in route.request.url and not opened:
            opened.append(route)
        elif "/queue/join" in route.request.url and opened and not taken:
            taken.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/queue/*", hold)
    page.select_option("#st-quality", "high")
    wait(page, lambda: bool(opened))
    page.click("#st-verify")
    wait(page, lambda: bool(taken))
    opened[0].continue_()
    page.wait_for_timeout(300)
    route, answer = taken[0]
    route.fulfill(response=answer)
    expect(page.locator("#st-defaults")).to_contain_text("Kept.")
    expect(page.get_by_test_id("verified")).to_be_visible()
    settle(page, streams)
    assert visit.errors == []


def test_a_stream_that_cannot_be_had_again_holds_no_later_answer_back(page: Page, app: RunningApp) -> None:
    streams, visit = Streams(page), Visit(page, app)
    visit.open("#settings")
    page.locator("#st-quality").wait_for()
    settle(page, streams)
    ended: list[tuple[Route, APIResponse]] = []
    taken: list[tuple[Route, APIResponse]] = []
    broken: list[Route] = []

    def hold(route: Route) -> None:
        """The first stream that has ended, and the word on the second event; the second stream breaks."""
        is_stream = "/queue/data" in route.request.url
        if is_stream and not ended:
            ended.append((route, route.fetch()))
        elif is_stream and not broken:
            broken.append(route)
            route.abort()
        elif not is_stream and ended and not taken:
            taken.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/queue/*", hold)
    page.select_option("#st-quality", "medium")
    wait(page, lambda: bool(ended))
    page.click("#st-verify")
    wait(page, lambda: bool(taken))
    route, answer = ended[0]
    route.fulfill(response=answer)
    wait(page, lambda: bool(broken))
    route, answer = taken[0]
    route.fulfill(response=answer)
    expect(page.get_by_test_id("verified")).to_be_visible()
    settle(page, streams)


def test_events_close_together_are_all_answered_and_leave_no_stream_open(page: Page, app: RunningApp) -> None:
    streams, visit = Streams(page), Visit(page, app)
    visit.open("#settings")
    page.locator("#st-quality").wait_for()
    settle(page, streams)
    joined: list[str] = []
    page.on("response", lambda answer: joined.append(answer.url) if "/queue/join" in answer.url else None)
    for n in range(30):
        page.select_option("#st-quality", ["low", "medium"][n % 2])
    page.select_option("#st-size", "1536x1024")
    expect(page.locator("#st-defaults")).to_contain_text("Kept.")
    wait(page, lambda: len(joined) == 31)
    settle(page, streams)
    assert visit.errors == []
