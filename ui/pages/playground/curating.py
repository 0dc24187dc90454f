"""Handlers of what a person says of an image of the results: favourite, tags, trash and out of it again."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import curation, library
from playground.uploads import UploadRefused
from storage.curation import NotCurated, Picked
from storage.records import RunView
from ui.app import App, owner_of
from ui.pages.playground.editing import text_of
from ui.pages.playground.running import snapshot


async def on_favourite(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Marks the image, or takes the mark away."""
    owner, run, picked = await _picked(app, request, event)
    await curation.set_favourite(app.services, owner, picked, favourite=getattr(event, "on", None) is True)
    return await _after(app, owner, run)


async def on_retag(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Puts the tags that were typed on the run, or takes one away. Raises: NotCurated."""
    owner, run, _ = await _picked(app, request, event)
    of_run = Picked(runs=(run.run.run_id,))
    added = [tag for tag in text_of(event, "tags").split(",") if tag.strip()]
    if added:
        await curation.add_tags(app.services, owner, of_run, added)
    if removed := text_of(event, "without"):
        await curation.remove_tags(app.services, owner, of_run, [removed])
    return await _after(app, owner, run)


async def on_trash(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Puts the image, or a run that has none, in the trash. Raises: NotCurated where the run is still going."""
    owner, run, picked = await _picked(app, request, event)
    if not await curation.trash(app.services, owner, picked):
        raise NotCurated("This run is still going. Stop it first, or wait for its end.")
    return await _after(app, owner, run)


async def on_restore(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Takes it out of the trash again."""
    owner, run, picked = await _picked(app, request, event)
    await curation.restore(app.services, owner, picked)
    return await _after(app, owner, run)


async def _picked(app: App, request: gr.Request, event: gr.EventData) -> tuple[str, RunView, Picked]:
    """Whose, which run, and what of it: the image at the place that the page names, or the run where it has none."""
    owner = owner_of(app, request)
    run = await library.run(app.services, text_of(event, "run"), owner)
    if run is None:
        raise UploadRefused("This image is not there any more.")
    position: Any = getattr(event, "position", None)
    image = next((one for one in run.all_images if one.position == position), None)
    return owner, run, Picked(images=(image.image_id,)) if image else Picked(runs=(run.run.run_id,))


async def _after(app: App, owner: str, run: RunView) -> dict[str, object]:
    return await snapshot(app, owner, watched=(run.run.group_id,))
