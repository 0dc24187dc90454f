"""The form as JSON: a browser's draft, the tray, tables and axes. It comes from outside, so it is read with care. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from playground.sweeps import VARIED, Vary
from playground.variables import MOST_CHARS, MOST_NAMES, MOST_ROWS, Row
from ui.forms import MAX_REFERENCES, FormValues, Reference, SweepText


def draft_of(values: FormValues) -> dict[str, object]:
    """The form as JSON for the browser's own storage. References go by hash; there is never a key in it."""
    return {
        **{field.name: getattr(values, field.name) for field in fields(values) if field.name not in _NESTED},
        "offers": list(values.offers),
        "references": [reference.document() for reference in values.references],
        "mask": values.mask.document() if values.mask else None,
        "variables": [dict(row) for row in values.variables],
        "sweep": asdict(values.sweep),
    }


_NESTED = ("offers", "references", "mask", "variables", "sweep")


def from_draft(draft: object, start: FormValues) -> FormValues:
    """The form of a draft; whatever in it cannot be read keeps its value of `start`."""
    if not isinstance(draft, Mapping) or not draft:
        return start
    plain: dict[str, Any] = {}
    for field in fields(FormValues):
        value, default = draft.get(field.name), getattr(start, field.name)
        if field.name not in _NESTED and _is_like(value, default):
            plain[field.name] = value
    return replace(
        start,
        **plain,
        offers=texts(draft.get("offers")),
        references=references_of(draft.get("references")),
        mask=reference_of(draft.get("mask")),
        variables=rows_of(draft.get("variables")),
        sweep=sweep_of(draft.get("sweep")),
    )


def _is_like(value: object, default: object) -> bool:
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(default)


def texts(value: object) -> tuple[str, ...]:
    """The texts of a JSON list, each once."""
    items = value if isinstance(value, list | tuple) else ()
    return tuple(dict.fromkeys(item for item in items if isinstance(item, str)))


def references_of(value: object) -> tuple[Reference, ...]:
    """The references of a JSON list, each image once, at most as many as any model takes."""
    items = value if isinstance(value, list | tuple) else ()
    found = {reference.sha256: reference for item in items if (reference := reference_of(item))}
    return tuple(found.values())[:MAX_REFERENCES]


def rows_of(value: object) -> tuple[Row, ...]:
    """The rows of a JSON list of objects, cut where they are far beyond what can be run."""
    items = value if isinstance(value, list | tuple) else ()
    return tuple(
        {
            name[:40]: text[: MOST_CHARS + 1]
            for name, text in list(item.items())[: 2 * MOST_NAMES]
            if isinstance(name, str) and isinstance(text, str)
        }
        for item in items[: MOST_ROWS + 1]
        if isinstance(item, Mapping)
    )


def sweep_of(value: object) -> SweepText:
    """The axes of a JSON object; what cannot be read is empty."""
    given = value if isinstance(value, Mapping) else {}
    start = SweepText()
    return SweepText(
        x_vary=_VARY.get(str(given.get("x_vary")), start.x_vary),
        x_values=_typed(given.get("x_values")),
        y_vary=_VARY.get(str(given.get("y_vary")), start.y_vary),
        y_values=_typed(given.get("y_values")),
    )


_VARY: Mapping[str, Vary] = {name: name for name in VARIED}
_MOST_TYPED = 50_000
"""Characters of one axis."""


def _typed(value: object) -> str:
    return value[:_MOST_TYPED] if isinstance(value, str) else ""


def reference_of(value: object) -> Reference | None:
    """The reference of a JSON object, or `None` when it is not one."""
    if not isinstance(value, Mapping):
        return None
    sha256, media_type, name = value.get("sha256"), value.get("media_type"), value.get("name", "")
    width, height = value.get("width"), value.get("height")
    if not isinstance(sha256, str) or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        return None
    if not isinstance(media_type, str) or not isinstance(width, int) or not isinstance(height, int):
        return None
    return Reference(sha256, media_type, width, height, name if isinstance(name, str) else "")


def clamp_number(value: object, low: float, high: float, default: float) -> float:
    """The number of a field, within its bounds; an empty field says the default."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return min(max(float(value), low), high)
