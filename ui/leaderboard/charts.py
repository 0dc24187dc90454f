"""What the charts of a board draw: points with the front, who beats whom, and Elo by day. Pure.

The geometry is the script's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from arena.board import Board, BoardRow
from arena.standing import Meeting
from storage.elo_days import EloDay
from ui import views
from ui.leaderboard.table import View, has_rank, is_apart, ordered, tick_step

MAX_DAYS = 180
"""Days on the chart of ratings over time; of more, evenly spread ones are drawn."""
COLOURED = 5
"""Lines of that chart that have a colour of their own."""
IN_MATRIX = 12
"""Competitors in the matrix: the first of the table."""
FEW_BATTLES = 5
"""Fewer than these say little of a pair."""


@dataclass(frozen=True, slots=True)
class Point:
    """A competitor in a scatter."""

    name: str
    x: float
    """Dollars, or seconds."""
    rating: float
    low: float | None
    high: float | None
    words: str
    """x in words."""
    is_front: bool = False
    """Whether nobody is both better and cheaper, or faster."""
    is_pale: bool = False
    """Whether too little is known of it for the front."""


def front(points: Sequence[Point]) -> list[Point]:
    """The points, best x first, each told whether it is on the Pareto front. Pale points never are."""
    best = float("-inf")
    found = []
    for point in sorted(points, key=lambda one: (one.x, -one.rating)):
        is_front = not point.is_pale and point.rating > best
        best = max(best, point.rating) if is_front else best
        found.append(replace(point, is_front=is_front))
    return found


def by_cost(board: Board, names: Mapping[str, str]) -> View:
    """Rating against mean cost."""
    return _scatter(
        board,
        names,
        value=lambda row: row.mean_cost_microusd,
        unit=1_000_000,
        words=views.money,
        missing="cost unknown",
        none="free, so it has no place on a log scale",
        axis="Mean cost per image, log scale",
    )


def by_time(board: Board, names: Mapping[str, str]) -> View:
    """Rating against median seconds."""
    return _scatter(
        board,
        names,
        value=lambda row: row.p50_ms,
        unit=1_000,
        words=views.seconds,
        missing="time unknown",
        none="answers at once, so it has no place on a log scale",
        axis="p50 seconds, log scale",
    )


def _scatter(
    board: Board,
    names: Mapping[str, str],
    *,
    value: Callable[[BoardRow], int | None],
    unit: int,
    words: Callable[[int], str],
    missing: str,
    none: str,
    axis: str,
) -> View:
    rows = ordered(board)
    some_ranked = any(has_rank(row) for row in rows)
    points: list[Point] = []
    left_out: list[list[str]] = []
    for row in rows:
        name, x = names[row.rated.competitor], value(row)
        if x is None or x <= 0:
            left_out.append([name, missing if x is None else none])
        elif is_apart(row):
            left_out.append([name, "apart from the others"])
        elif some_ranked and not has_rank(row):
            left_out.append([name, "provisional"])
        else:
            rated = row.rated
            points.append(
                Point(name, x / unit, rated.rating, rated.low, rated.high, words(x), is_pale=not has_rank(row))
            )
    return {
        "points": [_point(point) for point in front(points)],
        "left_out": left_out,
        "axis": axis,
        "y": _range(points),
    }


def _point(point: Point) -> View:
    return {
        "name": point.name,
        "x": point.x,
        "rating": point.rating,
        "low": point.low,
        "high": point.high,
        "words": point.words,
        "front": point.is_front,
        "pale": point.is_pale,
    }


def _range(points: Sequence[Point]) -> View:
    """Of the rating axis; intervals of what is pale may leave it."""
    sure = [point for point in points if not point.is_pale] or points
    bounds = [bound for point in sure for bound in (point.low, point.high, point.rating) if bound is not None]
    bounds += [point.rating for point in points]
    return rating_range(bounds)


def rating_range(bounds: Sequence[float]) -> View:
    """Low and high end of an axis that holds all of `bounds`, with round ticks."""
    low, high = (min(bounds), max(bounds)) if bounds else (900.0, 1100.0)
    room = max((high - low) * 0.08, 10.0)
    low, high = low - room, high + room
    step = tick_step(high - low)
    ticks = [step * number for number in range(int(low // step) + 1, int(high // step) + 1)]
    return {"low": low, "high": high, "ticks": [[tick, f"{tick:,.0f}"] for tick in ticks]}


def matrix(board: Board, names: Mapping[str, str]) -> View:
    """What each of the first rows took from each other; where they never met, what the ratings expect."""
    rows = [row.rated.competitor for row in ordered(board)]
    drawn = rows[:IN_MATRIX]
    island = {one: place for place, group in enumerate(board.rated.islands) for one in group}
    cells = [
        [
            _met(
                board.meetings.get((one, other)),
                names[one],
                names[other],
                is_known=island.get(one) == island.get(other),
            )
            for other in drawn
        ]
        for one in drawn
    ]
    known = {cell[1] for row in cells for cell in row if cell is not None}
    under = [
        f"Grey: fewer than {FEW_BATTLES} battles." if "few" in known else "",
        "In brackets: they never met, the ratings expect it." if "expected" in known else "",
        "Blank: nothing can be expected." if "apart" in known else "",
        f"{len(rows) - len(drawn)} more are not drawn." if len(rows) > len(drawn) else "",
    ]
    return {
        "names": [names[competitor] for competitor in drawn],
        "cells": cells,
        "under": " ".join(part for part in under if part),
    }


def _met(meeting: Meeting | None, first: str, second: str, *, is_known: bool) -> list[object] | None:
    """Percent, whether they "met", in "few" battles, or it is "expected", and a sentence; `None` on the diagonal.

    `is_known`: whether battles lead from one to the other, so that there is anything to expect.
    """
    if meeting is None:
        return None
    if not is_known:
        why = f"No battle that counts leads from {first} to {second}, not even over others: nothing can be expected."
        return [None, "apart", why]
    expected = f"{meeting.expected:.0%}"
    if meeting.score is None:
        return [
            round(100 * meeting.expected),
            "expected",
            f"{first} never met {second}; the ratings expect {expected}.",
        ]
    taken = f"{first} took {meeting.score:.0%} from {second} in {views.counted(meeting.battles, 'battle')}"
    how = "met" if meeting.battles >= FEW_BATTLES else "few"
    return [round(100 * meeting.score), how, f"{taken}; the ratings expect {expected}."]


def over_time(board: Board, names: Mapping[str, str]) -> View:
    """Elo after each day, for the competitors of the table; empty when there is one day only."""
    days = spread(board.days)
    rows = [row.rated.competitor for row in ordered(board)]
    series = [[day.ratings.get(competitor) for day in days] for competitor in rows]
    return {
        "days": [day.day for day in days],
        "series": [
            {
                "name": names[competitor],
                "values": values,
                "series": place + 1 if place < COLOURED else 0,
            }
            for place, (competitor, values) in enumerate(zip(rows, series, strict=True))
        ],
        "y": rating_range([value for values in series for value in values if value is not None]),
    }


def spread(days: Sequence[EloDay]) -> list[EloDay]:
    """At most `MAX_DAYS` of the days, evenly spread, the first and the last among them."""
    if len(days) <= MAX_DAYS:
        return list(days)
    last = len(days) - 1
    return [days[round(place * last / (MAX_DAYS - 1))] for place in range(MAX_DAYS)]
