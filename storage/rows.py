"""Rows to records and back: the one place that knows how a record's fields lie in columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from storage.engine import Cursor, Database
from storage.records import (
    DerivedImage,
    Group,
    ImageLock,
    Json,
    LedgerLine,
    Run,
    RunError,
    StoredImage,
    StoredInput,
    StoredJob,
    StoredPartial,
    Template,
    Upload,
)

Row = dict[str, Any]
"""A row by column name. STRICT tables and CHECKs vouch for the types, so nothing is checked again on the way out."""

_MAX_INTEGER = 2**63 - 1


def fetch(db: Database, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> list[Row]:
    """All rows of a query. The cursor is finished, so it cannot hold up anybody."""
    return fetched(db.conn.execute(sql, parameters))


def fetched(cursor: Cursor) -> list[Row]:
    """All rows of a query that was asked before. Of several, ask all and then fetch: a distant engine answers them in one."""
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def fetch_one(db: Database, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> Row | None:
    """The first row of a query, or `None`."""
    return next(iter(fetch(db, sql, parameters)), None)


def changed(db: Database, sql: str, parameters: Mapping[str, object]) -> bool:
    """Whether a guarded statement changed any row."""
    return db.conn.execute(sql, parameters).rowcount > 0


def document(value: Json | Sequence[object] | None) -> str | None:
    """JSON text of a document.

    Written in ASCII: a lone surrogate in an answer can then be stored, where as plain text it could not. Infinity and
    NaN, which a provider's JSON may hold and SQLite refuses, become null: nothing paid for is lost over them.
    """
    if value is None:
        return None
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(finite, separators=(",", ":"))


def foreign_text(value: str | None) -> str | None:
    """Text from outside, with lone surrogates (which no database takes) as question marks."""
    return None if value is None else value.encode("utf-8", "replace").decode()


def storable_integer(value: int | None) -> int | None:
    """The number, or `None` where it does not fit 64 bits; the answer as it came still has it."""
    return value if value is not None and -_MAX_INTEGER <= value <= _MAX_INTEGER else None


def error_document(error: RunError | None) -> str | None:
    """JSON text of an error."""
    return None if error is None else document(asdict(error))


def to_group(row: Row) -> Group:
    """A row of `groups`."""
    layout = row.get("layout")
    return Group(**{**row, "layout": json.loads(layout) if layout else None})


def to_run(row: Row) -> Run:
    """A row of `runs`, with or without its `seq`."""
    values = {name: value for name, value in row.items() if name not in ("seq", "spaced")}
    values["tags"] = tuple(values["tags"].split("\n")) if values["tags"] else ()
    for column in ("asked", "sent", "got", "error"):
        if values[column] is not None:
            values[column] = json.loads(values[column])
    if values["error"] is not None:
        values["error"] = RunError(**values["error"])
    return Run(**values)


def to_image(row: Row) -> StoredImage:
    """A row of `images`."""
    return StoredImage(**(row | {"checks": tuple(json.loads(row["checks"])), "favourite": bool(row["favourite"])}))


def to_derived(row: Row) -> DerivedImage:
    """A row of `derived_images`."""
    return DerivedImage(**(row | {"figures": json.loads(row["figures"])}))


def to_lock(row: Row) -> ImageLock:
    """A row of `locks`, without what was made."""
    return ImageLock(**row)


def to_input(row: Row) -> StoredInput:
    """A row of `inputs`."""
    return StoredInput(**row)


def to_partial(row: Row) -> StoredPartial:
    """A row of `partials`."""
    return StoredPartial(**row)


def to_job(row: Row) -> StoredJob:
    """A row of `jobs`."""
    ended = json.loads(row["ended"]) if row["ended"] is not None else None
    return StoredJob(**(row | {"tracking": json.loads(row["tracking"]), "ended": ended}))


def to_ledger_line(row: Row) -> LedgerLine:
    """A row of `ledger`, without what stands in its run and what only sums need."""
    return LedgerLine(**{field.name: row[field.name] for field in fields(LedgerLine)})


def to_upload(row: Row) -> Upload:
    """A row of `uploads`."""
    return Upload(**row)


def to_template(row: Row) -> Template:
    """A row of `templates`."""
    return Template(**(row | {"settings": json.loads(row["settings"]) if row["settings"] is not None else None}))
