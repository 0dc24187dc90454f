"""Sessions without a configuration of their own, which Gradio makes and keeps for links into the middle of a page.

For each new session Gradio 6.31 describes every component of the page anew, on the event loop (20 ms and more of it here), and
then keeps the newest value of each in it, for as long as the session lives. It reads that only to make a deep link; those
routes are closed here (`ui/guard.py`).
"""

from __future__ import annotations

import gradio as gr
from gradio.blocks import BlocksConfig


# Gradio ships no types, so mypy cannot look into the class that this one is made of. There is no other way in: `copy` asks the
# class, not the object, how it is copied.
class _OfPage(BlocksConfig):  # type: ignore[misc]
    """The configuration of the page. A session begins as a copy of it, and such a copy describes no component."""

    def __copy__(self) -> BlocksConfig:
        copied = super().__copy__()
        copied.config_for_block = _nothing
        return copied


def _nothing(*_: object, **__: object) -> dict[str, object]:
    """Where a description is empty, Gradio keeps no value in it either."""
    return {}


def lean(demo: gr.Blocks) -> gr.Blocks:
    """The page, whose sessions are made without descriptions from now on."""
    demo.default_config.__class__ = _OfPage
    return demo
