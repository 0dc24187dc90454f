"""Handlers of battles: the next one, the vote and what follows it, a report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import gradio as gr

from arena import battle, board, choosing, making, opening
from arena.battle import VoteRefused
from arena.offers import possible_pairs
from arena.opening import BattleOff, BlindBattle, Wanted
from ui import arena_views, battle_form, forms, header
from ui.app import App, owner_of
from ui.arena_views import View
from ui.pages.arena.making import draft_of, on_demo, prompted, shown_form
from ui.pages.arena.told import demo_offers, framed, known_of, ready_offers, told, wanted_of
from ui.picked import picked_image

KEPT = ("revealed", "refused", "reported", "working", "form")
"""States that stay when the tab is opened again."""


async def on_visit(app: App, shown: object, request: gr.Request) -> AsyncIterator[Any]:
    """The open battle or the next one; what was just revealed stays. A battle that is being made is waited for."""
    if _state(shown) in KEPT:
        yield gr.skip()
        return
    voter, wanted = owner_of(app, request), wanted_of(shown)
    group = await making.being_made(app.services, voter)
    if group is None or not group.runs:
        yield await _next(app, voter, wanted)
        return
    run = group.runs[0].run
    inputs = [f"thumbs/{each.sha256}.webp" for each in group.runs[0].inputs if each.role == "image"]
    size = str(run.asked.get("size") or "")
    known_size = size if size in battle_form.SIZES else forms.SQUARE
    yield framed(arena_views.working_view(run.prompt, size=known_size, inputs=inputs), wanted)
    found = await making.wait_for(app.services, app.engine, voter, group.group.group_id)
    yield framed(arena_views.battle_view(found), wanted) if found else await _next(app, voter, wanted)


async def on_next(app: App, shown: object, event: gr.EventData, request: gr.Request) -> View:
    """The next battle among pairs already made, of the task and category that were asked for."""
    return await _next(app, owner_of(app, request), wanted_of(event, shown))


async def on_pair(app: App, event: gr.EventData, request: gr.Request) -> View:
    """A battle between two images of the group that a link names, or between the two images themselves, `RUN:POSITION`.
    What was named goes back with it: the tab, opened by the same link, may be drawing another battle at this moment.
    """
    voter, named = owner_of(app, request), [part for part in str(told(event, "named") or "").split("/") if part]
    try:
        found = arena_views.battle_view(await _between(app, voter, named))
    except BattleOff as error:
        found = arena_views.off_view(str(error), error.reasons)
    return framed(found, opening.ANYTHING) | {"named": "/".join(named)}


async def _between(app: App, voter: str, named: Sequence[str]) -> BlindBattle:
    if len(named) != 2:
        return await choosing.start_from_group(app.services, voter, named[0] if named else "")
    picked = [await picked_image(app.services, voter, name) for name in named]
    one, two = (each.image.image_id if each else "" for each in picked)
    return await choosing.start_from_images(app.services, voter, one, two)


async def on_answer(app: App, shown: object, event: gr.EventData, request: gr.Request) -> AsyncIterator[list[Any]]:
    """Takes the vote and shows the makers; a skip goes on to where the battle came from. Only now the strip counts the cost."""
    voter = owner_of(app, request)
    battle_id, outcome = str(told(event, "battle_id") or ""), str(told(event, "outcome") or "")
    known = known_of(shown, battle_id)
    try:
        if outcome == "skip":
            await battle.skip(app.services, battle_id, voter)
            if told(event, "then") == "demo":
                async for step in on_demo(app, request):
                    yield step
                return
            found = await _after_skip(app, voter, shown, event)
        else:
            found = await _vote(app, voter, known, battle_id, outcome, event)
    except VoteRefused as error:
        found = arena_views.refused_view(known, str(error))
    yield [found, await header.strip(app, voter)]


async def on_undo(app: App, shown: object, event: gr.EventData, request: gr.Request) -> View:
    """Takes the vote back, as long as it can be."""
    battle_id = str(told(event, "battle_id") or "")
    known = known_of(shown, battle_id)
    try:
        await battle.take_back(app.services, battle_id, owner_of(app, request))
    except VoteRefused as error:
        return known | {"said": str(error), "undo_s": 0}
    return arena_views.taken_back_view(known)


async def on_report(app: App, shown: object, event: gr.EventData, request: gr.Request) -> list[Any]:
    """Keeps what is wrong with a battle; one that waits for its vote ends without it."""
    voter = owner_of(app, request)
    battle_id, reason = str(told(event, "battle_id") or ""), str(told(event, "reason") or "")
    known = known_of(shown, battle_id)
    try:
        was = await battle.report(app.services, battle_id, voter, reason, str(told(event, "words") or ""))
        found = arena_views.reported_view(known, reason, was)
    except VoteRefused as error:
        found = known | {"said": str(error)}
        if known.get("state") != "revealed":
            found = arena_views.refused_view(known, str(error))
    return [framed(found, wanted_of(event, shown)), await header.strip(app, voter)]


async def _vote(app: App, voter: str, known: View, battle_id: str, outcome: str, event: gr.EventData) -> View:
    decided = told(event, "decided_ms")
    result = await battle.vote(
        app.services,
        battle_id,
        voter,
        outcome,
        decided if isinstance(decided, int) else None,
        follows=_second(event, "follows"),
        looks=_second(event, "looks"),
    )
    return arena_views.revealed_view(known, outcome, result, app.services.catalog)


async def _after_skip(app: App, voter: str, shown: object, event: gr.EventData) -> View:
    if told(event, "then") == "form":
        return shown_form(app, voter, prompted(app, draft_of(app, shown), is_another=True), wanted_of(event, shown))
    return await _next(app, voter, wanted_of(event, shown))


async def _next(app: App, voter: str, wanted: Wanted) -> View:
    found = await opening.next_battle(app.services, voter, wanted)
    if found is not None:
        return framed(arena_views.battle_view(found), wanted)
    return framed(
        arena_views.empty_view(
            has_voted=await board.has_voted(app.services, voter),
            has_demo=len(demo_offers(app, voter)) > 1,
            has_models=bool(possible_pairs(ready_offers(app, voter), None, None)),
            is_filtered=wanted != opening.ANYTHING,
        ),
        wanted,
    )


def _state(shown: object) -> str:
    return str(shown.get("state", "")) if isinstance(shown, Mapping) else ""


def _second(event: gr.EventData, name: str) -> str | None:
    """An answer to a second question; one that is none is passed on, to be refused by name."""
    value = told(event, name)
    return None if value is None else str(value)
