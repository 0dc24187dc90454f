"""The table of a board: its columns, and each row with its words, the numbers behind them, and its cautions. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.board import Board, BoardRow
from arena.levels import name_of
from arena.ratings.cautions import CAUTIONS
from arena.ratings.maturity import MIN_BATTLES, MIN_OPPONENTS, PROVISIONAL_HALF_WIDTH
from providers.catalog import Catalog
from ui import views

View = dict[str, object]
Cell = tuple[str, float | None]
"""What stands there, and what it is sorted by; `None` stands last."""

NOTHING = "–"
UNKNOWN = "unknown"
FREE = 1e15
"""Points per dollar of what costs nothing, for sorting."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    name: str
    head: str
    title: str
    """What it means, in a sentence."""
    is_optional: bool = True
    """Whether it can be put away."""
    is_shown: bool = True
    """Whether it is there until somebody puts it away."""


COLUMNS = (
    Column("rank", "#", "1 and how many have their whole interval above this one's. Equals share a rank.", is_optional=False),
    Column("competitor", "Competitor", "Who competes.", is_optional=False),
    Column("rating", "Rating, 95% interval", "From all votes at once, in points around a mean of 1,000.", is_optional=False),
    Column("interval", "", "The same on one axis.", is_optional=False),
    Column("places", "Places", "Where it stands in 95% of the boards that the votes leave possible.", is_shown=False),
    Column("elo", "Elo", "The votes replayed one by one in their order: 1,000 at the start, 4 points at stake in each."),
    Column("p_best", "P(best)", "Chance of being the best of this board."),
    Column("battles", "Battles", "Votes on its images that count."),
    Column("record", "Won – lost – tied", "Both bad is neither won, lost nor tied.", is_shown=False),
    Column("win_rate", "Win rate", "Wins and half of what was undecided, as a share of all battles."),
    Column("both_bad", "Both bad", "Share of its battles in which both images were called bad."),
    Column("cost", "Mean cost", "Of an image in recent battles."),
    Column("p50", "p50 s", "Median seconds to the whole image in recent battles."),
    Column("per_dollar", "Points per $", "Rating points that a dollar's worth of images stands for: rating over mean cost."),
)  # fmt: skip


def ordered(board: Board) -> list[BoardRow]:
    """Rows as the table has them: those with a rank first, each part by rating."""
    return sorted(board.rows, key=lambda row: not has_rank(row))


def has_rank(row: BoardRow) -> bool:
    """Whether the row can be held against the others."""
    return not row.rated.is_provisional and not is_apart(row)


def is_apart(row: BoardRow) -> bool:
    """Whether no chain of battles leads from it to the main part of the board."""
    return "island" in row.rated.cautions


def names(board: Board, catalog: Catalog) -> dict[str, tuple[str, str]]:
    """Each competitor's model, and what tells it from its like: provider or quality, or nothing."""
    return {row.rated.competitor: name_of(catalog, board.query.level, row.rated.competitor) for row in board.rows}


