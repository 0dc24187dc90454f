"""The plan of a press of Run, and what of the form does not reach each offer. Pure.

One form serves offers of many providers, so a control may be in sight for the sake of one of them. What another cannot
be asked for is left out for it, and said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.plan import Plan, PlannedRun, make_plan
from playground.variables import Row, fill
from providers.catalog import Catalog
from providers.sizes import resolve_size
from providers.types import MADE_HERE, ImageRequest
from ui import views

FIELD_WORDS: Mapping[str, str] = {
    "n": "Images per run",
    "size": "Size",
    "aspect_ratio": "Aspect ratio",
    "resolution": "Resolution",
    "quality": "Quality",
    "background": "Background",
    "output_format": "Format",
    "output_compression": "Compression",
    "moderation": "Moderation",
    "input_fidelity": "Input fidelity",
    "partial_images": "Previews",
    "user": "End-user id",
    "images": "References",
    "mask": "Mask",
    "prompt": "Prompt",
}
_NAMED_PROVIDERS = 2
_LEFT_OUT = ("quality", "background", "output_format", "output_compression", "moderation", "input_fidelity", "user")


@dataclass(frozen=True, slots=True)
class Notice:
    """A setting that is not sent to an offer, or not as it was asked."""

    field: str
    text: str


def plan_of(request: ImageRequest, offers: Sequence[str], catalog: Catalog, rows: Sequence[Row] = ()) -> Plan:
    """A run for each prompt and offer, each asked for what it can be asked for. `rows` fill the prompt's variables in."""
    if not offers:
        return make_plan(request, offers, catalog)
    filled = fill(request.prompt, rows)
    plans = [
        make_plan(replace(request, prompt=prompt), [name], catalog, only_listed=True)
        for prompt in filled.prompts
        for name in offers
    ]
    return Plan(
        runs=tuple(run for plan in plans for run in plan.runs),
        operation=request.operation,
        prompt=request.prompt,
        problems=(*filled.problems, *dict.fromkeys(problem for plan in plans for problem in plan.problems)),
    )


# What does not reach an offer


def notices_of(run: PlannedRun, asked: ImageRequest) -> tuple[Notice, ...]:
    """What of the form's request is not sent in this run, or not as asked."""
    quiet = set(_said_by_silence(run))
    told = [notice for text in run.notices if (notice := _notice(text)).field not in quiet]
    return (*told, *_left_out(run, asked))


def _notice(text: str) -> Notice:
    name, _, note = text.partition(": ")
    field = name.replace(" ", "_")
    return Notice(field, note[:1].upper() + note[1:])


def _said_by_silence(run: PlannedRun) -> list[str]:
    """Fields that are left out because the provider does what was asked by itself; and a quality that counts here."""
    silent = [row.field for row in run.fields if row.field != "size" and row.asked == "auto" and row.sent_as is None]
    wanted = run.request.output_format
    made_here = wanted in MADE_HERE and wanted not in run.spec.formats
    return [*silent, "output_compression"] if made_here else silent


def _left_out(run: PlannedRun, asked: ImageRequest) -> list[Notice]:
    name = run.provider.name
    found = [
        Notice(field, f"Not sent; {name} decides.")
        for field in _LEFT_OUT
        if getattr(asked, field) not in (None, "auto") and getattr(run.request, field) is None
    ]
    if asked.partial_images and not run.request.partial_images:
        found.append(Notice("partial_images", f"{name} sends none."))
    return found


def notices_view(plan: Plan, asked: ImageRequest) -> dict[str, object] | None:
    """One line for all runs, and under it each run's notices; `None` when everything is sent as asked."""
    # Runs of one offer differ in their prompts only.
    runs = {run.offer.offer_id: run for run in reversed(plan.runs)}
    told = [(run, notices) for run in reversed(runs.values()) if (notices := notices_of(run, asked))]
    if not told:
        return None
    return {
        "summary": f"Not sent as asked: {_counted(told)}",
        "offers": [
            {
                "id": run.offer.offer_id,
                "model": run.spec.name,
                "provider": run.provider.name,
                "items": _items(notices),
            }
            for run, notices in told
        ],
    }


def _counted(told: Sequence[tuple[PlannedRun, Sequence[Notice]]]) -> str:
    """`2 settings to fal, 1 to Replicate`; of many providers only how many."""
    most: dict[str, int] = {}
    for run, notices in told:
        fields = len({notice.field for notice in notices})
        most[run.provider.name] = max(most.get(run.provider.name, 0), fields)
    if len(most) > _NAMED_PROVIDERS:
        return f"settings to {views.counted(len(most), 'provider')}"
    (first, count), *others = most.items()
    return ", ".join(
        [f"{views.counted(count, 'setting')} to {first}", *(f"{number} to {name}" for name, number in others)]
    )


def _items(notices: Sequence[Notice]) -> list[dict[str, str]]:
    """Fields of which the same is said stand together."""
    fields: dict[str, list[str]] = {}
    for notice in notices:
        fields.setdefault(notice.text, []).append(FIELD_WORDS.get(notice.field, notice.field))
    return [{"field": ", ".join(dict.fromkeys(names)), "text": text} for text, names in fields.items()]


# What a ratio comes to


def sizes_view(plan: Plan) -> list[dict[str, str]]:
    """The sizes that aspect ratio and resolution come to: what most runs get first, then what differs, and for which."""
    found: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in plan.runs:
        choice = resolve_size(run.request, run.spec.sizes)
        if choice.size is not None:
            found.setdefault((choice.size, choice.note), []).append(run)
    by_size = sorted(found.items(), key=lambda item: -len(item[1]))
    return [
        {"size": views.size_text(size), "of": _names(runs) if position else "", "note": note}
        for position, ((size, note), runs) in enumerate(by_size)
    ]


def _names(runs: Sequence[PlannedRun]) -> str:
    return ", ".join(dict.fromkeys(f"{run.spec.name} at {run.provider.name}" for run in runs))
