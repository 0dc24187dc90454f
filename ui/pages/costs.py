"""Costs: what was spent, the limits, the ledger with unknowns settled by hand, and the prices that estimates are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import gradio as gr

from arena.coach import advise
from playground import limits, spending
from playground.limits import LOCAL_SPANS
from playground.money_settings import microusd_of
from storage.ledger_pages import Cursor
from storage.records import LimitAction, LimitSpan
from ui import header
from ui.app import App, Tabs, is_operator, owner_of
from ui.components import QUIET, bound, dated, drawn
from ui.costs import coach_views, ledger_views
from ui.costs import views as shown
from ui.costs.routes import read_filter
from ui.costs.views import BY, View
from ui.pages import prices

MOST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    costs: Any
    ledger: Any
    prices: Any


def build(_app: App) -> Page:
    """Puts the components on the tab."""
    costs = drawn("costs", {"state": "loading"}, elem_id="co-costs", events=("ask", "set_limit", "remove_limit"))
    ledger = drawn("ledger", {"state": "loading"}, elem_id="co-ledger", events=("turn", "settle"))
    return Page(costs, ledger, prices.build())


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {
        **QUIET,
        "concurrency_limit": None,
        "trigger_mode": "multiple",
    }
    prices.wire(page.prices, app)
    tabs.costs.select(bound(on_visit, app), [page.costs, page.ledger], [page.costs, page.ledger], **quiet)
    page.costs.ask(bound(on_ask, app), None, page.costs, **quiet)
    page.costs.set_limit(bound(on_set_limit, app), page.costs, [page.costs, tabs.strip], **quiet)
    page.costs.remove_limit(bound(on_remove_limit, app), page.costs, [page.costs, tabs.strip], **quiet)
    page.ledger.turn(bound(on_turn, app), None, page.ledger, **quiet)
    page.ledger.settle(bound(on_settle, app), page.costs, [page.ledger, page.costs, tabs.strip], **quiet)


async def on_visit(app: App, costs: object, ledger: object, request: gr.Request) -> list[View]:
    """The tab as it stands now, with the choices that were made before."""
    chosen = ledger.get("filters") if isinstance(ledger, dict) else None
    told = chosen if isinstance(chosen, dict) else {}
    at = Place(str(told.get("state") or ""), str(told.get("offer") or ""), (), ())
    return [await _costs(app, request, costs), await _ledger(app, request, at)]


async def on_ask(app: App, event: gr.EventData, request: gr.Request) -> View:
    """Other bars."""
    return await _costs(app, request, {"by": _said(event, "by"), "period": _said(event, "period")})


async def on_set_limit(app: App, costs: object, event: gr.EventData, request: gr.Request) -> list[View]:
    """Sets a limit; a wrong amount is told beside its field."""
    owner = owner_of(app, request)
    span = _span(event)
    action: LimitAction = "warn" if _said(event, "action") == "warn" else "block"
    amount = microusd_of(_said(event, "amount"))
    if amount is None:
        said = f"“{_said(event, 'amount')[:20]}” is no amount. Write US dollars, as 5 or 0.50."
        return [
            await _costs(app, request, costs) | {"said": {"span": span, "text": said}},
            await header.strip(app, owner),
        ]
    await limits.set_limit(app.services, owner, span, amount, action, is_operator=is_operator(app, request))
    return [await _costs(app, request, costs), await header.strip(app, owner)]


async def on_remove_limit(app: App, costs: object, event: gr.EventData, request: gr.Request) -> list[View]:
    """Takes a limit away."""
    owner = owner_of(app, request)
    await limits.remove_limit(app.services, owner, _span(event), is_operator=is_operator(app, request))
    return [await _costs(app, request, costs), await header.strip(app, owner)]


async def on_turn(app: App, event: gr.EventData, request: gr.Request) -> View:
    """Another page of the ledger, or other lines."""
    return await _ledger(app, request, _place(event))


async def on_settle(app: App, costs: object, event: gr.EventData, request: gr.Request) -> list[View]:
    """Writes what an unknown line turned out to have cost."""
    owner, at = owner_of(app, request), _place(event)
    amount = microusd_of(_said(event, "amount"))
    if amount is None:
        said = f"“{_said(event, 'amount')[:20]}” is no amount. Write US dollars as on the bill, 0 where nothing was billed."
        ledger = await _ledger(app, request, at) | {"said": {"id": _said(event, "line"), "text": said}}
        return [ledger, await _costs(app, request, costs), await header.strip(app, owner)]
    done = await spending.settle_by_hand(
        *(app.services, owner, _said(event, "line"), amount, _said(event, "note")[:MOST_NOTE]),
        is_operator=is_operator(app, request),
    )
    if not done:
        gr.Info("This line is no longer unknown.")
    return [
        await _ledger(app, request, at),
        await _costs(app, request, costs),
        await header.strip(app, owner),
    ]


@dated
async def _costs(app: App, request: gr.Request, told: object) -> View:
    """The upper part, with the choices of what was shown before."""
    owner = owner_of(app, request)
    before = told if isinstance(told, dict) else {}
    by = next((one for one in BY if one == before.get("by")), BY[0])
    period = str(before.get("period")) if before.get("period") in spending.PERIODS else next(iter(spending.PERIODS))
    found = await spending.of_owner(app.services, owner, by, spending.PERIODS[period], app.engine.session)
    can_set = is_operator(app, request)
    view = shown.costs_view(found, by, period, app.services.catalog, can_set=can_set)
    advice = await advise(app.services, owner)
    return view | {"coach": coach_views.sentences(advice, app.services.catalog, can_settle=can_set)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the ledger a visit stands."""

    state: str
    offer: str
    trail: tuple[str, ...]
    """The cursors that led to the page."""
    others: tuple[str, ...]
    """The same in the operator's list of visitors' unknown lines."""


def _place(event: gr.EventData) -> Place:
    return Place(_said(event, "state"), _said(event, "offer"), _trail(event, "trail"), _trail(event, "others"))


def _trail(event: gr.EventData, name: str) -> tuple[str, ...]:
    told = getattr(event, name, None)
    return tuple(str(one) for one in told if _cursor(str(one))) if isinstance(told, list) else ()


@dated
async def _ledger(app: App, request: gr.Request, at: Place) -> View:
    services, owner, is_ours = app.services, owner_of(app, request), is_operator(app, request)
    wanted = read_filter(owner, at.state, at.offer)
    found = await spending.ledger_page(services, wanted, _cursor(at.trail[-1]) if at.trail else None)
    zone = await spending.zone(services)
    may = partial(spending.can_settle, services, is_operator=is_ours)
    view = ledger_views.ledger_view(found, wanted, at.trail, zone, services.catalog, can_settle=may)
    others = await _others(app, owner, at, zone) if is_ours and services.settings.mode == "public" else None
    return view | {"trail": list(at.trail), "others": others}


async def _others(app: App, owner: str, at: Place, zone: str) -> View | None:
    before = _cursor(at.others[-1]) if at.others else None
    found = await spending.unknown_of_others(app.services, owner, before, is_operator=True)
    return ledger_views.others_view(found, at.others, zone, app.services.catalog)


def _cursor(text: str) -> Cursor | None:
    day, _, ledger_id = text.partition(" ")
    return (day[:10], ledger_id[:64]) if day and ledger_id else None


def _span(event: gr.EventData) -> LimitSpan:
    told = _said(event, "span")
    return next((span for span in get_args(LimitSpan) if span == told), LOCAL_SPANS[0])


def _said(event: gr.EventData, name: str) -> str:
    value = getattr(event, name, None)
    return value if isinstance(value, str) else ""
