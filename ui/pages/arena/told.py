"""What both halves of this page share: what the browser says, which is never believed, and what each view carries along."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import gradio as gr

from arena import opening
from arena.opening import Wanted
from playground.ready import sources_of
from ui import arena_views
from ui.app import App
from ui.arena_views import View


def framed(view: View, wanted: Wanted) -> View:
    """The view with the filters that led to it, those there are, and a mark by which the page tells news from an echo."""
    return view | {
        "mark": secrets.token_hex(4),
        "wanted": {"task": wanted.task, "category": wanted.category or ""},
        "filters": arena_views.filters(),
    }


def wanted_of(*told: object) -> Wanted:
    """The task and category asked for, by the first of these that names any."""
    for one in told:
        value = one.get("wanted") if isinstance(one, Mapping) else getattr(one, "wanted", None)
        if isinstance(value, Mapping):
            return _as_wanted(value)
    return opening.ANYTHING


def _as_wanted(value: Mapping[str, object]) -> Wanted:
    task = value.get("task")
    category = value.get("category")
    known = {slug for slug, *_ in arena_views.filters()}
    return Wanted(
        task if task in ("generate", "edit") else "any",
        category if isinstance(category, str) and category in known else None,
    )


def known_of(shown: object, battle_id: str) -> View:
    """What the page shows of this battle; nothing of another one."""
    is_this = isinstance(shown, dict) and shown.get("battle_id") == battle_id
    if not is_this or not isinstance(shown, dict):
        return {"battle_id": battle_id}
    return {name: value for name, value in shown.items() if name != "form"}


def told(event: gr.EventData, name: str) -> object:
    """What the page said under that name, or `None`; it comes from the browser."""
    return getattr(event, name, None)


def ready_offers(app: App, owner: str) -> list[str]:
    """Offers this visitor can run now."""
    return [offer.offer_id for offer in sources_of(app.services, owner).usable()]


def demo_offers(app: App, owner: str) -> list[str]:
    """Those of them that are drawn here."""
    return [name for name in ready_offers(app, owner) if app.services.catalog.offer(name).provider_id == "demo"]
