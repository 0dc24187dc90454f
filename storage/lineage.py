"""Where a run's inputs came from and what became of its images, by the hashes of the bytes."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Database
from storage.records import RunView
from storage.rows import fetch, fetch_one, to_run
from storage.views import views_of

MAX_RUNS = 200
"""Runs that a branch is followed over; it bounds the work, however often a picture was used."""
SHOWN = 12

# Each in two steps, by the image as it came and by what was locked of it, so that both go by an index of hashes.
UP = """with recursive line (seq, run_id) as (
    select seq, run_id from runs where run_id = :run and owner = :owner
    union
    select r.seq, r.run_id from line as l cross join inputs as n on n.run_id = l.run_id
        cross join images as i on i.sha256 = n.sha256 and i.deleted_at is null cross join runs as r on r.run_id = i.run_id
        where r.owner = :owner and r.seq < l.seq and r.deleted_at is null
    union
    select r.seq, r.run_id from line as l cross join inputs as n on n.run_id = l.run_id
        cross join derived_images as d on d.sha256 = n.sha256 and d.kind = 'locked'
        cross join images as i on i.image_id = d.image_id cross join runs as r on r.run_id = i.run_id
        where r.owner = :owner and r.seq < l.seq and r.deleted_at is null
    limit :most
)"""
DOWN = """with recursive line (seq, run_id) as (
    select seq, run_id from runs where run_id = :run and owner = :owner
    union
    select r.seq, r.run_id from line as l cross join images as i on i.run_id = l.run_id and i.deleted_at is null
        cross join inputs as n on n.sha256 = i.sha256 cross join runs as r on r.run_id = n.run_id
        where r.owner = :owner and r.seq > l.seq and r.deleted_at is null
    union
    select r.seq, r.run_id from line as l cross join images as i on i.run_id = l.run_id and i.deleted_at is null
        cross join derived_images as d on d.image_id = i.image_id and d.kind = 'locked'
        cross join inputs as n on n.sha256 = d.sha256 cross join runs as r on r.run_id = n.run_id
        where r.owner = :owner and r.seq > l.seq and r.deleted_at is null
    limit :most
)"""
"""What led to a run, and what came of it, each a line of runs."""
_COSTS = "select f.cost_microusd from line as l join run_facts as f on f.seq = l.seq where l.run_id != :run"
_NEAREST = "select r.* from line as l join runs as r on r.seq = l.seq where l.run_id != :run order by l.seq"


@dataclass(frozen=True, slots=True)
class Branch:
    """Runs on one side of a run, without it."""

    runs: tuple[RunView, ...]
    """The nearest by time, `SHOWN` at most."""
    count: int
    cost_microusd: int
    """What those came to whose cost is known, the run itself not among them."""
    unknown: int
    """How many have a cost that is not known."""


def came_from(db: Database, run_id: str, owner: str) -> Branch:
    """Earlier runs whose images were inputs of this one, theirs, and so on."""
    return _branch(db, UP, run_id, owner, "desc")


def led_to(db: Database, run_id: str, owner: str) -> Branch:
    """Later runs that had images of this one as inputs, and so on."""
    return _branch(db, DOWN, run_id, owner, "asc")


def same_request(db: Database, run_id: str, owner: str) -> list[str]:
    """Ids of other runs that asked the same offer for exactly the same, newest first, `SHOWN` at most."""
    run = fetch_one(db, "select prompt, offer, asked, spaced from runs where run_id = ? and owner = ?", (run_id, owner))
    words = str(run["spaced"] or run["prompt"])[:200].rsplit(" ", 1)[0] if run else ""
    if run is None or not any(letter.isalnum() for letter in words):
        return []
    # The text index finds the few with these words; what they asked is then compared.
    match = ('spaced : "' if run["spaced"] else 'prompt : "') + words.replace('"', '""') + '"*'
    rows = fetch(
        db,
        """select r.run_id from runs_fts as m cross join runs as r on r.seq = m.rowid
        where runs_fts match :match and r.owner = :owner and r.offer = :offer and r.asked = :asked and r.prompt = :prompt
        and r.run_id != :run and r.trashed_at is null order by m.rowid desc limit :most""",
        {
            "match": match,
            "owner": owner,
            "offer": run["offer"],
            "asked": run["asked"],
            "prompt": run["prompt"],
            "run": run_id,
            "most": SHOWN,
        },
    )
    return [row["run_id"] for row in rows]


def _branch(db: Database, line: str, run_id: str, owner: str, way: str) -> Branch:
    given = {"run": run_id, "owner": owner, "most": MAX_RUNS, "shown": SHOWN}
    costs = [row["cost_microusd"] for row in fetch(db, " ".join([line, _COSTS]), given)]
    rows = fetch(db, " ".join([line, _NEAREST, way, "limit :shown"]), given) if costs else []
    known = [cost for cost in costs if cost is not None]
    return Branch(tuple(views_of(db, [to_run(row) for row in rows])), len(costs), sum(known), len(costs) - len(known))
