"""Routes for whoever checks a board from outside: its votes as a file, and a token by which a program is known."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import IO

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from arena.board import BoardQuery
from providers.checks import Problem
from storage.records import RunError
from ui import vote_export
from ui.app import App
from ui.board_queries import WrongQuery, board_query, switch
from ui.plain_documents import failure_document
from ui.streamed import Streamed
from ui.vote_export import ExportKind

AT_ONCE = 4
"""Exports under way; each holds a file as large as what it sends."""
LONGEST_S = 600.0
"""A client that reads slower than this does not keep its file."""
_MEDIA_TYPES: dict[ExportKind, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def vote_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    under_way: set[Streamed] = set()
    return [
        Route("/votes.csv", partial(export, app, under_way, "csv")),
        Route("/votes.jsonl", partial(export, app, under_way, "jsonl")),
        Route("/visitor", new_visitor, methods=["POST"]),
    ]


async def new_visitor(_request: Request) -> Response:
    """A fresh token; a program that sends it as `X-Diptych-Visitor` is the same visitor each time. Nothing is kept of it."""
    return JSONResponse({"token": secrets.token_urlsafe(32)}, headers={"Cache-Control": "no-store"})


async def export(app: App, under_way: set[Streamed], kind: ExportKind, request: Request) -> Response:
    """The votes of a board, in their order, as they stand at this moment: everybody's, so for everybody, as the board is."""
    told = {name: request.query_params.get(name) for name in request.query_params}
    try:
        query, everything = board_query(told), bool(switch(told, "all"))
    except WrongQuery as error:
        return refused("validation", str(error), 400, error.field)
    if len(under_way) >= AT_ONCE:
        return refused("rate_limit", "Other exports are under way. Try again in a minute.", 429)
    name = f"diptych-votes-{query.board}{f'-{query.category}' if query.category else ''}.{kind}"
    return StreamingResponse(
        _export_of(app, under_way, query, kind, everything=everything).pieces(),
        media_type=_MEDIA_TYPES[kind],
        headers={"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'},
    )


def _export_of(
    app: App, under_way: set[Streamed], query: BoardQuery, kind: ExportKind, *, everything: bool
) -> Streamed:
    def write(file: IO[bytes], is_wanted: Callable[[], bool]) -> object:
        return vote_export.write_votes(app.services, query, file, kind, everything=everything, is_wanted=is_wanted)

    return Streamed(app.services.store.data_dir, under_way, write, longest_s=LONGEST_S)


def refused(kind: str, words: str, status: int, field: str | None = None) -> Response:
    """A refusal as the command line documents it."""
    problems = [Problem(field, words)] if field else []
    document = failure_document(RunError(kind, words), problems)
    return JSONResponse(document, status, headers={"Cache-Control": "no-store"})
