"""Sessions without a configuration of their own, which Gradio makes and keeps for links into the middle of a page.

For each new session Gradio 6.31 describes every component of the page anew, on the event loop (20 ms and more of it here), and
then keeps the newest value of each in it, for as long as the session lives. It reads that only to make a deep link; those
routes are closed here (`ui/guard.py`). Each call of a program is a session too, and hundreds of them are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import gradio as gr
from gradio.blocks import BlocksConfig


def _copied(config: BlocksConfig) -> BlocksConfig:
    """A session begins as a copy of the page's configuration, and such a copy describes no component."""
    copied = BlocksConfig.__copy__(config)
    copied.config_for_block = partial(_nothing, MappingProxyType({}))
    # Only `gr.render` gives a session listeners of its own, and no page here has it.
    copied.fns = config.fns
    return copied


def _nothing(empty: Mapping[str, object], *_: object, **__: object) -> Mapping[str, object]:
    """One for all components of a session: where a description is empty, Gradio keeps no value in it either."""
    return empty


def lean(demo: gr.Blocks) -> gr.Blocks:
    """The page, whose sessions are made without descriptions from now on."""
    # `copy` asks the class, not the object, how it is copied.
    demo.default_config.__class__ = type("ConfigOfPage", (BlocksConfig,), {"__copy__": _copied})
    return demo
