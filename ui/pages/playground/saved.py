"""Handlers of the menu of saved templates: listed when it is opened, saved, taken in, renamed, deleted."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import gradio as gr

from playground import templates
from playground.templates import TemplateRefused
from ui import template_views
from ui.app import App, owner_of
from ui.pages.playground import form
from ui.pages.playground.editing import text_of
from ui.pages.playground.page import ALL, answer

_IMAGE_FIELDS = ("references", "sweep")
"""Stay as they are, so that nothing typed there meanwhile is lost."""


async def on_open_templates(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """The visitor's templates as they are now."""
    return await _menu(app, event, owner_of(app, request))


async def on_save_template(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> dict[str, object]:
    """The form's prompt under the name that was typed, with its settings where that is ticked."""
    owner, read = owner_of(app, request), form.read(values)
    saving = templates.save(
        app.services,
        owner,
        name=text_of(event, "name"),
        prompt=read.prompt,
        settings=template_views.settings_of(read) if getattr(event, "with_settings", None) is True else None,
        may_replace=getattr(event, "may_replace", None) is True,
    )
    return await _menu(app, event, owner, saving)


async def on_insert_template(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
    """The form with the template in it. Never runs. Raises: TemplateRefused when it is not there."""
    owner = owner_of(app, request)
    template = await templates.load(app.services, owner, text_of(event, "id"))
    fields = ("prompt",) if template.settings is None else tuple(name for name in ALL if name not in _IMAGE_FIELDS)
    return answer(app, owner, template_views.filled(template, form.read(values)), fill=fields)


async def on_rename_template(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Another name for a template."""
    owner = owner_of(app, request)
    renaming = templates.rename(app.services, owner, text_of(event, "id"), text_of(event, "name"))
    return await _menu(app, event, owner, renaming)


async def on_delete_template(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """One template less; the page has asked first."""
    owner = owner_of(app, request)
    return await _menu(app, event, owner, templates.delete(app.services, owner, text_of(event, "id")))


async def _menu(app: App, event: gr.EventData, owner: str, change: Awaitable[None] | None = None) -> dict[str, object]:
    trouble = ""
    try:
        if change is not None:
            await change
    except TemplateRefused as error:
        trouble = str(error)
    kept = await templates.saved(app.services, owner)
    # By its number the menu knows what this answers, and whether it is older than what it shows.
    return template_views.menu_view(kept, app.services.catalog, trouble) | {"turn": text_of(event, "turn")[:20]}
