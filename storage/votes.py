"""Votes, one for each battle. Ratings are no rows: they follow from the votes, in order of `seq`.

Whoever calls owns the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage import elo_days, exclusions, tallies, vote_chain
from storage.elo_days import EloDay
from storage.engine import Database
from storage.records import Battle, Outcome, Vote
from storage.rows import changed, fetch, fetch_one, foreign_text
from storage.tallies import ANSWERS, COUNTS, SIDES, BoardFilter

TAKEN_BACK = "You took it back."
BROUGHT = "It came in an archive, which anybody can make up."
"""Why a vote does not count on everybody's boards."""
_INSERT = " ".join(
    [
        "insert into votes (battle_id, voter, outcome, decided_ms, counted, reason, voted_at, follows, looks)",
        *("values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning", COUNTS.replace("v.", "votes."), "as is_public"),
    ]
)
# Without a question before it: a vote is cast in few questions. In a range: no engine then thinks it is a third of all votes.
_BEHIND_KEPT = " ".join(
    [
        *(
            "with newest as (",
            elo_days.NEWEST,
            "), kept as (select coalesce(max(last_seq), 0) as last_seq from newest)",
        ),
        *("select v.seq, v.voted_at, v.voter,", SIDES, ", v.outcome, v.decided_ms"),
        "from votes as v join battles as b on b.battle_id = v.battle_id",
        "where v.seq > (select last_seq from kept) and v.seq <= (select last_seq from kept) + :most",
        *("and b.board = :board and b.is_demo = :is_demo and", COUNTS, "order by v.seq"),
    ]
)


@dataclass(frozen=True, slots=True)
class CountedVote:
    """One vote that counts."""

    seq: int
    voted_at: str
    voter: str
    offer_a: str
    quality_a: str
    offer_b: str
    quality_b: str
    outcome: Outcome
    decided_ms: int | None


def insert(db: Database, vote: Vote, battle: Battle) -> int:
    """Write the vote of a battle that has just been ended; returns its place among all votes.

    Raises:
        sqlite3.IntegrityError: the battle has a vote, or an answer is none of its kind.
    """
    inserted = db.conn.execute(
        _INSERT,
        (
            vote.battle_id,
            vote.voter,
            vote.outcome,
            vote.decided_ms,
            int(vote.counted),
            foreign_text(vote.reason),
            vote.voted_at,
            vote.follows,
            vote.looks,
        ),
    )
    seq = vote_chain.append(db, vote.battle_id, "cast")
    [(is_public,)] = inserted.fetchall()
    if is_public:
        tallies.add_vote(db, battle, vote, 1)
    return seq


def take_back(db: Database, battle: Battle, *, now: str, since: str) -> bool:
    """Mark the battle's vote as taken back; false when it was given before `since`, was taken back before, or its voter
    was shown another battle at the moment of the vote or since, or has voted again.
    """
    was = _vote(db, battle.battle_id)
    if was is None or not changed(
        db,
        """update votes set counted = 0, reason = :reason, undone_at = :now
        where battle_id = :battle_id and undone_at is null and voted_at >= :since
        and not exists (select 1 from battles as b
            where b.voter = votes.voter and b.shown_at >= votes.voted_at and b.battle_id != votes.battle_id)
        and not exists (select 1 from votes as v where v.voter = votes.voter and v.seq > votes.seq)""",
        {"battle_id": battle.battle_id, "now": now, "since": since, "reason": TAKEN_BACK},
    ):
        return False
    seq, vote = was
    vote_chain.append(db, battle.battle_id, "undone")
    if _is_public(db, vote):
        tallies.add_vote(db, battle, vote, -1)
        elo_days.forget_from(db, seq)
    return True


@dataclass(frozen=True, slots=True)
class Said:
    """What the votes that count on their voter's own board say of some images."""

    won: int
    lost: int
    even: int
    both_bad: int


def said_of_run(db: Database, run_id: str) -> Said:
    """What was said of the run's images, those in the trash too."""
    row = fetch_one(
        db,
        """select coalesce(sum(v.outcome = 'tie'), 0) as even, coalesce(sum(v.outcome = 'both_bad'), 0) as both_bad,
            coalesce(sum((v.outcome = 'a' and b.image_a = i.image_id) or (v.outcome = 'b' and b.image_b = i.image_id)), 0)
                as won,
            count(*) as votes
        from images as i cross join battles as b cross join votes as v on v.battle_id = b.battle_id
        where i.run_id = ? and (b.image_a = i.image_id or b.image_b = i.image_id)
        and i.deleted_at is null and v.counted = 1""",
        (run_id,),
    )
    if row is None:
        return Said(0, 0, 0, 0)
    lost = row["votes"] - row["won"] - row["even"] - row["both_bad"]
    return Said(row["won"], lost, row["even"], row["both_bad"])


