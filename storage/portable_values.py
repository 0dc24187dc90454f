"""What may stand in the columns of an archive: a value is somebody's text until one of these has seen it.

Each gives the value as it is stored, or raises `ValueError` with what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime

import orjson

MAX_TEXT = 400_000
"""Characters of a text; the longest prompt any provider takes has a tenth of them."""
_MOST_INTEGER = 2**53
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

Value = str | int | float | None
Take = Callable[[object], Value]
"""The value as it is stored. Raises `ValueError` with what was expected."""


def matching(pattern: re.Pattern[str], words: str) -> Take:
    """A text that the whole pattern fits; `words` say what that is."""

    def take(value: object) -> Value:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(words)
        return value

    return take


def moment(value: object) -> Value:
    """UTC text."""

    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise ValueError("a time as 2026-11-21T10:15:30.123Z")


def day(value: object) -> Value:
    """A day of the calendar."""

    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            date.fromisoformat(value)
            return value
    raise ValueError("a day as 2026-11-21")


def text(longest: int = MAX_TEXT) -> Take:
    """Any text without a zero character, of at most so many characters."""

    def take(value: object) -> Value:
        if not isinstance(value, str) or len(value) > longest or "\0" in value:
            raise ValueError(f"a text of at most {longest:,} characters")
        return value

    return take


def number(low: int, high: int = _MOST_INTEGER) -> Take:
    """A whole number between bounds, which are included."""

    def take(value: object) -> Value:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return take


def chance(value: object) -> Value:
    """Above 0 and at most 1."""

    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError("a number above 0 and at most 1")
    return float(value)


def one_of(*choices: str) -> Take:
    """One of these words."""

    def take(value: object) -> Value:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return take


def or_null(take: Take) -> Take:
    """Null, or what `take` takes."""

    def taken(value: object) -> Value:
        return None if value is None else take(value)

    return taken


def document(value: object) -> Value:
    """Any object, as JSON text."""

    if not isinstance(value, dict):
        raise ValueError("an object")
    return as_json(value)


def request(value: object) -> Value:
    """What pages read of a request without looking at its type."""
    if not isinstance(value, dict) or not isinstance(value.get("prompt", ""), str):
        raise ValueError("an object with a prompt")
    images = value.get("images", [])
    if not isinstance(images, list) or not all(isinstance(one, str) for one in images):
        raise ValueError("an object whose images are a list of hashes")
    return as_json(value)


_ERROR = {
    "kind": (str,),
    "message": (str,),
    "param": (str, type(None)),
    "status": (int, type(None)),
    "retryable": (bool,),
    "retry_after_s": (int, float, type(None)),
    "may_have_been_billed": (bool,),
}


def error_document(value: object) -> Value:
    """What a run says of its failure, as JSON text."""

    if not isinstance(value, dict) or not {"kind", "message"} <= value.keys() <= _ERROR.keys():
        raise ValueError("an object with kind and message")
    if not all(isinstance(one, _ERROR[name]) for name, one in value.items()):
        raise ValueError("an object with kind and message")
    return as_json(value)


def words(value: object) -> Value:
    """A list of names, as JSON text."""

    if not isinstance(value, list) or not all(isinstance(one, str) and _ID.fullmatch(one) for one in value):
        raise ValueError("a list of words")
    return as_json(value)


def as_json(value: object) -> str:
    """The value as JSON text."""

    try:
        return orjson.dumps(value).decode()
    except TypeError:  # nested too deeply
        raise ValueError("an object that is not nested hundreds of times") from None
