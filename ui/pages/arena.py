"""Placeholder until the page is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ui.app import App, Tabs
from ui.components import static


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    note: Any


def build(app: App) -> Page:  # noqa: ARG001 - the contract of a page
    """Puts the components on the tab."""
    return Page(static("<div class='empty'><h2>Not here yet</h2></div>", elem_id="arena-note"))


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
