"""Picked runs as one HTML file that opens anywhere, pictures inside. What was typed is escaped. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from providers.catalog import Catalog
from storage.records import RunView, StoredImage
from ui import views
from ui.arena_views import maker
from ui.history_views import STATES, field_rows, when

_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#171717, #ededed); --quiet: light-dark(#6b6b6b, #9a9a9a);
  --line: light-dark(#e3e3e3, #2b2b2b); }
body { margin: 32px auto; padding: 0 24px; max-width: 1200px; background: light-dark(#f7f7f7, #131313); color: var(--ink);
  font: 14px/20px Inter, ui-sans-serif, system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0 0 4px; font-size: 20px; line-height: 28px; }
h2 { margin: 0 0 4px; font-size: 15px; line-height: 22px; font-weight: 550; overflow-wrap: anywhere; white-space: pre-line; }
p { margin: 0 0 12px; color: var(--quiet); }
article { display: grid; grid-template-columns: minmax(0, 320px) minmax(0, 1fr); gap: 24px; padding: 24px 0;
  border-top: 1px solid var(--line); }
img { display: block; max-width: 100%; margin-bottom: 8px; border-radius: 10px; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 4px 16px 4px 0; text-align: left; font-weight: 400; overflow-wrap: anywhere; }
th { color: var(--quiet); }
.differs td:last-child { font-weight: 600; }
@media (max-width: 700px) { article { grid-template-columns: 1fr; } }
"""


def report_page(runs: Sequence[RunView], pictures: Mapping[str, bytes], catalog: Catalog, *, made_at: str) -> str:
    """The page. `pictures`: a small WebP of each image by SHA-256; others are said to be gone."""
    costs = [run.cost_microusd for run in runs]
    unknown = costs.count(None)
    spent = views.dollars(sum(cost or 0 for cost in costs)) + (f" and {unknown} unknown" if unknown else "")
    head = views.sentence([views.counted(len(runs), "run"), spent, when(made_at)])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Diptych report</title><style>{_STYLE}</style><h1>Report</h1><p>{escape(head)}</p>"
        f"{''.join(_run(run, pictures, catalog) for run in runs)}</html>"
    )


def _run(run: RunView, pictures: Mapping[str, bytes], catalog: Catalog) -> str:
    model, provider = maker(catalog, run.run.offer)
    image = next(iter(run.images), None)
    cost = "cost unknown" if run.cost_microusd is None else views.cost(run.cost_microusd)
    told = [
        f"{model} at {provider}" if provider else model,
        STATES[run.run.state][2],
        cost,
        views.seconds(run.run.latency_ms),
        when(run.run.queued_at),
        ", ".join(run.run.tags),
    ]
    error = f"<p>{escape(run.run.error.message)}</p>" if run.run.error else ""
    note = f"<p>{escape(run.run.note)}</p>" if run.run.note else ""
    rows = "".join(
        f'<tr class="{"differs" if row["differs"] else ""}"><th>{escape(str(row["label"]))}</th>'
        f"<td>{escape(str(row['asked']))}</td><td>{escape(str(row['sent']))}</td><td>{escape(str(row['got']))}</td></tr>"
        for row in field_rows(run, image)
    )
    table = f"<table><tr><th></th><th>Asked</th><th>Sent</th><th>Got</th></tr>{rows}</table>"
    return (
        f"<article><div>{''.join(_picture(run, one, pictures) for one in run.images)}</div>"
        f"<div><h2>{escape(run.run.prompt)}</h2><p>{escape(views.sentence(told))}</p>{error}{note}{table}</div></article>"
    )


def _picture(run: RunView, image: StoredImage, pictures: Mapping[str, bytes]) -> str:
    data = pictures.get(image.sha256)
    if data is None:
        return "<p>The picture is not there any more.</p>"
    source = f"data:image/webp;base64,{base64.b64encode(data).decode()}"
    return f'<img src="{source}" alt="{escape(run.run.prompt, quote=True)}">'
