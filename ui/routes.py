"""Our own routes beside Gradio's: files by hash, blind copies, and keys. Each checks the owner itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from arena import battle
from playground import library
from playground.settings import SettingsError
from providers.catalog import Provider
from ui import guard
from ui.app import App

FOREVER = "private, max-age=31536000, immutable"
"""A file named by its hash never changes."""
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpg|webp|gif|avif)")
_BATTLE = re.compile(r"[0-9a-f]{32}")
_MAX_KEY_BODY_BYTES = 4096
_KEY_CUT_SHORT = "The key did not arrive whole. Type it once more."


def routes(app: App) -> list[Route]:
    """All routes, relative to where the app is mounted."""
    return [
        Route("/media/{name}", partial(media, app)),
        Route("/thumbs/{name}", partial(thumbnail, app)),
        Route("/blind/{battle_id}/{side}.webp", partial(blind, app)),
        Route("/keys", partial(list_keys, app)),
        Route("/keys/{provider_id}", partial(change_key, app), methods=["POST", "DELETE"]),
    ]


def lifespan(
    app: App, on_loop: Callable[[asyncio.AbstractEventLoop], None]
) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """Starts the engine on the server's event loop, which `on_loop` is told, before the first page is served."""

    @asynccontextmanager
    async def run(_server: object) -> AsyncIterator[None]:
        on_loop(asyncio.get_running_loop())
        await app.engine.start()
        yield

    return run


async def media(app: App, request: Request) -> Response:
    """An image of the visitor's, byte for byte as it came; with `?download` as a file to save."""
    return await _file(app, request, library.owned_file)


async def thumbnail(app: App, request: Request) -> Response:
    """A small WebP of such an image."""
    return await _file(app, request, library.owned_thumbnail)


async def _file(app: App, request: Request, find: Callable[..., Path | None]) -> Response:
    name = _NAME.fullmatch(request.path_params["name"])
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return _nothing()
    path = await asyncio.to_thread(find, app.services, name[1], owner) if name else None
    if path is None:
        return _nothing()
    response = FileResponse(path, headers={"Cache-Control": FOREVER})
    if "download" in request.query_params:
        response.headers["Content-Disposition"] = f'attachment; filename="diptych-{path.name[:12]}{path.suffix}"'
    return response


async def blind(app: App, request: Request) -> Response:
    """One side of a battle, under a neutral name and never kept by the browser."""
    battle_id, side = request.path_params["battle_id"], request.path_params["side"]
    if not _BATTLE.fullmatch(battle_id) or side not in ("a", "b"):
        return _nothing()
    try:
        voter = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return _nothing()
    path = await asyncio.to_thread(battle.blind_file, app.services, battle_id, side, voter)
    if path is None:
        return _nothing()
    return Response(
        await asyncio.to_thread(path.read_bytes), media_type="image/webp", headers={"Cache-Control": "no-store"}
    )


async def list_keys(app: App, request: Request) -> Response:
    """Which providers have a key, and where from; never a key."""
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor as error:
        return _refused(str(error), 403)
    rows = [_key_state(app, provider, owner) for provider in app.services.catalog.providers if provider.key_variable]
    return JSONResponse(rows, headers={"Cache-Control": "no-store"})


async def change_key(app: App, request: Request) -> Response:
    """Holds a typed key in memory for this visitor, or forgets it."""
    # A header of our own cannot be sent by a form of another site.
    if request.headers.get("x-diptych") != "1":
        return _refused("This address is for the page's own script.", 403)
    try:
        owner = guard.owner_of(app.services.settings, request)
        provider = _provider(app, request.path_params["provider_id"])
        if request.method == "DELETE":
            app.services.keys.forget(provider, owner)
        else:
            app.services.keys.put(provider, owner, await _typed_key(request))
    except guard.UnknownVisitor as error:
        return _refused(str(error), 403)
    except (SettingsError, LookupError) as error:
        return _refused(str(error.args[0]), 400)
    return JSONResponse(_key_state(app, provider, owner), headers={"Cache-Control": "no-store"})


def _provider(app: App, provider_id: str) -> Provider:
    for provider in app.services.catalog.providers:
        if provider.provider_id == provider_id and provider.key_variable:
            return provider
    raise LookupError("There is no such provider, or it needs no key.")


async def _typed_key(request: Request) -> str:
    body = await _short_body(request)
    try:
        # Deep nesting is refused with the rest; `json` would overflow the stack on it.
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SettingsError(_KEY_CUT_SHORT) from None
    key = document.get("key") if isinstance(document, dict) else None
    return key if isinstance(key, str) else ""


async def _short_body(request: Request) -> bytes:
    """The body. The rest of one that is longer than a key can be is left unread.

    Raises: SettingsError when it is too long or does not end.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_KEY_BODY_BYTES:
                raise SettingsError("This is too long to be a key.")
    except ClientDisconnect:
        raise SettingsError(_KEY_CUT_SHORT) from None
    return bytes(body)


def _key_state(app: App, provider: Provider, owner: str) -> dict[str, object]:
    found = app.services.keys.find(provider, owner)
    return {
        "provider_id": provider.provider_id,
        "name": provider.name,
        "source": found.source if found else "missing",
        "ends_in_s": round(found.ends_in_s) if found and found.ends_in_s is not None else None,
        "key_url": provider.key_url,
        "key_variable": provider.key_variable,
    }


def _nothing() -> Response:
    return Response("Not found.", 404, media_type="text/plain", headers={"Cache-Control": "no-store"})


def _refused(message: str, status: int) -> Response:
    return JSONResponse({"error": {"message": message}}, status, headers={"Cache-Control": "no-store"})
