"""Handlers of new battles: the form, the files it is given, the start, and a battle of drawn models at one press."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from arena import bank_battles, contenders, drawing, making, opening
from arena.offers import Meeting
from arena.opening import BattleOff, BlindBattle, Wanted
from arena.performance import performance, timed
from arena.prompts import DEMO_PROMPTS
from playground import uploads
from providers.types import ImageRequest, InputImage
from storage.battles import board_of
from storage.errors import StoreError
from ui import arena_views, battle_form, forms, header, notices
from ui.app import App, drop_transfers, owner_of
from ui.arena_views import View
from ui.battle_form import Draft
from ui.edges import Told, at_edge
from ui.pages.arena.told import demo_offers, framed, ready_offers, told, wanted_of


async def on_demo(app: App, request: gr.Request) -> AsyncIterator[list[Any]]:
    """A free battle of two drawn models on an example prompt."""
    services, voter = app.services, owner_of(app, request)
    bank_only = services.settings.arena_prompts == "bank"
    prompt = (
        bank_battles.draw_prompt(services.rng, "generate").prompt if bank_only else services.rng.choice([*DEMO_PROMPTS])
    )
    found = await drawing.draw_offers(services, voter, demo_offers(app, voter), None, None)
    asked = ImageRequest(prompt, size=forms.SQUARE, quality="low")
    async for step in _asked(app, voter, asked, found, (), arena_views.FREE):
        yield step


async def on_form(app: App, shown: object, event: gr.EventData, request: gr.Request) -> View:
    """The form for what it holds now, with prices; `act` "another" draws another prompt of the bank."""
    draft = prompted(app, draft_of(app, shown), is_another=told(event, "act") == "another")
    owner = owner_of(app, request)
    view = shown_form(app, owner, draft, wanted_of(event, shown))
    known = timed(await performance(app.services, owner))
    return battle_form.with_time(view, draft, known)


async def on_upload(app: App, paths: list[str] | None, shown: object, request: gr.Request) -> View:
    """Uploaded files as further source images, each cleaned and stored; one that is refused does not hold up the others."""
    owner, draft = owner_of(app, request), draft_of(app, shown)
    images, said = list(draft.images), []
    for path in (paths or [])[: battle_form.MAX_IMAGES]:
        name = Path(path).name
        try:
            taken = await uploads.take_upload(app.services, owner, Path(path), name)
        except uploads.UploadRefused as error:
            said.append((str(error), True))
            continue
        if taken.input.sha256 not in {one.sha256 for one in images}:
            images.append(forms.as_reference(taken.input, name))
        said += [(text, False) for text in taken.notes]
    if len(images) > battle_form.MAX_IMAGES:
        said.append((f"At most {battle_form.MAX_IMAGES} source images are kept; the rest was left out.", False))
    draft = replace(draft, images=tuple(images[: battle_form.MAX_IMAGES]))
    drop_transfers(app, paths or [])
    return shown_form(app, owner, draft, wanted_of(shown), said)


async def on_start(app: App, shown: object, request: gr.Request) -> AsyncIterator[list[Any]]:
    """Asks both models and shows their images blind once both are there."""
    voter, draft = owner_of(app, request), draft_of(app, shown)
    try:
        asked = battle_form.request_of(draft, await _images(app, voter, draft))
    except uploads.UploadRefused as error:
        yield [_refused_form(app, voter, draft, wanted_of(shown), [(str(error), True)]), gr.skip()]
        return
    if not asked.prompt.strip():
        yield [_refused_form(app, voter, draft, wanted_of(shown)), gr.skip()]
        return
    field = contenders.field_of(asked, ready_offers(app, voter), app.services.catalog)
    try:
        found = await drawing.draw_offers(
            app.services,
            voter,
            field.offers,
            draft.first or None,
            draft.second or None,
            board=board_of(asked.operation, len(asked.images)),
        )
    except StoreError as error:  # the page waits for an answer and takes no second press until it has one
        yield [framed(arena_views.off_view(str(error)), wanted_of(shown)), gr.skip()]
        return
    async for step in _asked(app, voter, asked, found, battle_form.shown_sources(draft), "new", wanted_of(shown)):
        yield step


async def on_stop(app: App, request: gr.Request) -> None:
    """Stops the battle that is being made."""
    await making.stop_making(app.services, app.engine, owner_of(app, request))


async def _asked(
    app: App,
    voter: str,
    asked: ImageRequest,
    meeting: Meeting | None,
    sources: Sequence[str],
    origin: str,
    wanted: Wanted = opening.ANYTHING,
) -> AsyncIterator[list[Any]]:
    """Board and strip while both models work, and when both are done. The strip stays as it is until the vote: a sum or a
    count that moves beside a battle tells something of its makers.
    """
    if meeting is None:
        off = arena_views.off_view("There are no two ready models that can meet. Add a key in Settings.")
        yield [framed(off, wanted), gr.skip()]
        return
    working = arena_views.working_view(asked.prompt, size=asked.size or forms.SQUARE, inputs=sources, origin=origin)
    yield [framed(working, wanted), gr.skip()]
    starting = opening.start_new(app.services, app.engine, voter, asked, meeting.offers, meeting.probability)
    found = await at_edge(starting, _off)
    if isinstance(found, BlindBattle):
        yield [framed(arena_views.battle_view(found, origin), wanted), gr.skip()]
    else:
        yield [framed(found, wanted), await header.strip(app, voter)]


def _off(error: Exception) -> Told[View]:
    """Why there is no battle, in its place: a notice would pass while somebody waits for the images."""
    if isinstance(error, BattleOff):
        return Told(arena_views.off_view(str(error), error.reasons))
    said = notices.told_of(error)
    return Told(arena_views.off_view(said.shown), said.is_fault)


def shown_form(app: App, owner: str, draft: Draft, wanted: Wanted, said: Sequence[tuple[str, bool]] = ()) -> View:
    """The form as it is drawn for this draft; `said` of uploads, with whether it is a refusal."""
    shown = battle_form.form_view(
        draft, ready_offers(app, owner), app.services.catalog, bank_only=is_bank_only(app), notes=said
    )
    return framed(shown, wanted)


def _refused_form(app: App, owner: str, draft: Draft, wanted: Wanted, said: Sequence[tuple[str, bool]] = ()) -> View:
    """The form again, as the answer to the start: the page tells it from a late answer to what was changed before."""
    return shown_form(app, owner, draft, wanted, said) | {"is_refusal": True}


def prompted(app: App, draft: Draft, *, is_another: bool) -> Draft:
    """The draft with a prompt of the bank, where it is to have one."""
    draft = battle_form.fitting(draft)
    if draft.kind != "bank" or (draft.prompt_id and not is_another):
        return draft
    drawn_prompt = bank_battles.draw_prompt(
        app.services.rng, draft.task, draft.category or None, other_than=draft.prompt_id or None
    )
    return replace(draft, prompt_id=drawn_prompt.prompt_id)


async def _images(app: App, owner: str, draft: Draft) -> list[InputImage]:
    """The source images with their bytes. Raises: UploadRefused when one is not the owner's or not there any more."""
    if draft.kind == "own":
        return [await uploads.load_input(app.services, owner, one.sha256) for one in draft.images]
    return battle_form.stand_ins(draft)


def draft_of(app: App, shown: object) -> Draft:
    """The draft that the page sent along."""
    form = shown.get("form") if isinstance(shown, Mapping) else None
    return battle_form.read_draft(form.get("draft") if isinstance(form, Mapping) else None, bank_only=is_bank_only(app))


def is_bank_only(app: App) -> bool:
    """Whether battles are fought over the prompts of the bank only."""
    return app.services.settings.arena_prompts == "bank"
