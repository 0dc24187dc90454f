"""What the X-ray drawer shows: for each offer what becomes of every field, the price line by line, the literal request and
code that makes the same call. Pure; nothing here ever sees a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from playground.plan import Plan, PlannedRun
from playground.samples import Subject, literal_request, samples_of
from providers.checks import Problem
from providers.pricing import CostLine, Estimate
from providers.types import FieldHandling, Handling, ImageRequest
from ui import views
from ui.naming import format_word
from ui.pages.playground.planning import FIELD_WORDS, notices_of

Json = dict[str, object]

HOW: Mapping[Handling, tuple[str, str, str]] = {
    "passthrough": ("Passed", "check", "ok"),
    "renamed": ("Renamed", "equal", ""),
    "converted": ("Converted", "remix", ""),
    "emulated": ("Emulated", "base", ""),
    "refused": ("Refused", "ban", "warn"),
}
"""Handling -> word, icon and its colour."""
_STOPS = ("Not possible", "warn", "bad")
_MISSING = ("Missing", "warn", "bad")
_LONGEST_ASKED = 120
_SHORT = 40
"""Characters up to which a text is written again under Sent; longer, it is only said to be the same."""
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Ray:
    """One offer under X-ray."""

    run: PlannedRun
    """The first of its runs."""
    asked: ImageRequest
    """What the form asked for, before it was fitted to this offer."""
    subject: Subject
    others: str = ""
    """What is to be said of further runs of this offer."""
    is_told: bool = True
    """Whether calls go to the address that is shown."""


def other_runs(runs: Sequence[PlannedRun]) -> str:
    """What is to be said of an offer's runs beside the first: those of variables differ in their prompts, a sweep's in more."""
    if len(runs) < 2:
        return ""
    first, *others = [replace(run.request, prompt="") for run in runs]
    alike = "; the others differ in their prompts only" if all(one == first for one in others) else ""
    return f"The first of {len(runs)} runs here{alike}."


def drawer_view(rays: Sequence[Ray], plan: Plan, *, words: str) -> Json:
    """The whole drawer. `words`: what it shows, in a sentence."""
    runs = [(run.estimate.low_microusd, run.estimate.high_microusd) for run in plan.runs]
    several = f"All {len(runs)} runs together" if len(runs) > 1 else ""
    return {
        "words": words,
        "problems": [problem.message for problem in plan.problems],
        "offers": [_offer_view(ray, several, views.total(runs)) for ray in rays],
    }


def _offer_view(ray: Ray, several: str, total: views.Total) -> Json:
    run = ray.run
    rows = list(_rows(ray))
    shown = {row["name"] for row in rows}
    return {
        "id": run.offer.offer_id,
        "name": _name(run),
        "problems": [problem.message for problem in run.problems if problem.field not in shown],
        "fields": rows,
        "cost": cost_view(run.estimate) | {"several": several, "together": total.about() if several else ""},
        "request": _request_view(ray),
        "code": [
            {"id": sample.sample_id, "name": sample.name, "code": sample.code, "notes": list(sample.notes)}
            for sample in samples_of(ray.subject)
        ],
        "files": [
            {
                "name": file.name,
                "size": views.bytes_text(file.size_bytes),
                "url": views.media_url(file.sha256, file.media_type),
            }
            for file in ray.subject.files
        ],
    }


def _name(run: PlannedRun) -> str:
    """Model and provider; a model that is called by its provider's name has that once."""
    name = run.spec.name
    return name if name.startswith(run.provider.name) else views.sentence([name, run.provider.name])


# Fields


def _rows(ray: Ray) -> Iterator[Json]:
    """A row for each field that was asked for, and for each that is left out for this offer's sake."""
    run = ray.run
    problems = {problem.field: problem for problem in reversed(run.problems)}
    for row in run.fields:
        yield _row(row, run, problems.get(row.field))
    known = {row.field for row in run.fields}
    for notice in notices_of(run, ray.asked):
        if notice.field not in known:
            left_out = FieldHandling(notice.field, getattr(ray.asked, notice.field), "refused", None, None, notice.text)
            yield _row(left_out, run, problems.get(notice.field))


def _row(row: FieldHandling, run: PlannedRun, problem: Problem | None) -> Json:
    is_missing = problem is not None and row.asked == ""
    word, icon, tone = (_MISSING if is_missing else _STOPS) if problem else HOW[row.handling]
    is_sent = row.sent_as is not None and problem is None
    return {
        "name": row.field,
        "field": FIELD_WORDS.get(row.field) or row.field.replace("_", " ").capitalize(),
        "asked": asked_text(row.field, row.asked),
        "sent": sent_text(row, [call.images for call in run.calls]) if is_sent else "not sent",
        "is_sent": is_sent,
        "how": {"word": word, "icon": icon, "tone": tone},
        "note": problem.message if problem else row.note,
    }


