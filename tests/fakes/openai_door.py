"""The door of the fake: keys, addresses, content types, and parsing a body before the rules judge it."""

import json
from collections.abc import Mapping

from tests.fakes import wire
from tests.fakes.openai_facts import Family
from tests.fakes.openai_rules import Verdict, judge_edit_form, judge_edit_json, judge_generation
from tests.fakes.refusals import Refusal, duplicate
from tests.fakes.wire import Head

GENERATIONS, EDITS, MODELS = "/v1/images/generations", "/v1/images/edits", "/v1/models"
ELSEWHERE = "/elsewhere"
"""Where redirects point; no honest client comes here."""

_METHODS = {GENERATIONS: "POST", EDITS: "POST", MODELS: "GET"}
_KEY_WORDS = "You can find your API key at https://platform.openai.com/account/api-keys."


def door_refusal(head: Head, key: str) -> Refusal | None:
    """Why a request is turned away by its head alone: wrong key, wrong address."""
    given = head.headers.get("authorization", "")
    path, _, query = head.target.partition("?")
    if given != f"Bearer {key}":
        words = f"Incorrect API key provided: {masked(given.removeprefix('Bearer '))}. {_KEY_WORDS}"
        return Refusal(
            words if given else f"You didn't provide an API key. {_KEY_WORDS}", "invalid_api_key", status=401
        )
    if query:
        return Refusal(f"Unknown query: {query!r}.", "unknown_parameter")
    if path not in _METHODS:
        return Refusal(f"Invalid URL ({head.method} {path})", None, status=404)
    if head.method != _METHODS[path]:
        return Refusal(f"Not allowed to {head.method} on {path}.", None, status=405)
    return None


def judge_body(path: str, content_type: str, body: bytes, models: Mapping[str, Family]) -> tuple[object, Verdict]:
    """The parsed fields of a paid POST (None when they cannot be parsed) and the verdict on them."""
    kind, _ = wire.media_type(content_type)
    try:
        if kind == "multipart/form-data" and path == EDITS:
            parts = wire.parse_multipart(content_type, body)
            return parts, judge_edit_form(parts, models)
        if kind == "application/json":
            data = json.loads(body, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
            judge = judge_generation if path == GENERATIONS else judge_edit_json
            return data, judge(data, models)
    except _DuplicateKeyError as error:
        return None, Verdict(refusals=[duplicate(str(error))])
    except (wire.BadRequestError, ValueError, RecursionError) as error:
        return None, Verdict(refusals=[Refusal(f"We could not parse the body of your request. ({error})", None)])
    return None, Verdict(refusals=[Refusal(f"Unsupported content type: {kind!r}.", "unsupported_content_type")])


def masked(key: str) -> str:
    """The key as the service repeats it: its first seven and last three characters."""
    return f"{key[:7]}*****{key[-3:]}" if len(key) > 12 else "*" * len(key)


class _DuplicateKeyError(ValueError):
    """A JSON object names a field twice."""


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise _DuplicateKeyError(name)
        found[name] = value
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
