"""What a page asks of Gradio's queue, so that a test can go on when nothing is under way any more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

from tests.ui.browser import PATIENCE_MS

QUIET_S = 2.0
"""A page that got an event's name and then asks nothing for so long had the answer already, over a stream that ended first."""


class Traffic:
    """Listens to a page from before it is opened.

    Each event is asked for by one request, and answered by a stream that ends when there is nothing more to answer.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asking: set[Any] = set()
        self._streams: set[Any] = set()
        self._unanswered = 0
        self._asked = 0
        self._ended_at = 0.0
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_end)
        page.on("requestfailed", self._on_end)

    def settle(self) -> None:
        """Waits until the page has asked something and all of it was answered."""
        self._wait_for_more_than(0)

    @contextmanager
    def answered(self) -> Iterator[None]:
        """What is done within asks the server something; goes on once that is answered."""
        before = self._asked
        yield
        self._wait_for_more_than(before)

    def _wait_for_more_than(self, asked: int) -> None:
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while self._asked <= asked or self._is_under_way():
            assert time.monotonic() < deadline, f"the page and its server do not come to an end: {vars(self)}"
            self._page.wait_for_timeout(20)

    def _is_under_way(self) -> bool:
        if self._asking or self._streams:
            return True
        return bool(self._unanswered) and time.monotonic() < self._ended_at + QUIET_S

    def _on_request(self, request: Any) -> None:
        if "/queue/join" in request.url:
            self._asked += 1
            self._asking.add(request)
        elif "/queue/data" in request.url:
            self._streams.add(request)

    def _on_end(self, request: Any) -> None:
        self._ended_at = time.monotonic()
        if request in self._asking:
            self._asking.remove(request)
            self._unanswered += 1
        elif request in self._streams:
            self._streams.remove(request)
            self._unanswered = 0
