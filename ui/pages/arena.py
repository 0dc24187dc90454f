"""Arena: a prompt, two images and five answers. The page knows a battle's id and nothing of its makers until the vote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena import battle, board, opening
from arena.battle import VoteRefused
from arena.offers import Meeting, possible_pairs
from arena.opening import BattleOff
from arena.prompts import DEMO_PROMPTS
from playground.plan import make_plan
from playground.ready import sources_of
from providers.types import ImageRequest
from ui import arena_views, header, notices
from ui.app import App, Tabs, owner_of
from ui.arena_views import View
from ui.components import bound, drawn, static

ANY = ""
"""Choice that leaves a model to chance."""
SIZE, QUALITY = "1024x1024", "low"
KEPT = ("revealed", "refused", "working", "none")
"""States that stay when the tab is opened again."""

_FORM_HEAD = (
    "<h2>New battle</h2><p class='caption'>Both models are asked once, 1024 × 1024 at low quality. "
    "Which is which stays hidden.</p>"
)


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    board: Any
    form: Any
    prompt: Any
    first: Any
    second: Any
    start: Any
    back: Any


def build(app: App) -> Page:  # noqa: ARG001 - the contract of a page
    """Puts the components on the tab."""
    shown = drawn(
        "arena",
        {"state": "loading"},
        elem_id="ar-board",
        events=("answer", "next_battle", "demo_battle", "new_battle", "pair"),
    )
    with gr.Column(visible=False, elem_id="ar-new") as form:
        static(_FORM_HEAD, elem_id="ar-new-head")
        prompt = gr.Textbox(
            label="Prompt",
            lines=3,
            max_lines=8,
            max_length=32_000,
            elem_id="ar-prompt",
            placeholder="Describe the image.",
        )
        with gr.Row(elem_id="ar-offers"):
            first = gr.Dropdown([("Any ready model", ANY)], value=ANY, label="One model", elem_id="ar-first")
            second = gr.Dropdown([("Any ready model", ANY)], value=ANY, label="Another model", elem_id="ar-second")
        with gr.Row(elem_id="ar-new-bar"):
            start = gr.Button("Start battle", variant="primary", size="lg", elem_id="ar-start")
            back = gr.Button("Pairs already made", size="lg", elem_id="ar-back")
    return Page(shown, form, prompt, first, second, start, back)


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
    choices, form = [page.prompt, page.first, page.second], [page.form, page.first, page.second, page.start]
    tabs.arena.select(bound(on_visit, app), [page.board], [page.board], **quiet)
    page.board.answer(bound(on_answer, app), [page.board], [page.board], **quiet)
    page.board.next_battle(bound(on_next, app), None, [page.board], **quiet)
    page.board.pair(bound(on_pair, app), None, [page.board, page.form], **quiet)
    page.board.demo_battle(bound(on_demo, app), None, [page.board, tabs.strip], **quiet)
    page.board.new_battle(bound(on_new, app), None, [page.board, *form], **quiet)
    page.back.click(bound(on_back, app), None, [page.board, page.form], **quiet)
    page.start.click(bound(on_start, app), choices, [page.board, page.form, tabs.strip], **quiet)
    page.prompt.change(bound(on_prompt, app), choices, page.start, trigger_mode="always_last", **quiet)
    page.first.change(bound(on_first, app), choices, page.start, trigger_mode="always_last", **quiet)
    page.second.change(bound(on_second, app), choices, page.start, trigger_mode="always_last", **quiet)


async def on_visit(app: App, shown: object, request: gr.Request) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """The open battle or the next one; what was just revealed stays."""
    if isinstance(shown, dict) and shown.get("state") in KEPT:
        return gr.skip()
    return await _next(app, owner_of(app, request))


async def on_next(app: App, request: gr.Request) -> View:
    """The next battle."""
    return await _next(app, owner_of(app, request))


async def on_pair(app: App, event: gr.EventData, request: gr.Request) -> list[Any]:
    """A battle between two images of the group that a link names. The group's id goes back with it: the tab, opened by
    the same link, may be drawing another battle at this moment.
    """
    group_id = str(_told(event, "group") or "")
    try:
        found = arena_views.battle_view(await opening.start_from_group(app.services, owner_of(app, request), group_id))
    except BattleOff as error:
        found = arena_views.off_view(str(error), error.reasons)
    return [found | {"group": group_id}, gr.update(visible=False)]


async def on_answer(app: App, shown: object, event: gr.EventData, request: gr.Request) -> View:
    """Takes the vote and shows the makers; a skip goes on to the next battle."""
    voter = owner_of(app, request)
    battle_id, outcome = str(_told(event, "battle_id") or ""), str(_told(event, "outcome") or "")
    decided = _told(event, "decided_ms")
    known: View = shown if isinstance(shown, dict) and shown.get("battle_id") == battle_id else {"battle_id": battle_id}
    try:
        if outcome == "skip":
            await battle.skip(app.services, battle_id, voter)
            return await _next(app, voter)
        result = await battle.vote(
            app.services, battle_id, voter, outcome, decided if isinstance(decided, int) else None
        )
    except VoteRefused as error:
        return arena_views.refused_view(known, str(error))
    except Exception as error:  # noqa: BLE001 - the handler's edge
        raise notices.say(error) from None
    return arena_views.revealed_view(known, outcome, result, app.services.catalog)


async def on_demo(app: App, request: gr.Request) -> AsyncIterator[Any]:
    """A free battle of two drawn models on an example prompt."""
    services = app.services
    demo = [
        offer for offer in _ready(app, owner_of(app, request)) if services.catalog.offer(offer).provider_id == "demo"
    ]
    found = await opening.draw_offers(services, demo, None, None)
    async for step in _asked(app, owner_of(app, request), services.rng.choice(DEMO_PROMPTS), found):
        yield step


async def on_new(app: App, request: gr.Request) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """Opens the form of a new battle with the models that are ready now."""
    ready = _ready(app, owner_of(app, request))
    listed = [("Any ready model", ANY), *((_name(app, offer), offer) for offer in ready)]
    return [
        arena_views.NOTHING,
        gr.update(visible=True),
        gr.update(choices=listed, value=ANY),
        gr.update(choices=listed, value=ANY),
        _start_button(app, ready, "", ANY, ANY),
    ]


async def on_back(app: App, request: gr.Request) -> Any:  # noqa: ANN401 - Gradio is untyped here
    """Closes the form and goes on with pairs already made."""
    return [await _next(app, owner_of(app, request)), gr.update(visible=False)]


async def on_start(app: App, prompt: str, first: str, second: str, request: gr.Request) -> AsyncIterator[Any]:
    """Asks both models and shows their images blind once both are there."""
    voter = owner_of(app, request)
    found = await opening.draw_offers(app.services, _ready(app, voter), first or None, second or None)
    async for shown, strip in _asked(app, voter, prompt, found):
        yield shown, gr.update(visible=False), strip


async def on_prompt(app: App, prompt: str, first: str, second: str, request: gr.Request) -> Any:  # noqa: ANN401 - as above
    """The price on the button for this prompt."""
    return _start_button(app, _ready(app, owner_of(app, request)), prompt, first, second)


async def on_first(app: App, prompt: str, first: str, second: str, request: gr.Request) -> Any:  # noqa: ANN401 - as above
    """The price on the button for this choice."""
    return _start_button(app, _ready(app, owner_of(app, request)), prompt, first, second)


async def on_second(app: App, prompt: str, first: str, second: str, request: gr.Request) -> Any:  # noqa: ANN401 - as above
    """The price on the button for this choice."""
    return _start_button(app, _ready(app, owner_of(app, request)), prompt, first, second)


async def _next(app: App, voter: str) -> View:
    found = await opening.next_battle(app.services, voter)
    if found is not None:
        return arena_views.battle_view(found)
    has_voted = await board.has_voted(app.services, voter)
    ready = _ready(app, voter)
    has_demo = len([offer for offer in ready if app.services.catalog.offer(offer).provider_id == "demo"]) > 1
    return arena_views.empty_view(
        has_voted=has_voted, has_demo=has_demo, has_models=bool(possible_pairs(ready, None, None))
    )


async def _asked(app: App, voter: str, prompt: str, meeting: Meeting | None) -> AsyncIterator[Any]:
    """Board and strip while both models work, and when both are done."""
    if not prompt.strip():
        yield arena_views.off_view("The prompt is empty. Describe the image first."), gr.skip()
        return
    if meeting is None:
        yield arena_views.off_view("There are no two ready models that can meet. Add a key in Settings."), gr.skip()
        return
    yield arena_views.working_view(prompt), gr.skip()
    try:
        found = await opening.start_new(
            app.services, app.engine, voter, _request(prompt), meeting.offers, meeting.probability
        )
        shown = arena_views.battle_view(found)
    except BattleOff as error:
        shown = arena_views.off_view(str(error), error.reasons)
    except Exception as error:  # noqa: BLE001 - shown in the battle's place instead of a passing notice
        shown = arena_views.off_view(notices.words(error))
    yield shown, await header.strip(app, voter)


def _request(prompt: str) -> ImageRequest:
    return ImageRequest(prompt=prompt, size=SIZE, quality=QUALITY)


def _start_button(app: App, ready: list[str], prompt: str, first: str, second: str) -> Any:  # noqa: ANN401 - as above
    """The button with the price of the pairs these choices allow, from the cheapest to the dearest."""
    pairs = possible_pairs(ready, first or None, second or None)
    if not pairs:
        return gr.update(value="No two models of a kind are ready", interactive=False)
    plan = make_plan(_request(prompt or "x"), ready, app.services.catalog)
    low = {run.offer.offer_id: run.estimate.low_microusd for run in plan.runs}
    high = {run.offer.offer_id: run.estimate.high_microusd for run in plan.runs}
    lows = [_sum(low[a], low[b]) for a, b in pairs]
    highs = [_sum(high[a], high[b]) for a, b in pairs]
    known = None not in lows and None not in highs
    least = min(amount for amount in lows if amount is not None) if known else None
    most = max(amount for amount in highs if amount is not None) if known else None
    return gr.update(value=arena_views.start_label(least, most), interactive=bool(prompt.strip()))


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _ready(app: App, owner: str) -> list[str]:
    return [offer.offer_id for offer in sources_of(app.services, owner).usable()]


def _name(app: App, offer: str) -> str:
    model, provider = arena_views.maker(app.services.catalog, offer)
    return f"{model} · {provider}" if provider else model


def _told(event: gr.EventData, name: str) -> object:
    """What the page said under that name, or `None`; it comes from the browser."""
    return getattr(event, name, None)
