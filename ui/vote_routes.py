"""Routes for whoever checks a board from outside: its votes as a file, and a token by which a program is known."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
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
from ui.documents import failure_document
from ui.vote_export import ExportKind

AT_ONCE = 4
"""Exports under way; each holds a file as large as what it sends."""
LONGEST_S = 600.0
"""A client that reads slower than this does not keep its file."""
_PIECE_BYTES = 2**18
_LOOK_AGAIN_S = 0.02
_MEDIA_TYPES: dict[ExportKind, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}

log = logging.getLogger(__name__)


def vote_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    under_way: set[_Export] = set()
    return [
        Route("/votes.csv", partial(export, app, under_way, "csv")),
        Route("/votes.jsonl", partial(export, app, under_way, "jsonl")),
        Route("/visitor", new_visitor, methods=["POST"]),
    ]


async def new_visitor(_request: Request) -> Response:
    """A fresh token; a program that sends it as `X-Diptych-Visitor` is the same visitor each time. Nothing is kept of it."""
    return JSONResponse({"token": secrets.token_urlsafe(32)}, headers={"Cache-Control": "no-store"})


async def export(app: App, under_way: set[_Export], kind: ExportKind, request: Request) -> Response:
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
        _Export(app, under_way, query, kind, everything=everything).pieces(),
        media_type=_MEDIA_TYPES[kind],
        headers={"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'},
    )


class _Export:
    """An export on its way. A thread writes a file without a name while the client reads it, so a slow client holds neither
    the database nor memory.
    """

    def __init__(
        self, app: App, under_way: set[_Export], query: BoardQuery, kind: ExportKind, *, everything: bool
    ) -> None:
        self._app = app
        self._under_way = under_way
        self._query = query
        self._kind = kind
        self._everything = everything
        self._is_left = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """What is written, as it is. Raises what the writing raises: the answer then ends before its end."""
        self._under_way.add(self)
        file = tempfile.TemporaryFile(dir=self._app.services.store.data_dir)  # noqa: SIM115 - closed by `_end`
        writing = asyncio.create_task(asyncio.to_thread(self._write, file))
        try:
            at, ends_at = 0, time.monotonic() + LONGEST_S
            while time.monotonic() < ends_at:
                is_done = writing.done()
                piece = await asyncio.to_thread(_piece, file, at)
                if piece:
                    at += len(piece)
                    yield piece
                elif is_done:
                    writing.result()
                    return
                else:
                    await asyncio.sleep(_LOOK_AGAIN_S)
            raise TimeoutError(f"an export was not taken within {LONGEST_S:g} s")
        finally:
            self._is_left = True
            writing.add_done_callback(partial(self._end, file))

    def _write(self, file: IO[bytes]) -> None:
        vote_export.write_votes(
            self._app.services,
            self._query,
            file,
            self._kind,
            everything=self._everything,
            is_wanted=lambda: not self._is_left,
        )

    def _end(self, file: IO[bytes], writing: asyncio.Task[None]) -> None:
        if not writing.cancelled() and writing.exception() is not None:
            log.warning("an export ended early: %s", writing.exception())
        file.close()
        self._under_way.discard(self)


def _piece(file: IO[bytes], at: int) -> bytes:
    """Bytes from a place on, by a read of its own: the writer's place in the file stays where it is."""
    return os.pread(file.fileno(), _PIECE_BYTES, at)


def refused(kind: str, words: str, status: int, field: str | None = None) -> Response:
    """A refusal as the command line documents it."""
    problems = [Problem(field, words)] if field else []
    document = failure_document(RunError(kind, words), problems)
    return JSONResponse(document, status, headers={"Cache-Control": "no-store"})
