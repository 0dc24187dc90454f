"""Updates of the form's components: what shows, which choices there are, and the values that are filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from ui import drafts, forms, views
from ui.forms import AUTO, CUSTOM, OTHER, RATIO, Reference
from ui.pages.playground.form import (
    BACKGROUND_WORDS,
    FIDELITY_WORDS,
    FORMAT_WORDS,
    MODERATION_WORDS,
    NAMES,
    choices_of,
    size_choices,
)
from ui.pages.playground.outlook import Outlook

SOME_ONLY = "Some of the ticked models only"


@dataclass(frozen=True, slots=True)
class Note:
    """What became of an upload, in a sentence under the tray."""

    text: str
    is_refusal: bool = False
    smaller: Reference | None = None
    """A copy that would fit, for the person to take or leave."""


def updates(
    outlook: Outlook, document: dict[str, object], fill: Collection[str] = (), notes: Sequence[Note] = ()
) -> list[Any]:
    """Updates of `Form.shown`: what shows, and for the fields named in `fill` also their value.

    A field that is not named keeps what the person is typing, whatever was said meanwhile.
    """
    values = _values_of(outlook, notes)
    shape = _shape_of(outlook)
    fields = [
        gr.update(**shape.get(name, {}), **({"value": values[name]} if name in fill else {}))
        if name in shape or name in fill
        else gr.skip()
        for name in NAMES
    ]
    return [document, drafts.draft_of(outlook.values), *fields]


def _values_of(outlook: Outlook, notes: Sequence[Note]) -> dict[str, object]:
    values, controls = outlook.values, outlook.controls
    size, other, width, height = forms.size_controls(values, controls.sizes)
    ratio, ratio_text, resolution = forms.ratio_controls(values)
    return {
        "prompt": values.prompt,
        "variables": {"rows": [dict(row) for row in values.variables]},
        "offers": {"ticked": list(values.offers)},
        "size": size,
        "other_size": other,
        "width": width,
        "height": height,
        "ratio": ratio,
        "ratio_text": ratio_text,
        "resolution": resolution,
        "quality": values.quality,
        "references": {
            "items": [item.document() for item in values.references],
            "mask": values.mask.document() if values.mask else None,
            "lock": values.lock_outside_mask,
            "notes": [_note_view(note) for note in notes],
        },
        "n": values.n,
        "background": values.background,
        "output_format": values.output_format,
        "output_compression": values.output_compression,
        "moderation": values.moderation,
        "input_fidelity": values.input_fidelity,
        "partial_images": str(values.partial_images),
        "user": values.user,
        "timeout_s": values.timeout_s,
        "sweep": asdict(values.sweep),
    }


def _note_view(note: Note) -> dict[str, object]:
    smaller = note.smaller
    return {
        "text": note.text,
        "is_refusal": note.is_refusal,
        "smaller": smaller.document() if smaller else None,
        "way": f"Add it at {views.size(smaller.width, smaller.height)}" if smaller else "",
    }


def _shape_of(outlook: Outlook) -> dict[str, dict[str, Any]]:
    """Visibility, choices and labels of the fields that depend on the others."""
    values, controls = outlook.values, outlook.controls
    segment_value, other, _, _ = forms.size_controls(values, controls.sizes)
    is_custom = segment_value == OTHER and other == CUSTOM
    is_by_ratio = segment_value == OTHER and other == RATIO
    runs = len(outlook.plan.runs)
    return {
        "size": {
            "choices": size_choices(values),
            "info": _mark(outlook, "size") if segment_value == OTHER and other not in (AUTO, RATIO) else None,
        },
        "other_size": {"visible": segment_value == OTHER, "choices": _other_sizes(outlook)},
        "width": {"visible": is_custom},
        "height": {"visible": is_custom},
        "ratio": {"visible": is_by_ratio},
        "ratio_text": {"visible": is_by_ratio and forms.ratio_controls(values)[0] == CUSTOM},
        "resolution": {"visible": is_by_ratio},
        "quality": {
            "choices": list(outlook.qualities),
            "label": f"Quality, with the price of {views.counted(runs, 'run')}" if runs else "Quality",
        },
        "n": {"visible": controls.max_n > 1, "info": f"1 to {controls.max_n}"},
        "background": _segment(outlook, "background", BACKGROUND_WORDS, controls.backgrounds, values.background),
        "output_format": _segment(
            outlook, "output_format", _format_words(outlook), controls.formats, values.output_format
        ),
        "output_compression": {"visible": controls.compression},
        "moderation": _segment(outlook, "moderation", MODERATION_WORDS, controls.moderations, values.moderation),
        "input_fidelity": _segment(
            outlook,
            "input_fidelity",
            FIDELITY_WORDS,
            (forms.MODEL_DECIDES, *controls.fidelities) if controls.fidelities else (),
            values.input_fidelity,
        ),
        "partial_images": {"visible": controls.max_partials > 0, "info": _mark(outlook, "partial_images")},
        "user": {"visible": controls.user},
    }


def _segment(
    outlook: Outlook, name: str, words: Mapping[str, str], offered: Collection[str], chosen: str
) -> dict[str, Any]:
    if not offered:
        return {"visible": False}
    return {
        "visible": True,
        "choices": choices_of(words, {*offered, chosen} if chosen in words else offered),
        "info": _mark(outlook, name),
    }


def _format_words(outlook: Outlook) -> dict[str, str]:
    """The formats, with a mark on those that this machine makes of what the provider sends."""
    made_here = outlook.controls.made_here
    return {name: f"{word}\nmade here" if name in made_here else word for name, word in FORMAT_WORDS.items()}


def _mark(outlook: Outlook, name: str) -> str | None:
    return SOME_ONLY if name in outlook.controls.some_only else None


def _other_sizes(outlook: Outlook) -> list[tuple[str, str]]:
    sizes = [("Auto, the model’s pick", AUTO), *((views.size_text(size), size) for size in outlook.controls.sizes)]
    return [*sizes, ("Custom width and height", CUSTOM), ("Aspect ratio and resolution", RATIO)]
