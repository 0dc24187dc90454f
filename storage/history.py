"""The history: pages of runs in some order, and the search over them.

Lists are found in `run_facts`, one narrow row a run, along an index for each order; only what is shown is then read whole.
Paging goes by the place in that order, so rows added meanwhile neither repeat nor hide one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from storage.curation import Picked
from storage.engine import Cursor, Database
from storage.records import Run, RunView, StoredImage
from storage.rows import Row, fetch, fetch_one, fetched, to_run
from storage.search import Search, parse_search
from storage.sorts import MAX_PAGE, NEWEST, sort_of
from storage.unrevealed import UNREVEALED, blind_parameters
from storage.views import views_of


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some runs and the way to those after them."""

    runs: tuple[RunView, ...]
    next: str | None
    """Pass as `before` for the next page; `None` on the last."""
    total: int | None = None
    """How many runs there are over all pages; `None` where `page` was not asked to count them."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked for, as conditions on `run_facts as f` and their parameters."""

    wanted: Search
    conditions: Sequence[str]
    given: Mapping[str, object]


def page(
    db: Database,
    owner: str | None,
    *,
    search: str = "",
    sort: str = NEWEST,
    limit: int = 24,
    before: str | None = None,
    skip: int = 0,
    blind_at: str | None = None,
    is_counted: bool = False,
) -> HistoryPage:
    """One page of runs.

    Args:
        db: the open database.
        owner: whose; `None` for anybody's.
        search: any text, see `storage.search`. Blank: all runs that are not in the trash.
        sort: one of `storage.sorts.SORTS`.
        limit: runs a page, 1 to `MAX_PAGE`.
        before: `next` of the page before in the same order; `None` for the first page.
        skip: so many runs are passed over, to get to a page by its number.
        blind_at: the time now; runs made for a battle that is being made or waits for the owner's vote are left out.
            `None`: all.
        is_counted: whether to count the runs over all pages too, which costs less here than by `count` afterwards.

    Raises:
        ValueError: `limit` or `skip` out of bounds, no such order, or `before` is not a cursor.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit {limit} is not between 1 and {MAX_PAGE}")
    if skip < 0:
        raise ValueError(f"{skip} runs cannot be passed over")
    order, asked = sort_of(sort), _asked(db, owner, search, blind_at)
    wanted, conditions, given = asked.wanted, asked.conditions, dict(asked.given)
    # Fetched at the end: a distant engine answers it together with the list.
    counted = _counted(db, asked) if is_counted else None
    stretches: tuple[str, ...] = ("true",)
    if before is not None:
        given |= order.place(before)
        # Walking the text index twice costs more than reading on to the place, and a number of runs goes over both stretches.
        is_one = bool(wanted.match) or skip > 0
        stretches = (order.after(is_found=bool(wanted.match)),) if is_one else order.stretches()
    columns = f"f.seq, f.{order.column}" if order.column else "f.seq"
    rows: list[Row] = []
    for stretch in stretches:
        listed = ["select", columns, _source(wanted), _where([*conditions, stretch])]
        ordered = ["order by", order.order(is_found=bool(wanted.match)), "limit :limit offset :skip"]
        rows += fetch(db, " ".join([*listed, *ordered]), given | {"limit": limit + 1 - len(rows), "skip": skip})
        if len(rows) > limit:
            break
    shown = rows[:limit]
    return HistoryPage(
        runs=tuple(_views(db, [row["seq"] for row in shown])),
        next=order.cursor(shown[-1]) if len(rows) > limit else None,
        total=_number(counted) if counted else None,
    )


def count(db: Database, owner: str | None, search: str = "", *, blind_at: str | None = None) -> int:
    """How many runs `page` would show over all pages."""
    return _number(_counted(db, _asked(db, owner, search, blind_at)))


def _counted(db: Database, asked: _Asked) -> Cursor:
    sql = " ".join(["select count(*) as runs", _source(asked.wanted), _where(asked.conditions)])
    return db.conn.execute(sql, asked.given)


def _number(counted: Cursor) -> int:
    return int(fetched(counted)[0]["runs"])


@dataclass(frozen=True, slots=True)
class RestOfGroup:
    """How many runs of a group match and stand on other pages."""

    earlier: int
    later: int


def rest_of_groups(
    db: Database,
    owner: str | None,
    found: HistoryPage,
    *,
    search: str = "",
    sort: str = NEWEST,
    blind_at: str | None = None,
) -> dict[str, RestOfGroup]:
    """By group id: what is left of the groups of a page, asked for by the words and in the order that `found` was."""
    here = Counter(view.run.group_id for view in found.runs)
    order, asked = sort_of(sort), _asked(db, owner, search, blind_at)
    wanted, given = asked.wanted, dict(asked.given)
    conditions = [
        *asked.conditions,
        "f.seq in (select seq from runs where group_id in (select value from json_each(:groups)))",
    ]
    later = order.after(is_found=bool(wanted.match)) if found.next is not None else "false"
    given["groups"] = json.dumps(sorted(here))
    if found.next is not None:
        given |= order.place(found.next)
    columns = ["select r.group_id, count(*) as runs, sum(", later, ") as later"]
    source = [_source(wanted), "cross join runs as r on r.seq = f.seq"]
    rows = fetch(db, " ".join([*columns, *source, _where(conditions), "group by r.group_id"]), given)
    rest = {
        row["group_id"]: RestOfGroup(row["runs"] - row["later"] - here[row["group_id"]], row["later"]) for row in rows
    }
    return {group_id: one for group_id, one in rest.items() if one.earlier > 0 or one.later > 0}


def matching(db: Database, owner: str, search: str, *, blind_at: str | None = None) -> list[str]:
    """Ids of all runs that `page` would show over all pages, oldest first."""
    asked = _asked(db, owner, search, blind_at)
    found = ["select f.seq as seq", _source(asked.wanted), _where(asked.conditions)]
    rows = fetch(db, " ".join(["select run_id from runs where seq in (", *found, ") order by seq"]), asked.given)
    return [row["run_id"] for row in rows]


def find_image(db: Database, sha256: str, owner: str | None) -> Run | None:
    """The newest run that made an image with these very bytes, as it came or locked, or `None`. Owner `None`: anybody's."""
    row = fetch_one(
        db,
        """with makers (run_id) as (
            select run_id from images where sha256 = :sha256 and deleted_at is null
            union all select i.run_id from derived_images as d join images as i on i.image_id = d.image_id
                where d.sha256 = :sha256 and d.kind = 'locked'
        )
        select r.* from makers as m join runs as r on r.run_id = m.run_id
        where :owner is null or r.owner = :owner order by r.seq desc limit 1""",
        {"sha256": sha256, "owner": owner},
    )
    return to_run(row) if row else None


