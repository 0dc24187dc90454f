"""Which replica of the app answers. A page works with one only, and says so where a proxy asks several in turn for it.

The queue, its streams and uploads live in one process. Each answer of the queue tells whose it is; `assets/replicas.js`
compares them, asks a few times more where they differ, and tells a replica that took over (the page is opened anew) from a
proxy that knows no sticky sessions (`scattered`, a page of its own, because Gradio would load its page again and again).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.app import App
from ui.route_answers import NO_STORE, answer

log = logging.getLogger(__name__)

REPLICA_HEADER = "x-diptych-replica"
_QUEUE = "/gradio_api/queue/"
_PAGE = Path(__file__).parent / "assets" / "scattered.html"
_LINK = re.compile(r'(href=|from )"([^"]+)"')
_NAME = re.compile(r"[0-9A-Za-z]{26}")
"""The id of a worker."""
_MOST = 20
"""Replicas that are named in one line of the log."""


class Named:
    """Says on each answer of Gradio's queue which replica gives it."""

    def __init__(self, app: ASGIApp, replica: str) -> None:
        self._app = app
        self._replica = replica

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        is_queue = scope["type"] == "http" and scope["path"].startswith(_QUEUE)
        await self._app(scope, receive, self._naming(send) if is_queue else send)

    def _naming(self, send: Send) -> Send:
        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REPLICA_HEADER] = self._replica
            await send(message)

        return say


def replica_routes(app: App, address: Callable[[str], str]) -> list[Route]:
    """The routes, relative to where the app is mounted. `address`: where a file of the assets folder is served."""
    told: set[str] = set()
    return [
        Route("/replica", partial(replica, app.worker.worker_id)),
        Route("/scattered", partial(scattered, app.worker.worker_id, address, told)),
    ]


async def replica(name: str, _request: Request) -> Response:
    """The name of this replica, which is a new one after each start."""
    return answer({"replica": name})


async def scattered(name: str, address: Callable[[str], str], told: set[str], request: Request) -> Response:
    """The page that stands in the place of one whose requests reach several replicas. The first one is logged."""
    seen = set(request.query_params.get("seen", "").split(",")[:_MOST])
    if not told and name in seen and len(seen) > 1 and all(_NAME.fullmatch(one) for one in seen):
        told.add(name)
        log.warning(
            "The requests of one page reach several replicas in turn (%s), so no page works: the proxy in front has to keep "
            'each browser at one of them. See "Several replicas behind nginx" in docs/deploy.md.',
            ", ".join(sorted(seen)),
        )
    return HTMLResponse(_page(address), headers=NO_STORE)


@cache
def _page(address: Callable[[str], str]) -> str:
    def linked(found: re.Match[str]) -> str:
        return f'{found[1]}"./{address(found[2])}"'

    return _LINK.sub(linked, _PAGE.read_text(encoding="utf-8"))
