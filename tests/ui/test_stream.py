"""The stream over which a page hears the answers to its events, in a real browser: none is lost when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page, Request, Route, expect

from tests.ui.browser import RunningApp, served
from tests.ui.visit import Visit

pytestmark = pytest.mark.browser

STREAM, EVENT = "/queue/data", "/queue/join"
FIRST_STREAM, SECOND_WORD = "the first stream", "the word that the second event was taken on"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp("stream")) as one:
        yield one


class Settings:
    """The page on its Settings tab, with how many streams it has open and what was held back of its queue."""

    def __init__(self, page: Page, app: RunningApp) -> None:
        self.page, self.open = page, 0
        self.held: dict[str, tuple[Route, APIResponse | None]] = {}
        page.on("request", lambda request: self._count(request, 1))
        page.on("requestfinished", lambda request: self._count(request, -1))
        page.on("requestfailed", lambda request: self._count(request, -1))
        self.visit = Visit(page, app)
        self.visit.open("#settings")
        page.locator("#st-quality").wait_for()
        self.settle()

    def _count(self, request: Request, by: int) -> None:
        self.open += by if STREAM in request.url else 0

    def wait(self, is_so: Callable[[], bool]) -> None:
        for _ in range(400):
            if is_so():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it did not come to that in 20 s")

    def settle(self) -> None:
        """Waits until no stream is open, which is so where nothing is under way."""
        self.wait(lambda: not self.open)

    def hold(self, name: str, url: str, *, after: str = "", is_asked: bool = True) -> None:
        """Keeps back the next answer to a request, once another is held; where it is not `is_asked`, the request itself."""

        def keep(route: Route) -> None:
            if name in self.held or (after and after not in self.held):
                route.fallback()
            else:
                self.held[name] = (route, route.fetch() if is_asked else None)

        self.page.route(f"**{url}?*", keep)

    def until_held(self, name: str) -> None:
        self.wait(lambda: name in self.held)

    def let_go(self, name: str) -> None:
        route, answer = self.held[name]
        if answer is None:
            route.continue_()
        else:
            route.fulfill(response=answer)

    def choose(self, quality: str) -> None:
        self.page.select_option("#st-quality", quality)

    def hold_two_events(self, quality: str, *, is_stream_asked: bool) -> None:
        """A choice whose stream is kept back, over at the server where it `is_stream_asked`, and Verify whose word is."""
        self.hold(FIRST_STREAM, STREAM, is_asked=is_stream_asked)
        self.hold(SECOND_WORD, EVENT, after=FIRST_STREAM)
        self.choose(quality)
        self.until_held(FIRST_STREAM)
        self.verify()
        self.until_held(SECOND_WORD)

    def verify(self) -> None:
        self.page.click("#st-verify")

    def is_verified(self) -> None:
        expect(self.page.get_by_test_id("verified")).to_be_visible()

    def is_kept(self) -> None:
        expect(self.page.locator("#st-defaults")).to_contain_text("Kept.")


@pytest.fixture
def tab(page: Page, app: RunningApp) -> Settings:
    return Settings(page, app)


def test_an_event_taken_on_while_the_stream_ends_is_answered(tab: Settings) -> None:
    tab.hold(FIRST_STREAM, STREAM)
    tab.choose("medium")
    tab.until_held(FIRST_STREAM)
    with tab.page.expect_response(f"**{EVENT}?*") as joined:
        tab.verify()
    joined.value.finished()
    tab.page.wait_for_timeout(300)
    tab.let_go(FIRST_STREAM)
    tab.is_kept()
    tab.is_verified()
    tab.settle()
    assert tab.visit.errors == []


def test_an_answer_that_overtakes_its_event_leaves_no_stream_open(tab: Settings) -> None:
    tab.hold_two_events("high", is_stream_asked=False)
    tab.let_go(FIRST_STREAM)
    tab.page.wait_for_timeout(300)
    tab.let_go(SECOND_WORD)
    tab.is_kept()
    tab.is_verified()
    tab.settle()
    assert tab.visit.errors == []


def test_a_stream_that_cannot_be_had_again_holds_no_later_answer_back(tab: Settings) -> None:
    tab.hold_two_events("medium", is_stream_asked=True)
    tab.hold("the second stream", STREAM, is_asked=False)
    tab.let_go(FIRST_STREAM)
    tab.until_held("the second stream")
    tab.held["the second stream"][0].abort()
    tab.let_go(SECOND_WORD)
    tab.is_verified()
    tab.settle()


def test_events_close_together_are_all_answered_and_leave_no_stream_open(tab: Settings) -> None:
    joined: list[str] = []
    tab.page.on("response", lambda answer: joined.append(answer.url) if EVENT in answer.url else None)
    for n in range(30):
        tab.choose(["low", "medium"][n % 2])
    tab.page.select_option("#st-size", "1536x1024")
    tab.is_kept()
    tab.wait(lambda: len(joined) == 31)
    tab.settle()
    assert tab.visit.errors == []
