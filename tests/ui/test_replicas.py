"""Which replica answers: what the queue's answers say, and what the page's script makes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from tests.fakes.http_fake import Answer, Request, wait_until
from tests.fakes.plain_server import PlainServer
from tests.harness import Harness
from tests.ui.browser import PATIENCE_MS
from ui.launch import ASSETS
from ui.replicas import REPLICA_HEADER, Named, replica_routes

PATIENCE_S = PATIENCE_MS / 1000
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


class Replicas(PlainServer):
    """A page whose script reads who answers, and the server of both; the answers bear the names that a test gives."""

    def __init__(self) -> None:
        super().__init__()
        self.around: Iterator[str] = iter(())
        self.asked = 0
        self.opened: list[str] = []

    def answer(self, request: Request) -> Answer:
        path = request.path.removeprefix("/")
        if path == "replicas.js":
            return Answer(body=(ASSETS / path).read_bytes(), content_type="text/javascript")
        if path == "replica":
            self.asked += 1
            return Answer(body={"replica": next(self.around, "nobody")})
        if path.startswith("gradio_api"):
            return Answer(body=b"said", headers={REPLICA_HEADER: request.query["by"]})
        if path == "favicon.ico":
            return Answer(404)
        self.opened.append(path + "".join(f"?{name}={said}" for name, said in request.query.items()))
        # Each page says which it is: one that is about to be left is not taken for the next.
        page = f'<script type="module">window.page = {len(self.opened)}; {START}</script>'
        return Answer(body=page.encode(), content_type="text/html")

    def meet(self, page: Page, *, events: str, stream: str, around: Iterator[str], asks: int = ASKED) -> None:
        """An event that one replica takes, and a stream of another's; `around`: who answers the further questions."""
        self.around, self.asked = around, 0
        page.evaluate(
            """async (paths) => { for (const path of paths) await (await fetch(path)).text(); }""",
            [f"gradio_api/queue/join?by={events}", f"gradio_api/queue/data?by={stream}"],
        )
        wait_until(lambda: self.asked >= asks, PATIENCE_S)

    def is_at(self, page: Page, *opened: str) -> None:
        """Waits until these pages were opened, and the last of them is ready."""
        wait_until(lambda: len(self.opened) >= len(opened), PATIENCE_S)
        assert self.opened == [*opened]
        if not opened[-1]:
            page.wait_for_function(f"window.isReady && window.page === {len(opened)}")

    def stays(self, page: Page) -> None:
        """Waits for longer than the script does before it opens a page anew."""
        opened = len(self.opened)
        page.wait_for_timeout(SETTLE_MS + 300)
        assert len(self.opened) == opened


@pytest.fixture
def replicas(page: Page) -> Iterator[Replicas]:
    """With their page open."""
    with Replicas() as one:
        page.goto(f"{one.url}/")
        one.is_at(page, "")
        yield one


@pytest.mark.browser
def test_a_page_tells_replicas_in_turn_from_one_that_took_over(page: Page, replicas: Replicas) -> None:
    replicas.meet(page, events=ONE, stream=ONE, around=iter(()), asks=0)
    # Its stream is still at a replica that the proxy does not ask any more: opened anew, once.
    replicas.meet(page, events=ONE, stream=TWO, around=repeat(TWO))
    replicas.is_at(page, "", "")
    # Restarted between two events: the next stream comes from where the event went.
    replicas.meet(page, events=TWO, stream=TWO, around=repeat(TWO), asks=0)
    replicas.meet(page, events=ONE, stream=ONE, around=repeat(ONE))
    replicas.stays(page)
    # The same trouble again at once is no takeover, whoever answers.
    replicas.meet(page, events=ONE, stream=TWO, around=repeat(TWO))
    replicas.is_at(page, "", "", f"scattered?seen={TWO},{ONE}")


@pytest.mark.browser
def test_a_page_leaves_as_soon_as_a_replica_answers_again_after_another(page: Page, replicas: Replicas) -> None:
    replicas.meet(page, events=ONE, stream=TWO, around=chain((ONE, ONE, TWO, ONE), repeat(ONE)))
    replicas.is_at(page, "", f"scattered?seen={ONE},{TWO}")
