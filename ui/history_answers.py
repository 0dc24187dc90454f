"""How the routes of the History page answer, and whom."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ui import guard
from ui.app import App


def whose(app: App, request: Request, *, is_change: bool = False) -> str:
    """The visitor. `is_change`: the request must come from our own script, as a form of another site cannot send its header.

    Raises:
        UnknownVisitor: nobody we know, or not our script.
    """
    if is_change and request.headers.get("x-diptych") != "1":
        raise guard.UnknownVisitor("This address is for the page's own script.")
    return guard.owner_of(app.services.settings, request)


def answer(document: object, status: int = 200) -> Response:
    """A JSON document that no browser keeps."""
    return Response(orjson.dumps(document), status, {"Cache-Control": "no-store"}, "application/json")


def refused(words: str, status: int) -> Response:
    """Why not, in words to be shown."""
    return answer({"error": {"message": words}}, status)


def nothing() -> Response:
    """There is nothing of the visitor's under this address."""
    return refused("This run is not there any more.", 404)
