"""The banner of a disk that takes nothing, or of an object store that cannot be used: its words, the images that are in memory
only, and whether it still stands.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from playground import unsaved
from storage.errors import ImageDamaged, ImagesAway, ImagesNotYet
from ui.app import App, own, owner_of
from ui.key_routes import is_ours
from ui.route_answers import NO_STORE, answer, refused

_NOT_HAD = "This image is kept at another place, which does not give it now. Try again in a minute."


async def trouble_view(app: App, owner: str) -> dict[str, object] | None:
    """What the banner says to this visitor; `None` where all can be written."""
    store, is_public = app.services.store, app.services.settings.mode == "public"
    if store.trouble is not None:
        title, words = unsaved.words_of(store.trouble, is_public=is_public)
    elif (away := store.blobs.away) is not None:
        waiting = await asyncio.to_thread(store.blobs.waiting)
        title, words = unsaved.words_of_away(away, waiting, is_public=is_public)
    else:
        return None
    return {"title": title, "words": words, "images": len(app.services.unsaved.images(owner))}


def why_not_had(error: ImagesAway | ImageDamaged) -> str:
    """Why an image is not shown now, in words for anybody: where it is kept is told to the owner of the app alone."""
    return str(error) if isinstance(error, ImagesNotYet) else _NOT_HAD


def trouble_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [
        Route("/unsaved", own(download, app)),
        Route("/disk", own(look_again, app), methods=["POST"]),
    ]


async def download(app: App, request: Request) -> Response:
    """The visitor's images that could not be written: the one, or an archive of all."""
    images = app.services.unsaved.images(owner_of(app, request))
    if not images:
        words = "No image waits in memory: what came has been saved since. Look in History."
        return PlainTextResponse(words, 404, headers=NO_STORE)
    name, data = images[0]
    if len(images) > 1:
        name, data = "diptych-unsaved.zip", await asyncio.to_thread(unsaved.as_zip, images)
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


async def look_again(app: App, request: Request) -> Response:
    """Whether the disk or the object store can be used by now; tried only where it could not, so that asking costs nothing
    otherwise.
    """
    if not is_ours(request):
        return refused("This address is for the page's own script.", 403)
    owner = owner_of(app, request)
    store = app.services.store
    if store.trouble is not None:
        await asyncio.to_thread(store.probe)
    if store.blobs.away is not None:
        await asyncio.to_thread(store.blobs.look_again)
    return answer({"trouble": await trouble_view(app, owner)})
