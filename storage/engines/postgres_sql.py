"""Statements in SQLite's words, said in PostgreSQL's. Pure, and remembered: the program has some hundred statements.

Only what reads otherwise is translated here; functions, operators and sums that SQLite has are made in the database itself
(`postgres_functions`). Rules go by words of statements of ours, which stand in `storage` and never hold a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from storage import lineage
from storage.engine import Parameters

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        # A list of values is looked up by an index where it is an array, and not a table of unknown size.
        (r"\bnot in \(select value from json_each\((:\w+|\?)\)\)", r"<> all (\1::text[])"),
        (r"\bin \(select value from json_each\((:\w+|\?)\)\)", r"= any (\1::text[])"),
        (r"\bnot in \(select cast\(value as bigint\) from json_each\((:\w+|\?)\)\)", r"<> all (\1::bigint[])"),
        (r"\bin \(select cast\(value as bigint\) from json_each\((:\w+|\?)\)\)", r"= any (\1::bigint[])"),
        # SQLite's order to join as it stands.
        (r"\bcross join (?=[\w.]+(?:\([^()]*\))?(?: as \w+)?\s+on\b)", "join "),
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
        (r"\band rowid\b", "and image_number(image_id)"),
    )
)
# PostgreSQL bounds no recursion from inside, and takes one step of it: the images as they came and what was locked of them.
_LINE = """with recursive every (seq, run_id) as (
    select seq, run_id from runs where run_id = :run and owner = :owner
    union
    {step}
), line (seq, run_id) as (
    select seq, run_id from every limit :most
)"""
_MADE = """(select m.run_id, m.sha256 from images as m where m.deleted_at is null
        union all select m.run_id, d.sha256 from images as m join derived_images as d on d.image_id = m.image_id
        where d.kind = 'locked' and m.deleted_at is null)"""
_OTHERWISE = {
    lineage.UP: _LINE.replace(
        "{step}",
        """select r.seq, r.run_id from every as l join inputs as n on n.run_id = l.run_id
    join {made} as i on i.sha256 = n.sha256 join runs as r on r.run_id = i.run_id
    where r.owner = :owner and r.seq < l.seq and r.deleted_at is null""",
    ).replace("{made}", _MADE),
    lineage.DOWN: _LINE.replace(
        "{step}",
        """select r.seq, r.run_id from every as l join {made} as i on i.run_id = l.run_id
    join inputs as n on n.sha256 = i.sha256 join runs as r on r.run_id = n.run_id
    where r.owner = :owner and r.seq > l.seq and r.deleted_at is null""",
    ).replace("{made}", _MADE),
}
_PIECE = re.compile(r"'(?:[^']|'')*'|::|(?:\?|:(?P<name>[A-Za-z_]\w*))(?P<list>::(?:text|bigint)\[\])?|%")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for psycopg."""

    sql: str
    names: tuple[str, ...]
    """The parameter of each place, in order; none for the places of a sequence."""
    lists: tuple[tuple[int, type], ...] = ()
    """Places that hold a JSON list for SQLite and take it as an array here, and of what."""

    def values(self, parameters: Parameters) -> Sequence[object]:
        """The value of each place.

        Raises:
            KeyError: a name has no value.
        """
        given: Sequence[object] = (
            [parameters[name] for name in self.names] if isinstance(parameters, Mapping) else parameters
        )
        if not self.lists:
            return given
        given = list(given)
        for place, kind in self.lists:
            given[place] = _list_of(given[place], kind)
        return given


def _list_of(document: object, kind: type) -> list[object]:
    """A JSON list's values. Lone surrogates, which no database takes, become question marks."""
    values = json.loads(str(document)) if document is not None else []
    return [kind(one) if kind is int else str(one).encode(errors="replace").decode() for one in values]


@lru_cache(maxsize=4096)
def translated(sql: str) -> Statement:
    """The statement as PostgreSQL takes it."""
    for said, otherwise in _OTHERWISE.items():
        sql = sql.replace(said, otherwise)
    for pattern, into in _RULES:
        sql = pattern.sub(into, sql)
    names: list[str] = []
    lists: list[tuple[int, type]] = []
    places = iter(range(len(sql)))

    def piece(found: re.Match[str]) -> str:
        text = found[0]
        if found["name"]:
            names.append(found["name"])
        if text[0] == "?" or found["name"]:
            place, of = next(places), found["list"] or ""
            if of:
                lists.append((place, int if "bigint" in of else str))
            return "%s" + of
        return text.replace("%", "%%")

    return Statement(_PIECE.sub(piece, sql), tuple(names), tuple(lists))


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
        phrase = phrases[place] = found["phrase"].replace('""', '"')
        is_beginning = "true" if found["is_beginning"] else "false"
        conditions = [f"lexemes @@ query_of(:{place}, {is_beginning})"]
        if not phrase.isalnum():  # perhaps several words, which must then stand side by side
            conditions.append(f"words like phrase_of(:{place}, {is_beginning})")
        if found["column"]:
            of_column = f"words_of(w.{found['column']}) like phrase_of(:{place}, {is_beginning})"
            conditions.append(" ".join(["exists (select 1 from runs as w where w.seq = rowid and", of_column, ")"]))
        said.append(f"{'not ' * is_without}({' and '.join(conditions)})")
    return f"({' and '.join(said)})", phrases
