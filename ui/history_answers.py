"""How the routes of the History page answer, and whom."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ui import guard
from ui.app import App
from ui.key_routes import is_ours
from ui.route_answers import refused


def whose(app: App, request: Request, *, is_change: bool = False) -> str:
    """The visitor. `is_change`: the request must come from our own script, as a form of another site cannot send its header.

    Raises:
        UnknownVisitor: nobody we know, or not our script.
    """
    if is_change and not is_ours(request):
        raise guard.UnknownVisitor("This address is for the page's own script.")
    return guard.owner_of(app.services.settings, request)


def nothing() -> Response:
    """There is nothing of the visitor's under this address."""
    return refused("This run is not there any more.", 404)
