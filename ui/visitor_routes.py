"""Routes about the visitor: who they are here, what is kept of them, and the operator's token."""

from __future__ import annotations

import logging
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from arena.erasing import erase_everything
from playground.usage import UseRefused
from storage.errors import StoreError
from ui import guard
from ui.app import App, is_operator, own, owner_of
from ui.key_routes import is_ours, short_body
from ui.route_answers import NO_STORE, answer, refused

log = logging.getLogger(__name__)

WORDS = "delete everything"
"""What is typed before everything of a visitor is deleted."""


def visitor_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [
        Route("/private", partial(private, app), methods=["POST", "DELETE"]),
        Route("/mine", own(erase_mine, app), methods=["DELETE"]),
        Route("/operator", partial(operator, app), methods=["POST", "DELETE"]),
    ]


async def private(app: App, request: Request) -> Response:
    """Begins a private session, or ends it and deletes all it holds."""
    if not is_ours(request):
        return refused("This address is for the page's own script.", 403)
    is_on = request.method == "POST"
    try:
        if is_on:
            await app.room.enter(owner_of(app, request))
        else:
            await app.room.leave(owner_of(app, request))
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except (OSError, StoreError):
        log.exception("a private session could not begin or end")
        return refused("The server could not make or delete the folder of a private session. Nothing was changed.", 500)
    headers = {**NO_STORE, "Set-Cookie": guard.private_cookie(app.services.settings, request, is_on=is_on)}
    return JSONResponse({"is_private": is_on}, headers=headers)


async def erase_mine(app: App, request: Request) -> Response:
    """Deletes everything of the visitor's. They type the words, so that no slip of a finger does it."""
    if not is_ours(request):
        return refused("This address is for the page's own script.", 403)
    try:
        owner = owner_of(app, request)
        document = orjson.loads(await short_body(request) or b"{}")
        if not isinstance(document, dict) or document.get("words") != WORDS:
            return refused(f"Nothing was deleted. Type: {WORDS}", 400)
        erased = await erase_everything(app.services, app.engine, owner)
    except ValueError:
        return refused("The request did not arrive whole. Nothing was deleted; try again.", 400)
    except StoreError as error:
        return refused(f"Nothing was deleted. {error}", 503)
    document = {
        "runs": erased.deleted.runs,
        "images": erased.deleted.images,
        "uploads": erased.uploads,
        "bytes": erased.deleted.freed_bytes,
        "votes_kept": erased.votes_kept,
    }
    return answer(document)


async def operator(app: App, request: Request) -> Response:
    """Takes the operator's token, or gives the rights back."""
    if not is_ours(request):
        return refused("This address is for the page's own script.", 403)
    try:
        owner = owner_of(app, request)
        if request.method == "DELETE":
            app.operators.leave(owner)
        else:
            await app.services.usage.count("key_tries", owner)
            document = orjson.loads(await short_body(request) or b"{}")
            token = document.get("token") if isinstance(document, dict) else None
            if not isinstance(token, str) or not app.operators.enter(owner, token):
                return refused("This is not the operator's token.", 403)
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except UseRefused as error:
        return refused(str(error), 429)
    except ValueError:
        return refused("The token did not arrive whole. Type it once more.", 400)
    return answer({"is_operator": is_operator(app, request)})
