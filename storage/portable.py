"""Rows on their way out of a store, those of one owner: read as they are asked for, never all at once.

Runs that are still going, and those made for a battle that waits for its vote, are left out with all that hangs on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from storage.engine import Database
from storage.portable_columns import Portable
from storage.rows import fetch_one
from storage.unrevealed import UNREVEALED, blind_parameters

_RUNS = " ".join(
    [
        """with chosen as (
    select run_id, seq, group_id from runs
    where owner = :owner and (:groups is null or group_id in (select value from json_each(:groups)))
    and state not in ('queued', 'sending', 'waiting', 'downloading')
    and run_id not in (""",
        UNREVEALED,
        """)
), shown as (
    select i.image_id, i.sha256 from images as i join chosen as c on c.run_id = i.run_id
), fought as (
    select b.* from battles as b where b.voter = :owner and b.state != 'open'
    and b.image_a in (select image_id from shown) and b.image_b in (select image_id from shown)
    and (b.state = 'voted') = exists (select 1 from votes as v where v.battle_id = b.battle_id)
)""",
    ]
)

_FROM: Mapping[str, str] = MappingProxyType(
    {
        "groups": "from groups as t where t.group_id in (select group_id from chosen) order by t.group_id",
        "runs": "from chosen as c join runs as t on t.seq = c.seq order by t.seq",
        "inputs": "from chosen as c join inputs as t on t.run_id = c.run_id order by c.seq, t.role, t.position",
        "images": "from chosen as c join images as t on t.run_id = c.run_id order by c.seq, t.position",
        "partials": """from chosen as c join partials as t on t.run_id = c.run_id
            order by c.seq, t.image_position, t.partial_position""",
        "derived_images": """from derived_images as t where t.image_id in (select image_id from shown)
            order by t.image_id, t.kind""",
        "locks": """from locks as t where t.image_id in (select image_id from shown) and t.state != 'due'
            order by t.image_id""",
        "masks": """from masks as t where t.owner = :owner and t.base_sha256 in (
                select sha256 from shown union all
                select n.sha256 from inputs as n join chosen as c on c.run_id = n.run_id)
            order by t.base_sha256""",
        "ledger": "from chosen as c join ledger as t on t.run_id = c.run_id order by c.seq, t.ledger_id",
        "tags": "from chosen as c join tags as t on t.run_id = c.run_id order by c.seq, t.tag",
        "battles": "from fought as t order by t.created_at, t.battle_id",
        "votes": "from votes as t where t.battle_id in (select battle_id from fought) order by t.seq",
    }
)
_JSON = frozenset({"layout", "asked", "sent", "got", "error", "checks", "figures"})


_TOLD = {
    ("ledger", "settled_by"): """case when t.settled_by is null or t.settled_by = :owner then t.settled_by
        else 'operator' end"""
}
"""Columns that leave otherwise than they stand: an id of somebody else goes nowhere."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an archive is to hold."""

    owner: str
    at: str
    """The time now, UTC text."""
    groups: Sequence[str] | None = None
    """Only these groups; `None`: all."""

    @property
    def named(self) -> dict[str, object]:
        """Parameters of each query."""
        groups = json.dumps(list(self.groups)) if self.groups is not None else None
        return {"owner": self.owner, "groups": groups} | blind_parameters(self.at)


def missing_groups(db: Database, wanted: Wanted) -> list[str]:
    """Those of the groups asked for that are not there, or not the owner's."""
    if wanted.groups is None:
        return []
    rows = db.conn.execute(
        "select value from json_each(:groups) where value not in (select group_id from groups where owner = :owner)",
        {"owner": wanted.owner, "groups": json.dumps(list(wanted.groups))},
    ).fetchall()
    return [str(group_id) for (group_id,) in rows]


def still_open(db: Database, wanted: Wanted) -> int:
    """Runs that are left out because they are still going."""
    row = fetch_one(
        db,
        """select count(*) as runs from runs where owner = :owner
        and (:groups is null or group_id in (select value from json_each(:groups)))
        and state in ('queued', 'sending', 'waiting', 'downloading')""",
        {name: wanted.named[name] for name in ("owner", "groups")},
    )
    return int(row["runs"]) if row else 0


def rows_of(db: Database, table: Portable, wanted: Wanted) -> Iterator[dict[str, object]]:
    """The rows of a table that belong into the archive, in their order: use them up within the read job."""
    columns = ", ".join(_TOLD.get((table.name, name), f"t.{name}") for name in table.columns)
    cursor = db.conn.execute(" ".join([_RUNS, "select", columns, _FROM[table.name]]), wanted.named)
    for row in cursor:
        yield {
            name: json.loads(value) if name in _JSON and value is not None else value
            for name, value in zip(table.columns, row, strict=True)
        }


def blobs_of(row: Mapping[str, object], table: str) -> list[tuple[str, str | None]]:
    """What bytes a row speaks of: SHA-256 and media type, `None` where the row does not say it."""
    if row.get("deleted_at") is not None:
        return []
    if table == "runs":
        return [(str(row["unreadable_sha256"]), "application/octet-stream")] if row["unreadable_sha256"] else []
    if table == "masks":
        return [(str(row["mask_sha256"]), None)]
    found: list[tuple[str, str | None]] = []
    if "sha256" in row:
        found.append((str(row["sha256"]), str(row["media_type"])))
    if row.get("converted_sha256"):
        found.append((str(row["converted_sha256"]), str(row["converted_type"])))
    return found
