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
from ui.edges import Told
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


def told_of(error: Exception) -> Told[str]:
    """The error as a sentence for people; one that is not ours becomes a general sentence."""
    if isinstance(error, _OURS):
        return Told(str(error))
    return Told("Something failed inside the app. Nothing was sent. The log has the details.", is_fault=True)


def say(error: Exception) -> gr.Error:
    """A `gr.Error` to raise, once the log has a fault's traceback. Toasts show HTML, so the words are escaped."""
    told = told_of(error)
    if told.is_fault:
        log.error("a fault in this program", exc_info=error)
    return gr.Error(escape(told.shown), duration=12, print_exception=False)
