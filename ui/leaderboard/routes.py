"""A board as a file to save, under the same choices as the page's."""

from __future__ import annotations

import asyncio
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from arena import board
from arena.board import Board
from storage import vote_counts
from ui import guard
from ui.app import App
from ui.board_queries import WrongQuery
from ui.leaderboard.choices import Choices, query_of, read_choices
from ui.leaderboard.documents import table_document, table_markdown

AT_ONCE = 2
"""Files that are made at the same time: each reads every vote of its board for the hash."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def leaderboard_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    gate = asyncio.Semaphore(AT_ONCE)
    return [
        Route("/leaderboard.json", partial(as_json, app, gate)),
        Route("/leaderboard.md", partial(as_markdown, app, gate)),
        Route("/leaderboard/standing", partial(standing, app)),
    ]


async def as_json(app: App, gate: asyncio.Semaphore, request: Request) -> Response:
    """The board as JSON."""
    try:
        found, choices, sha256 = await _read(app, gate, request)
    except WrongQuery as error:
        return PlainTextResponse(str(error), 400, _HEADERS)
    content = orjson.dumps(table_document(found, choices, sha256), option=orjson.OPT_INDENT_2)
    return Response(content, media_type="application/json", headers=_saved(choices, "json"))


async def as_markdown(app: App, gate: asyncio.Semaphore, request: Request) -> Response:
    """The board as Markdown."""
    try:
        found, choices, sha256 = await _read(app, gate, request)
    except WrongQuery as error:
        return PlainTextResponse(str(error), 400, _HEADERS)
    content = table_markdown(found, choices, app.services.catalog, sha256)
    return Response(content, media_type="text/markdown; charset=utf-8", headers=_saved(choices, "md"))


async def standing(app: App, _request: Request) -> Response:
    """A few figures that are others whenever a board could be: an open page looks at them and asks for its board then."""
    return PlainTextResponse(await standing_text(app), headers=_HEADERS)


async def standing_text(app: App) -> str:
    """Those figures as one word."""
    return "-".join(map(str, await asyncio.to_thread(app.services.store.read, vote_counts.standing)))


async def _read(app: App, gate: asyncio.Semaphore, request: Request) -> tuple[Board, Choices, str]:
    """Raises: WrongQuery when something asked for is none of what there is."""
    choices = read_choices(request.query_params)
    try:
        voter = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        voter = ""
    query = query_of(choices, voter=voter, now=app.services.clock())
    async with gate:
        found = await board.leaderboard(app.services, query)
        return found, choices, await board.digest(app.services, query)


def _saved(choices: Choices, ending: str) -> dict[str, str]:
    return {**_HEADERS, "Content-Disposition": f'attachment; filename="diptych-{choices.board}.{ending}"'}
