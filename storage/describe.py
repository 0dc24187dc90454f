"""The page `docs/data-model.md`, made from a freshly migrated database so that it cannot drift from the schema.

Run `python -m storage.describe > docs/data-model.md` to make it anew.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing

from sqlite_utils import Database

from storage.meanings import COLUMNS, TABLES
from storage.migrations import migrations

_INTRO = """# Data model

Made from a freshly migrated database by `python -m storage.describe > docs/data-model.md`; a test compares.
The schema's steps are in `storage/migrations.py`, the words of this page in `storage/meanings.py`.

One SQLite file, `diptych.sqlite3`, holds all rows. Image bytes lie beside it: `blobs/ab/ab12….png` by SHA-256, small
copies in `thumbs/ab/ab12….webp`. Tables are STRICT; times are UTC text like `2026-11-21T10:15:30.123Z`, so that text
order is time order; money is whole micro-dollars, where null is unknown and 0 is known to be free.
"""

_TABLE_RULE = re.compile(r"(primary key|unique|check|foreign key|constraint)\b", re.IGNORECASE)


def data_model_markdown() -> str:
    """The whole page, ending in a line break."""
    with closing(sqlite3.connect(":memory:")) as conn:
        db = Database(conn, execute_plugins=False)
        migrations.apply(db)
        return "\n".join([_INTRO, *(_section(conn, name, sql) for name, sql in _tables(conn))])


def _tables(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Tables in the order they were made, without the full-text index's own."""
    return list(
        conn.execute(
            r"""select name, sql from sqlite_master
            where type = 'table' and name not like 'sqlite\_%' escape '\' and name not like '%\_fts\_%' escape '\'
            order by rowid"""
        ).fetchall()
    )


def _section(conn: sqlite3.Connection, table: str, sql: str) -> str:
    lines = [
        f"## {table}",
        "",
        TABLES.get(table, ""),
        "",
        "| Column | Type and constraints | Meaning |",
        "|---|---|---|",
    ]
    meanings = COLUMNS.get(table, {})
    rules = []
    for part in _parts(sql):
        name, _, definition = part.partition(" ")
        if _TABLE_RULE.match(part):
            rules.append(f"- `{part}`")
        elif "=" not in name:  # an option of the full-text index
            column = name.strip('"')
            lines.append(f"| `{column}` | {_cell(definition)} | {_escaped(meanings.get(column, ''))} |")
        else:
            rules.append(f"- `{part}`")
    for index, definition in _indexes(conn, table):
        rules.append(f"- index `{index}`: `{definition}`")
    rules += [f"- trigger `{name}`" for name in _triggers(conn, table)]
    if rules:
        lines += ["", *rules]
    return "\n".join([*lines, ""])


def _parts(sql: str) -> Iterator[str]:
    """The columns and rules of a `create table`, one by one, on one line each."""
    body = sql[sql.index("(") + 1 : sql.rindex(")")]
    depth, start = 0, 0
    for at, character in enumerate(body):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield _on_one_line(body[start:at])
            start = at + 1
    yield _on_one_line(body[start:])


def _indexes(conn: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    rows = conn.execute(
        "select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null order by name",
        (table,),
    ).fetchall()
    return [
        (name, _on_one_line(re.sub(r"(?is)^create\s+(unique\s+)?index.*?\bon\b\s+\S+\s*", r"\1", sql)))
        for name, sql in rows
    ]


def _triggers(conn: sqlite3.Connection, table: str) -> list[str]:
    rows = conn.execute(
        "select name from sqlite_master where type = 'trigger' and tbl_name = ? order by name", (table,)
    ).fetchall()
    return [name for (name,) in rows]


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return f"`{_escaped(text)}`" if text else ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(data_model_markdown())
