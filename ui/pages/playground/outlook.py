"""What the form says for the values it holds: offers with prices, which controls show, the words on Run. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.plan import Plan
from playground.ready import Sources
from playground.variables import fill
from providers.catalog import Catalog, ModelSpec
from providers.checks import Problem
from providers.pricing import Estimate, estimate
from providers.sizes import nearest_size, parse_size, size_problem
from providers.types import ImageRequest
from ui import forms, views
from ui import sweep_views as sweeping
from ui.forms import Controls, FormValues
from ui.pages.playground.offers import offers_view, specs_of
from ui.pages.playground.planning import notices_view, plan_of, sizes_view

QUALITY_WORDS = {"low": "Low", "medium": "Medium", "high": "High", "xhigh": "Extra high", "max": "Max", "auto": "Auto"}
QUALITY_ORDER = tuple(QUALITY_WORDS)
MODELS_PICK = "model’s pick"
SOME_MODELS = "some models"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The form's words for one set of values."""

    values: FormValues
    """As given, without offers that cannot be used now."""
    controls: Controls
    plan: Plan
    offers: Mapping[str, object]
    """For the list under Where."""
    qualities: tuple[tuple[str, str], ...]
    """Label and value of each choice."""
    run_label: str
    size_note: str
    """Why the size is not possible; empty when it is."""
    size_snap: str | None
    """The nearest size that is."""
    sizes: tuple[dict[str, str], ...]
    """What aspect ratio and resolution come to; empty when they are not used."""
    problems: tuple[str, ...]
    """What stands in the way, without what is told beside prompt and size."""
    notices: Mapping[str, object] | None
    """What is not sent as asked, for the line above Run; it stands in nobody's way."""
    sweep: Mapping[str, object] | None
    """The grid that the axes come to; `None` while none is typed."""


def outlook_of(values: FormValues, sources: Sources) -> Outlook:
    """Everything the form shows for these values."""
    values = replace(values, offers=tuple(name for name in values.offers if sources.is_usable(name)))
    specs = specs_of(values.offers, sources.catalog)
    controls = forms.controls_of(specs, values)
    images = [forms.stand_in(reference) for reference in values.references]
    request = forms.request_of(values, controls, images, forms.stand_in(values.mask) if values.mask else None)
    plan = plan_of(request, values.offers, sources.catalog, values.variables)
    note, snap = ("", None) if values.is_by_ratio else size_advice(values.size, specs)
    return Outlook(
        values=values,
        controls=controls,
        plan=plan,
        offers=offers_view(values.offers, request, sources),
        qualities=tuple(_quality_choices(values, controls, request, sources.catalog)),
        run_label=views.run_label(_total([run.estimate for run in plan.runs])),
        size_note=note,
        size_snap=snap,
        sizes=tuple(sizes_view(plan)) if values.is_by_ratio else (),
        problems=tuple(dict.fromkeys(_shown_problems(plan))) if sources.usable() else (NOTHING_READY,),
        notices=notices_view(plan, request),
        sweep=sweeping.outlook_view(values, request, sources),
    )


# Prices


def _quality_choices(
    values: FormValues, controls: Controls, request: ImageRequest, catalog: Catalog
) -> list[tuple[str, str]]:
    offered = {*controls.qualities, values.quality}
    return [
        (f"{QUALITY_WORDS[quality]}\n{_quality_figure(quality, values, request, catalog)}", quality)
        for quality in QUALITY_ORDER
        if quality in offered
    ]


def _quality_figure(quality: str, values: FormValues, request: ImageRequest, catalog: Catalog) -> str:
    if not values.offers or quality == "auto":
        return MODELS_PICK if quality == "auto" else "–"
    if any(quality not in spec.qualities for spec in specs_of(values.offers, catalog)):
        return SOME_MODELS
    prompts = fill(request.prompt, values.variables).prompts
    asked = [replace(request, quality=quality, prompt=prompt) for prompt in prompts]
    return _total(_estimates(asked, values.offers, catalog)).at_most()


def _estimates(requests: Sequence[ImageRequest], offers: Sequence[str], catalog: Catalog) -> list[Estimate]:
    found = [catalog.offer(name) for name in offers]
    return [estimate(request, catalog.spec(offer), offer) for request in requests for offer in found]


def _total(estimates: Sequence[Estimate]) -> views.Total:
    return views.total([(item.low_microusd, item.high_microusd) for item in estimates])


# Problems


def size_advice(size: str, specs: Sequence[ModelSpec]) -> tuple[str, str | None]:
    """Why the size does not suit some ticked model, and the nearest that suits that model."""
    for spec in specs:
        message = size_problem(size, spec.sizes)
        if message:
            wanted = parse_size(size)
            return f"{spec.name}: {message}", nearest_size(wanted, spec.sizes) if wanted else None
    return "", None


NOTHING_READY = "No provider has a key yet. Add one under Where or in Settings: that is all it takes to run."


def _shown_problems(plan: Plan) -> list[str]:
    """Problems that are not told beside their field: those of the prompt and the size are."""
    return [problem.message for problem in plan.all_problems if problem.field not in ("prompt", "size")]


def prompt_problem(plan: Plan) -> str:
    """What is wrong with the prompt; empty when nothing is."""
    return next((problem.message for problem in plan.all_problems if problem.field == "prompt"), "")


def missing_image(prompt: str, references: int) -> str:
    """What to be careful with when the prompt names an image by a number that no reference has; empty otherwise."""
    named = [int(number) for number in _NUMBERED.findall(prompt)]
    beyond = sorted({number for number in named if number > references})
    if not beyond:
        return ""
    there = "no reference images" if not references else f"only {views.counted(references, 'reference')}"
    return f"The prompt names image {beyond[0]}, but there {'is' if references == 1 else 'are'} {there}."


_NUMBERED = re.compile(r"\b(?:image|picture|photo|reference|img)[ #]{1,2}(\d{1,2})\b", re.IGNORECASE)


def first_field(problems: Sequence[Problem]) -> str:
    """The field to lead the eye to."""
    return problems[0].field if problems else ""
