"""Sweeps: one request with one or two of its settings varied, a run for each cell of a grid. Pure.

Cells that cannot be made are named and left out; those that come to the same request share one run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from playground.asked import asked_document
from playground.plan import Plan, PlannedRun, make_plan
from providers.catalog import Catalog
from providers.checks import Problem
from providers.sizes import parse_ratio, parse_tier
from providers.types import ImageRequest

Vary = Literal[
    "quality", "size", "model", "provider", "background", "output_format", "input_fidelity", "prompt", "replace_text"
]
VARIED: Mapping[Vary, str] = {
    "quality": "Quality",
    "size": "Size",
    "model": "Model",
    "provider": "Provider",
    "background": "Background",
    "output_format": "Format",
    "input_fidelity": "Input fidelity",
    "prompt": "Prompt",
    "replace_text": "Replace text",
}
MOST_VALUES = 12
"""On one axis."""
FIELD = "sweep"
"""Under which problems of the whole sweep are told."""
_TIMES = re.compile(r"\s*[x×*]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting and the values it takes."""

    vary: Vary
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the grid."""

    x: int
    y: int
    run: int | None
    """Index into the plan's runs; `None` when it is left out."""
    problem: str = ""
    """Why it is left out."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A grid of runs."""

    x: Axis
    y: Axis | None
    cells: tuple[Cell, ...]
    """Row by row."""
    plan: Plan
    """The runs of the cells, equal ones once."""

    @property
    def merged(self) -> int:
        """Cells that share a run with another one."""
        made = [cell.run for cell in self.cells if cell.run is not None]
        return len(made) - len(set(made))


def axis_of(vary: Vary, text: str) -> Axis | None:
    """The axis of values typed one per line, equal ones once; `None` when there are none."""
    values = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    return Axis(vary, values) if values else None


def sweep_of(
    request: ImageRequest,
    offer: str,
    x: Axis,
    y: Axis | None,
    catalog: Catalog,
    *,
    is_usable: Callable[[str], bool],
) -> Sweep:
    """The grid of `request` at `offer` over both axes. `is_usable`: whether an offer can be asked now."""
    general = [*_axis_problems(request, [x, *([y] if y else [])]), *_clash(x, y)]
    places: dict[str, int] = {}
    runs: list[PlannedRun] = []
    cells: list[Cell] = []
    for row, of_y in enumerate(y.values[:MOST_VALUES] if y else [None]):
        for column, of_x in enumerate(x.values[:MOST_VALUES]):
            asked, at = request, offer
            # Text is replaced in the prompt that the other axis brought.
            for axis, value in sorted(((y, of_y), (x, of_x)), key=_replaces_text):
                asked, at = _varied(asked, at, axis, value, catalog)
            run, problem = _planned(asked, at, catalog, is_usable)
            place = None
            if run is not None:
                place = places.setdefault(f"{at} {asked_document(run.request)}", len(runs))
                if place == len(runs):
                    runs.append(run)
            cells.append(Cell(column, row, place, problem))
    if not runs and not general:
        general.append(Problem(FIELD, next((cell.problem for cell in cells), "No cell can be made.")))
    plan = Plan(tuple(runs), request.operation, request.prompt, tuple(general), layout=_layout(x, y, cells))
    return Sweep(x, y, tuple(cells), plan)


def _replaces_text(varied: tuple[Axis | None, str | None]) -> bool:
    axis, _ = varied
    return axis is not None and axis.vary == "replace_text"


def _planned(
    request: ImageRequest, offer: str, catalog: Catalog, is_usable: Callable[[str], bool]
) -> tuple[PlannedRun | None, str]:
    plan = make_plan(request, [offer], catalog, only_listed=True)
    if not plan.all_problems and not is_usable(offer):
        return None, f"There is no key for {offer}."
    if plan.all_problems:
        return None, plan.all_problems[0].message
    return plan.runs[0], ""


def _varied(
    request: ImageRequest, offer: str, axis: Axis | None, value: str | None, catalog: Catalog
) -> tuple[ImageRequest, str]:
    """The request and the offer with this value of the axis in place."""
    if axis is None or value is None:
        return request, offer
    provider, _, model = offer.partition("/")
    if axis.vary == "model":
        return request, value if "/" in value and _is_provider(value, catalog) else f"{provider}/{value}"
    if axis.vary == "provider":
        return request, f"{_provider_id(value, catalog)}/{model}"
    return _set(request, axis, value), offer


def _set(request: ImageRequest, axis: Axis, value: str) -> ImageRequest:
    match axis.vary:
        case "size":
            return _sized(request, value)
        case "quality":
            return replace(request, quality=value.lower())
        case "background":
            return replace(request, background=value.lower())
        case "output_format":
            name = value.lower().lstrip(".")
            return replace(request, output_format={"jpg": "jpeg"}.get(name, name))
        case "input_fidelity":
            return replace(request, input_fidelity=value.lower())
        case "prompt":
            return replace(request, prompt=value)
        case "replace_text":
            return replace(request, prompt=request.prompt.replace(axis.values[0], value))
    return request


def _sized(request: ImageRequest, value: str) -> ImageRequest:
    """A size in pixels, `auto`, a ratio such as 3:2, or a tier such as 2K."""
    text = _TIMES.sub("x", value).replace(" px", "").strip()
    if parse_ratio(text):
        return replace(request, size=None, aspect_ratio=text)
    if parse_tier(text):
        return replace(request, size=None, resolution=text.upper())
    return replace(request, size=text.lower(), aspect_ratio=None, resolution=None)


def _provider_id(value: str, catalog: Catalog) -> str:
    wanted = value.lower()
    known = {name.lower(): one.provider_id for one in catalog.providers for name in (one.provider_id, one.name)}
    return known.get(wanted, wanted)


def _is_provider(offer: str, catalog: Catalog) -> bool:
    return offer.partition("/")[0] in {one.provider_id for one in catalog.providers}


def _axis_problems(request: ImageRequest, axes: Sequence[Axis]) -> list[Problem]:
    found = [
        Problem(FIELD, f"{VARIED[axis.vary]} has {len(axis.values)} values; at most {MOST_VALUES} are run.")
        for axis in axes
        if len(axis.values) > MOST_VALUES
    ]
    prompts = next((axis.values for axis in axes if axis.vary == "prompt"), (request.prompt,))
    for axis in axes:
        if axis.vary == "replace_text" and not any(axis.values[0] in prompt for prompt in prompts):
            told = f"The prompt does not hold “{axis.values[0]}”."
            found.append(Problem(FIELD, f"{told} The first line of Replace text is what the others replace."))
    return found


def _clash(x: Axis, y: Axis | None) -> list[Problem]:
    if y is not None and x.vary == y.vary:
        return [Problem(FIELD, f"Both axes vary {VARIED[x.vary].lower()}. Choose another setting for one of them.")]
    return []


def _layout(x: Axis, y: Axis | None, cells: Sequence[Cell]) -> dict[str, object]:
    def told(axis: Axis) -> dict[str, object]:
        return {"vary": axis.vary, "values": list(axis.values[:MOST_VALUES])}

    return {
        "x": told(x),
        "y": told(y) if y else None,
        "cells": [{"run": cell.run, "problem": cell.problem} for cell in cells],
    }
