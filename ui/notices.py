"""Our errors as what a page shows: what happened and what to do next. Never a traceback, never a key."""

from __future__ import annotations

import logging
from html import escape

import gradio as gr

from playground.engine import EngineStopping
from playground.refusals import NotYours, PlanRefused
from playground.templates import TemplateRefused
from playground.uploads import UploadRefused
from providers.errors import ProviderError
from storage.curation import NotCurated
from storage.errors import StoreError
from ui.guard import UnknownVisitor

log = logging.getLogger(__name__)

_OURS = (
    PlanRefused,
    NotYours,
    EngineStopping,
    UploadRefused,
    TemplateRefused,
    NotCurated,
    ProviderError,
    StoreError,
    UnknownVisitor,
)


def words(error: Exception) -> str:
    """The error as a sentence for people; one that is not ours is logged and becomes a general sentence."""
    if isinstance(error, _OURS):
        return str(error)
    log.error("a fault in this program", exc_info=error)
    return "Something failed inside the app. Nothing was sent. The log has the details."


def say(error: Exception) -> gr.Error:
    """A `gr.Error` to raise. Toasts show HTML, so the words are escaped."""
    return gr.Error(escape(words(error)), duration=12, print_exception=False)
