"""How many votes there are: of each voter, and in all. Whoever calls owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Database
from storage.rows import fetch, fetch_one


@dataclass(frozen=True, slots=True)
class VoterVotes:
    """One voter's votes."""

    voter: str
    votes: int
    counted: int
    """Those that everybody's boards count, or would if the voter were not left out."""
    first_at: str
    last_at: str


def by_voter(db: Database) -> list[VoterVotes]:
    """All who ever voted, those with the most votes first."""
    rows = fetch(
        db,
        """select voter, count(*) as votes, sum(counted = 1 and reason is null) as counted,
            min(voted_at) as first_at, max(voted_at) as last_at
        from votes group by voter order by count(*) desc, voter""",
    )
    return [VoterVotes(**row) for row in rows]


def last_seq(db: Database) -> int:
    """Place of the newest vote; 0 when there is none."""
    row = fetch_one(db, "select coalesce(max(seq), 0) as seq from votes")
    return int(row["seq"]) if row else 0


def standing(db: Database) -> tuple[int, ...]:
    """Figures that change whenever a board could: a vote came or was taken back, a voter was left out or counted again."""
    row = fetch_one(
        db,
        """select (select coalesce(max(seq), 0) from votes) as seq, (select coalesce(sum(votes), 0) from tally_totals) as votes,
            (select count(*) from exclusions) as excluded, (select count(lifted_at) from exclusions) as lifted""",
    )
    return tuple((row or {}).values())
