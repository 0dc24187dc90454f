"""Sweeps as the page draws them: what the axes come to before the press, and the grid after it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.library import GroupView
from playground.plan import PlannedRun
from playground.ready import Sources
from playground.sweeps import VARIED, Axis, Sweep, axis_of, sweep_of
from providers.types import ImageRequest
from storage.records import OPEN_STATES, RunView
from ui import views
from ui.forms import FormValues
from ui.naming import offer_names

Json = dict[str, object]

_LEFT_OUT_SHOWN = 6


def sweep_of_form(values: FormValues, request: ImageRequest, sources: Sources) -> Sweep | None:
    """The grid of the form's axes over its first ticked offer; `None` without an offer or a value."""
    typed = values.sweep
    x, y = axis_of(typed.x_vary, typed.x_values), axis_of(typed.y_vary, typed.y_values)
    if y is not None and x is None:
        x, y = y, None
    if x is None or not values.offers:
        return None
    return sweep_of(request, values.offers[0], x, y, sources.catalog, is_usable=sources.is_usable)


def outlook_view(values: FormValues, request: ImageRequest, sources: Sources) -> Json | None:
    """What the form says of its sweep: cells, price, what is left out and why."""
    sweep = sweep_of_form(values, request, sources)
    if sweep is None:
        return None
    model, provider = offer_names(values.offers[0], sources.catalog)
    left_out = [cell for cell in sweep.cells if cell.run is None]
    runs = len(sweep.plan.runs)
    return {
        "cells": len(sweep.cells),
        "runs": runs,
        "price": _total(sweep.plan.runs).about() if runs else "",
        "agreed": agreed(sweep),
        "label": f"Add {views.counted(runs, 'run')} · {_total(sweep.plan.runs).about()}" if runs else "Add runs",
        "from": f"{model} at {provider}" if provider else model,
        "is_first_of_many": len(values.offers) > 1,
        "merged": sweep.merged,
        "left_out": [
            {"cell": _named(sweep, cell.x, cell.y), "why": cell.problem} for cell in left_out[:_LEFT_OUT_SHOWN]
        ],
        "left_out_more": max(0, len(left_out) - _LEFT_OUT_SHOWN),
        "problems": [problem.message for problem in sweep.plan.problems],
        "can_start": sweep.plan.is_sendable,
    }


def agreed(sweep: Sweep) -> str:
    """What a person agreed to by pressing the button: so many runs, at this price."""
    cost = _total(sweep.plan.runs)
    return f"{cost.runs} {cost.low_microusd} {cost.high_microusd} {cost.unknown}"


def minutes(sweep: Sweep, p50_ms: Mapping[str, int], *, by_runs: int = 0) -> str:
    """How long the runs are likely to take, as `about 3 min`; what was measured of each offer says it, in `by_runs` runs."""
    if not sweep.plan.runs:
        return ""
    by_provider: dict[str, list[float]] = {}
    unknown = 0
    for run in sweep.plan.runs:
        took = p50_ms.get(run.offer.offer_id)
        unknown += took is None
        by_provider.setdefault(run.provider.provider_id, []).append(took or 0)
    if unknown == len(sweep.plan.runs):
        return "No run of this model was timed yet."
    places = {run.provider.provider_id: run.provider.max_concurrent for run in sweep.plan.runs}
    longest = max(sum(times) / min(len(times), places[name]) for name, times in by_provider.items()) / 1000
    told = f"about {longest:.0f} s" if longest < 90 else f"about {longest / 60:.0f} min"
    parts = [f"{told[:1].upper()}{told[1:]}"]
    parts += [f"by {views.counted(by_runs, 'own run')} of the last 30 days"] if by_runs else []
    parts += [f"not counting {views.counted(unknown, 'run')} never timed"] if unknown else []
    return ", ".join(parts)


def _total(runs: Sequence[PlannedRun]) -> views.Total:
    return views.total([(run.estimate.low_microusd, run.estimate.high_microusd) for run in runs])


def _named(sweep: Sweep, x: int, y: int) -> str:
    parts = [sweep.x.values[x], *([sweep.y.values[y]] if sweep.y else [])]
    return " × ".join(parts)


# After the press


def grid_view(group: GroupView) -> Json | None:
    """The grid of a sweep: labels of both axes and, row by row, the tile of each cell; `None` for any other group."""
    layout = group.group.layout
    if layout is None:
        return None
    x, y = _axis(layout.get("x")), _axis(layout.get("y"))
    shown = [_cell(cell, group.runs) for cell in cells_of(group)]
    holes = holes_of(group)
    return {
        "x": {"name": VARIED[x.vary], "values": list(x.values)} if x else None,
        "y": {"name": VARIED[y.vary], "values": list(y.values)} if y else None,
        "cells": shown,
        "holes": f"Run {views.counted(len(holes), 'hole')} again · {views.estimated(holes)}" if holes else "",
        "export": f"sweeps/{group.group.group_id}.html",
    }


def best_of(index: int, runs: Sequence[RunView]) -> RunView | None:
    """The run that fills a cell: of the one at this place and those that asked the same later, the one that succeeded,
    else the newest.
    """
    first = next((run for run in runs if run.run.position == index), None)
    if first is None:
        return None
    alike = [run for run in runs if (run.run.offer, run.run.asked) == (first.run.offer, first.run.asked)]
    done = [run for run in alike if run.run.state == "succeeded" and run.images]
    return (done or alike)[-1]


def cells_of(group: GroupView) -> list[Json]:
    """The cells of a sweep, row by row; none of any other group."""
    cells = (group.group.layout or {}).get("cells")
    return cells if isinstance(cells, list) else []


def first_of(group: GroupView) -> Sequence[RunView]:
    """The runs of the first press: without those that filled holes of a sweep later."""
    cells = cells_of(group)
    places = {cell.get("run") for cell in cells}
    return [run for run in group.runs if run.run.position in places] if cells else group.runs


def holes_of(group: GroupView) -> list[RunView]:
    """The runs whose cells have no image and for which none is under way."""
    places = sorted({place for cell in cells_of(group) if isinstance(place := cell.get("run"), int)})
    filling = [best for place in places if (best := best_of(place, group.runs))]
    return [run for run in filling if run.run.state not in OPEN_STATES and not run.images]


def _cell(cell: Mapping[str, object], runs: Sequence[RunView]) -> Json:
    index = cell.get("run")
    run = best_of(index, runs) if isinstance(index, int) else None
    if run is None:
        return {"tile": None, "why": cell.get("problem") or "This run is not there any more."}
    return {"tile": f"{run.run.run_id}:0", "why": ""}


def _axis(told: object) -> Axis | None:
    if not isinstance(told, Mapping) or told.get("vary") not in VARIED:
        return None
    return Axis(told["vary"], tuple(map(str, told.get("values") or ())))
