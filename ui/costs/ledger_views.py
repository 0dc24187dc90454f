"""The ledger as rows of a table and as lines of a file. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from playground.spending import LedgerView, OthersUnknown
from providers.catalog import Catalog
from storage.ledger_pages import LedgerEntry, LedgerFilter
from storage.records import CostSource, LedgerState
from ui import views
from ui.costs.views import QUALITY_WORDS, View, plain
from ui.csv_cells import as_text
from ui.naming import offer_names

STATES: Mapping[LedgerState, tuple[str, str, str]] = {
    "reserved": ("clock", "", "Reserved"),
    "settled": ("check", "ok", "Settled"),
    "released": ("null", "", "Released"),
    "unknown": ("warn", "warn", "Unknown"),
}
"""Icon, its colour and the word."""
SOURCES: Mapping[CostSource, str] = {
    "reported": "reported",
    "computed": "computed",
    "estimated": "estimated",
    "by_hand": "by hand",
    "unknown": "",
}
COLUMNS = (
    *(
        "day",
        "reserved_at",
        "settled_at",
        "run_id",
        "offer",
        "billed_by",
        "quality",
        "state",
        "source",
        "estimate_microusd",
    ),
    *("amount_microusd", "images", "price_id", "settled_by", "note", "prompt", "ledger_id"),
)


def ledger_view(
    found: LedgerView,
    wanted: LedgerFilter,
    trail: Sequence[str],
    zone: str,
    catalog: Catalog,
    *,
    can_settle: Callable[[LedgerEntry], bool],
) -> View:
    """A page of the ledger with its filters. `trail`: the cursors that led here."""
    return {
        "state": "ledger",
        "rows": [
            _row(entry, ZoneInfo(zone), catalog, can_settle=can_settle(entry), owner=wanted.owner)
            for entry in found.entries
        ],
        "filters": {
            "state": wanted.state or "",
            "offer": wanted.offer or "",
            "offers": [
                {"id": one, "name": " · ".join(filter(None, offer_names(one, catalog)))} for one in found.offers
            ],
            "states": [{"id": state, "name": word} for state, (_, _, word) in STATES.items()],
        },
        "has_previous": bool(trail),
        "next": " ".join(found.next) if found.next else "",
        "page": len(trail) + 1,
        "csv": f"costs/ledger.csv?state={wanted.state or ''}&offer={wanted.offer or ''}",
        "is_filtered": bool(wanted.state or wanted.offer),
    }


def others_view(found: OthersUnknown, trail: Sequence[str], zone: str, catalog: Catalog) -> View | None:
    """The lines of visitors that the operator can settle; `None` where there are none."""
    if not found.count and not trail:
        return None
    return {
        "count": f"{found.count:,} unknown",
        "held": f"{views.dollars(found.held_microusd)} held",
        "rows": [
            _row(entry, ZoneInfo(zone), catalog, can_settle=True, owner=None)
            | {"whose": whose[-6:], "key": "server's key" if entry.is_served else "visitor's own key"}
            for whose, entry in found.entries
        ],
        "trail": list(trail),
        "has_previous": bool(trail),
        "next": " ".join(found.next) if found.next else "",
        "page": len(trail) + 1,
    }


def _row(entry: LedgerEntry, zone: ZoneInfo, catalog: Catalog, *, can_settle: bool, owner: str | None) -> View:
    icon, colour, word = STATES[entry.state]
    source = SOURCES[entry.source] if entry.state == "settled" or entry.settled_by else ""
    payer = next((row.name for row in catalog.providers if row.provider_id == entry.payer), entry.payer)
    is_other = entry.payer != entry.offer.partition("/")[0]
    return {
        "id": entry.ledger_id,
        "run": entry.run_id,
        "time": _time(entry.reserved_at, zone),
        "offer": " · ".join(filter(None, offer_names(entry.offer, catalog))),
        "more": f"billed by {payer}" if is_other else QUALITY_WORDS.get(entry.quality, entry.quality),
        "prompt": entry.prompt,
        "estimate": "unknown" if entry.reserved_microusd is None else views.cost(entry.reserved_microusd),
        "cost": _cost(entry),
        "icon": icon,
        "colour": colour,
        "word": f"{word}, {source}" if source else word,
        "title": _title(entry, zone, owner),
        "can_settle": can_settle,
        "suggested": plain(entry.amount_microusd) if entry.amount_microusd else "",
    }


def _cost(entry: LedgerEntry) -> str:
    if entry.state in ("settled", "released"):
        return views.cost(entry.amount_microusd or 0)
    return "unknown" if entry.state == "unknown" else "–"


def _settler(entry: LedgerEntry, owner: str | None) -> str:
    """Who settled the line, to its owner: an id of theirs is shown to nobody else."""
    return "" if entry.settled_by is None else entry.settled_by if entry.settled_by == owner else "operator"


def _title(entry: LedgerEntry, zone: ZoneInfo, owner: str | None) -> str:
    told = [f"Price {entry.price_id}" if entry.price_id else "No price was known"]
    if entry.settled_by:
        who = "you" if entry.settled_by == owner else "the operator"
        told.append(f"settled by hand by {who}, {_time(entry.at, zone)}{f': {entry.note}' if entry.note else ''}")
    return "; ".join(told)


def _time(at: str, zone: ZoneInfo) -> str:
    """`21 Nov 14:32:07`, where the operator is."""
    moment = datetime.fromisoformat(at).astimezone(zone)
    return f"{moment.day} {moment:%b %H:%M:%S}"


def csv_head() -> str:
    """The first line of the file."""
    return ",".join(COLUMNS) + "\r\n"


def csv_lines(entries: Iterable[LedgerEntry], owner: str | None = None) -> str:
    """Lines of `owner`'s file: money in whole micro-dollars, times in UTC. What people wrote cannot become a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    for entry in entries:
        writer.writerow(
            [
                *(
                    entry.day,
                    entry.reserved_at,
                    entry.at if entry.state != "reserved" else "",
                    entry.run_id,
                    entry.offer,
                ),
                *(entry.payer, entry.quality, entry.state, entry.source, _figure(entry.reserved_microusd)),
                *(_figure(entry.amount_microusd), entry.images, entry.price_id or "", _settler(entry, owner)),
                *(as_text(entry.note), as_text(entry.prompt), entry.ledger_id),
            ]
        )
    return out.getvalue()


def _figure(microusd: int | None) -> str:
    return "" if microusd is None else str(microusd)
