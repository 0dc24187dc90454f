"""History: every run with its images, found by words of its prompt, and the details of one beside the grid."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground import library
from ui import history_views
from ui.app import App, Tabs, owner_of
from ui.components import bound, drawn
from ui.history_views import View

NO_DETAILS: View = {"state": "none"}


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    search: Any
    grid: Any
    details: Any
    trail: Any
    """Cursors of the pages before this one and of this one; the first page has none."""


def build(app: App) -> Page:  # noqa: ARG001 - the contract of a page
    """Puts the components on the tab."""
    with gr.Row(elem_id="hi-bar"):
        search = gr.Textbox(label="Search", placeholder="Words of a prompt", max_length=200, elem_id="hi-search")
    with gr.Row(elem_id="hi-sides"):
        grid = drawn(
            "history", {"state": "loading"}, elem_id="hi-grid", events=("open_run", "turn_page", "clear_search")
        )
        details = drawn("details", NO_DETAILS, elem_id="hi-details", events=("open_image", "close_details"))
    return Page(search, grid, details, gr.State([]))


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
    asked, shown = [page.search, page.trail, page.details], [page.grid, page.trail]
    tabs.history.select(bound(on_visit, app), asked, shown, **quiet)
    page.search.change(bound(on_search, app), [page.search, page.details], shown, trigger_mode="always_last", **quiet)
    page.grid.turn_page(bound(on_turn_page, app), [*asked, page.grid], shown, **quiet)
    page.grid.clear_search(bound(on_clear, app), [page.details], [page.search, *shown], **quiet)
    page.grid.open_run(bound(on_open_run, app), None, page.details, **quiet)
    page.details.open_image(bound(on_open_image, app), None, page.details, **quiet)
    page.details.close_details(bound(on_close, app), None, page.details, **quiet)


async def on_visit(app: App, search: str, trail: object, details: object, request: gr.Request) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The page that was open, as it stands now."""
    return await _page(app, request, search, _cursors(trail), details)


async def on_search(app: App, search: str, details: object, request: gr.Request) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The first page of what matches."""
    return await _page(app, request, search, [], details)


async def on_clear(app: App, details: object, request: gr.Request) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """All runs again, with an empty search box."""
    return "", *await _page(app, request, "", [], details)


async def on_turn_page(
    app: App, search: str, trail: object, details: object, grid: object, event: gr.EventData, request: gr.Request
) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The next page or the one before."""
    cursors = _cursors(trail)
    if getattr(event, "to", None) == "previous":
        return await _page(app, request, search, cursors[:-1], details)
    after = grid.get("next") if isinstance(grid, dict) else None
    return await _page(app, request, search, [*cursors, str(after)] if after else cursors, details)


async def on_open_run(app: App, event: gr.EventData, request: gr.Request) -> View:
    """The details of a run of the grid."""
    return await _details(app, event, request)


async def on_open_image(app: App, event: gr.EventData, request: gr.Request) -> View:
    """The details by another image of the same run."""
    return await _details(app, event, request)


async def on_close(_app: App) -> View:
    """No details."""
    return NO_DETAILS


async def _page(app: App, request: gr.Request, search: str, cursors: Sequence[str], details: object) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The grid at the last of these cursors, and the cursors that led there."""
    owner = owner_of(app, request)
    before = cursors[-1] if cursors else None
    page, total = await library.history_page(app.services, owner, search=search, before=before)
    if not page.runs and cursors:
        cursors = []
        page, total = await library.history_page(app.services, owner, search=search)
    kept = total if not search.strip() else (await library.history_page(app.services, owner, limit=1))[1]
    chosen = details.get("run_id") if isinstance(details, dict) else None
    first = len(cursors) * library.PAGE_SIZE + 1
    view = history_views.grid_view(page, total, kept, search=search, first=first, chosen=chosen)
    return view | {"next": page.next}, list(cursors)


async def _details(app: App, event: gr.EventData, request: gr.Request) -> View:
    run_id, position = getattr(event, "run_id", None), getattr(event, "position", 0)
    found = await library.run(app.services, str(run_id), owner_of(app, request))
    if found is None:
        return {"state": "gone", "text": "This run is not there any more."}
    shown = position if isinstance(position, int) else 0
    return await asyncio.to_thread(history_views.details_view, found, shown, app.services.catalog)


def _cursors(trail: object) -> list[str]:
    return [item for item in trail if isinstance(item, str)] if isinstance(trail, list) else []
