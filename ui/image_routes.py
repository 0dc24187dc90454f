"""The visitor's own images, a page at a time, for the picker of reference images."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground import library
from playground.services import Services
from storage.records import RunView
from ui import guard, views
from ui.app import App, own
from ui.naming import offer_names
from ui.route_answers import answer

PAGE = 24
"""Images at least, unless there are no more: those of one run stay together."""
_MOST_LOOKS = 4
"""Pages of runs that are read for one page of images: many runs may have failed."""
_MOST_SEARCHED = 200
_MOST_CURSOR = 40


def image_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [Route("/images.json", own(own_images, app))]


async def own_images(app: App, request: Request) -> Response:
    """Images of `?search=…&before=…`, newest first, each as the tray takes it, and `next` for the page after."""
    search, before = (request.query_params.get(name, "") for name in ("search", "before"))
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return answer({"images": [], "next": None})
    try:
        return answer(await _page(app.services, owner, search[:_MOST_SEARCHED], before[:_MOST_CURSOR] or None))
    except ValueError:
        return answer({"error": "This page of images is not there. Begin at the first."}, 400)


async def _page(services: Services, owner: str, search: str, before: str | None) -> dict[str, object]:
    images: list[dict[str, object]] = []
    for _ in range(_MOST_LOOKS):
        page, _total = await library.history_page(services, owner, search=search, limit=PAGE, before=before)
        images += [one for run in page.runs for one in _of_run(run, services)]
        before = page.next
        if before is None or len(images) >= PAGE:
            break
    return {"images": images, "next": before}


def _of_run(run: RunView, services: Services) -> list[dict[str, object]]:
    """The run's images; where one was locked outside its mask, what the person sees of it."""
    model, provider = offer_names(run.run.offer, services.catalog)
    found = []
    for image in run.images:
        lock = run.lock_of(image.image_id)
        shown = lock.locked if lock and lock.locked else image
        found.append(
            {
                "sha256": shown.sha256,
                "media_type": shown.media_type,
                "width": shown.width,
                "height": shown.height,
                "name": "",
                "alt": run.run.prompt,
                "caption": views.sentence([model, provider, views.size(shown.width, shown.height)]),
            }
        )
    return found