def owns_blob(db: Database, sha256: str, owner: str | None) -> bool:
    """Whether these bytes belong to `owner`: an image as it came or something made of it, input, preview or unreadable answer
    of a run, an upload, or a mask that is kept.

    Owner `None`: whether they belong to anybody.
    """
    row = fetch_one(
        db,
        """with users (run_id) as (
            select run_id from images where sha256 = :sha256 and deleted_at is null
            union all select run_id from images where deleted_at is null and converted_sha256 = :sha256
            union all select i.run_id from derived_images as d join images as i on i.image_id = d.image_id
                where d.sha256 = :sha256
            union all select run_id from inputs where sha256 = :sha256
            union all select run_id from partials where sha256 = :sha256
            union all select run_id from runs where unreadable_sha256 = :sha256
        )
        select exists (select 1 from users join runs as r on r.run_id = users.run_id
                where :owner is null or r.owner = :owner)
            or exists (select 1 from uploads where sha256 = :sha256 and (:owner is null or owner = :owner))
            or exists (select 1 from masks where mask_sha256 = :sha256 and (:owner is null or owner = :owner)) as owned""",
        {"sha256": sha256, "owner": owner},
    )
    return bool(row and row["owned"])


def _source(wanted: Search) -> str:
    # A cross join keeps its order in SQLite: the text index is walked, in the order of the history, and each run it finds is
    # looked at. Left to choose, SQLite may search the whole index for each of the owner's runs.
    return "from runs_fts as m cross join run_facts as f on f.seq = m.rowid" if wanted.match else "from run_facts as f"


