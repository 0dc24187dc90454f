"""A sweep as one file to take along."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground import library
from playground.library import GroupView
from ui import guard
from ui.app import App, own
from ui.route_answers import not_found
from ui.sweep_page import sweep_page

_GROUP = re.compile(r"[0-9A-Za-z]{1,64}")


def sweep_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [Route("/sweeps/{group_id}.html", own(saved, app))]


async def saved(app: App, request: Request) -> Response:
    """The visitor's sweep as one HTML page, pictures inside."""
    group_id = request.path_params["group_id"]
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return not_found()
    group = await library.group(app.services, group_id, owner) if _GROUP.fullmatch(group_id) else None
    page = await asyncio.to_thread(_page, app, group, owner) if group else None
    if page is None:
        return not_found()
    headers = {"Content-Disposition": f'attachment; filename="sweep-{group_id}.html"', "Cache-Control": "no-store"}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _page(app: App, group: GroupView, owner: str) -> str | None:
    shown = {run.images[0].sha256 for run in group.runs if run.images}
    return sweep_page(group, library.thumbnails(app.services, shown, owner), app.services.catalog)
