"""Sessions without a configuration of their own, which Gradio makes and keeps for links into the middle of a page.

For each new session Gradio 6.31 describes every component of the page anew, on the event loop (20 ms and more of it here), and
then keeps the newest value of each in it, for as long as the session lives. It reads that only to make a deep link; those
routes are closed here (`ui/guard.py`).
"""

from __future__ import annotations

import gradio as gr
from gradio.blocks import BlocksConfig


class _OfPage(BlocksConfig):  # type: ignore[misc]
    """The configuration of the page. A session begins as a copy of it."""

    def __copy__(self) -> BlocksConfig:
        new = super().__copy__()
        new.__class__ = _OfSession
        return new


class _OfSession(BlocksConfig):  # type: ignore[misc]
    """Describes no component; where a description is empty, Gradio keeps no value in it either."""

    @staticmethod
    def config_for_block(*_: object, **__: object) -> dict[str, object]:
        """Nothing."""
        return {}


def lean(demo: gr.Blocks) -> gr.Blocks:
    """The page, whose sessions are made without descriptions from now on."""
    demo.default_config.__class__ = _OfPage
    return demo
