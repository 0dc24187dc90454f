"""History: every run with its images, found by words and filters, and the details of one beside them.

The page asks routes of its own (`ui/history_routes.py`, `ui/history_actions.py`) and is drawn by `assets/history.js`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ui import file_tools
from ui.app import App, Tabs
from ui.components import drawn


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    history: Any
    files: Any
    """Recall a file, take along, bring back."""


def build(_app: App) -> Page:
    """Puts the components on the tab."""
    return Page(drawn("history", {}, elem_id="hi-page"), file_tools.build())


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Nothing to attach: what is found, picked and done lives in the page and behind its routes."""
