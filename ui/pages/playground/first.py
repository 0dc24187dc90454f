"""What the page shows before the server was asked: a first visit's form stands in the page itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from playground.ready import sources_of
from playground.services import LOCAL_OWNER
from ui import forms
from ui.app import App
from ui.pages.playground import offers
from ui.pages.playground.page import ALL, DRAFT, answer

NOBODY = ""
"""Owns no key and no run. What a public page says before it is asked is for every visitor."""


def first_form(app: App) -> list[Any]:
    """Updates of `Page.shown` for who comes for the first time."""
    owner = LOCAL_OWNER if app.services.settings.mode == "local" else NOBODY
    sources = sources_of(app.services, owner)
    start = forms.first_visit(offers.free_offers(sources), offers.default_offer(sources))
    return answer(app, owner, start, fill=ALL)


def begin_with(shown: Sequence[Any], updates: Sequence[Any]) -> None:
    """Makes the components what the updates would make them; a draft is the browser's own."""
    for place, (component, update) in enumerate(zip(shown, updates, strict=True)):
        if _is_update(update):
            for name, value in _named(update).items():
                setattr(component, name, value)
        elif place != DRAFT:
            component.value = component.postprocess(update)


def unsaid(shown: Sequence[Any], updates: Sequence[Any]) -> list[Any]:
    """The updates without what the components, as they came with the page, say already: each costs the browser a change."""
    return [_without_same(component, update) for component, update in zip(shown, updates, strict=True)]


def _without_same(component: Any, update: Any) -> Any:
    if not _is_update(update):
        return update
    news = {name: value for name, value in _named(update).items() if _plain(getattr(component, name)) != _plain(value)}
    return gr.update(**news) if news else gr.skip()


def _is_update(value: object) -> bool:
    return isinstance(value, dict) and value.get("__type__") == "update"


def _named(update: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in update.items() if name != "__type__"}


def _plain(value: Any) -> Any:
    """Choices are kept as pairs and sent as lists."""
    return [tuple(one) if isinstance(one, list) else one for one in value] if isinstance(value, list) else value
