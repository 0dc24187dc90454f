"""Leaderboard: ratings by votes, for generated images and for edits; drawn demo models have boards of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena import board
from arena.board import BoardQuery
from ui import leaderboard_views
from ui.app import App, Tabs
from ui.components import bound, drawn, segment

REAL, DEMO = "real", "demo"


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    operation: Any
    kind: Any
    table: Any


def build(app: App) -> Page:  # noqa: ARG001 - the contract of a page
    """Puts the components on the tab."""
    with gr.Row(elem_id="lb-bar"):
        operation = segment(
            [("Generate", "generate"), ("Edit one", "edit-single"), ("Edit many", "edit-multi")],
            "generate",
            label="Board",
            elem_id="lb-operation",
        )
        kind = segment(
            [("Real models", REAL), ("Demo models", DEMO)], REAL, label="Models", elem_id="lb-kind", visible=False
        )
    table = drawn("board", {"state": "loading"}, elem_id="lb-table")
    return Page(operation, kind, table)


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
    tabs.leaderboard.select(bound(on_visit, app), [page.operation], [page.table, page.kind], **quiet)
    page.operation.input(bound(on_operation, app), [page.operation], [page.table, page.kind], **quiet)
    page.kind.input(bound(on_kind, app), [page.operation, page.kind], [page.table, page.kind], **quiet)


async def on_visit(app: App, operation: str) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The board as it stands now; real models first where they have votes."""
    return await _shown(app, operation, None)


async def on_operation(app: App, operation: str) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The other board."""
    return await _shown(app, operation, None)


async def on_kind(app: App, operation: str, kind: str) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """Real or drawn models."""
    return await _shown(app, operation, kind)


async def _shown(app: App, operation: str, kind: str | None) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The table, and the switch between real and drawn models, which shows when both have votes."""
    query = BoardQuery(board.BOARDS.get(operation, "generate"), None if kind is None else kind == DEMO)
    found = await board.leaderboard(app.services, query)
    switch = gr.update(visible=found.has_demo and found.has_real, value=DEMO if found.is_demo else REAL)
    return leaderboard_views.board_view(found, app.services.catalog), switch
