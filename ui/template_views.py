"""Saved templates as the menu at the prompt shows them, and as the form takes them in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from playground import templates
from providers.catalog import Catalog
from storage.records import Template
from ui import drafts, views
from ui.forms import FormValues
from ui.naming import offer_names

_PREVIEW_CHARS = 160
_LEFT_OUT = ("prompt", "references", "mask", "sweep")
"""Fields of a draft that are no settings of a prompt: images come and go, and a sweep is typed for one day."""
_NAMED_OFFERS = 1


def settings_of(values: FormValues) -> dict[str, object]:
    """What of the form is kept beside the prompt: offers and image settings, variables, never an image."""
    return {name: value for name, value in drafts.draft_of(values).items() if name not in _LEFT_OUT}


def filled(template: Template, form: FormValues) -> FormValues:
    """The form with the template's prompt and, where it has some, its settings. Images and sweep stay as they are."""
    if template.settings is None:
        return replace(form, prompt=template.prompt)
    draft = {name: value for name, value in template.settings.items() if name not in _LEFT_OUT}
    taken = drafts.from_draft(draft or {"prompt": ""}, FormValues())
    return replace(
        taken,
        prompt=template.prompt,
        references=form.references,
        mask=form.mask,
        lock_outside_mask=form.lock_outside_mask,
        sweep=form.sweep,
    )


def menu_view(kept: Sequence[Template], catalog: Catalog, trouble: str = "") -> dict[str, object]:
    """The menu's value. `trouble`: why the last press changed nothing; empty when all went well."""
    return {
        "items": [
            {
                "id": one.template_id,
                "name": one.name,
                "prompt": one.prompt[:_PREVIEW_CHARS],
                "settings": _settings_words(one.settings, catalog) if one.settings is not None else "",
            }
            for one in kept
        ],
        "most": templates.MOST,
        "name_chars": templates.NAME_CHARS,
        "trouble": trouble,
    }


def _settings_words(settings: Mapping[str, object], catalog: Catalog) -> str:
    """`GPT Image 2 · Low · 1024 × 1024`, so that templates can be told apart."""
    values = drafts.from_draft(settings, FormValues())
    names = list(dict.fromkeys(offer_names(name, catalog)[0] for name in values.offers))
    models = ", ".join(names) if len(names) <= _NAMED_OFFERS else views.counted(len(names), "model")
    shape = views.sentence([values.aspect_ratio, values.resolution]) if values.is_by_ratio else values.size
    return views.sentence([models, values.quality.capitalize(), views.size_text(shape)])
