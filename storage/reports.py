"""What voters say is wrong with battles. Whoever calls owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Database
from storage.records import BattleSource, BattleState, ReportReason
from storage.rows import fetch, fetch_one, foreign_text


@dataclass(frozen=True, slots=True)
class Report:
    """A report with what it is about."""

    at: str
    voter: str
    reason: ReportReason
    words: str
    battle_id: str
    state: BattleState
    """Of the battle: `voted` where the report came after the vote."""
    source: BattleSource
    prompt: str
    offer_a: str
    offer_b: str
    sha256_a: str
    """Of the image as it came."""
    sha256_b: str


def add(db: Database, battle_id: str, voter: str, reason: ReportReason, words: str, now: str) -> bool:
    """Keep what is wrong with a battle; false when this voter has said so before."""
    cursor = db.conn.execute(
        """insert into reports (battle_id, voter, reason, words, at) values (?, ?, ?, ?, ?)
        on conflict (battle_id, voter) do nothing""",
        (battle_id, voter, reason, foreign_text(words), now),
    )
    return cursor.rowcount > 0


def newest(db: Database, limit: int) -> list[Report]:
    """At most so many, newest first."""
    rows = fetch(
        db,
        """select r.at, r.voter, r.reason, r.words, r.battle_id, b.state, b.source, b.prompt, b.offer_a, b.offer_b,
            a.sha256 as sha256_a, c.sha256 as sha256_b
        from reports as r join battles as b on b.battle_id = r.battle_id
        join images as a on a.image_id = b.image_a join images as c on c.image_id = b.image_b
        order by r.at desc, r.battle_id limit :limit""",
        {"limit": limit},
    )
    return [Report(**row) for row in rows]


def count(db: Database) -> int:
    """How many there are."""
    row = fetch_one(db, "select count(*) as reports from reports")
    return int(row["reports"]) if row else 0
