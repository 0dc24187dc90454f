"""Prices of the operator's own in the place of the catalogue's, each from its day on; a run keeps the price it was sent at.

Figures are written a line each, in US dollars: `text_in 5` per million tokens, `image low 1024x1024 0.011` per image, with `*`
for any other size; `fee 0.001` per image on top.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from playground.refusals import operators_only
from playground.services import Services
from providers.catalog import Catalog, Offer, Price, UnknownOffer
from storage import days, ledger
from storage import prices as stored
from storage.engine import Database
from storage.prices import StoredPrice
from storage.records import Run

log = logging.getLogger(__name__)

OLD_AFTER = timedelta(days=60)
"""A price that was read longer ago is marked."""
RATES = ("text_in", "image_in", "image_out", "text_out")
MOST_LINES = 60
_TABLES = {"image": "per_image", "edit": "edit_per_image"}
_SIZE = re.compile(r"\*|[1-9][0-9]{1,4}x[1-9][0-9]{1,4}")
_QUALITY = re.compile(r"\*|[a-z]{2,12}")
_MOST_USD = Decimal(10_000)


class WrongPrice(ValueError):
    """What was typed is no price; the message can be shown."""


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """One of the operator's own, as a value."""

    price_id: str
    offer: str
    valid_from: date
    price: Price


def figures_of(text: str) -> dict[str, object]:
    """The figures of typed lines, as stored. Raises: WrongPrice, which names the line."""
    found: dict[str, object] = {}
    tables: dict[str, dict[str, dict[str, str]]] = {}
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines:
        raise WrongPrice("There is no figure. Write one on a line, as: image_out 30")
    if len(lines) > MOST_LINES:
        raise WrongPrice(f"There are {len(lines)} lines; a price has at most {MOST_LINES}.")
    for words in lines:
        _add(found, tables, words)
    return found | tables


def _add(found: dict[str, object], tables: dict[str, dict[str, dict[str, str]]], words: Sequence[str]) -> None:
    match words:
        case [rate, usd] if rate in (*RATES, "fee"):
            found[rate] = _usd(usd, words)
        case [table, quality, size, usd] if table in _TABLES and _QUALITY.fullmatch(quality) and _SIZE.fullmatch(size):
            tables.setdefault(table, {}).setdefault(quality, {})[size] = _usd(usd, words)
        case _:
            raise WrongPrice(
                f"“{' '.join(words)[:60]}” is no figure. Write text_in, image_in, image_out, text_out or fee and US dollars, "
                "or: image low 1024x1024 0.011"
            )


def _usd(text: str, words: Sequence[str]) -> str:
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _MOST_USD:
        raise WrongPrice(f"In “{' '.join(words)[:60]}” the amount must be US dollars from 0 to {_MOST_USD:,}.")
    return str(amount)


def lines_of(price: Price) -> str:
    """A price as such lines, to begin an own one from."""
    return "\n".join(_lines(price))


def _lines(price: Price) -> Iterator[str]:
    for name in RATES:
        rate = getattr(price, name)
        if rate:
            yield f"{name} {rate}"
    for word, attribute in _TABLES.items():
        for quality, row in getattr(price, attribute).items():
            for size, usd in row.items():
                yield f"{word} {quality} {size} {usd}"
    if price.fee_per_image:
        yield f"fee {price.fee_per_image}"


def price_of(row: StoredPrice, listed: Price | None) -> Price:
    """The stored figures as a price. What is no figure, as who bills the tokens, stays as the catalogue has it."""
    plain = Price(row.price_id, date.fromisoformat(row.valid_from), row.source)
    price = replace(
        listed or plain,
        price_id=row.price_id,
        valid_from=plain.valid_from,
        source=row.source,
        text_in=_decimal(row.figures.get("text_in")),
        image_in=_decimal(row.figures.get("image_in")),
        image_out=_decimal(row.figures.get("image_out")),
        text_out=_decimal(row.figures["text_out"]) if "text_out" in row.figures else None,
        per_image=_table(row.figures.get("image")),
        edit_per_image=_table(row.figures.get("edit")),
        fee_per_image=_decimal(row.figures.get("fee")),
    )
    return replace(price, rounds_up_to=price.rounds_up_to if price.per_image else None)


def _decimal(value: object) -> Decimal:
    return Decimal(value) if isinstance(value, str) else Decimal(0)


