"""`run_facts`, what lists of runs are found and sorted by: renewed for many runs at once, and compared with what it should be.

Triggers renew one run after each change. An action on thousands of images holds them back and renews each run once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from storage.engine import Database
from storage.rating_steps import FACT_COLUMNS, FILL_FACTS
from storage.rows import fetch

IN_THE_TRASH = ("is_trashed", "has_trash", "size", "images", "stars", "favourite", "rating")
"""What may be another when images or runs go to the trash or come back."""


@contextmanager
def facts_held(db: Database, columns: Sequence[str] = ()) -> Iterator[set[str]]:
    """Holds the triggers back inside; yields a set for the ids of all runs whose rows change, renewed at the end.

    Only inside one transaction, which ends with the hold gone or, when anything is raised or the process dies, with
    nothing changed. Not to be nested.

    Args:
        db: the open database.
        columns: all that may be another, which spares the rest, of runs that are there before and after; empty: anything.
    """
    touched: set[str] = set()
    db.conn.execute("insert into facts_hold values (1)")
    yield touched
    db.conn.execute("delete from facts_hold")
    _renew(db, touched, columns)


def _renew(db: Database, run_ids: set[str], columns: Sequence[str]) -> None:
    meant = "select r.seq from json_each(?) as j cross join runs as r on r.run_id = j.value"
    which = " ".join(["where seq in (", meant, ")"])
    given = (json.dumps(sorted(run_ids)),)
    if columns:
        changes = ", ".join(f"{name} = n.{name}" for name in columns)
        now = ["from run_facts_now as n where n.seq = run_facts.seq and run_facts.seq in (", meant, ")"]
        db.conn.execute(" ".join(["update run_facts set", changes, *now]), given)
        return
    db.conn.execute(" ".join(["delete from run_facts", which]), given)
    db.conn.execute(" ".join([FILL_FACTS, which]), given)


def differing_facts(db: Database) -> list[str]:
    """Ids of runs whose row of `run_facts` is not what the run says; empty when all is right."""
    # All columns but the generated ones, which follow from the others.
    held = " ".join(["select", FACT_COLUMNS, "from run_facts"])
    found = " ".join(["select", FACT_COLUMNS, "from run_facts_now"])
    wrong = " ".join(
        ["select seq from (", held, "except", found, ") as a union select seq from (", found, "except", held, ") as b"]
    )
    rows = fetch(
        db,
        " ".join(
            [
                "select coalesce(r.run_id, cast(w.seq as text)) as run_id from (",
                wrong,
                ") as w left join runs as r on r.seq = w.seq",
            ]
        ),
    )
    return [str(row["run_id"]) for row in rows]
