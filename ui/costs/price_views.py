"""The prices that estimates are made of, and what old runs would cost at them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from playground.prices import OwnPrice, is_old, lines_of
from playground.what_if import NEWEST_RUNS, Recomputed
from providers.catalog import Catalog, Offer, Price
from ui import views
from ui.costs.views import View
from ui.naming import offer_names

_RATES = (("text_in", "text in"), ("image_in", "image in"), ("image_out", "image out"), ("text_out", "text out"))


def prices_view(catalog: Catalog, own: Sequence[OwnPrice], today: date, *, can_set: bool) -> View:
    """A row for each offer that costs anything, with the operator's own prices under it."""
    rows = [_row(offer, own, today, catalog) for offer in catalog.offers if not (offer.price and offer.price.is_free)]
    old = sum(bool(row["is_old"]) for row in rows)
    return {
        "state": "prices",
        "rows": rows,
        "can_set": can_set,
        "today": today.isoformat(),
        "note": f"{views.counted(old, 'price')} older than 60 days: look {'it' if old == 1 else 'them'} up again."
        if old
        else "No price is older than 60 days.",
    }


def _row(offer: Offer, own: Sequence[OwnPrice], today: date, catalog: Catalog) -> View:
    price = offer.price
    mine = [one for one in own if one.offer == offer.offer_id]
    in_force = next((one.price_id for one in mine if price and one.price_id == price.price_id), None)
    return {
        "id": offer.offer_id,
        "name": " · ".join(filter(None, offer_names(offer.offer_id, catalog))),
        "figures": figures(price) if price else "No price is known",
        "source": price.source if price else "",
        "date": _day(price.valid_from) if price else "",
        "is_old": bool(price and is_old(price, today)),
        "is_own": in_force is not None,
        "lines": lines_of(price) if price else "",
        "own": [
            {
                "id": one.price_id,
                "words": f"Own price from {_day(one.valid_from)}: {figures(one.price)}",
                "state": "in force"
                if one.price_id == in_force
                else "begins then"
                if one.valid_from > today
                else "followed by another",
            }
            for one in mine
        ],
    }


def figures(price: Price) -> str:
    """A price in one line: rates per million tokens, or the range per image."""
    told = []
    cells = [usd for row in price.per_image.values() for usd in row.values()]
    if cells:
        low, high = (views.dollars(int(usd * 10**6)) for usd in (min(cells), max(cells)))
        told.append(f"{low} an image" if low == high else f"{low} to {high} an image")
    edits = [usd for row in price.edit_per_image.values() for usd in row.values()]
    if edits:
        low, high = (views.dollars(int(usd * 10**6)) for usd in (min(edits), max(edits)))
        told.append(f"{low} an edit" if low == high else f"{low} to {high} an edit")
    rates = [f"${getattr(price, name):f} {word}" for name, word in _RATES if getattr(price, name)]
    if rates:
        told.append(
            f"{', '.join(rates)} per million tokens{f', billed by {price.tokens_billed_by}' if price.tokens_billed_by else ''}"
        )
    if price.fee_per_image:
        told.append(f"${price.fee_per_image:f} fee an image")
    return "; ".join(told)


def what_if_view(found: Sequence[Recomputed], catalog: Catalog) -> View:
    """What the runs of the last 30 days would cost at today's prices."""
    runs, left_out = sum(one.runs for one in found), sum(one.left_out for one in found)
    paid, today = sum(one.paid_microusd for one in found), sum(one.today_microusd for one in found)
    if not runs:
        words = "No settled run of the last 30 days can be recomputed."
    else:
        words = (
            f"{views.counted(runs, 'settled run')} of the last 30 days cost {views.dollars(paid)}; "
            f"at today's prices {views.dollars(today)}."
        )
    if left_out:
        words += f" {views.counted(left_out, 'run')} could not be recomputed: no price, or no usage was told."
    if runs + left_out >= NEWEST_RUNS:
        words += f" Only the newest {NEWEST_RUNS:,} were looked at."
    return {
        "words": f"{words} Nothing was changed.",
        "rows": [
            {
                "id": one.offer,
                "name": " · ".join(filter(None, offer_names(one.offer, catalog))),
                "runs": f"{one.runs:,}",
                "paid": views.dollars(one.paid_microusd),
                "today": views.dollars(one.today_microusd),
            }
            for one in found
            if one.runs
        ],
    }


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
