"""Leaderboard: ratings by votes with all that they stand on, and how providers did lately.

The script asks for a board when the tab is opened, when a choice changes and when a link names one; each answer is the whole
tab, so the page never shows parts of two boards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from arena import board
from arena.board import Board
from arena.performance import performance
from arena.recount import recount
from ui import guard, notices
from ui.app import App, Tabs, owner_of
from ui.board_queries import WrongQuery
from ui.components import QUIET, bound, drawn
from ui.edges import Told, at_edge
from ui.leaderboard import figures, views
from ui.leaderboard.choices import NAMES, query_of, read_choices
from ui.leaderboard.routes import standing_text
from ui.leaderboard.table import View

AT_ONCE = 4
"""Boards that are made at the same time; those of a few days or of one voter read every vote."""


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    board: Any
    proof: Any


def build(_app: App) -> Page:
    """Puts the components on the tab."""
    shown = drawn("leaderboard", {"state": "loading"}, elem_id="lb-board", events=("ask", "recount", "prove"))
    return Page(shown, drawn("proof", {"state": "none"}, elem_id="lb-proof"))


def wire(page: Page, app: App, _tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {**QUIET, "trigger_mode": "multiple"}
    page.board.ask(bound(on_ask, app, is_shared=True), None, page.board, concurrency_limit=AT_ONCE, **quiet)
    page.board.recount(bound(on_recount, app, is_shared=True), None, page.board, concurrency_limit=1, **quiet)
    page.board.prove(bound(on_prove, app, is_shared=True), None, page.proof, concurrency_limit=1, **quiet)


async def on_ask(app: App, event: gr.EventData, request: gr.Request) -> View:
    """The board that was chosen, as it stands now."""
    return await _answered(app, event, request, with_recount=False)


async def on_recount(app: App, event: gr.EventData, request: gr.Request) -> View:
    """The same made from its votes alone, with what came of comparing."""
    return await _answered(app, event, request, with_recount=True)


async def on_prove(app: App, event: gr.EventData, request: gr.Request) -> View:
    """The hash of the board's votes: reading them all takes longer than the board."""
    told = _told(event)
    try:
        choices = read_choices(told)
        query = query_of(choices, voter=_voter(app, request), now=app.services.clock())
        return {"state": "proof", "choices": told, "sha256": await board.digest(app.services, query)}
    except WrongQuery:
        return {"state": "none"}


async def _answered(app: App, event: gr.EventData, request: gr.Request, *, with_recount: bool) -> View:
    """The whole tab; `asked` goes back, by which the script knows that this is its answer."""
    told = _told(event)
    found = await at_edge(_page(app, request, told, with_recount=with_recount), partial(_failed, told))
    return found | {"asked": getattr(event, "asked", None)}


def _failed(told: dict[str, object], error: Exception) -> Told[View]:
    """The error in the board's place."""
    said = Told(str(error)) if isinstance(error, WrongQuery) else notices.told_of(error)
    return Told(views.failed_view(told, said.shown), said.is_fault)


async def _page(app: App, request: gr.Request, told: dict[str, object], *, with_recount: bool) -> View:
    choices = read_choices(told)
    services, voter, now = app.services, _voter(app, request), app.services.clock()
    query = query_of(choices, voter=voter, now=now)
    # Read before the board, so that a vote between the two is seen as news.
    said: View = {"standing": await standing_text(app)}
    found: Board
    if with_recount:
        found, result = await recount(services, query)
        said |= {"recounted": figures.recount_sentence(result), "is_same": result.is_same}
    else:
        found = await board.leaderboard(services, query)
    times = await performance(services, voter)
    return views.page_view(found, choices, times, services.catalog, now=now, alarms=app.voter_watch.alarms) | said


def _voter(app: App, request: gr.Request) -> str:
    """Who looks; nobody, where the browser keeps no cookie: boards are for everybody."""
    try:
        return owner_of(app, request)
    except guard.UnknownVisitor:
        return ""


def _told(event: gr.EventData) -> dict[str, object]:
    """The choices the browser told, unchecked."""
    return {name: value for name in NAMES if (value := getattr(event, name, None)) is not None}
