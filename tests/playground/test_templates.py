"""Saved templates: their owner's alone, under a name that is one line of text, and bounded in number and length."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from playground import templates
from playground.services import Services
from playground.templates import TemplateRefused
from storage.records import Template
from ui import template_views
from ui.forms import FormValues, Reference, SweepText

IMAGE = Reference("ab" * 32, "image/png", 8, 6)


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def save(services: Services, owner: str = "me", **changes: Any) -> None:
    go(templates.save(services, owner, **({"name": "Fox", "prompt": "A {animal}", "settings": None} | changes)))


def saved(services: Services, owner: str = "me") -> list[Template]:
    found: list[Template] = go(templates.saved(services, owner))
    return found


def test_nobody_sees_renames_or_deletes_anothers_template(services: Services) -> None:
    save(services, "me", prompt="mine")
    save(services, "her", prompt="hers")
    mine = saved(services)[0]
    with pytest.raises(TemplateRefused):
        go(templates.load(services, "her", mine.template_id))
    with pytest.raises(TemplateRefused):
        go(templates.rename(services, "her", mine.template_id, "Taken over"))
    go(templates.delete(services, "her", mine.template_id))
    assert [(one.name, one.prompt) for one in saved(services)] == [("Fox", "mine")]
    go(templates.delete(services, "me", mine.template_id))
    assert saved(services) == []
    assert [one.prompt for one in saved(services, "her")] == ["hers"]


def test_a_name_that_is_taken_is_replaced_only_when_that_is_asked_for(services: Services) -> None:
    save(services, prompt="first")
    with pytest.raises(TemplateRefused, match="named “Fox” already"):
        save(services, prompt="second")
    save(services, prompt="second", may_replace=True)
    save(services, name="Owl")
    owl = next(one for one in saved(services) if one.name == "Owl")
    with pytest.raises(TemplateRefused, match="already"):
        go(templates.rename(services, "me", owl.template_id, " Fox "))
    go(templates.rename(services, "me", owl.template_id, "Owl"))
    assert [(one.name, one.prompt) for one in saved(services)] == [("Fox", "second"), ("Owl", "A {animal}")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " \u200b\n"}, "Give the template a name"),
        ({"name": "x" * 81}, "81 characters"),
        ({"prompt": " "}, "no prompt"),
        ({"prompt": "x" * 32_001}, "32,001"),
        ({"settings": {"variables": [{"a": "x" * 100_000}]}}, "Save the prompt alone"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(services: Services, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TemplateRefused, match=words):
        save(services, **changes)
    assert saved(services) == []


def test_only_so_many_are_kept(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST", 2)
    save(services, name="one")
    save(services, name="two")
    with pytest.raises(TemplateRefused, match="2 templates are kept already"):
        save(services, name="three")
    save(services, name="two", prompt="still replaced", may_replace=True)


def test_a_hostile_name_stays_text_on_one_line(services: Services) -> None:
    hostile = "<img src=x onerror=alert(1)> ${alert(1)}\u202e\r\n'; drop table templates; --\ud800"
    save(services, name=hostile, prompt="\ud800 fox")
    kept = saved(services)[0]
    assert kept.name == "<img src=x onerror=alert(1)> ${alert(1)} '; drop table templates; --"
    assert kept.prompt == "? fox"


def test_settings_come_back_without_touching_images_and_sweep(services: Services) -> None:
    form = FormValues(prompt="A {animal}", offers=("openai/gpt-image-2",), size="1536x1024", quality="high")
    form = replace(form, variables=({"animal": "fox"},), references=(IMAGE,))
    save(services, prompt=form.prompt, settings=template_views.settings_of(form))
    save(services, name="Alone", prompt="An owl")
    alone, fox = saved(services)
    assert fox.settings is not None
    assert "references" not in fox.settings
    now = FormValues(prompt="other", offers=("demo/flat",), references=(IMAGE,), sweep=SweepText(x_values="low"))
    assert template_views.filled(fox, now) == replace(form, sweep=now.sweep)
    assert template_views.filled(alone, now) == replace(now, prompt="An owl")
    view = template_views.menu_view([alone, fox], services.catalog)
    assert [item["settings"] for item in view["items"]] == ["", "GPT Image 2 · High · 1536 × 1024"]
