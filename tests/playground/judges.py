"""What the strict fakes' rules say of a planned run, without a server: every broken rule of every call it would send."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import orjson

from playground.plan import PlannedRun
from providers.adapter import HttpCall
from providers.bodies import encoded, with_call_id
from tests.fakes import fal_rules, lumenfall_rules, openai_facts, openai_rules, replicate_rules, runware_rules
from tests.fakes.wire import Part

OPENAI_KEY = "sk-test-0123456789"
ALL_MODELS = {**openai_facts.LIVING_MODELS, "gpt-image-1": openai_facts.FIXED}
"""OpenAI's models, with the one that is switched off: its row is still in the catalogue."""


def violations(run: PlannedRun) -> list[str]:
    """The rules that the run's calls break at its provider."""
    return [found for planned in run.calls for found in _JUDGES[run.provider.adapter](planned.call)]


def body_of(call: HttpCall) -> object:
    """The JSON body as the provider reads it."""
    return orjson.loads(encoded(with_call_id(call, str(uuid.uuid4())), {"openai": OPENAI_KEY}))


def names_in(call: HttpCall) -> set[str]:
    """Every field name of the body, however deep it stands."""
    if call.json is None:
        return {name for name, _ in call.form} | {part.name for part in call.files}
    return set(_names(body_of(call)))


def _names(value: object) -> Iterator[str]:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _names(item)
    if isinstance(value, dict):
        yield from value


def parts_of(call: HttpCall) -> tuple[Part, ...]:
    """The parts of the form as they arrive."""
    texts = [Part(name, None, None, value.encode()) for name, value in call.form]
    return (*texts, *(Part(part.name, part.filename, part.media_type, part.data) for part in call.files))


def _by_openai(call: HttpCall) -> list[str]:
    if call.path == "/images/generations" and call.json is not None:
        return [found.message for found in openai_rules.judge_generation(body_of(call), ALL_MODELS).refusals]
    assert call.path == "/images/edits"
    return [found.message for found in openai_rules.judge_edit_form(parts_of(call), ALL_MODELS).refusals]


def _by_replicate(call: HttpCall) -> list[str]:
    name = call.path.removeprefix("/v1/models/").removesuffix("/predictions")
    verdict = replicate_rules.judge_prediction(body_of(call), replicate_rules.MODELS[name], lambda _: None)
    prefer = replicate_rules.prefer_problem(call.headers.get("Prefer"))
    return [problem.line for problem in verdict.problems] + verdict.remarks + ([prefer] if prefer else [])


def _by_runware(call: HttpCall) -> list[str]:
    body = body_of(call)
    assert isinstance(body, list)
    found: list[str] = []
    for task in body:
        verdict = runware_rules.judge_inference(task, known=())
        found += [refusal.message for refusal in verdict] if isinstance(verdict, list) else []
    return found


def _by_lumenfall(call: HttpCall) -> list[str]:
    if call.path == "/images/generations" and call.json is not None:
        return [
            found.message for found in lumenfall_rules.judge_generation(body_of(call), lumenfall_rules.MODELS).problems
        ]
    assert call.path == "/images/edits"
    return [found.message for found in lumenfall_rules.judge_edit(parts_of(call), lumenfall_rules.MODELS).problems]


def _by_fal(call: HttpCall) -> list[str]:
    body = body_of(call)
    assert isinstance(body, dict)
    problems = fal_rules.judge(fal_rules.ENDPOINTS[call.path.removeprefix("/")], body, lambda _: None)
    missing = [] if "quality" in body else ["quality is missing, so the dearest would be made"]
    return [f"{problem.loc}: {problem.msg}" for problem in problems] + missing


_JUDGES = {
    # By wire format.
    "openai": _by_openai,
    "replicate": _by_replicate,
    "runware": _by_runware,
    "lumenfall": _by_lumenfall,
    "fal": _by_fal,
}
