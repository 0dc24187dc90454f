"""All rows of one database into another one that has none yet, whichever engines hold them: as they stand, to the last digit.

Tables that follow from others are not copied: the target's own triggers fill them, so that each engine keeps what it needs.
Bytes of images are no rows; they stay where they are. Whoever calls owns the transactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from storage.engine import Database
from storage.rating_steps import FILL_FACTS
from storage.rows import fetch

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "groups": "group_id",
        "runs": "seq",
        "inputs": "run_id, role, position",
        "images": "image_id",
        "partials": "run_id, image_position, partial_position",
        "ledger": "ledger_id",
        "uploads": "owner, sha256",
        "jobs": "run_id, position",
        "battles": "battle_id",
        "votes": "seq",
        "vote_links": "link",
        "reports": "battle_id, voter",
        "exclusions": "exclusion_id",
        "tallies": "board, is_demo, question, category, offer_a, quality_a, offer_b, quality_b, outcome",
        "tally_totals": "board, is_demo, question, category",
        "elo_days": "board, is_demo, level, day",
        "install": "name",
        "derived_images": "image_id, kind",
        "locks": "image_id",
        "masks": "owner, base_sha256",
        "tags": "run_id, tag",
        "searches": "owner, name",
        "freed": "sha256",
        "limits": "span",
        "prices": "price_id",
        "templates": "template_id",
        "preferences": "owner, name",
    }
)
"""Tables that are copied, each after those that it points at, with the columns of its key."""
FOLLOWING = frozenset({"run_facts", "facts_hold", "spend_days", "spend_spans", "runs_fts"})
"""Tables that follow from the others."""
PASSING = frozenset({"workers", "seats", "stops", "uses"})
"""Tables of the moment: what processes over one database tell each other. No copy takes them along."""
_PAGE = 5_000

Row = tuple[object, ...]


class NotEmpty(ValueError):
    """The target holds rows already; the message can be shown."""


def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Copies every row; how many there were of each table.

    Raises:
        NotEmpty: the target has rows of somebody's.
    """
    for table in ("groups", "uploads", "battles", "preferences"):
        if fetch(target, " ".join(["select 1 from", table, "limit 1"])):
            raise NotEmpty(f"The database to copy into holds rows already (table {table}); nothing was copied.")
    # What its first step wrote: the source has its own.
    target.conn.execute("delete from install")
    target.conn.execute("insert into facts_hold values (1)")
    copied = {table: _copy(source, target, table) for table in KEYS}
    target.conn.execute("delete from facts_hold")
    target.conn.execute("delete from run_facts")
    target.conn.execute(FILL_FACTS)
    return copied


def _copy(source: Database, target: Database, table: str) -> int:
    columns = [
        name for name, *_ in source.conn.execute(" ".join(["select * from", table, "limit 0"])).description or ()
    ]
    into = ["insert into", table, "(", ", ".join(columns), ") values (", ", ".join("?" * len(columns)), ")"]
    return sum(_insert(target, " ".join(into), page) for page in _pages(source, table, columns))


def _insert(target: Database, sql: str, rows: list[Row]) -> int:
    target.conn.executemany(sql, rows)
    return len(rows)


def _pages(source: Database, table: str, columns: list[str]) -> Iterator[list[Row]]:
    """All rows by their key, some at a time."""
    key = KEYS[table].split(", ")
    places = [columns.index(name) for name in key]
    marks = ", ".join("?" * len(key))
    select = ["select", ", ".join(columns), "from", table]
    end = ["order by", KEYS[table], "limit", str(_PAGE)]
    rows: list[Row] = source.conn.execute(" ".join([*select, *end])).fetchall()
    onward = " ".join([*select, "where (", KEYS[table], ") > (", marks, ")", *end])
    while rows:
        yield rows
        last = rows[-1]
        rows = (
            source.conn.execute(onward, tuple(last[place] for place in places)).fetchall() if len(rows) == _PAGE else []
        )
