"""Which replica answers: what the queue's answers say, and what the page's script makes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
from playwright.sync_api import Page, Route
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from tests.harness import Harness
from ui.launch import ASSETS
from ui.replicas import REPLICA_HEADER, Named, replica_routes

ASKED, SETTLE_MS = 8, 1_500
"""How often the script asks around, and how long it then waits for a stream that moves by itself."""
ONE, TWO = "01m8168wa4yhthbbjzcfzmg6vz", "01m8168ze7n9cakbawsvy1yeef"

START = 'import { watchReplicas } from "./replicas.js"; watchReplicas(); window.isReady = true;'


def served(path: str) -> str:
    return f"dp/0123/{path}"


def test_answers_of_the_queue_alone_name_the_replica() -> None:
    client = TestClient(Named(PlainTextResponse("said"), ONE))
    assert client.get("/gradio_api/queue/data").headers[REPLICA_HEADER] == ONE
    assert client.post("/gradio_api/queue/join").headers[REPLICA_HEADER] == ONE
    assert REPLICA_HEADER not in client.get("/").headers


def test_the_page_that_stands_for_all_is_logged_once_and_only_if_this_replica_was_met(
    harness: Callable[..., Harness], caplog: pytest.LogCaptureFixture
) -> None:
    one = harness()
    name = one.worker.worker_id
    client = TestClient(Starlette(routes=replica_routes(one.app, served)))
    assert client.get("/replica").json() == {"replica": name}
    with caplog.at_level(logging.WARNING):
        for seen in ("", name, f"{TWO},{ONE}", f"{name},%0aforged", f"{TWO},{name}", f"{ONE},{name}"):
            page = client.get(f"/scattered?seen={seen}")
    assert page.headers["cache-control"] == "no-store"
    assert 'href="./dp/0123/tokens.css"' in page.text
    assert 'from "./dp/0123/replicas.js"' in page.text
    (line,) = [row.getMessage() for row in caplog.records]
    assert line.startswith(
        f"The requests of one page reach several replicas in turn ({', '.join(sorted((name, TWO)))})"
    )
    assert 'See "Several replicas behind nginx" in docs/deploy.md' in line


class Replicas:
    """A page whose script reads who answers; the answers are made here, by the names that a test gives."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.around: Iterator[str] = iter(())
        self.asked = 0
        self.opened: list[str] = []
        page.route("**/*", self._answer)
        page.goto("http://127.0.0.1:1/")

    def _answer(self, route: Route) -> None:
        path = route.request.url.partition(":1/")[2]
        if path == "replicas.js":
            route.fulfill(content_type="text/javascript", path=ASSETS / path)
        elif path == "replica":
            self.asked += 1
            route.fulfill(json={"replica": next(self.around, "nobody")})
        elif path.startswith("gradio_api"):
            route.fulfill(body="said", headers={REPLICA_HEADER: path.rpartition("=")[2]})
        else:
            self.opened.append(path)
            # Each page says which it is: one that is about to be left is not taken for the next.
            page = f'<script type="module">window.page = {len(self.opened)}; {START}</script>'
            route.fulfill(content_type="text/html", body=page)

    def meet(self, *, events: str, stream: str, around: Iterator[str], asks: int = ASKED) -> None:
        """An event that one replica takes, and a stream of another's; `around`: who answers the further questions."""
        self.around, self.asked = around, 0
        for path in (f"queue/join?by={events}", f"queue/data?by={stream}"):
            self.page.evaluate(
                "path => fetch(path, { signal: AbortSignal.timeout(20_000) }).then((answer) => answer.text())",
                f"gradio_api/{path}",
            )
        self._until(lambda: self.asked >= asks)

    def is_at(self, *opened: str) -> None:
        """Waits until these pages were opened, and the last of them is ready."""
        self._until(lambda: len(self.opened) >= len(opened))
        assert self.opened == [*opened]
        if not opened[-1]:
            self.page.wait_for_function(f"window.isReady && window.page === {len(opened)}")

    def stays(self) -> None:
        """Waits for longer than the script does before it opens a page anew."""
        opened = len(self.opened)
        self.page.wait_for_timeout(SETTLE_MS + 300)
        assert len(self.opened) == opened

    def _until(self, is_so: Callable[[], bool]) -> None:
        ends_at = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < ends_at, (self.opened, self.asked)
            self.page.wait_for_timeout(10)


@pytest.mark.browser
def test_a_page_tells_replicas_in_turn_from_one_that_took_over(page: Page) -> None:
    one = Replicas(page)
    one.is_at("")
    one.meet(events=ONE, stream=ONE, around=iter(()), asks=0)
    # Its stream is still at a replica that the proxy does not ask any more: opened anew, once.
    one.meet(events=ONE, stream=TWO, around=repeat(TWO))
    one.is_at("", "")
    # Restarted between two events: the next stream comes from where the event went.
    one.meet(events=TWO, stream=TWO, around=repeat(TWO), asks=0)
    one.meet(events=ONE, stream=ONE, around=repeat(ONE))
    one.stays()
    # The same trouble again at once is no takeover, whoever answers.
    one.meet(events=ONE, stream=TWO, around=repeat(TWO))
    one.is_at("", "", f"scattered?seen={TWO},{ONE}")


@pytest.mark.browser
def test_a_page_leaves_as_soon_as_a_replica_answers_again_after_another(page: Page) -> None:
    one = Replicas(page)
    one.is_at("")
    one.meet(events=ONE, stream=TWO, around=chain((ONE, ONE, TWO, ONE), repeat(ONE)))
    one.is_at("", f"scattered?seen={ONE},{TWO}")
