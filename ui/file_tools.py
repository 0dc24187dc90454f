"""Recall a file, take along, bring back: one component for any page. Its script speaks to `archive_routes` itself."""

from __future__ import annotations

import gradio as gr

from ui.components import drawn


def build() -> gr.HTML:
    """Puts the component where it is called."""
    return drawn("files", {"state": "ready"}, elem_id="hi-files")
