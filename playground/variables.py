"""`{name}` in a prompt, filled in from a table: one row makes one prompt. Pure.

Only what looks like a name is a variable, so that a prompt written as JSON keeps its braces; `{{name}}` is the text `{name}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from providers.checks import Problem

MOST_NAMES = 12
MOST_ROWS = 50
MOST_CHARS = 2_000
"""Of one value."""
FIELD = "variables"
"""Under which problems of the table are told."""

_NAME = r"[^\W\d_][\w -]{0,29}"
_MARK = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")

Row = Mapping[str, str]
"""Values by name."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The prompts that a template and its table come to."""

    prompts: tuple[str, ...]
    """One for each row with a value for each name; equal ones once. Without variables: the template alone."""
    problems: tuple[Problem, ...] = ()


def names_of(template: str) -> tuple[str, ...]:
    """The variables of a template in the order in which they first stand there."""
    return tuple(dict.fromkeys(name for _, name in _MARK.findall(template) if name))


def fill(template: str, rows: Sequence[Row]) -> Filled:
    """The prompts of `template` for `rows`. A row without any value says nothing; one with some, but not all, is a problem."""
    names = names_of(template)
    if not names:
        return Filled((with_values(template, {}),))
    wanted = [{name: row.get(name, "").strip() for name in names} for row in rows]
    said = [(number, row) for number, row in enumerate(wanted, start=1) if any(row.values())]
    problems = [*_too_many(names, said), *_missing(names, said)]
    prompts = dict.fromkeys(with_values(template, row) for _, row in said[:MOST_ROWS] if all(row.values()))
    # A template is priced and checked before its first row is written.
    return Filled(tuple(prompts) or (template,), tuple(problems))


def with_values(template: str, values: Row) -> str:
    """The template with its variables filled in; one without a value stays as it is written."""

    def put(found: re.Match[str]) -> str:
        literal, name = found.groups()
        return f"{{{literal}}}" if literal else values.get(name) or found[0]

    return _MARK.sub(put, template)


def literal(prompt: str) -> str:
    """A template that comes to exactly this prompt, whatever stands in braces there."""
    return re.sub(rf"\{{({_NAME})\}}", r"{{\1}}", prompt)


def _too_many(names: Sequence[str], said: Sequence[tuple[int, Row]]) -> list[Problem]:
    found = []
    if len(names) > MOST_NAMES:
        found.append(Problem(FIELD, f"The prompt has {len(names)} variables; at most {MOST_NAMES} can be filled in."))
    if len(said) > MOST_ROWS:
        found.append(Problem(FIELD, f"The table has {len(said)} rows; at most {MOST_ROWS} are run at once."))
    long = [name for _, row in said for name, value in row.items() if len(value) > MOST_CHARS]
    if long:
        found.append(Problem(FIELD, f"A value of {{{long[0]}}} is longer than {MOST_CHARS:,} characters."))
    return found


def _missing(names: Sequence[str], said: Sequence[tuple[int, Row]]) -> list[Problem]:
    if not said:
        told = " and ".join(f"{{{name}}}" for name in names[:2])
        rest = f" and {len(names) - 2} more" if len(names) > 2 else ""
        return [
            Problem(
                FIELD, f"Give {told}{rest} a value under Variables, or write {{{{{names[0]}}}}} to mean the braces."
            )
        ]
    return [
        Problem(FIELD, f"Row {number} of the variables has no value for {{{name}}}.")
        for number, row in said
        for name in names
        if not row[name]
    ]
