"""Cards, bars, limits, and estimate against actual, as plain JSON. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, get_args

from playground.limits import (
    EVERYBODYS,
    LOCAL_SPANS,
    NAMES,
    OPERATORS_NAMES,
    PUBLIC_SPANS,
    Limit,
    state_of,
    variable,
    zone_name,
)
from playground.spending import PERIODS, RECENT_DAYS, Costs, Period, first_day
from providers.catalog import Catalog
from storage.costs import By, Compared, Part
from ui import views
from ui.naming import offer_names

View = dict[str, object]

BY: tuple[By, ...] = get_args(By)
SERIES_SHOWN = 4
"""So many have a colour of their own; the rest are one."""
OTHERS = "Others"
MOST_TICKS = 4
COMPARED_SHOWN = 6
QUALITY_WORDS = {"low": "Low", "medium": "Medium", "high": "High", "xhigh": "Extra high", "max": "Max", "auto": "Auto"}
_STEPS = (1, 2, 5)
_NO_RUN = "–"


def costs_view(costs: Costs, by: By, period: str, catalog: Catalog, *, can_set: bool) -> View:
    """The whole upper part of the tab."""
    nothing = not (costs.all_time.settled or costs.all_time.reserved or costs.all_time.unknown)
    return {
        "state": "empty" if nothing else "costs",
        "by": by,
        "period": period,
        "cards": _cards(costs, can_set=can_set),
        "bars": bars_view(costs, by, PERIODS[period], catalog),
        "limits": limits_view(costs, can_set=can_set),
        "compared": compared_view(costs.compared, catalog),
        "zone": costs.zone,
    }


def _cards(costs: Costs, *, can_set: bool) -> list[View]:
    ever, paid = costs.all_time, costs.paid
    return [
        _card("today", "Today", views.dollars(costs.today.settled_microusd), _limit_words(costs, "day")),
        _card("month", "This month", views.dollars(costs.month.settled_microusd), _limit_words(costs, "month")),
        _card("all", "All time", views.dollars(ever.settled_microusd), views.counted(ever.images, "image")),
        _card("reserved", "Reserved now", views.dollars(ever.reserved_microusd), views.counted(ever.reserved, "run")),
        _card(
            "unknown",
            "Unknown",
            views.counted(ever.unknown, "run") if ever.unknown else "None",
            f"{views.dollars(ever.unknown_microusd)} held for them" if ever.unknown else "every cost is known",
            action=("Settle by hand" if can_set else "Show") if ever.unknown else "",
        ),
        _card(
            "image",
            "Per image",
            views.dollars(round(Fraction(paid.amount_microusd, paid.images))) if paid.images else _NO_RUN,
            f"{views.counted(paid.images, 'paid image')}, {RECENT_DAYS} days",
        ),
        _card(
            "favourite",
            "Per favourite",
            views.dollars(round(Fraction(ever.settled_microusd, costs.favourites))) if costs.favourites else _NO_RUN,
            views.counted(costs.favourites, "favourite"),
        ),
    ]


def _card(key: str, label: str, figure: str, note: str, action: str = "") -> View:
    return {"key": key, "label": label, "figure": figure, "note": note, "action": action}


def _limit_words(costs: Costs, span: Literal["day", "month"]) -> str:
    """The limit that a sum of one's own is held against; where the app is public, the visitor's, if all of it counts."""
    wanted = f"visitor_{span}" if costs.is_public else span
    found = min((limit.amount_microusd for limit in costs.limits if limit.span == wanted), default=None)
    if found is None:
        return "no limit"
    counts = costs.day_counts if span == "day" else costs.month_counts
    return f"of {views.dollars(found)}" if counts else "own keys have no limit"


# Bars


def bars_view(costs: Costs, by: By, period: Period, catalog: Catalog) -> View:
    """Bars from the first period to today, each in parts of at most five series."""
    names = {part.key: _name(part.key, by, catalog) for part in costs.parts}
    series = _series(costs.parts)
    order = {key: place for place, (key, _) in enumerate(series)}
    of_period: dict[str, list[Part]] = defaultdict(list)
    for part in costs.parts:
        of_period[part.period].append(part)
    periods = _periods(costs.day, period)
    bars = [_bar(one, of_period.get(one, []), order, names, period) for one in periods]
    step, steps = _ticks(max((int(str(bar["total_microusd"])) for bar in bars), default=0))
    top = step * steps
    return {
        "title": f"Cost by {period.step}",
        "bars": bars,
        "top_microusd": top,
        "ticks": [{"share": 100 * tick // steps, "text": views.dollars(step * tick)} for tick in range(steps + 1)],
        "series": [
            {
                "name": names.get(key, key),
                "total": views.dollars(total),
                "colour": place + 1 if key != OTHERS else 5,
            }
            for place, (key, total) in enumerate(series)
        ],
        "held": views.dollars(sum(part.held_microusd for part in costs.parts)) if _has_held(costs.parts) else "",
        "is_empty": not costs.parts,
    }


def _has_held(parts: Sequence[Part]) -> bool:
    return any(part.held_microusd for part in parts)


def _series(parts: Sequence[Part]) -> list[tuple[str, int]]:
    """The dearest keys with their totals, and the rest as one."""
    totals: dict[str, int] = defaultdict(int)
    for part in parts:
        totals[part.key] += part.settled_microusd
    ranked = sorted((item for item in totals.items() if item[1]), key=lambda item: (-item[1], item[0]))
    rest = sum(total for _, total in ranked[SERIES_SHOWN:])
    return [*ranked[:SERIES_SHOWN], *([(OTHERS, rest)] if rest else [])]


def _bar(period: str, parts: Sequence[Part], order: Mapping[str, int], names: Mapping[str, str], of: Period) -> View:
    settled: dict[str, int] = defaultdict(int)
    for part in parts:
        if part.settled_microusd:
            settled[part.key if part.key in order else OTHERS] += part.settled_microusd
    held = sum(part.held_microusd for part in parts)
    shown = sorted(settled.items(), key=lambda item: order.get(item[0], SERIES_SHOWN))
    total = sum(settled.values())
    told = [f"{names.get(key, key)} {views.dollars(amount)}" for key, amount in shown]
    told += [f"reserved or unknown {views.dollars(held)}"] if held else []
    return {
        "key": period,
        "label": _label(period, of),
        "total_microusd": total + held,
        "parts": [
            {"colour": 5 if key == OTHERS else order[key] + 1, "microusd": amount, "key": key} for key, amount in shown
        ],
        "held_microusd": held,
        "words": f"{_label(period, of)}: {views.dollars(total)}" + (f". {', '.join(told)}" if told else ""),
    }


def _periods(day: date, period: Period) -> list[str]:
    if period.step == "day":
        return [(day - timedelta(days=back)).isoformat() for back in range(period.days - 1, -1, -1)]
    first = first_day(day, period)
    months = (day.year - first.year) * 12 + day.month - first.month
    return [
        f"{first.year + (first.month - 1 + n) // 12}-{(first.month - 1 + n) % 12 + 1:02d}" for n in range(months + 1)
    ]


def _label(period: str, of: Period) -> str:
    if of.step == "month":
        return f"{date.fromisoformat(f'{period}-01'):%b %Y}"
    day = date.fromisoformat(period)
    return f"{day.day} {day:%b}"


def _ticks(highest: int) -> tuple[int, int]:
    """Micro-dollars between two lines of the grid, 1, 2 or 5 times a power of ten, and how many reach the highest bar."""
    unit = 100
    while True:
        for step in _STEPS:
            if unit * step * MOST_TICKS >= highest:
                return unit * step, max(1, -(-highest // (unit * step)))
        unit *= 10


def _name(key: str, by: By, catalog: Catalog) -> str:
    if by == "quality":
        return QUALITY_WORDS.get(key, key)
    if by == "tag":
        return key or "No tag"
    if by == "provider":
        return next((row.name for row in catalog.providers if row.provider_id == key), key)
    model = catalog.model(key)
    return model.name if model else key


# Limits


def limits_view(costs: Costs, *, can_set: bool) -> View:
    """Every limit in force with how far it is, and what the editor begins from."""
    own = {limit.span: limit for limit in costs.limits if not limit.is_fixed}
    return {
        "rows": [_limit_row(limit, costs, can_set=can_set) for limit in costs.limits],
        "can_set": can_set,
        "editor": [
            {
                "span": span,
                "name": OPERATORS_NAMES[span] if costs.is_public else NAMES[span],
                "amount": plain(own[span].amount_microusd) if span in own else "",
                "action": own[span].action if span in own else "block",
                "is_set": span in own,
            }
            for span in (PUBLIC_SPANS if costs.is_public else LOCAL_SPANS)
        ],
        "note": " ".join(
            [
                *(["Only what this server's keys pay counts."] if costs.is_public else []),
                f"Settled, reserved and unknown count together. Days begin at midnight in {zone_name(costs.zone)}.",
            ]
        ),
        "none": "No limit is set."
        if can_set
        else "No limit is set on this server. What you run is paid with your own keys.",
    }


def _limit_row(limit: Limit, costs: Costs, *, can_set: bool) -> View:
    held, amount = costs.standing.of(limit.span), views.dollars(limit.amount_microusd)
    is_shared = costs.is_public and limit.span in EVERYBODYS
    # To the operator a visitor's limit is each visitor's, not theirs alone.
    is_each = limit.span == "run" or (can_set and costs.is_public and limit.span not in EVERYBODYS)
    # What others spent is theirs, and beside a blind battle a sum would tell its makers.
    is_told = not is_each and (can_set or not is_shared) and not costs.hides
    state = state_of(limit, held) if is_told else "well"
    if is_told:
        figure = f"{views.dollars(held)} of {amount}"
    elif is_each:
        figure = f"up to {amount}"
    else:
        figure = f"{amount} for all together" if is_shared and not can_set else f"shows after your vote, of {amount}"
    return {
        "key": f"{limit.span}{'-fixed' if limit.is_fixed else ''}",
        "name": (OPERATORS_NAMES if can_set and costs.is_public else NAMES)[limit.span],
        "action": "blocks" if limit.action == "block" else "warns",
        "figure": figure,
        "percent": min(100, held * 100 // limit.amount_microusd)
        if is_told and limit.amount_microusd
        else 100
        if is_told
        else 0,
        "has_bar": is_told,
        "state": state,
        "word": {"reached": "Reached", "near": "Near", "well": ""}[state],
        "note": f"Set by {variable(limit.span)} where the app starts." if limit.is_fixed and can_set else "",
    }


def plain(microusd: int) -> str:
    """The amount as a person types it: `5.00`, `0.031`."""
    text = f"{microusd // 1_000_000}.{microusd % 1_000_000:06d}".rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"


# Estimate against actual


def compared_view(found: Sequence[Compared], catalog: Catalog) -> View:
    """Of each offer, what was expected and what came of it."""
    estimate = sum(one.estimate_microusd for one in found)
    actual = sum(one.actual_microusd for one in found)
    return {
        "words": _compared_words(estimate, actual, sum(one.lines for one in found)) if found else "",
        "rows": [
            {
                "id": one.offer,
                "name": " · ".join(filter(None, offer_names(one.offer, catalog))),
                "lines": f"{one.lines:,}",
                "estimate": views.dollars(one.estimate_microusd),
                "actual": views.dollars(one.actual_microusd),
                "off": _off(one.estimate_microusd, one.actual_microusd),
            }
            for one in found[:COMPARED_SHOWN]
        ],
        "more": max(0, len(found) - COMPARED_SHOWN),
    }


def _compared_words(estimate: int, actual: int, lines: int) -> str:
    off = _off(estimate, actual)
    if off == "±0 %":
        return f"{views.counted(lines, 'settled run')} cost what was estimated."
    than = "more" if actual > estimate else "less"
    return f"{views.counted(lines, 'settled run')} cost {off.lstrip('+−')} {than} than estimated."


def _off(estimate: int, actual: int) -> str:
    """How far the cost is off the estimate, in percent of it, to a tenth below ten."""
    if not estimate:
        return _NO_RUN
    tenths = (abs(actual - estimate) * 2000 + estimate) // (2 * estimate)
    if tenths == 0:
        return "±0 %"
    sign = "+" if actual > estimate else "−"
    return f"{sign}{tenths // 10}.{tenths % 10} %" if tenths < 100 else f"{sign}{(tenths + 5) // 10} %"
