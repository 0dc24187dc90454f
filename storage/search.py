"""What a person types into the search box, as conditions on runs that can neither fail nor surprise.

Words are looked for in prompts, tags and notes, the last one also as a beginning; `"a phrase"` stands as it is; `name:value`
is a filter, see `storage.filters`; a `-` before any of them means without. What is not understood is said and looked for as
words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from storage.filters import FILTERS, Misread, Part
from storage.spacing import spaced

MAX_CHARACTERS = 400
"""More is cut off: nobody types it, and each word costs a lookup."""
MAX_PARTS = 40
"""Words and filters; more are cut off."""

_TOKEN = re.compile(r'(?P<without>-?)(?:(?P<name>[A-Za-z]+):(?=\S))?(?:"(?P<phrase>[^"]*)"|(?P<plain>\S+))|\S')
_MATCHING = "f.seq in (select rowid from runs_fts where runs_fts match ?)"
_STANDING = "f.seq in (select seq from runs where instr(prompt, ?) > 0)"


@dataclass(frozen=True, slots=True)
class Search:
    """Conditions on `run_facts as f`; with none, every run matches."""

    match: str | None = None
    """Expression of the text index that a run must match too; `None`: no word is looked for."""
    parts: tuple[Part, ...] = ()
    in_trash: bool = False
    """What is in the trash is asked for, instead of what is not."""
    misread: tuple[str, ...] = ()
    """What was not understood, as sentences."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_phrase: bool
    is_without: bool


def parse_search(text: str) -> Search:
    """The search behind any text at all; blank text gives one that every run matches."""
    # A NUL would end an expression inside its quotes, and lone surrogates cannot be handed to the database.
    plain = text.replace("\0", " ").encode("utf-8", "replace").decode()[:MAX_CHARACTERS]
    parts: list[Part] = []
    words: list[_Word] = []
    misread: list[str] = []
    in_trash = False
    for token in list(_TOKEN.finditer(plain))[:MAX_PARTS]:
        name, value = (token["name"] or "").lower(), token["phrase"] if token["phrase"] is not None else token["plain"]
        is_without = bool(token["without"])
        if name and value is not None:
            if (name, value.lower(), is_without) == ("is", "trashed", False):
                in_trash = True
                continue
            found = _filter(name, value)
            if isinstance(found, Part):
                parts.append(found.negated() if is_without else found)
                continue
            misread.append(found)
        words.append(_word(token, name, value, is_without=is_without))
    indexed = [word for word in words if _is_indexed(word.text)]
    match, without = _match(indexed)
    # Signs are not in the index. Beside words they are left out; alone they are looked for as they stand.
    signs = () if indexed else tuple(Part(_STANDING, (word.text,)) for word in words if word.text)
    return Search(match, (*parts, *without, *signs), in_trash, tuple(misread))


def _filter(name: str, value: str) -> Part | str:
    """The condition, or a sentence that says why there is none."""
    if name not in FILTERS:
        return f"“{name}:” is no filter here, so it is searched for as words."
    try:
        return FILTERS[name](value)
    except Misread as error:
        return f"“{name}:{value[:40]}” is searched for as words: {error}"


def _word(token: re.Match[str], name: str, value: str | None, *, is_without: bool) -> _Word:
    if value is None:
        return _Word(token[0], is_phrase=False, is_without=False)
    text = f"{name}:{value}" if name else value
    # A sign alone, as in `- 5`, is no order to leave anything out.
    return _Word(text, token["phrase"] is not None, is_without and _is_indexed(text))


def _match(indexed: list[_Word]) -> tuple[str | None, tuple[Part, ...]]:
    """The expression of the text index, which can leave out only from what it found, and what is left out where it found
    nothing.
    """
    inside = [word for word in indexed if not word.is_without]
    wanted = [_expression(word, is_last=word is inside[-1]) for word in inside]
    left_out = [_expression(word, is_last=False) for word in indexed if word.is_without]
    if wanted:
        return " NOT ".join([f"({' '.join(wanted)})", *left_out]), ()
    return None, tuple(Part(_MATCHING, (each,)).negated() for each in left_out)


def _expression(word: _Word, *, is_last: bool) -> str:
    """A phrase of the index: the word, or what it falls into."""
    is_beginning = not word.is_phrase and (is_last or word.text.endswith("*"))
    return '"' + (spaced(word.text) or word.text).replace('"', '""') + '"' + ("*" if is_beginning else "")


def _is_indexed(word: str) -> bool:
    # What the tokenizer of the index takes as part of a word.
    return any(category[0] in "LN" or category in ("Co", "So") for category in map(unicodedata.category, word))
