"""What a person types into the search box, as a query of the full-text index that can neither fail nor surprise."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

MAX_CHARACTERS = 200
"""More is cut off: nobody types it, and each word costs a lookup."""

# Thai, Lao, Myanmar, Khmer, Japanese and Chinese are written without spaces, so the index holds whole sentences as one
# word. These are looked for as they stand.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


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
    unspaced = [word for word in words if _UNSPACED.search(word)]
    indexed = [word for word in words if word not in unspaced and _has_indexed_character(word)]
    # Signs and emoji are not in the index. Beside words they are left out; alone they are looked for as they stand.
    literals = unspaced if indexed or unspaced else words
    return Search(
        match=" ".join(_quoted(word) for word in indexed) + "*" if indexed else None,
        literals=json.dumps(literals, ensure_ascii=False) if literals else None,
    )


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _has_indexed_character(word: str) -> bool:
    # What the tokenizer `unicode61` takes as part of a word.
    return any(
        unicodedata.category(character)[0] in "LN" or unicodedata.category(character) == "Co" for character in word
    )
