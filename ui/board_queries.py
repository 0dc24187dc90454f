"""Which of the store's boards a program asks for: texts of options, addresses and calls in, a `BoardQuery` out. Pure.

An unknown value is an error that names its field, never some other board.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from arena.board import BoardQuery
from arena.board_choices import BOARDS, LEVELS, QUESTIONS
from arena.ratings.method import Method
from playground.services import timestamp

_SLUG = re.compile(r"[a-z0-9]{1,40}(-[a-z0-9]{1,40}){0,9}", re.ASCII)
_SWITCH = {"": None, "1": True, "true": True, "0": False, "false": False}

T = TypeVar("T")


class WrongQuery(ValueError):
    """Something asked for is none of what there is. The message can be shown."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def board_query(told: Mapping[str, str | None], method: Method | None = None) -> BoardQuery:
    """The board of these values; what is missing or empty is as on the page's first visit. Others are not looked at.

    Raises:
        WrongQuery: a value is unknown.
    """
    return BoardQuery(
        board=chosen(told, "board", BOARDS, "generate"),
        demo=switch(told, "demo"),
        question=chosen(told, "question", QUESTIONS, "better"),
        category=_category(told.get("category") or ""),
        level=chosen(told, "level", LEVELS, "offer"),
        since=_moment(told, "since"),
        until=_moment(told, "until"),
        method=method or Method(),
    )


def board_method(told: Mapping[str, str | None]) -> Method:
    """The method of these values, with defaults for what is missing.

    Raises:
        WrongQuery: a value is unknown.
    """
    first = Method()
    return Method(
        kind=chosen(told, "method", {name: name for name in ("elo", "bradley-terry", "davidson")}, first.kind),
        ties=chosen(told, "ties", {name: name for name in ("half", "drop")}, first.ties),
    )


def check_command(file: str, method: Method, category: str | None) -> str:
    """The command that makes such a board anew from a file of its votes."""
    first = Method()
    options = {
        "category": (category, None),
        "method": (method.kind, first.kind),
        "ties": (method.ties, first.ties),
        "both-bad": (method.both_bad, first.both_bad),
        "prior": (f"{method.prior:g}", f"{first.prior:g}"),
        "interval": (method.interval, first.interval),
        "seed": (str(method.seed), str(first.seed)),
    }
    told = [f"--{name} {value}" for name, (value, otherwise) in options.items() if value != otherwise]
    return " ".join(["leaderboard --votes", shlex.quote(file), *told])


def chosen(told: Mapping[str, str | None], field: str, allowed: Mapping[str, T], otherwise: str) -> T:
    """What the value of a field stands for.

    Raises:
        WrongQuery: it is none of those allowed.
    """
    value = told.get(field) or otherwise
    if value not in allowed:
        raise WrongQuery(field, f"{field.capitalize()} {value[:40]!r} is unknown; expected one of {_listed(allowed)}.")
    return allowed[value]


def switch(told: Mapping[str, str | None], field: str) -> bool | None:
    """Whether it is on; `None` when nothing is said.

    Raises:
        WrongQuery: it is neither 1 nor 0.
    """
    value = (told.get(field) or "").lower()
    if value not in _SWITCH:
        raise WrongQuery(field, f"{field.capitalize()} {value[:40]!r} is neither 1 nor 0.")
    return _SWITCH[value]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _category(value: str) -> str | None:
    if value and not _SLUG.fullmatch(value):
        raise WrongQuery("category", f"Category {value[:40]!r} is no category of the prompt bank.")
    return value or None


def _moment(told: Mapping[str, str | None], field: str) -> str | None:
    """UTC text of a day's beginning or of a moment."""
    value = told.get(field)
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)
        return timestamp(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise WrongQuery(
            field,
            f"{field.capitalize()} {value[:40]!r} is neither a day as 2026-11-01 nor a time as 2026-11-01T10:00:00Z.",
        ) from None
