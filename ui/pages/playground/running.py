"""Handlers of Run, Stop and the results. The engine owns the runs; these only watch and draw what the store says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from typing import Any

import gradio as gr

from playground import library, uploads
from playground.asked import request_of
from playground.events import RunEvent
from playground.library import GroupView
from playground.plan import Plan, make_plan
from playground.ready import sources_of
from playground.refusals import PlanRefused
from providers.checks import Problem
from storage.errors import StoreBusy, StoreError
from storage.records import GroupKind, RunView
from ui import forms, header, tiles, views
from ui.app import App, owner_of
from ui.forms import FormValues
from ui.pages.playground import form, outlook
from ui.pages.playground.beats import beats
from ui.pages.playground.editing import text_of
from ui.pages.playground.page import answer
from ui.pages.playground.planning import plan_of
from ui.sweep_views import first_of

GROUPS_SHOWN = 6
"""Groups sent at once; older ones come six at a time."""
RUNS_UNASKED = 8
"""More runs in one press are asked about first, with their number and price."""


async def on_open_results(app: App, request: gr.Request) -> AsyncIterator[list[Any]]:
    """What is there, then the news of whatever is still under way."""
    owner = owner_of(app, request)
    yield await shown(app, owner)
    async for update in watch(app, owner, app.engine.follow_owner(owner), (), is_page=True):
        yield update


async def on_run(app: App, request: gr.Request, *values: Any) -> AsyncIterator[list[Any]]:
    """Sends what the form asks for and shows it while it is made. Yields results, strip, Stop, then the form's words.

    Of many runs it only asks; `on_agreed` sends them.
    """
    async for update in _run(app, owner_of(app, request), form.read(values), agreed=""):
        yield update


async def on_agreed(
    app: App,
    request: gr.Request,
    event: gr.EventData,
    *values: Any,
) -> AsyncIterator[list[Any]]:
    """Sends the many runs that a person was asked about, unless the form comes to others by now: then it asks again."""
    async for update in _run(app, owner_of(app, request), form.read(values), agreed=text_of(event, "agreed")):
        yield update


async def _run(app: App, owner: str, read: FormValues, *, agreed: str) -> AsyncIterator[list[Any]]:
    try:
        group_id = await _submit(app, owner, read, agreed)
    except PlanRefused:
        yield [gr.skip(), gr.skip(), gr.skip(), answer(app, owner, read, pressed=True)[0]]
        return
    except AskFirst as question:
        yield [gr.skip(), gr.skip(), gr.skip(), answer(app, owner, read)[0] | {"ask": question.view}]
        return
    except StoreError as error:
        # Beside Run, where it stays: a toast would be gone before the disk is looked after.
        words = answer(app, owner, read)[0] | {"problems": [_unsaved(app, error)]}
        yield [gr.skip(), await header.strip(app, owner), gr.skip(), words]
        return
    yield [*await shown(app, owner, (group_id,)), gr.skip()]
    # The form's words come after the runs: they take time, and the calls are on their way by then.
    said: Any = None
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield [*update, gr.skip() if said else (said := answer(app, owner, read)[0])]
    if said is None:
        yield [gr.skip(), gr.skip(), gr.skip(), answer(app, owner, read)[0]]


def _unsaved(app: App, error: StoreError) -> str:
    """Why nothing went out. Where the data lies is told to its owner alone."""
    if app.services.settings.mode == "public":
        return "This app cannot save anything now, so nothing was sent. Try again later."
    return str(error) if isinstance(error, StoreBusy) else f"{error} Nothing was sent."


async def on_retry(app: App, request: gr.Request, event: gr.EventData) -> AsyncIterator[list[Any]]:
    """The same run once more, as a group of its own."""
    owner = owner_of(app, request)
    group_id = await app.engine.retry(text_of(event, "run"), owner)
    yield await shown(app, owner, (group_id,))
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield update


async def on_again(app: App, request: gr.Request, event: gr.EventData) -> AsyncIterator[list[Any]]:
    """All runs of a group once more."""
    owner = owner_of(app, request)
    group = await library.group(app.services, text_of(event, "group"), owner)
    if group is None or not group.runs:
        raise PlanRefused((Problem("group", "These runs are not there any more."),))
    kind: GroupKind = "sweep" if group.group.layout else "run"
    group_id = await app.engine.submit(await plan_again(app, owner, group), owner, kind=kind)
    yield await shown(app, owner, (group_id,))
    async for update in watch(app, owner, app.engine.follow(group_id, owner), (group_id,)):
        yield update


async def on_stop(app: App, request: gr.Request) -> list[Any]:
    """Ends what runs: queued runs leave, calls under way are closed."""
    owner = owner_of(app, request)
    stopped = await app.engine.cancel_all(owner)
    if not stopped:
        gr.Info("Nothing is running.")
    return await shown(app, owner)


async def on_stop_run(app: App, request: gr.Request, event: gr.EventData) -> list[Any]:
    """Ends one run and leaves the others."""
    owner = owner_of(app, request)
    if not await app.engine.cancel(text_of(event, "run"), owner):
        gr.Info("This run has ended already.")
    return await shown(app, owner)


async def on_more(app: App, request: gr.Request, event: gr.EventData) -> dict[str, object]:
    """Groups older than the last one shown."""
    return await snapshot(app, owner_of(app, request), before=text_of(event, "before"))


class AskFirst(Exception):
    """So many runs go out only after a person agreed to their number and price."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"{len(plan.runs)} runs")
        cost = views.total([(run.estimate.low_microusd, run.estimate.high_microusd) for run in plan.runs])
        self.view = {
            "runs": len(plan.runs),
            "price": cost.about(),
            "agreed": f"{cost.runs} {cost.low_microusd} {cost.high_microusd} {cost.unknown}",
        }


