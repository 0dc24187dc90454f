"""Handlers of the sweep: how long it would take, its start, and its holes run once more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from arena.performance import performance, timed
from playground import library, uploads
from playground.ready import sources_of
from playground.refusals import PlanRefused
from playground.sweeps import Sweep
from providers.checks import Problem
from providers.types import InputImage
from ui import forms, sweep_views
from ui.app import App, owner_of
from ui.forms import FormValues
from ui.pages.playground import form, outlook
from ui.pages.playground.editing import text_of
from ui.pages.playground.page import answer
from ui.pages.playground.running import plan_again, shown, watch


async def on_forecast(app: App, request: gr.Request, *values: Any) -> dict[str, object]:
    """How long the sweep is likely to take, by what its offers took before."""
    owner, read = owner_of(app, request), form.read(values)
    sweep = _sweep(app, owner, read)
    known = timed(await performance(app.services, owner))
    p50_ms = {offer: one.p50_ms for offer, one in known.items() if one.p50_ms is not None}
    runs = (
        sum(known[offer].succeeded for offer in {run.offer.offer_id for run in sweep.plan.runs} & known.keys())
        if sweep
        else 0
    )
    return {"words": sweep_views.minutes(sweep, p50_ms, by_runs=runs) if sweep else ""}


async def on_start(
    app: App,
    request: gr.Request,
    event: gr.EventData,
    *values: Any,
) -> AsyncIterator[list[Any]]:
    """Sends the sweep that the person saw the price of; if the form comes to another one by now, shows that instead."""
    owner, read = owner_of(app, request), form.read(values)
    images = [await uploads.load_input(app.services, owner, item.sha256) for item in read.references]
    mask = await uploads.load_input(app.services, owner, read.mask.sha256) if read.mask else None
    sweep = _sweep(app, owner, read, images, mask)
    if sweep is None or sweep_views.agreed(sweep) != text_of(event, "agreed") or not sweep.plan.is_sendable:
        yield [gr.skip(), gr.skip(), gr.skip(), answer(app, owner, read, pressed=True)[0]]
        return
    group_id = await app.engine.submit(sweep.plan, owner, kind="sweep")
    yield [*await shown(app, owner, (group_id,)), gr.skip()]
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield [*update, gr.skip()]


async def on_holes(app: App, request: gr.Request, event: gr.EventData) -> AsyncIterator[list[Any]]:
    """The cells of a sweep that have no image, once more and in their place."""
    owner, group_id = owner_of(app, request), text_of(event, "group")
    group = await library.group(app.services, group_id, owner)
    holes = sweep_views.holes_of(group) if group else []
    if group is None or not holes:
        raise PlanRefused((Problem("group", "There is no hole to run again."),))
    plan = await plan_again(app, owner, group, holes)
    await app.engine.submit(plan, owner, kind="sweep", into=(group.group, len(group.runs)))
    yield await shown(app, owner, (group_id,))
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield update


def _sweep(
    app: App,
    owner: str,
    read: FormValues,
    images: Sequence[InputImage] | None = None,
    mask: InputImage | None = None,
) -> Sweep | None:
    """The form's sweep, with the images themselves or with what stands in for them."""
    sources = sources_of(app.services, owner)
    seen = outlook.outlook_of(read, sources)
    if images is None:
        images = [forms.stand_in(reference) for reference in read.references]
        mask = forms.stand_in(read.mask) if read.mask else None
    request = forms.request_of(seen.values, seen.controls, images, mask)
    return sweep_views.sweep_of_form(seen.values, request, sources)
