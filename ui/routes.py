"""Our own routes beside Gradio's: files by hash, blind copies, and keys (`key_routes`). Each checks the owner itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from arena import bank, battle
from playground import curation, library, memory, taking_along
from storage.blobs import media_type_of
from storage.engine import Database
from storage.errors import ImageDamaged, ImagesAway, ImagesNotYet, StoreError
from storage.images import UnreadableImage
from ui import guard
from ui.app import App, own
from ui.archive_routes import archive_routes
from ui.compare_routes import compare_routes
from ui.costs.routes import costs_routes
from ui.history_actions import history_actions
from ui.history_routes import history_routes
from ui.image_routes import image_routes
from ui.key_routes import key_routes
from ui.leaderboard.routes import leaderboard_routes
from ui.route_answers import not_found
from ui.sweep_routes import sweep_routes
from ui.trouble import trouble_routes, why_not_had
from ui.visitor_routes import visitor_routes
from ui.vote_routes import vote_routes

FOREVER = "private, max-age=31536000, immutable"
"""A file named by its hash never changes."""
NEVER = "no-store"
REDIRECTED_S = 60
"""An address of the object store is good for so long."""
_LOOK_AGAIN_S = 1.0
_THREADS = 32
"""For what blocks: twice the calls that all providers together take at once. Python's own default is four more than there are
cores, and calls whose answers come together would wait for each other's disk."""
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpg|webp|gif|avif)")
_BATTLE = re.compile(r"[0-9a-f]{32}")


def routes(app: App) -> list[Route]:
    """All routes, relative to where the app is mounted."""
    return [
        Route("/media/{name}", own(media, app)),
        Route("/thumbs/{name}", own(thumbnail, app)),
        Route("/blind/{battle_id}/{side}.webp", own(blind, app)),
        Route("/bank/{source_id}.jpg", bank_source),
        Route("/healthz", partial(health, app)),
        *archive_routes(app),
        *compare_routes(app),
        *image_routes(app),
        *costs_routes(app),
        *history_routes(app),
        *history_actions(app),
        *key_routes(app),
        *leaderboard_routes(app),
        *sweep_routes(app),
        *trouble_routes(app),
        *visitor_routes(app),
        *vote_routes(app),
    ]


def lifespan(
    app: App,
    on_loop: Callable[[asyncio.AbstractEventLoop], None],
    beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """Starts the engine, the look at the voters, the keeping of the trash and of memory on the server's event loop, which
    `on_loop` is told, before the first page is served. `beside` is entered meanwhile.
    """

    @asynccontextmanager
    async def run(_server: object) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="blocking"))
        on_loop(loop)
        await app.engine.start()
        app.snapshots.start()
        watching = asyncio.create_task(app.voter_watch.run())
        tidying = asyncio.create_task(curation.keep_tidy(app.services))
        giving_back = asyncio.create_task(memory.keep_giving_back())
        try:
            async with beside():
                yield
        finally:
            watching.cancel()
            tidying.cancel()
            giving_back.cancel()

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
        return not_found()
    try:
        if name and find is library.owned_file and _may_redirect(app, request):
            address = await asyncio.to_thread(library.owned_address, app.services, name[1], owner, REDIRECTED_S)
            if address is not None:
                return RedirectResponse(
                    address, 302, headers={"Cache-Control": NEVER, "Referrer-Policy": "no-referrer"}
                )
        path = await _found(app, find, name[1], owner) if name else None
    except UnreadableImage:
        path = None
    except (ImagesAway, ImageDamaged) as error:
        return PlainTextResponse(why_not_had(error), 503, headers={"Cache-Control": NEVER, "Retry-After": "30"})
    if path is None:
        return not_found()
    # By our own table: the system's may not know AVIF or WebP, and would then say plain text.
    response = FileResponse(
        path, media_type=media_type_of(path), headers={"Cache-Control": NEVER if app.is_private else FOREVER}
    )
    if "download" in request.query_params and find is library.owned_file:
        copy = await taking_along.copy_of(app.services, owner, path)
        if copy is not None:
            saved = f"diptych-{path.name[:12]}.{copy.ending}"
            more = {"Content-Disposition": f'attachment; filename="{saved}"', "Cache-Control": NEVER}
            return Response(copy.data, media_type=copy.media_type, headers=more)
        # Another preference gives other bytes at the same address.
        response.headers["Cache-Control"] = NEVER
        response.headers["Content-Disposition"] = f'attachment; filename="diptych-{path.name[:12]}{path.suffix}"'
    return response


async def _found(app: App, find: Callable[..., Path | None], sha256: str, owner: str) -> Path | None:
    """Raises: as `library.owned_file`."""
    try:
        return await asyncio.to_thread(find, app.services, sha256, owner)
    except ImagesNotYet:
        # What just came to another replica is there in a moment.
        await asyncio.sleep(_LOOK_AGAIN_S)
        return await asyncio.to_thread(find, app.services, sha256, owner)


def _may_redirect(app: App, request: Request) -> bool:
    """Only for an image that is opened by itself. Within a page it is painted on canvases, which other origins' pictures would
    lock, and the page's policy shows none of those; a file to save may be a copy with its settings inside.
    """
    images = app.services.settings.images
    return (
        images is not None
        and images.redirects
        and not app.is_private
        and "download" not in request.query_params
        and request.headers.get("sec-fetch-dest") == "document"
    )


async def blind(app: App, request: Request) -> Response:
    """One side of a battle, under a neutral name and never kept by the browser."""
    battle_id, side = request.path_params["battle_id"], request.path_params["side"]
    if not _BATTLE.fullmatch(battle_id) or side not in ("a", "b"):
        return not_found()
    try:
        voter = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return not_found()
    path = await asyncio.to_thread(battle.blind_file, app.services, battle_id, side, voter)
    if path is None:
        return not_found()
    return Response(
        await asyncio.to_thread(path.read_bytes), media_type="image/webp", headers={"Cache-Control": "no-store"}
    )


async def health(app: App, _request: Request) -> Response:
    """Whether the app can serve: its store answers. For whoever watches over the process; it tells nothing else."""
    try:
        await asyncio.to_thread(app.services.store.read, _anything)
    except StoreError:
        return JSONResponse({"ok": False}, 503, headers={"Cache-Control": "no-store"})
    return JSONResponse({"ok": True}, headers={"Cache-Control": "no-store"})


def _anything(db: Database) -> int:
    return len(db.conn.execute("select name from install limit 1").fetchall())


async def bank_source(request: Request) -> Response:
    """A source image of the prompt bank; these ship with the app and are everybody's."""
    try:
        path = bank.path_of(bank.source(request.path_params["source_id"]))
    except bank.UnknownSource:
        return not_found()
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=86400"})
