"""Arena: a prompt, two images and five answers. The page knows a battle's id and nothing of its makers until the vote.

The tab is one drawn component. Its value is what is shown: a battle, the form of a new one, or why there is none; its events
say what was pressed. All of it comes back from the browser, so the handlers believe none of it. `voting` and `making` are the
handlers, `told` is what those share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui import privacy_words
from ui.app import App, Tabs
from ui.components import QUIET, bound, drawn, static
from ui.pages.arena import making, voting

EVENTS = ("answer", "next_battle", "demo_battle", "form", "start", "stop", "pair", "undo", "report")


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    board: Any
    upload: Any
    """Out of sight: takes the files that the form is given, because only Gradio's own field can."""


def build(app: App) -> Page:
    """Puts the components on the tab."""
    shown = drawn("arena", {"state": "loading"}, elem_id="ar-board", events=EVENTS)
    with gr.Column(elem_id="ar-upload", elem_classes="upload-door", min_width=0):
        upload = gr.UploadButton(
            "Add source images",
            file_count="multiple",
            file_types=["image"],
            type="filepath",
            elem_id="ar-upload-button",
        )
    if app.services.settings.mode == "public":
        more = "<a class='link' href='#settings'>What is stored</a>"
        static(f"<p class='caption'>{privacy_words.CONSENT} {more}</p>", elem_id="ar-consent")
    return Page(shown, upload)


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {**QUIET, "concurrency_limit": None}
    shown, both = [page.board], [page.board, tabs.strip]
    tabs.arena.select(bound(voting.on_visit, app), shown, shown, **quiet)
    page.board.answer(bound(voting.on_answer, app), shown, both, **quiet)
    page.board.next_battle(bound(voting.on_next, app), shown, shown, **quiet)
    page.board.pair(bound(voting.on_pair, app), None, shown, **quiet)
    page.board.demo_battle(bound(making.on_demo, app), None, both, **quiet)
    page.board.form(bound(making.on_form, app), shown, shown, trigger_mode="always_last", **quiet)
    page.board.start(bound(making.on_start, app), shown, both, **quiet)
    page.board.stop(bound(making.on_stop, app), None, None, **quiet)
    page.board.undo(bound(voting.on_undo, app), shown, shown, **quiet)
    page.board.report(bound(voting.on_report, app), shown, both, **quiet)
    page.upload.upload(bound(making.on_upload, app), [page.upload, page.board], shown, **quiet)
