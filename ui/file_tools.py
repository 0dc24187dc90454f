"""Recall a file, take along, bring back: one component for any page. Its script speaks to `archive_routes` itself."""

from __future__ import annotations

from typing import Any

from ui.components import drawn

EVENTS = ("open_run", "brought")
"""`open_run`: a recalled image was chosen, with `run_id` and `position`. `brought`: runs came in, so lists are out of date."""


def build() -> Any:  # noqa: ANN401 - Gradio is untyped here
    """Puts the component where it is called."""
    return drawn("files", {"state": "ready"}, elem_id="hi-files", events=EVENTS)
