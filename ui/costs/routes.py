"""The ledger as a file, written as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from playground import spending
from playground.services import Services
from storage.ledger_pages import LedgerFilter
from storage.records import LedgerState
from ui import guard
from ui.app import App, own
from ui.costs.ledger_views import csv_head, csv_lines

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def costs_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [Route("/costs/ledger.csv", own(as_csv, app))]


async def as_csv(app: App, request: Request) -> Response:
    """The visitor's ledger, every line that the filters leave."""
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor:
        return PlainTextResponse("Not found.", 404, headers=_HEADERS)
    state = request.query_params.get("state", "")
    if state and state not in get_args(LedgerState):
        return PlainTextResponse(f"State {state[:40]!r} is none of {', '.join(get_args(LedgerState))}.", 400, _HEADERS)
    wanted = read_filter(owner, state, request.query_params.get("offer", ""))
    headers = {**_HEADERS, "Content-Disposition": 'attachment; filename="diptych-ledger.csv"'}
    # Of a generator that is not asynchronous each piece is made on a thread.
    return StreamingResponse(_lines(app.services, wanted), media_type="text/csv; charset=utf-8", headers=headers)


def read_filter(owner: str, state: object, offer: object) -> LedgerFilter:
    """The filter of values from a browser; what is none is left out."""
    known: dict[str, LedgerState] = {name: name for name in get_args(LedgerState)}
    return LedgerFilter(owner, known.get(str(state)), str(offer)[:200] if offer else None)


def _lines(services: Services, wanted: LedgerFilter) -> Iterator[str]:
    yield csv_head()
    for entries in spending.all_lines(services, wanted):
        yield csv_lines(entries, wanted.owner)