def _asked(db: Database, owner: str | None, search: str, blind_at: str | None) -> _Asked:
    wanted = parse_search(search)
    # Both columns lead each index, so an order is walked and not made.
    conditions = ["f.has_trash = 1" if wanted.in_trash else "f.is_trashed = 0"]
    given: dict[str, object] = {}
    if owner is not None:
        conditions.append("f.owner = :owner")
        given["owner"] = owner
    if wanted.match:
        conditions.append("runs_fts match :match")
        given["match"] = wanted.match
    for part in wanted.parts:
        sql = part.sql
        for value in part.values:
            name = f"p{len(given)}"
            sql = sql.replace("?", f":{name}", 1)
            given[name] = value
        conditions.append(sql)
    if blind_at is not None and (hidden := _unrevealed(db, owner, blind_at)):
        conditions.append("f.seq not in (select cast(value as bigint) from json_each(:hidden))")
        given["hidden"] = json.dumps(hidden)
    return _Asked(wanted, conditions, given)


def _unrevealed(db: Database, owner: str | None, blind_at: str) -> list[int]:
    # Asked apart: most often there is none, and the lists need not look for them run by run.
    sql = " ".join(["select seq from runs where run_id in (", UNREVEALED, ")"])
    return [row["seq"] for row in fetch(db, sql, {"owner": owner} | blind_parameters(blind_at))]


def picked(db: Database, owner: str, what: Picked, *, limit: int) -> list[RunView]:
    """The owner's runs that are meant, newest first, `limit` at most, each with only those of its images that are meant."""
    rows = fetch(
        db,
        """select * from runs where owner = :owner and deleted_at is null and run_id in (
            select value from json_each(:runs)
            union select run_id from images where image_id in (select value from json_each(:images)))
        order by seq desc limit :limit""",
        {"owner": owner, "runs": json.dumps(list(what.runs)), "images": json.dumps(list(what.images)), "limit": limit},
    )
    whole, single = set(what.runs), set(what.images)
    return [
        replace(
            view, images=tuple(one for one in view.all_images if one.image_id in single or _is_of(view, whole, one))
        )
        for view in views_of(db, [to_run(row) for row in rows])
    ]


def _is_of(view: RunView, whole: set[str], image: StoredImage) -> bool:
    return view.run.run_id in whole and (image.trashed_at is None or not view.images)


def is_unrevealed(db: Database, run_id: str, owner: str, blind_at: str) -> bool:
    """Whether a run may not be told of yet."""
    row = fetch_one(db, "select seq from runs where run_id = ?", (run_id,))
    return bool(row and row["seq"] in _unrevealed(db, owner, blind_at))


def _views(db: Database, seqs: list[int]) -> list[RunView]:
    """The runs with these numbers, in the order given."""
    rows = fetch(
        db, "select * from runs where seq in (select cast(value as bigint) from json_each(?))", (json.dumps(seqs),)
    )
    found = {row["seq"]: to_run(row) for row in rows}
    return views_of(db, [found[seq] for seq in seqs])


def _where(conditions: Sequence[str]) -> str:
    return "where " + " and ".join(conditions)


def maker_of(db: Database, sha256: str, owner: str, blind_at: str) -> tuple[str, str] | None:
    """The newest run of the owner's that made an image of these bytes, with the image's id; none that may not be told yet."""
    sql = " ".join(
        [
            "select i.run_id, i.image_id from images as i join runs as r on r.run_id = i.run_id",
            "where i.sha256 = :sha256 and i.deleted_at is null and r.owner = :owner and i.run_id not in (",
            UNREVEALED,
            ") order by i.image_id desc limit 1",
        ]
    )
    row = fetch_one(db, sql, {"sha256": sha256, "owner": owner, **blind_parameters(blind_at)})
    return (row["run_id"], row["image_id"]) if row else None
