"""Handlers of Run, Stop and the results. The engine owns the runs; these only watch and draw what the store says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from typing import Any

import gradio as gr

from playground import library, uploads
from playground.asked import request_of
from playground.engine import PlanRefused
from playground.events import RunEvent
from playground.library import GroupView
from playground.plan import make_plan
from providers.checks import Problem
from providers.types import ImageRequest
from ui import forms, header, tiles
from ui.app import App, owner_of
from ui.forms import FormValues
from ui.pages.playground import form, outlook
from ui.pages.playground.editing import text_of
from ui.pages.playground.page import answer, sources_of

GROUPS_SHOWN = 6
"""Groups sent at once; older ones come six at a time."""
SHOW_EVERY_S = 1 / 6
LOOK_AGAIN_S = 2.0
"""How often a watcher looks though no news came: the line moves when somebody else's run ends."""


async def on_open_results(app: App, request: gr.Request) -> AsyncIterator[list[Any]]:
    """What is there, then the news of whatever is still under way."""
    owner = owner_of(app, request)
    yield await shown(app, owner)
    async for update in watch(app, owner, app.engine.follow_owner(owner), ()):
        yield update


async def on_run(app: App, request: gr.Request, *values: Any) -> AsyncIterator[list[Any]]:  # noqa: ANN401 - component values
    """Sends what the form asks for and shows it while it is made. Yields results, strip, Stop, then the form's words."""
    owner, read = owner_of(app, request), form.read(values)
    try:
        group_id = await _submit(app, owner, read)
    except PlanRefused:
        yield [gr.skip(), gr.skip(), gr.skip(), answer(app, owner, read, pressed=True)[0]]
        return
    said = answer(app, owner, read)[0]
    yield [*await shown(app, owner), said]
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield [*update, gr.skip()]


async def on_retry(app: App, request: gr.Request, event: gr.EventData) -> AsyncIterator[list[Any]]:
    """The same run once more, as a group of its own."""
    owner = owner_of(app, request)
    group_id = await app.engine.retry(text_of(event, "run"), owner)
    yield await shown(app, owner)
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield update


async def on_again(app: App, request: gr.Request, event: gr.EventData) -> AsyncIterator[list[Any]]:
    """All runs of a group once more."""
    owner = owner_of(app, request)
    group = await library.group(app.services, text_of(event, "group"), owner)
    if group is None or not group.runs:
        raise PlanRefused((Problem("group", "These runs are not there any more."),))
    asked = await _asked_of(app, owner, group)
    plan = make_plan(asked, [run.run.offer for run in group.runs], app.services.catalog)
    group_id = await app.engine.submit(plan, owner)
    yield await shown(app, owner)
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield update


async def on_stop(app: App, request: gr.Request) -> list[Any]:
    """Ends what runs: queued runs leave, calls under way are closed."""
    owner = owner_of(app, request)
    stopped = await app.engine.cancel_all(owner)
    if not stopped:
        gr.Info("Nothing is running.")
    return await shown(app, owner)


async def on_more(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Groups older than the last one shown."""
    return await snapshot(app, owner_of(app, request), before=text_of(event, "before"))


async def _submit(app: App, owner: str, read: FormValues) -> str:
    sources = sources_of(app, owner)
    seen = outlook.outlook_of(read, sources)
    if not seen.plan.is_sendable:
        raise PlanRefused(seen.plan.all_problems)
    images = [await uploads.load_input(app.services, owner, item.sha256) for item in read.references]
    mask = await uploads.load_input(app.services, owner, read.mask.sha256) if read.mask else None
    asked = forms.request_of(seen.values, seen.controls, images, mask)
    return await app.engine.submit(make_plan(asked, seen.values.offers, sources.catalog), owner)


async def _asked_of(app: App, owner: str, group: GroupView) -> ImageRequest:
    """What the group's runs asked, with the bytes of their inputs."""
    first = group.runs[0]
    images = [item.sha256 for item in sorted(first.inputs, key=lambda item: item.position) if item.role == "image"]
    masks = [item.sha256 for item in first.inputs if item.role == "mask"]
    loaded = [await uploads.load_input(app.services, owner, sha256) for sha256 in images]
    mask = await uploads.load_input(app.services, owner, masks[0]) if masks else None
    return request_of(first.run.asked, loaded, mask)


# What is shown


async def shown(app: App, owner: str, watched: Collection[str] = ()) -> list[Any]:
    """Results, strip and Stop as they are now."""
    running = app.engine.running(owner)
    results, strip = await asyncio.gather(snapshot(app, owner, watched=watched), header.strip(app, owner))
    return [results, strip, gr.update(interactive=running > 0)]


async def snapshot(
    app: App, owner: str, *, watched: Collection[str] = (), before: str | None = None
) -> dict[str, object]:
    """The newest groups, or those before one, and the watched ones wherever they stand."""
    found = await library.recent_groups(app.services, owner, limit=GROUPS_SHOWN + 1, before=before or None)
    groups, more = found[:GROUPS_SHOWN], len(found) > GROUPS_SHOWN
    missing = set(watched) - {group.group.group_id for group in groups}
    looked_up = [await library.group(app.services, group_id, owner) for group_id in sorted(missing)]
    # Beside a battle its runs would tell the makers; they show in History after the vote.
    further = [group for group in looked_up if group and group.group.kind != "battle"]
    catalog = app.services.catalog
    return {
        "now": app.services.now(),
        "groups": [
            tiles.group_view(group, catalog, lambda run_id: _live(app, run_id)) for group in (*groups, *further)
        ],
        "last": groups[-1].group.group_id if groups else None,
        "more": more,
        "is_page": before is None,
    }


def _live(app: App, run_id: str) -> tiles.Live:
    live = app.engine.live(run_id)
    return tiles.Live(live.note, app.engine.place_in_line(run_id)) if live else tiles.Live()


async def watch(
    app: App, owner: str, news: AsyncIterator[RunEvent], watched: Collection[str]
) -> AsyncIterator[list[Any]]:
    """Results, strip and Stop whenever they changed, at most six times a second, until the news ends."""
    seen: set[str] = set(watched)
    last: object = None
    async for _ in _beats(news, seen):
        update = await shown(app, owner, seen)
        drawn = (update[0]["groups"], update[1])
        if drawn != last:
            last = drawn
            yield update


async def _beats(news: AsyncIterator[RunEvent], seen: set[str]) -> AsyncIterator[None]:
    """One beat for all events of a moment, one now and then without any, and a last one at the end."""
    happened = asyncio.Event()

    async def listen() -> None:
        async for event in news:
            seen.add(event.group_id)
            happened.set()

    listener = asyncio.create_task(listen())
    listener.add_done_callback(lambda _: happened.set())
    try:
        while not listener.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(happened.wait(), LOOK_AGAIN_S)
            happened.clear()
            yield
            await asyncio.sleep(SHOW_EVERY_S)
        await listener
        yield
    finally:
        listener.cancel()
