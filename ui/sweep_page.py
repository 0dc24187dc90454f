"""A sweep as one HTML file that opens anywhere: the grid with its labels, pictures inside. What was typed is escaped. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

from playground.library import GroupView
from providers.catalog import Catalog
from storage.records import RunView
from ui import tiles, views
from ui.naming import offer_names
from ui.sweep_views import Json, best_of, cells_of, grid_view

_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#171717, #ededed); --quiet: light-dark(#6b6b6b, #9a9a9a);
  --line: light-dark(#e3e3e3, #2b2b2b); }
body { margin: 32px; background: light-dark(#f7f7f7, #131313); color: var(--ink);
  font: 14px/20px Inter, ui-sans-serif, system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 18px; line-height: 26px; overflow-wrap: anywhere; }
p { margin: 0 0 20px; color: var(--quiet); }
.grid { overflow-x: auto; }
table { border-collapse: collapse; }
th { padding: 8px 20px 8px 0; max-width: 320px; font-weight: 600; text-align: left; vertical-align: top; }
th { overflow-wrap: anywhere; }
td { padding: 0 20px 24px 0; vertical-align: top; min-width: 220px; }
figure { margin: 0; }
img { display: block; max-width: 320px; width: 100%; border-radius: 10px; }
figcaption, .hole { margin-top: 6px; color: var(--quiet); font-size: 13px; }
.hole { padding: 16px; border: 1px dashed var(--line); border-radius: 10px; }
"""


def sweep_page(group: GroupView, pictures: Mapping[str, bytes], catalog: Catalog) -> str | None:
    """The page; `None` when the group is no sweep. `pictures`: a small WebP of each image by SHA-256; others are left out."""
    grid = grid_view(group)
    if grid is None:
        return None
    x, y = _labels(grid["x"]), _labels(grid["y"])
    cells = cells_of(group)
    head = "".join(f'<th scope="col">{escape(value)}</th>' for value in x)
    rows = []
    for row, label in enumerate(y or [""]):
        of_row = cells[row * len(x) : (row + 1) * len(x)]
        made = "".join(f"<td>{_cell(cell, group, pictures, catalog)}</td>" for cell in of_row)
        rows.append(f"<tr>{_row_head(label) if y else ''}{made}</tr>")
    title = escape(group.group.template)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title[:80]}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{escape(_caption(group, grid))}</p>"
        f'<div class="grid"><table><thead><tr>{"<td></td>" if y else ""}{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></html>"
    )


def _row_head(label: str) -> str:
    return f'<th scope="row">{escape(label)}</th>'


def _labels(axis: object) -> list[str]:
    return list(map(str, axis["values"])) if isinstance(axis, Mapping) else []


def _caption(group: GroupView, grid: Json) -> str:
    names = [
        f"{way}: {axis['name']}"
        for way, axis in (("Across", grid["x"]), ("Down", grid["y"]))
        if isinstance(axis, Mapping)
    ]
    return views.sentence([group.group.created_at[:10], tiles.caption(group.runs), *names])


def _cell(cell: Json, group: GroupView, pictures: Mapping[str, bytes], catalog: Catalog) -> str:
    index = cell.get("run")
    run = best_of(index, group.runs) if isinstance(index, int) else None
    if run is None:
        return f'<p class="hole">Left out. {escape(str(cell.get("problem") or ""))}</p>'
    if not run.images:
        return f'<p class="hole">{escape(run.run.error.message if run.run.error else "No image.")}</p>'
    data = pictures.get(run.images[0].sha256)
    words = escape(_told(run, catalog))
    if data is None:
        return f'<p class="hole">The picture is not there any more.</p><figcaption>{words}</figcaption>'
    source = f"data:image/webp;base64,{base64.b64encode(data).decode()}"
    return f'<figure><img src="{source}" alt="{escape(run.run.prompt, quote=True)}"><figcaption>{words}</figcaption></figure>'


def _told(run: RunView, catalog: Catalog) -> str:
    model, provider = offer_names(run.run.offer, catalog)
    image = run.images[0]
    cost = "" if run.cost_microusd is None else "free" if not run.cost_microusd else views.cost(run.cost_microusd)
    return views.sentence([
        f"{model} at {provider}" if provider else model, views.size(image.width, image.height),
        views.seconds(run.run.latency_ms), cost,
    ])  # fmt: skip
