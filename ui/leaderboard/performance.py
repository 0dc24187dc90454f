"""How providers did, as a table of its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from arena.levels import name_of
from arena.performance import DAYS, success_rate
from providers.catalog import Catalog
from storage.performance import NEWEST_RUNS, OfferTimes
from ui import views
from ui.leaderboard.table import NOTHING, View

KINDS = {
    "auth": "key refused",
    "permission": "not allowed",
    "validation": "wrong field",
    "moderation": "refused prompt",
    "quota": "no credit",
    "rate_limit": "too many at once",
    "not_found": "model not found",
    "timeout": "no answer in time",
    "server": "provider’s fault",
    "network": "no connection",
    "malformed": "unreadable answer",
    "cancelled": "stopped",
    "unknown": "unknown",
}
"""Kinds of errors in words."""


def performance_view(times: Sequence[OfferTimes], catalog: Catalog) -> View:
    """Offers with runs lately, most runs first."""
    return {
        "about": f"Own runs of the last {DAYS} days, at most the newest {NEWEST_RUNS:,}.",
        "rows": [_row(one, catalog) for one in times],
    }


def _row(one: OfferTimes, catalog: Catalog) -> View:
    model, provider = name_of(catalog, "offer", one.offer)
    refused = one.runs - one.succeeded - one.faults
    rate = success_rate(one)
    told = [
        f"{one.succeeded:,} of {views.counted(one.succeeded + one.faults, 'run')} gave images",
        f"{refused:,} refused, not counted" if refused else "",
    ]
    return {
        "id": one.offer,
        "model": model,
        "more": provider,
        "runs": f"{one.runs:,}",
        "p50": _seconds(one.p50_ms),
        "p95": _seconds(one.p95_ms),
        "byte": _seconds(one.first_byte_p50_ms),
        "first": _seconds(one.first_preview_p50_ms),
        "success": NOTHING if rate is None else _rate(rate),
        "told": "; ".join(part for part in told if part),
        "errors": ", ".join(f"{number:,} {KINDS.get(kind, kind)}" for kind, number in one.kinds) or NOTHING,
    }


def _seconds(ms: int | None) -> str:
    return views.seconds(ms).removesuffix(" s") or NOTHING


def _rate(rate: float) -> str:
    """Never 100% where something failed, never 0% where something came."""
    if 0.995 <= rate < 1:
        return "over 99%"
    return "under 1%" if 0 < rate < 0.005 else f"{rate:.0%}"
