"""Recall a file, take along, bring back: one component for any page. Its script speaks to `archive_routes` itself."""

from __future__ import annotations

from typing import Any

from ui.components import drawn


def build() -> Any:  # noqa: ANN401 - Gradio is untyped here
    """Puts the component where it is called."""
    return drawn("files", {"state": "ready"}, elem_id="hi-files")
