"""The price table of the Costs tab: its handlers. The tab itself stands in `costs.py`."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import gradio as gr

from playground import prices, spending, what_if
from playground.prices import WrongPrice
from storage import prices as stored
from storage.engine import Database
from ui.app import App, is_operator, owner_of
from ui.components import QUIET, bound, dated, drawn
from ui.costs import price_views
from ui.costs.views import View


def build() -> Any:
    """Puts the table on the tab."""
    return drawn(
        "prices", {"state": "loading"}, elem_id="co-prices", events=("look", "set_price", "take_back", "what_if")
    )


def wire(table: Any, app: App) -> None:
    """Attaches the listeners; the table asks for its rows when it is opened."""
    quiet = {**QUIET, "concurrency_limit": None, "trigger_mode": "multiple"}
    table.look(bound(on_look, app), None, table, **quiet)
    table.set_price(bound(on_set_price, app), None, table, **quiet)
    table.take_back(bound(on_take_back, app), None, table, **quiet)
    table.what_if(bound(on_what_if, app), None, table, **quiet)


async def on_look(app: App, request: gr.Request) -> View:
    """The prices as they stand today."""
    return await _prices(app, request)


async def on_set_price(app: App, event: gr.EventData, request: gr.Request) -> View:
    """Sets a price of the operator's own; a wrong one is told beside its field."""
    owner = owner_of(app, request)
    offer = _text(event, "offer")
    try:
        await prices.set_price(
            *(app.services, owner, offer, _text(event, "figures"), _text(event, "valid_from"), _text(event, "source")),
            is_operator=is_operator(app, request),
        )
    except WrongPrice as error:
        return await _prices(app, request) | {"said": {"offer": offer, "text": str(error)}}
    return await _prices(app, request) | {"saved": offer}


async def on_take_back(app: App, event: gr.EventData, request: gr.Request) -> View:
    """Lets one of them hold no longer."""
    owner = owner_of(app, request)
    await prices.take_back(app.services, owner, _text(event, "price_id"), is_operator=is_operator(app, request))
    return await _prices(app, request)


async def on_what_if(app: App, request: gr.Request) -> View:
    """The runs of the last 30 days at today's prices."""
    owner = owner_of(app, request)
    since = date.fromisoformat(await spending.local_day(app.services)) - timedelta(days=spending.RECENT_DAYS - 1)
    found = await what_if.recompute(app.services, owner, since.isoformat())
    return await _prices(app, request) | {"what_if": price_views.what_if_view(found, app.services.catalog)}


@dated
async def _prices(app: App, request: gr.Request) -> View:
    def read(db: Database) -> list[stored.StoredPrice]:
        return stored.standing(db)

    rows = await asyncio.to_thread(app.services.store.read, read)
    own = prices.own_prices(rows, app.services.catalog)
    today = date.fromisoformat(await spending.local_day(app.services))
    return price_views.prices_view(app.services.catalog, own, today, can_set=is_operator(app, request))


def _text(event: gr.EventData, name: str) -> str:
    value = getattr(event, name, None)
    return value[:5_000] if isinstance(value, str) else ""
