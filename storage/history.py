"""The history: pages of runs, newest first, and the search over their prompts.

Paging goes by `seq`, so rows added meanwhile neither repeat nor hide one. What a person types is never query syntax:
each word is quoted for the full-text index, the last one also matches as a beginning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlite_utils import Database

from storage.records import Run, RunView
from storage.rows import fetch, fetch_one, to_run
from storage.search import Search, parse_search
from storage.unrevealed import UNREVEALED, blind_parameters
from storage.views import views_of

MAX_PAGE = 1000
"""Most runs on one page; each brings its images, inputs and previews along."""

_CURSOR = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some runs and the way to those after them."""

    runs: tuple[RunView, ...]
    next: str | None
    """Pass as `before` for the next page; `None` on the last."""


def page(
    db: Database,
    owner: str | None,
    *,
    search: str = "",
    limit: int = 24,
    before: str | None = None,
    blind_at: str | None = None,
) -> HistoryPage:
    """One page of runs, newest first.

    Args:
        db: the open database.
        owner: whose; `None` for anybody's.
        search: any text; runs match whose prompt has all of its words. Blank: all runs.
        limit: runs a page, 1 to `MAX_PAGE`.
        before: `next` of the page before; `None` for the first page.
        blind_at: the time now; runs made for a battle that is being made or waits for the owner's vote are left out.
            `None`: all.

    Raises:
        ValueError: `limit` out of bounds, or `before` is not a cursor.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit {limit} is not between 1 and {MAX_PAGE}")
    if before is not None and not _CURSOR.fullmatch(before):
        raise ValueError(f"{before[:40]!r} is not a place in the history")
    wanted = parse_search(search)
    conditions = _conditions(owner, wanted, blind_at)
    if before is not None:
        # On the index's own row number where it is searched: it then starts at the cursor instead of filtering.
        conditions.append("f.rowid < :before" if wanted.match else "r.seq < :before")
    order = "f.rowid" if wanted.match else "r.seq"
    rows = fetch(
        db,
        " ".join(["select r.*", _source(wanted), _where(conditions), "order by", order, "desc limit :limit"]),
        _parameters(owner, wanted, blind_at)
        | {"before": int(before) if before is not None else None, "limit": limit + 1},
    )
    shown = rows[:limit]
    return HistoryPage(
        runs=tuple(views_of(db, [to_run(row) for row in shown])),
        next=str(shown[-1]["seq"]) if len(rows) > limit else None,
    )


def count(db: Database, owner: str | None, search: str = "", *, blind_at: str | None = None) -> int:
    """How many runs `page` would show over all pages."""
    wanted = parse_search(search)
    row = fetch_one(
        db,
        " ".join(["select count(*) as runs", _source(wanted), _where(_conditions(owner, wanted, blind_at))]),
        _parameters(owner, wanted, blind_at),
    )
    return int(row["runs"]) if row else 0


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
    # A cross join keeps its order in SQLite. Left to choose, it may walk the owner's runs and search the whole index for
    # each: 25 s instead of 0.02 s with 100,000 runs.
    return "from runs_fts as f cross join runs as r on r.seq = f.rowid" if wanted.match else "from runs as r"


def _conditions(owner: str | None, wanted: Search, blind_at: str | None) -> list[str]:
    conditions = ["r.trashed_at is null"]
    if wanted.match:
        conditions.append("runs_fts match :match")
    if wanted.literals:
        conditions.append("not exists (select 1 from json_each(:literals) where instr(r.prompt, value) = 0)")
    if owner is not None:
        conditions.append("r.owner = :owner")
    if blind_at is not None:
        conditions.append(f"r.run_id not in ({UNREVEALED})")
    return conditions


def _where(conditions: list[str]) -> str:
    return "where " + " and ".join(conditions) if conditions else ""


def _parameters(owner: str | None, wanted: Search, blind_at: str | None) -> dict[str, object]:
    return {"owner": owner, "match": wanted.match, "literals": wanted.literals} | blind_parameters(blind_at)