def short_names(named: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Names for charts: the model, and where two have the same one, also what tells them apart."""
    often = Counter(model for model, _ in named.values())
    return {
        competitor: f"{model}, {more}" if more and often[model] > 1 else model
        for competitor, (model, more) in named.items()
    }


def table_view(board: Board, catalog: Catalog) -> View:
    """The rows in order, and the axis that their intervals are drawn on."""
    rows = ordered(board)
    named = names(board, catalog)
    notes = {row.rated.competitor: cautions(row, board) for row in rows}
    return {
        "columns": [
            {"name": one.name, "head": one.head, "title": one.title, "optional": one.is_optional, "shown": one.is_shown}
            for one in COLUMNS
        ],
        "rows": [_row(row, named[row.rated.competitor], notes[row.rated.competitor]) for row in rows],
        "axis": axis(rows),
        "notes": [
            {"name": " ".join(part for part in named[competitor] if part), "notes": told}
            for competitor, told in notes.items()
            if told
        ],
    }


def _row(row: BoardRow, named: tuple[str, str], notes: Sequence[str]) -> View:
    rated = row.rated
    ranked = has_rank(row)
    half = None if rated.low is None or rated.high is None else (rated.high - rated.low) / 2
    cells: dict[str, Cell] = {
        "rank": (str(rated.rank), rated.rank) if ranked else (NOTHING, None),
        "competitor": (" ".join(named), None),
        "rating": (f"{rated.rating:,.0f}", rated.rating),
        "interval": ("", rated.rating),
        "places": _places(row) if ranked else (NOTHING, None),
        "elo": (f"{row.elo:,.0f}", row.elo),
        "p_best": (chance(rated.p_best), rated.p_best) if ranked else (NOTHING, None),
        "battles": (f"{rated.battles:,}", rated.battles),
        "record": (f"{rated.wins:,} – {rated.losses:,} – {rated.ties:,}", rated.wins),
        "win_rate": share(row.win_rate, digits=0),
        "both_bad": share(row.both_bad_rate, digits=1),
        "cost": _cost(row.mean_cost_microusd),
        "p50": _seconds(row.p50_ms),
        "per_dollar": _per_dollar(row),
    }
    return {
        "id": rated.competitor,
        "model": named[0],
        "more": named[1],
        "chip": "Provisional" if rated.is_provisional else "Apart" if is_apart(row) else "",
        "pale": not ranked,
        "half": "" if half is None else f"±{half:,.0f}",
        "at": [rated.rating, rated.low, rated.high],
        "notes": list(notes),
        "cells": {name: list(cell) for name, cell in cells.items()},
    }


def chance(p: float | None) -> str:
    """`71%`, `under 1%`, `over 99%`."""
    if p is None:
        return NOTHING
    return "under 1%" if p < 0.005 else "over 99%" if p > 0.995 else f"{p:.0%}"


def share(part: float | None, *, digits: int) -> Cell:
    """A share in percent."""
    return (NOTHING, None) if part is None else (f"{part:.{digits}%}", part)


def _places(row: BoardRow) -> Cell:
    best, worst = row.rated.rank_best, row.rated.rank_worst
    if best is None or worst is None:
        return NOTHING, None
    return (str(best) if best == worst else f"{best} to {worst}"), best + worst


def _cost(microusd: int | None) -> Cell:
    if microusd is None:
        return UNKNOWN, None
    # Three digits below a dollar, so that the points stand under each other; what would be lost by it has four.
    is_aligned = 10_000 <= microusd < 1_000_000
    return f"${microusd / 1_000_000:.3f}" if is_aligned else views.money(microusd), microusd


def _seconds(latency_ms: int | None) -> Cell:
    return (UNKNOWN, None) if latency_ms is None else (views.seconds(latency_ms).removesuffix(" s"), latency_ms)


def _per_dollar(row: BoardRow) -> Cell:
    points = row.points_per_dollar
    if points is None:
        return ("free", FREE) if row.mean_cost_microusd == 0 else (UNKNOWN, None)
    return f"{points:,.0f}", points


def cautions(row: BoardRow, board: Board) -> list[str]:
    """Why to be careful with a row, in sentences; empty for one that can be taken at its word."""
    rated = row.rated
    told = [CAUTIONS[caution] for caution in CAUTIONS if caution in rated.cautions]
    if rated.is_provisional:
        told += _provisional(row, board)
    return told


def _provisional(row: BoardRow, board: Board) -> list[str]:
    """Reasons for being provisional that no caution has told."""
    rated = row.rated
    met = board.meetings.opponents(rated.competitor)
    wanted = min(MIN_OPPONENTS, len(board.rows) - 1)
    told = []
    if rated.battles < MIN_BATTLES and not {"thin", "no battles"} & rated.cautions:
        told.append(CAUTIONS["thin"])
    if met < wanted:
        told.append(f"Has met {views.counted(met, 'opponent')}; {wanted} are needed for a rank.")
    if rated.low is not None and rated.high is not None and (rated.high - rated.low) / 2 > PROVISIONAL_HALF_WIDTH:
        told.append(f"Its interval is wider than ±{PROVISIONAL_HALF_WIDTH:.0f} points.")
    return told


def axis(rows: Sequence[BoardRow]) -> View:
    """Range and ticks of the interval column: all of the ranked rows, and as much of the others as stays readable."""
    decided = [row for row in rows if has_rank(row)] or list(rows)
    low = min(row.rated.rating if row.rated.low is None else row.rated.low for row in decided)
    high = max(row.rated.rating if row.rated.high is None else row.rated.high for row in decided)
    # Ratings of the others stay in sight; the ends of their intervals may not.
    low, high = min(low, *(row.rated.rating for row in rows), low), max(high, *(row.rated.rating for row in rows), high)
    room = max((high - low) * 0.06, 10.0)
    low, high = low - room, high + room
    step = tick_step(high - low)
    first = math.ceil(low / step)
    ticks = [step * number for number in range(first, math.floor(high / step) + 1)]
    return {"low": low, "high": high, "ticks": [[tick, f"{tick:,.0f}"] for tick in ticks]}


def tick_step(span: float) -> float:
    """A round distance that puts two to five ticks on `span`."""
    for step in (5, 10, 20, 50, 100, 200, 500, 1000, 2000):
        if span / step <= 5:
            return step
    return float(10 ** math.ceil(math.log10(span / 5)))