async def _submit(app: App, owner: str, read: FormValues, agreed: str) -> str:
    sources = sources_of(app.services, owner)
    seen = outlook.outlook_of(read, sources)
    if not seen.plan.is_sendable:
        raise PlanRefused(seen.plan.all_problems)
    images = [await uploads.load_input(app.services, owner, item.sha256) for item in read.references]
    mask = await uploads.load_input(app.services, owner, read.mask.sha256) if read.mask else None
    asked = forms.request_of(seen.values, seen.controls, images, mask)
    plan = plan_of(asked, seen.values.offers, sources.catalog, seen.values.variables)
    question = AskFirst(plan)
    if len(plan.runs) > RUNS_UNASKED and question.view["agreed"] != agreed:
        raise question
    return await app.engine.submit(plan, owner)


async def plan_again(app: App, owner: str, group: GroupView, runs: Sequence[RunView] | None = None) -> Plan:
    """The group's runs, or these of them, as they were asked, each for itself: not every offer was asked for the same."""
    runs = runs or first_of(group)
    first = runs[0]
    images = [item.sha256 for item in sorted(first.inputs, key=lambda item: item.position) if item.role == "image"]
    masks = [item.sha256 for item in first.inputs if item.role == "mask"]
    loaded = [await uploads.load_input(app.services, owner, sha256) for sha256 in images]
    mask = await uploads.load_input(app.services, owner, masks[0]) if masks else None
    plans = [make_plan(request_of(run.run.asked, loaded, mask), [run.run.offer], app.services.catalog) for run in runs]
    return Plan(
        runs=tuple(run for plan in plans for run in plan.runs),
        operation=plans[0].operation,
        prompt=group.group.template,
        problems=tuple(problem for plan in plans for problem in plan.problems),
        layout=group.group.layout,
    )


# What is shown


async def shown(app: App, owner: str, watched: Collection[str] | None = None, *, is_page: bool = False) -> list[Any]:
    """Results, strip and Stop as they are now: of the watched groups alone, or the newest ones and those."""
    is_news = watched is not None and not is_page
    results, strip = await asyncio.gather(
        news(app, owner, watched or ()) if is_news else snapshot(app, owner, watched=watched or ()),
        header.strip(app, owner),
    )
    # A run that waits for a key is not under way, but can be stopped.
    can_stop = app.engine.running(owner) > 0 or results["has_parked"] is True
    return [results, strip, gr.update(interactive=can_stop)]


async def snapshot(
    app: App, owner: str, *, watched: Collection[str] = (), before: str | None = None
) -> dict[str, object]:
    """The newest groups, or those before one, and the watched ones wherever they stand."""
    found = await library.recent_groups(app.services, owner, limit=GROUPS_SHOWN + 1, before=before or None)
    groups, more = found[:GROUPS_SHOWN], len(found) > GROUPS_SHOWN
    missing = set(watched) - {group.group.group_id for group in groups}
    looked_up = [await library.group(app.services, group_id, owner) for group_id in sorted(missing)]
    # Beside a battle its runs would tell the makers; they show in History after the vote.
    further = [group for group in looked_up if group and group.runs and group.group.kind != "battle"]
    return _results(app, [*groups, *further]) | {
        # All of their runs lie in the trash.
        "gone": sorted(missing - {group.group.group_id for group in further}),
        "last": groups[-1].group.group_id if groups else None,
        "more": more,
        "is_page": before is None,
    }


async def news(app: App, owner: str, group_ids: Collection[str]) -> dict[str, object]:
    """These groups alone, as they are now: what a watcher sends, many times a run."""
    found = [await library.group(app.services, group_id, owner) for group_id in sorted(group_ids)]
    return _results(app, [group for group in found if group and group.runs and group.group.kind != "battle"]) | {
        "is_news": True
    }


def _results(app: App, groups: Sequence[GroupView]) -> dict[str, object]:
    catalog = app.services.catalog
    lives = {run.run.run_id: _live(app, run.run.run_id) for group in groups for run in group.runs}
    return {
        "now": app.services.now(),
        "groups": [tiles.group_view(group, catalog, lives.__getitem__) for group in groups],
        "has_parked": any(live.is_parked for live in lives.values()),
    }


def _live(app: App, run_id: str) -> tiles.Live:
    live = app.engine.live(run_id)
    if live is None:
        return tiles.Live()
    return tiles.Live(live.note, app.engine.place_in_line(run_id), is_parked=live.parked is not None)


async def watch(
    app: App, owner: str, events: AsyncIterator[RunEvent], watched: Collection[str], *, is_page: bool = False
) -> AsyncIterator[list[Any]]:
    """Results, strip and Stop whenever they changed, at most six times a second, until the events end.

    The results are the watched groups alone, or with `is_page` the newest ones and those. One stream keeps to one of them:
    Gradio sends what differs from the value before, and gets lost where a list becomes shorter.
    """
    seen: set[str] = set(watched)
    last: list[Any] = []
    with app.services.store.thumbs.watched():
        async for _ in beats(events, seen, partial(app.engine.running, owner)):
            update = await shown(app, owner, seen, is_page=is_page)
            drawn = [update[0]["groups"], *update[1:]]
            if drawn != last:
                # Stop rarely changes, and Gradio makes a button anew, with all that belongs to it, for each update of one.
                yield [*update[:2], gr.skip() if last[2:] == drawn[2:] else update[2]]
                last = drawn
