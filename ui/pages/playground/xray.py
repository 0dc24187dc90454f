"""Handlers of the X-ray drawer: what a press of Run would send, or what a group would send if it were run again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from playground import library, uploads
from playground.offered import is_told, told_access
from playground.plan import Plan, PlannedRun
from playground.ready import sources_of
from playground.samples import subject_of
from providers.types import ImageRequest
from ui import forms
from ui.app import App, owner_of
from ui.forms import FormValues
from ui.pages.playground import form
from ui.pages.playground.editing import text_of
from ui.pages.playground.offers import specs_of
from ui.pages.playground.planning import plan_of
from ui.pages.playground.running import plan_again
from ui.pages.playground.xray_view import Ray, drawer_view, other_runs

NOW = "Exactly what Run will send. Keys are hidden."
NOT_YET = "Run sends nothing yet: what stands in its way is marked. Keys are hidden."
AGAIN = "What Again would send, by today’s rules and prices. Keys are hidden."
GONE = "These runs are not there any more."


async def on_look(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> dict[str, object]:
    """The drawer's value: of the form as it stands, of the group that the page names, or of one run of it."""
    owner, group_id, run_id = owner_of(app, request), text_of(event, "group"), text_of(event, "run")
    try:
        view = (
            await _of_group(app, owner, group_id, run_id) if group_id else await _of_form(app, owner, form.read(values))
        )
    except uploads.UploadRefused as error:
        view = _nothing(str(error))
    # A fresh mark each time: the page waits for the answer to this look, also where nothing changed.
    return view | {"group": group_id, "run": run_id, "turn": app.services.new_id()}


async def _of_form(app: App, owner: str, read: FormValues) -> dict[str, object]:
    sources = sources_of(app.services, owner)
    offers = tuple(name for name in read.offers if sources.is_usable(name))
    read = replace(read, offers=offers)
    images = [await uploads.load_input(app.services, owner, item.sha256) for item in read.references]
    mask = await uploads.load_input(app.services, owner, read.mask.sha256) if read.mask else None
    controls = forms.controls_of(specs_of(offers, sources.catalog), read)
    asked = forms.request_of(read, controls, images, mask)
    plan = plan_of(asked, offers, sources.catalog, read.variables)
    return drawer_view(_rays(app, owner, plan, asked), plan, words=NOW if plan.is_sendable else NOT_YET)


async def _of_group(app: App, owner: str, group_id: str, run_id: str) -> dict[str, object]:
    group = await library.group(app.services, group_id, owner)
    runs = [run for run in group.runs if run_id in ("", run.run.run_id)] if group else []
    # The runs of a battle would tell its makers.
    if group is None or not runs or group.group.kind == "battle":
        return _nothing(GONE)
    plan = await plan_again(app, owner, group, runs if run_id else None)
    return drawer_view(_rays(app, owner, plan, None), plan, words=AGAIN)


def _rays(app: App, owner: str, plan: Plan, asked: ImageRequest | None) -> list[Ray]:
    """The first run of each offer. `asked`: before it was fitted to each; `None`: each was asked for by itself."""
    by_offer: dict[str, list[PlannedRun]] = {}
    for run in plan.runs:
        by_offer.setdefault(run.offer.offer_id, []).append(run)
    return [_ray(app, owner, runs, asked) for runs in by_offer.values()]


def _ray(app: App, owner: str, runs: list[PlannedRun], asked: ImageRequest | None) -> Ray:
    run = runs[0]
    found = app.services.keys.find(run.provider, owner)
    has_key = not run.provider.key_is_optional or (found is not None and found.secret is not None)
    settings = app.services.settings
    # Without the key: what is not there cannot be shown.
    subject = subject_of(run, told_access(run.provider, settings), has_key=has_key)
    return Ray(run, asked or run.request, subject, other_runs(runs), is_told=is_told(run.provider, settings))


def _nothing(words: str) -> dict[str, object]:
    return {"words": "", "problems": [words], "offers": []}
