"""What the comparison shows beside the images themselves: the settings of up to four of them."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui import comparison, guard
from ui.app import App, own
from ui.comparison import MOST
from ui.picked import picked_image
from ui.route_answers import answer

_PICKED = re.compile(r"[0-9A-Za-z]{1,64}:\d{1,4}")


def compare_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [Route("/compare.json", own(compared, app))]


async def compared(app: App, request: Request) -> Response:
    """The table of `?image=RUN:POSITION&image=…`; images that are not the visitor's, or gone, are left out."""
    wanted = request.query_params.getlist("image")
    if not 1 <= len(wanted) <= MOST or not all(_PICKED.fullmatch(one) for one in wanted):
        return answer({"error": f"Expected one to {MOST} images as RUN:POSITION."}, 400)
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return answer({"error": "These images are not there."}, 404)
    found = [await picked_image(app.services, owner, one) for one in wanted]
    shown = [one for one in found if one is not None]
    if not shown:
        return answer({"error": "These images are not there."}, 404)
    return answer(comparison.comparison_view(shown, app.services.catalog))
