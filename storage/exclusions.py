"""Voters whose votes boards leave out, with the reason; nothing is deleted, and it can be lifted. Whoever calls owns the
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage import elo_days, tallies
from storage.engine import Database
from storage.records import ExclusionKind
from storage.rows import changed, fetch, fetch_one, foreign_text


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A voter whose votes are left out, and why."""

    voter: str
    kind: ExclusionKind
    reason: str
    at: str
    votes: int
    """Votes of theirs that everybody's boards would count."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Votes that count and votes left out because of their voters."""

    counted: int
    excluded: int

    @property
    def share(self) -> float:
        """Excluded votes as a share of both: 0 to 1."""
        return self.excluded / max(1, self.counted + self.excluded)


def has(db: Database, voter: str) -> bool:
    """Whether the voter's votes are left out now."""
    return fetch_one(db, "select 1 from exclusions where voter = ? and lifted_at is null", (voter,)) is not None


def exclude(db: Database, voter: str, kind: ExclusionKind, reason: str, now: str) -> bool:
    """Leave the voter's votes out, those to come too; false when they are left out already."""
    if has(db, voter):
        return False
    db.conn.execute(
        "insert into exclusions (voter, kind, reason, at) values (?, ?, ?, ?)", (voter, kind, foreign_text(reason), now)
    )
    _recount(db, voter, -1)
    return True


def readmit(db: Database, voter: str, now: str) -> bool:
    """Count the voter's votes again; false when they are counted."""
    done = changed(
        db,
        "update exclusions set lifted_at = :now where voter = :voter and lifted_at is null",
        {"voter": voter, "now": now},
    )
    if done:
        _recount(db, voter, 1)
    return done


def in_force(db: Database) -> list[Exclusion]:
    """Voters whose votes are left out now, newest first."""
    rows = fetch(
        db,
        """select e.voter, e.kind, e.reason, e.at,
            (select count(*) from votes as v where v.voter = e.voter and v.counted = 1 and v.reason is null) as votes
        from exclusions as e where e.lifted_at is null order by e.exclusion_id desc""",
    )
    return [Exclusion(**row) for row in rows]


def shares(db: Database, since: str | None = None) -> Shares:
    """Votes that count and votes left out because of their voters, over all boards; `since`: of votes from then on.

    From sums and indexes: every board says it, so it must not read every vote. The order of the tables, and the time as an
    expression, keep the engine to the few voters and the few votes left out.
    """
    excluded = fetch_one(
        db,
        """select count(*) as votes from exclusions as e cross join votes as v
        where e.lifted_at is null and v.voter = e.voter and v.counted = 1 and v.reason is null
        and (:since is null or v.voted_at >= :since)""",
        {"since": since},
    )
    left_out = int(excluded["votes"]) if excluded else 0
    if since is None:
        return Shares(tallies.counted_votes(db), left_out)
    recent = fetch_one(
        db,
        """select (select count(*) from votes where voted_at >= :since)
            - (select count(*) from votes where reason is not null and voted_at || '' >= :since) as votes""",
        {"since": since},
    )
    return Shares((int(recent["votes"]) if recent else 0) - left_out, left_out)


def lifted(db: Database) -> set[tuple[str, str]]:
    """(voter, kind) of what was lifted by hand: it is not found again by itself."""
    rows = fetch(db, "select distinct voter, kind from exclusions where lifted_at is not null")
    return {(row["voter"], row["kind"]) for row in rows}


def _recount(db: Database, voter: str, sign: int) -> None:
    first = tallies.add_voter(db, voter, sign)
    if first is not None:
        elo_days.forget_from(db, first)