def has_voted(db: Database, voter: str) -> bool:
    """Whether there is a vote of this voter's."""
    return fetch_one(db, "select 1 from votes where voter = ? limit 1", (voter,)) is not None


def left_out(db: Database) -> dict[str, int]:
    """Reasons for which everybody's boards do not count votes -> how many."""
    rows = fetch(db, "select reason, count(*) as votes from votes where reason is not null group by 1")
    found = {row["reason"]: row["votes"] for row in rows}
    excluded = sum(one.votes for one in exclusions.in_force(db))
    return found | ({"Voters left out": excluded} if excluded else {})


def behind_kept(
    db: Database, wanted: BoardFilter, level: str, method: str, *, most: int
) -> tuple[EloDay | None, list[CountedVote]]:
    """The newest day that is kept of a board's replay, and the board's votes among the `most` that follow, in their order."""
    named = wanted.named | {"level": level, "method": method, "most": most}
    day, behind = elo_days.ask_newest(db, named), db.conn.execute(_BEHIND_KEPT, named)
    return day(), [CountedVote(*row) for row in behind.fetchall()]


def in_order(db: Database, wanted: BoardFilter, *, after: int = 0, before: int | None = None) -> Iterator[CountedVote]:
    """A board's votes in their order, read as they are asked for: use it up within the read job.

    `after`, `before`: only votes placed behind, or in front of, these.
    """
    sql = " ".join(
        [
            "select v.seq, v.voted_at, v.voter,",
            SIDES,
            ",",
            ANSWERS[wanted.question],
            "as outcome, v.decided_ms",
            wanted.rows,
            "and v.seq > :after and (:before is null or v.seq < :before) order by v.seq",
        ]
    )
    for row in db.conn.execute(sql, wanted.named | {"after": after, "before": before}):
        yield CountedVote(*row)


def exported(db: Database, wanted: BoardFilter) -> Iterator[dict[str, object]]:
    """Everything an outsider needs to check a board, one vote after the other, those that do not count too: use it up within
    the read job. `voter` is the owner id: hash it before it leaves the house.
    """
    sql = " ".join(
        [
            "select v.seq, v.voted_at, v.voter,",
            SIDES,
            """, v.outcome, v.follows, v.looks, v.decided_ms, b.board, b.is_demo, b.category, b.prompt_id, b.source,
            b.probability, b.created_at, coalesce(v.reason, (
                select reason from exclusions as e where e.voter = v.voter and e.lifted_at is null), '') as reason,
            coalesce((
                select reason from reports as r where r.battle_id = v.battle_id and r.voter = v.voter), '') as reported,""",
            COUNTS,
            """as counted from votes as v join battles as b on b.battle_id = v.battle_id
            where b.board = :board and b.is_demo = :is_demo and (:category is null or b.category = :category)
            and (:since is null or v.voted_at >= :since) and (:until is null or v.voted_at < :until)
            and (:voter is null or v.voter = :voter) order by v.seq""",
        ]
    )
    return _each(db, sql, wanted)


def reported_without_vote(db: Database, wanted: BoardFilter) -> Iterator[dict[str, object]]:
    """Battles of a board that a report ended, as `exported` tells votes: without an answer, and with the report's time."""
    sql = " ".join(
        [
            "select null as seq, r.at as voted_at, r.voter,",
            SIDES,
            """, '' as outcome, '' as follows, '' as looks, null as decided_ms, b.board, b.is_demo, b.category, b.prompt_id,
            b.source, b.probability, b.created_at, '' as reason, r.reason as reported, 0 as counted
            from reports as r join battles as b on b.battle_id = r.battle_id
            where b.state = 'reported' and b.board = :board and b.is_demo = :is_demo
            and (:category is null or b.category = :category)
            and (:since is null or r.at >= :since) and (:until is null or r.at < :until)
            and (:voter is null or r.voter = :voter) order by r.at, r.battle_id""",
        ]
    )
    return _each(db, sql, wanted)


def _each(db: Database, sql: str, wanted: BoardFilter) -> Iterator[dict[str, object]]:
    cursor = db.conn.execute(sql, wanted.named)
    names = [column[0] for column in cursor.description or ()]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _is_public(db: Database, vote: Vote) -> bool:
    """Whether it counts on everybody's boards."""
    return vote.counted and vote.reason is None and not exclusions.has(db, vote.voter)


def _vote(db: Database, battle_id: str) -> tuple[int, Vote] | None:
    row = fetch_one(db, "select * from votes where battle_id = ?", (battle_id,))
    if row is None:
        return None
    seq = int(row.pop("seq"))
    row.pop("undone_at")
    return seq, Vote(**(row | {"counted": bool(row["counted"])}))
