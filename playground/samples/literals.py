"""Values of a call as source text: JSON for people and for the shell, and the literals of Python and JavaScript. Pure.

What a body holds in place of files, keys and our own id (see `providers.adapter`) is handed on as it is, for each language
to put its own expression there. Texts are quoted in the one way that JSON, Python and JavaScript read alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from providers.adapter import Attachment, CallId, SecretKey

Leaf = Attachment | SecretKey | CallId
"""What stands in a body for something that is not written down: a file, a key, an id."""

_UNSEEN = re.compile("[\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""Characters that show as nothing, turn the text around them, or cannot be written as UTF-8. Joiners stay: emoji and
several scripts are made with them.
"""


@dataclass(frozen=True, slots=True)
class Style:
    """How a language writes values."""

    true: str
    false: str
    null: str
    indent: str
    has_last_comma: bool
    """Whether the last item of several lines ends with a comma too."""


JSON = Style("true", "false", "null", "  ", has_last_comma=False)
PYTHON = Style("True", "False", "None", "    ", has_last_comma=True)
JAVASCRIPT = Style("true", "false", "null", "  ", has_last_comma=True)


def quoted(text: str) -> str:
    """The text in double quotes, as JSON, Python and JavaScript read it alike."""
    return _UNSEEN.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def tokens(value: object, style: Style, depth: int = 0) -> Iterator[str | Leaf]:
    """The value as text over several lines, with its leaves between the pieces of text. `depth`: steps it is indented by."""
    if isinstance(value, Attachment | SecretKey | CallId):
        yield value
    elif isinstance(value, Mapping):
        pairs = [(f"{quoted(str(name))}: ", item) for name, item in value.items()]
        yield from _enclosed("{", pairs, "}", style, depth)
    elif isinstance(value, list | tuple):
        yield from _enclosed("[", [("", item) for item in value], "]", style, depth)
    else:
        yield _plain(value, style)


def _enclosed(
    start: str, items: Sequence[tuple[str, object]], end: str, style: Style, depth: int
) -> Iterator[str | Leaf]:
    if not items:
        yield start + end
        return
    yield start
    for position, (name, item) in enumerate(items):
        yield f"\n{style.indent * (depth + 1)}{name}"
        yield from tokens(item, style, depth + 1)
        if style.has_last_comma or position < len(items) - 1:
            yield ","
    yield f"\n{style.indent * depth}{end}"


def _plain(value: object, style: Style) -> str:
    if value is None:
        return style.null
    if isinstance(value, bool):
        return style.true if value else style.false
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def source(value: object, style: Style, expression: Callable[[Leaf], str], depth: int = 0) -> str:
    """The value as text, each leaf as the expression that stands for it."""
    return "".join(token if isinstance(token, str) else expression(token) for token in tokens(value, style, depth))


def leaves(value: object) -> Iterator[Leaf]:
    """What stands in the value for something that is not written down, in its order."""
    if isinstance(value, Attachment | SecretKey | CallId):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
