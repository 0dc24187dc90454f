"""Functions of SQLite that shared statements use, for PostgreSQL. Data, and how the words of a text are told apart.

They stand in a schema that is searched before PostgreSQL's own, where a few names mean something else: sums of whole numbers
are whole numbers again, and `max(a, b)` of two values is the greater one.
"""

from __future__ import annotations

import sys
import unicodedata
from itertools import groupby

_TEXT = """
create function instr(text, text) returns bigint language sql immutable parallel safe
    as 'select pg_catalog.strpos($1, $2)::bigint';
create function substr(text, bigint) returns text language sql immutable parallel safe
    as 'select pg_catalog.substr($1, $2::int)';
create function substr(text, bigint, bigint) returns text language sql immutable parallel safe
    as 'select pg_catalog.substr($1, $2::int, greatest($3, 0)::int)';
create function as_it_stands(text) returns text language sql immutable parallel safe as 'select $1';
create operator + (rightarg = text, function = as_it_stands);
"""

_NUMBERS = """
create function min(bigint, bigint) returns bigint language sql immutable parallel safe as 'select least($1, $2)';
create function max(bigint, bigint) returns bigint language sql immutable parallel safe as 'select greatest($1, $2)';
create function min(text, text) returns text language sql immutable parallel safe as 'select least($1, $2)';
create function max(text, text) returns text language sql immutable parallel safe as 'select greatest($1, $2)';
create aggregate sum(bigint) (sfunc = pg_catalog.int8pl, stype = bigint, combinefunc = pg_catalog.int8pl, parallel = safe);
create function one_more(bigint, boolean) returns bigint language sql immutable parallel safe
    as 'select case when $2 is null then $1 else coalesce($1, 0) + $2::int end';
create aggregate sum(boolean) (sfunc = one_more, stype = bigint, combinefunc = pg_catalog.int8pl, parallel = safe);
create function image_number(text) returns bigint language sql immutable parallel safe
    as 'select pg_catalog.hashtextextended($1, 0) & 9223372036854775807';
"""

# As SQLite numbers rows. Whoever writes is alone in writing, so nobody else gets the same number. One for each table, since a
# statement put together on the way is planned again for each row.
_PLACES = """
create function next_run() returns bigint language plpgsql volatile as $$
    begin return (select coalesce(max(seq), 0) + 1 from runs); end $$;
create function next_vote() returns bigint language plpgsql volatile as $$
    begin return (select coalesce(max(seq), 0) + 1 from votes); end $$;
create function next_exclusion() returns bigint language plpgsql volatile as $$
    begin return (select coalesce(max(exclusion_id), 0) + 1 from exclusions); end $$;
"""

# A NUL and lone surrogates stand in JSON as escapes, but PostgreSQL cannot make text of them.
_JSON = r"""
create function json_valid(text) returns boolean language sql immutable parallel safe
    as 'select $1::json is not null';
create function readable(text) returns json language sql immutable parallel safe as $$
    select case when $1 ~ '\\u(0000|[dD][89a-fA-F])'
        then regexp_replace($1, '(?<!\\)((?:\\\\)*)\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1\\ufffd', 'g')::json
        else $1::json end $$;
create function json_part(text, text) returns text language sql immutable parallel safe
    as 'select pg_catalog.json_extract_path_text(readable($1), $2)';
create function json_part(text, integer) returns text language sql immutable parallel safe
    as 'select readable($1) operator(pg_catalog.->>) $2';
create operator ->> (leftarg = text, rightarg = text, function = json_part);
create operator ->> (leftarg = text, rightarg = integer, function = json_part);
create function json_each(text) returns table (value text) language sql immutable parallel safe rows 50
    as 'select v from pg_catalog.json_array_elements_text(readable($1)) as e (v)';
create function json_list(text[]) returns text language sql immutable parallel safe
    as 'select pg_catalog.array_to_json(coalesce($1, array[]::text[]))::text';
create aggregate json_group_array(text) (sfunc = pg_catalog.array_append, stype = text[], finalfunc = json_list);
create function json_list(json[]) returns text language sql immutable parallel safe
    as 'select pg_catalog.array_to_json(coalesce($1, array[]::json[]))::text';
create aggregate json_group_array(json) (sfunc = pg_catalog.array_append, stype = json[], finalfunc = json_list);
create function json_array(bigint, bigint) returns json language sql immutable parallel safe
    as 'select pg_catalog.json_build_array($1, $2)';
create function json_remove(text, variadic text[]) returns text language sql immutable parallel safe as $$
    select coalesce('{' || string_agg(to_json(e.key)::text || ':' || e.value::text, ',' order by e.place) || '}', '{}')
    from pg_catalog.json_each(readable($1)) with ordinality as e (key, value, place)
    where '$.' || e.key <> all ($2) $$;
"""


def _word_class() -> str:
    """What the tokenizer of SQLite's index takes as part of a word, as ranges: letters, numbers and signs such as pictures."""
    ranges = []
    kept = (code for code in range(0x80, sys.maxunicode + 1) if _is_of_word(chr(code)))
    for _, some in groupby(enumerate(kept), key=_offset):
        codes = [code for _, code in some]
        ranges.append(f"\\U{codes[0]:08x}-\\U{codes[-1]:08x}")
    return "a-z0-9" + "".join(ranges)


def _offset(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _is_of_word(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] in "LN" or category in ("Co", "So")


_LETTERS = r"""
create function words_of(text) returns text language sql immutable strict parallel safe as $$
    select ' ' || btrim(regexp_replace(normalize(regexp_replace(
        normalize(lower($1 collate "und-x-icu"), NFD), '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFC),
        '[^{letters}]+', ' ', 'g')) || ' ' $$;
create function lexemes_of(words text) returns tsvector language sql immutable parallel safe as $$
    select array_to_tsvector(array(
        select distinct left(w, 500) from regexp_split_to_table(btrim(words), '\s+') as w where w <> '')) $$;
create function query_of(phrase text, is_beginning boolean) returns tsquery language sql immutable parallel safe as $$
    select (string_agg(quote_literal(left(w, 500)), ' & ' order by place)
        || case when is_beginning then ':*' else '' end)::tsquery
    from regexp_split_to_table(btrim(words_of(phrase)), ' ') with ordinality as t (w, place) where w <> '' $$;
create function phrase_of(phrase text, is_beginning boolean) returns text language sql immutable parallel safe as $$
    select '%' || case when is_beginning then rtrim(words_of(phrase)) else words_of(phrase) end || '%' $$;
"""

FUNCTIONS = (_TEXT, _NUMBERS, _PLACES, _JSON, _LETTERS.replace("{letters}", _word_class()))
"""In the order they are made in."""
