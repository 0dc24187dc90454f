"""Statements in SQLite's words, said in PostgreSQL's. Pure, and remembered: the program has some hundred statements.

Only what reads otherwise is translated here; functions, operators and sums that SQLite has are made in the database itself
(`postgres_functions`). Rules go by words of statements of ours, which stand in `storage` and never hold a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from storage.engine import Parameters

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        # SQLite's order to join as it stands.
        (r"\bcross join (?=[\w.]+(?:\([^()]*\))?(?: as \w+)? on\b)", "join "),
        (r" indexed by \w+", ""),
        # A parameter that may be null has no type by itself.
        (r"(:\w+|\?) is (not )?null\b", r"\1::text is \2null"),
        (r"\bis not (:\w+|\?)", r"is distinct from \1"),
        (r"\bis (:\w+|\?)", r"is not distinct from \1"),
        (r"\bchar\(", "chr("),
        (r"\bgroup_concat\(", "string_agg("),
        (r"\b(\w+) collate nocase\b", r"lower(\1)"),
        # Images have no number of their own.
        (r"\bi\.rowid\b", "image_number(i.image_id)::text"),
        (r"\browid as number\b", "image_number(image_id) as number"),
        (r"\band rowid in\b", "and image_number(image_id) in"),
    )
)
_PIECE = re.compile(r"'(?:[^']|'')*'|::|:(?P<name>[A-Za-z_]\w*)|\?|%")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for psycopg."""

    sql: str
    names: tuple[str, ...]
    """The parameter of each place, in order; none for the places of a sequence."""

    def values(self, parameters: Parameters) -> Sequence[object]:
        """The value of each place.

        Raises:
            KeyError: a name has no value.
        """
        return [parameters[name] for name in self.names] if isinstance(parameters, Mapping) else parameters


@lru_cache(maxsize=4096)
def translated(sql: str) -> Statement:
    """The statement as PostgreSQL takes it."""
    for pattern, into in _RULES:
        sql = pattern.sub(into, sql)
    names: list[str] = []

    def piece(found: re.Match[str]) -> str:
        text = found[0]
        if text == "%":
            return "%%"
        if found["name"]:
            names.append(found["name"])
        if text == "?" or found["name"]:
            return "%s"
        return text.replace("%", "%%")

    return Statement(_PIECE.sub(piece, sql), tuple(names))


_MATCH = re.compile(r"runs_fts match :(\w+)")
_WORDS = re.compile(r'(?:(?P<column>\w+) : )?"(?P<phrase>(?:[^"]|"")*)"(?P<is_beginning>\*)?|(?P<sign>NOT|[()])')


def with_words(sql: str, values: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The statement with each `runs_fts match :name` as conditions on the words of `runs_fts`, and its parameters.

    An expression is what `storage.search` makes of a search: phrases that must all be there, and after each `NOT` one that
    must not.
    """
    named = dict(values)
    for name in set(_MATCH.findall(sql)):
        conditions, phrases = _conditions(str(values[name]), name)
        sql = sql.replace(f"runs_fts match :{name}", conditions)
        named |= phrases
    return sql, named


def _conditions(expression: str, name: str) -> tuple[str, dict[str, object]]:
    said: list[str] = []
    phrases: dict[str, object] = {}
    is_without = False
    for number, found in enumerate(_WORDS.finditer(expression)):
        if found["sign"]:
            is_without = found["sign"] == "NOT"
            continue
        place = f"{name}_{number}"
        phrases[place] = found["phrase"].replace('""', '"')
        # A word ends in a blank, so the beginning of one is looked for without it.
        phrase = f"rtrim(words_of(:{place}))" if found["is_beginning"] else f"words_of(:{place})"
        like = f"like '%' || {phrase} || '%'"
        said.append(" ".join(["not" if is_without else "", "words", like]))
        if found["column"]:
            of_column = f"words_of(w.{found['column']})"
            said.append(" ".join(["exists (select 1 from runs as w where w.seq = rowid and", of_column, like, ")"]))
    return f"({' and '.join(said)})", phrases
