"""What the handlers of this page share: the page's components, where prices come from, and the outputs they fill."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground import limits
from playground.ready import sources_of
from ui import forms
from ui.app import App
from ui.forms import FormValues
from ui.pages.playground import form, outlook, updates
from ui.pages.playground.estimate_view import estimate_view
from ui.pages.playground.form import Form
from ui.pages.playground.outlook import Outlook
from ui.pages.playground.updates import Note


@dataclass(frozen=True, slots=True)
class Page:
    """The components of the Playground."""

    form: Form
    run: Any
    stop: Any
    problems: Any
    results: Any
    xray: Any

    @property
    def shown(self) -> list[Any]:
        """Outputs of `answer`: the form and the words on Run."""
        return [*self.form.shown, self.run]


ALL = form.NAMES


DRAFT = 1
"""Place of the draft among `Page.shown`."""


def answer(
    app: App,
    owner: str,
    values: FormValues,
    *,
    fill: Collection[str] = (),
    notes: Sequence[Note] = (),
    pressed: bool = False,
) -> list[Any]:
    """Updates of `Page.shown` for these values; fields named in `fill` are set, the others left to the person.

    `pressed` also says what a press of Run would be refused for, an empty prompt among it.
    """
    sources = sources_of(app.services, owner)
    seen = outlook.outlook_of(values, sources)
    # A fresh mark each time: the page also waits for answers that change nothing, such as an image added twice.
    document = _document(seen) | {"turn": app.services.new_id()}
    if pressed or values.prompt.strip():
        document["prompt_problem"] = outlook.prompt_problem(seen.plan)
    if pressed:
        document["focus"] = outlook.first_field(seen.plan.all_problems)
    limit = limits.verdict(app.services, seen.plan, owner, app.engine.session)
    document["over_limit"] = {"words": limit.words, "is_blocked": limit.blocked is not None} if limit.words else None
    label = limit.label if limit.blocked else seen.run_label
    shown = updates.updates(seen, document, fill, notes)
    if app.is_private:
        # The browser keeps drafts on its disk.
        shown[DRAFT] = gr.skip()
    return [*shown, gr.update(value=label)]


def _document(seen: Outlook) -> dict[str, object]:
    values, controls = seen.values, seen.controls
    return {
        "offers": dict(seen.offers),
        "runs": len(seen.plan.runs),
        "count": len(values.prompt),
        "limit": max((run.spec.max_prompt_chars for run in seen.plan.runs), default=32_000),
        "takes_mask": controls.mask,
        "mask_mark": updates.SOME_ONLY if "mask" in controls.some_only else "",
        "max_references": min(controls.max_references, forms.MAX_REFERENCES),
        "size_note": seen.size_note,
        "snap": seen.size_snap,
        "sizes": list(seen.sizes),
        "is_blank": not values.prompt.strip(),
        "prompt_problem": "",
        "prompt_note": outlook.missing_image(values.prompt, len(values.references)),
        "problems": list(seen.problems),
        "estimate": estimate_view(seen.plan),
        "notices": seen.notices,
        "sweep": seen.sweep,
        "focus": "",
    }
