"""What a person types into the search box, as a query of the full-text index that can neither fail nor surprise."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass

from storage.spacing import spaced

MAX_CHARACTERS = 200
"""More is cut off: nobody types it, and each word costs a lookup."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search in the two forms the database takes. With neither, every run matches."""

    match: str | None
    """Expression for the full-text index: all of these words, the last one as a beginning."""
    literals: str | None
    """JSON list of texts that must stand in the prompt exactly so."""


def parse_search(text: str) -> Search:
    """The search behind any text at all; blank text gives one that every run matches."""
    # A NUL would end the expression inside its quotes, and lone surrogates cannot be handed to the database.
    words = text.replace("\0", " ").encode("utf-8", "replace").decode()[:MAX_CHARACTERS].split()
    indexed = [spaced(word) or word for word in words if _has_indexed_character(word)]
    # Signs are not in the index. Beside words they are left out; alone they are looked for as they stand.
    literals = [] if indexed else words
    return Search(
        match=" ".join(_quoted(word) for word in indexed) + "*" if indexed else None,
        literals=json.dumps(literals, ensure_ascii=False) if literals else None,
    )


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _has_indexed_character(word: str) -> bool:
    # What the tokenizer of the index takes as part of a word.
    return any(category[0] in "LN" or category in ("Co", "So") for category in map(unicodedata.category, word))