def _table(value: object) -> Mapping[str, Mapping[str, Decimal]]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(quality): {str(size): _decimal(usd) for size, usd in row.items()}
        for quality, row in value.items()
        if isinstance(row, Mapping)
    }


def in_force(own: Sequence[OwnPrice], day: date) -> dict[str, Price]:
    """offer -> the own price that holds on that day: of those that have begun, the one that began last."""
    begun = sorted((one for one in own if one.valid_from <= day), key=lambda one: one.valid_from)
    return {one.offer: one.price for one in begun}


def own_prices(rows: Sequence[StoredPrice], catalog: Catalog) -> list[OwnPrice]:
    """The stored rows as values; one for an offer that the catalogue knows no more is left out."""
    found = []
    for row in rows:
        try:
            listed = catalog.listed_price(row.offer)
        except UnknownOffer:
            log.info("the price %s is for an offer that is not there", row.price_id)
            continue
        found.append(OwnPrice(row.price_id, row.offer, date.fromisoformat(row.valid_from), price_of(row, listed)))
    return found


def reprice(services: Services) -> None:
    """Puts the own prices that hold today into the catalogue. Blocking; at the start, after a change, and now and then, so
    that one begins on its day and one that another process set is seen.
    """
    at = services.now()

    def read(db: Database) -> tuple[list[StoredPrice], str]:
        return stored.standing(db), days.day_of(at, days.zone_of(db))

    with services.catalog.repricing:
        rows, day = services.store.read(read)
        services.catalog.reprice(in_force(own_prices(rows, services.catalog), date.fromisoformat(day)))


def offer_as_reserved(services: Services, run: Run) -> Offer:
    """The run's offer at the price that its reservation names, whatever holds today; without one where it named none. Blocking.

    A price of the catalogue that a release since has replaced is kept nowhere: then today's holds, and the line will name that.

    Raises: UnknownOffer.
    """
    offer = services.catalog.offer(run.offer)

    def read(db: Database) -> tuple[bool, StoredPrice | None, str | None]:
        lines = ledger.lines_of(db, run.run_id)
        price_id = lines[0].price_id if lines else None
        return bool(lines), stored.named(db, price_id) if price_id else None, price_id

    is_reserved, own, price_id = services.store.read(read)
    if not is_reserved or (offer.price and offer.price.price_id == price_id):
        return offer
    listed = services.catalog.listed_price(run.offer)
    if own is not None:
        return replace(offer, price=price_of(own, listed))
    if price_id is None:
        return replace(offer, price=None)
    return replace(offer, price=listed) if listed and listed.price_id == price_id else offer


async def set_price(
    services: Services,
    owner: str,
    offer: str,
    text: str,
    valid_from: str,
    source: str,
    *,
    is_operator: bool = False,
) -> None:
    """Sets a price from a day on.

    Raises: WrongPrice; NotYours unless `owner` is the operator.
    """
    operators_only(owner, is_operator=is_operator)
    try:
        services.catalog.offer(offer)
        day = date.fromisoformat(valid_from)
    except UnknownOffer as error:
        raise WrongPrice(str(error)) from None
    except ValueError:
        raise WrongPrice(f"“{valid_from[:20]}” is no day. Write it as 2026-12-01.") from None
    row = StoredPrice(
        price_id=f"{offer}@{day}+{services.new_id()[-8:]}",
        offer=offer,
        valid_from=day.isoformat(),
        source=source.strip()[:200] or "set on the Costs page",
        figures=figures_of(text),
        set_by=owner,
        set_at=services.now(),
    )

    def write(db: Database) -> None:
        stored.put(db, row)

    await asyncio.to_thread(services.store.write, write)
    await asyncio.to_thread(reprice, services)


async def take_back(services: Services, owner: str, price_id: str, *, is_operator: bool = False) -> None:
    """Lets a price hold no longer. Raises: NotYours unless `owner` is the operator."""
    operators_only(owner, is_operator=is_operator)
    at = services.now()

    def write(db: Database) -> bool:
        return stored.take_back(db, price_id, at)

    await asyncio.to_thread(services.store.write, write)
    await asyncio.to_thread(reprice, services)


def is_old(price: Price, today: date) -> bool:
    """Whether it was read so long ago that it should be looked up again."""
    return not price.is_free and today - price.valid_from > OLD_AFTER