def asked_text(field: str, value: object) -> str:
    """What was asked for, as the form says it."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return views.counted(len(value), "image")
    text = str(value)
    if field == "mask":
        return "1 image"
    if field == "size":
        return views.size_text(text)
    if field == "output_format":
        return format_word(f"image/{text}")
    return text if len(text) <= _LONGEST_ASKED else f"{text[:_LONGEST_ASKED]}…"


def sent_text(row: FieldHandling, counts: Sequence[int]) -> str:
    """What stands in the call, as `name = value`. `counts`: images of each call of the run."""
    name, value = row.sent_as or "", row.value
    if row.field == "n" and len(counts) > 1:
        each = counts[:1] if len(set(counts)) == 1 else counts
        return f"{len(counts)} calls, {'each ' if len(each) == 1 else ''}{name} = {', '.join(str(count) for count in each)}"
    if isinstance(value, str) and len(value) > _SHORT and value == row.asked:
        return f"{name} = same text"
    names = name.split(", ")
    parts = value.split(", ") if isinstance(value, str) and len(names) > 1 else []
    if len(parts) == len(names) > 1:
        return ", ".join(f"{one} = {part}" for one, part in zip(names, parts, strict=True))
    if isinstance(value, str) and value.startswith(f"{name}: "):
        # More than one field; the account of it names them itself.
        return value.replace(": ", " = ")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{name} = {text if len(text) <= _LONGEST_ASKED else f'{text[:_LONGEST_ASKED]}…'}"


# Cost


def cost_view(estimate: Estimate) -> Json:
    """The expected cost of one run line by line, with where its price comes from."""
    price = estimate.price
    return {
        "total": views.about(estimate.low_microusd, estimate.high_microusd),
        "lines": [
            {"label": line_label(line), "amount": _amount(line.low_microusd, line.high_microusd)}
            for line in estimate.lines
        ],
        "source": f"{'Free' if price.is_free else 'Price'}: {dated(price.source)}." if price else "",
        "note": estimate.note,
    }


def line_label(line: CostLine) -> str:
    """`1 image, 196 tokens at $30.00 per million`, `2 images at $0.042 each`."""
    rate = line.unit_microusd
    if line.unit == "token":
        return f"{line.label}, {_tokens(line.low_units, line.high_units)} at {_rate(rate)} per million"
    is_open = line.low_microusd != line.high_microusd
    return (
        f"{line.label} at {'up to ' if is_open else ''}{_amount(rate, rate)} each"
        if line.high_units > 1
        else line.label
    )


def _tokens(low: int, high: int) -> str:
    return views.counted(high, "token") if low == high else f"{low:,} to {high:,} tokens"


def _rate(usd_per_million: Decimal) -> str:
    """A rate card's figure: two places at least."""
    text = f"{usd_per_million.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"${int(whole):,}.{fraction.ljust(2, '0')}"


def _amount(low_microusd: Decimal, high_microusd: Decimal) -> str:
    low, high = _cost(low_microusd), _cost(high_microusd)
    return high if low == high else f"{low} to {high}"


def _cost(microusd: Decimal) -> str:
    return views.cost(int(microusd.to_integral_value(ROUND_HALF_EVEN)))


def dated(text: str) -> str:
    """The text with its days as people write them: `21 Nov 2026`."""
    return _ISO_DATE.sub(_day, text)


def _day(found: re.Match[str]) -> str:
    day = date.fromisoformat(found[0])
    return f"{day.day} {day:%b %Y}"


# The request


def _request_view(ray: Ray) -> Json:
    request = literal_request(ray.subject)
    return {
        "calls": _calls_words(ray),
        "method": request.method,
        "url": request.url,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body,
    }


def _calls_words(ray: Ray) -> str:
    """What is to be said beside the call that is shown; empty when it is the only one, and leaves this machine."""
    inside = "" if ray.subject.base_url else f"{ray.run.provider.name} answers inside this app: it goes nowhere else."
    elsewhere = (
        "" if ray.is_told else f"This server reaches {ray.run.provider.name} by an address that it does not tell."
    )
    return " ".join(filter(None, (inside, elsewhere, ray.subject.calls_note, ray.others)))
