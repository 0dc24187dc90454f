"""Whether something said tells a maker. Its name may stand nowhere but in the prompt, where the word means another thing."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator

DRAWN = ("painterly", "sketch", "flat", "demo/")
"""Parts of the names of the Demo's models and offers."""
ALL = ("gpt", "openai", "fal/", "replicate", *DRAWN, "demo")


def told_in(said: str, prompt: str, makers: Iterable[str] = ALL) -> list[str]:
    """Those of the makers that are told, whatever the case of the letters."""
    rest = said.lower()
    for form in sorted({form.lower() for form in _forms(prompt)}, key=len, reverse=True):
        rest = rest.replace(form, "")
    return [maker for maker in makers if maker in rest]


def _forms(prompt: str) -> Iterator[str]:
    """The prompt as it may stand in documents, in documents within documents, and in pages."""
    yield from (prompt, html.escape(prompt), html.escape(prompt, quote=False))
    for is_ascii in (True, False):
        within = json.dumps(prompt, ensure_ascii=is_ascii)[1:-1]
        yield within
        yield json.dumps(within, ensure_ascii=is_ascii)[1:-1]
