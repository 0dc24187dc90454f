"""Battles and votes: candidates for a battle, the one vote a battle gets, and what a board counts.

A vote is one guarded `UPDATE` of its battle together with one row; the row's battle is unique, so there is never a
second vote. Whoever calls owns the transaction. `ratings` are no rows: they follow from the votes, in order of `seq`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from storage.records import Battle, BattleState, Operation, RunView, StoredImage, Vote
from storage.rows import changed, fetch, fetch_one, foreign_text, to_run
from storage.views import views_of

CANDIDATE_RUNS = 2000
"""Newest succeeded runs of a voter among which pairs are looked for; it bounds the work of finding one."""

COSTED_BATTLES = 2000
"""Newest battles of a board over which cost and latency are told."""


@dataclass(frozen=True, slots=True)
class BattleImage:
    """An image that is fit for a battle."""

    image_id: str
    offer: str
    kin: int
    """Equal within one answer of `candidates` for images of the same prompt, operation and inputs."""


@dataclass(frozen=True, slots=True)
class BattleSide:
    """One side of a battle with the run that made its image."""

    image: StoredImage
    view: RunView


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What a board says of an offer beside its rating."""

    offer: str
    cost_microusd: int | None
    """Cost of one image; `None` when nobody knows."""
    latency_ms: int | None


def candidates(db: Database, voter: str) -> list[BattleImage]:
    """Images of the voter's newest `CANDIDATE_RUNS` succeeded runs, newest first, without blank or damaged ones."""
    rows = fetch(
        db,
        """with recent as (
            select seq, run_id, offer, operation, prompt from runs
            where owner = :voter and state = 'succeeded' order by seq desc limit :runs
        ), signed as (
            select recent.*, coalesce((
                select group_concat(given, ' ') from (
                    select role || position || sha256 as given from inputs
                    where inputs.run_id = recent.run_id order by role, position
                )), '') as given
            from recent
        )
        select i.image_id, s.offer, dense_rank() over (order by s.operation, s.prompt, s.given) as kin
        from signed as s join images as i on i.run_id = s.run_id
        where not exists (select 1 from json_each(i.checks) where value in ('blank', 'damaged'))
        order by s.seq desc, i.position""",
        {"voter": voter, "runs": CANDIDATE_RUNS},
    )
    return [BattleImage(row["image_id"], row["offer"], row["kin"]) for row in rows]


def met(db: Database, voter: str, images: Sequence[str]) -> list[tuple[str, str, BattleState]]:
    """(image_a, image_b, state) of the voter's battles between any two of `images`."""
    rows = fetch(
        db,
        """select image_a, image_b, state from battles where voter = :voter
        and image_a in (select value from json_each(:images)) and image_b in (select value from json_each(:images))""",
        {"voter": voter, "images": json.dumps(list(images))},
    )
    return [(row["image_a"], row["image_b"], row["state"]) for row in rows]


def insert(db: Database, battle: Battle) -> None:
    """Write a battle whose blind copies are on disk already.

    Raises:
        sqlite3.IntegrityError: the id is taken, or an image is not there or meets itself.
    """
    db.conn.execute(
        """insert into battles (battle_id, voter, operation, prompt, image_a, image_b, offer_a, offer_b, source, is_demo,
            probability, state, created_at, expires_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            battle.battle_id,
            battle.voter,
            battle.operation,
            foreign_text(battle.prompt),
            battle.image_a,
            battle.image_b,
            battle.offer_a,
            battle.offer_b,
            battle.source,
            int(battle.is_demo),
            battle.probability,
            battle.state,
            battle.created_at,
            battle.expires_at,
        ),
    )


def get(db: Database, battle_id: str, voter: str) -> Battle | None:
    """The battle; `None` if there is none or it is not this voter's."""
    row = fetch_one(
        db,
        "select * from battles where battle_id = :battle_id and voter = :voter",
        {"battle_id": battle_id, "voter": voter},
    )
    return _to_battle(row) if row else None


def newest_open(db: Database, voter: str, now: str) -> Battle | None:
    """The voter's newest battle that still waits for a vote at `now` (UTC text), or `None`."""
    row = fetch_one(
        db,
        """select * from battles where voter = :voter and state = 'open' and expires_at > :now
        order by created_at desc, battle_id limit 1""",
        {"voter": voter, "now": now},
    )
    return _to_battle(row) if row else None


def end(db: Database, battle_id: str, voter: str, *, state: BattleState, now: str) -> bool:
    """`open` to `voted` or `skipped`; false if it is not this voter's, over already, or past its time at `now`."""
    return changed(
        db,
        """update battles set state = :state
        where battle_id = :battle_id and voter = :voter and state = 'open' and expires_at > :now""",
        {"battle_id": battle_id, "voter": voter, "state": state, "now": now},
    )


def voted_before(db: Database, battle: Battle) -> bool:
    """Whether the voter has voted on the same two images in another battle, whichever the sides."""
    row = fetch_one(
        db,
        """select 1 from battles where voter = :voter and state = 'voted' and battle_id != :battle_id
        and ((image_a = :a and image_b = :b) or (image_a = :b and image_b = :a)) limit 1""",
        {"voter": battle.voter, "battle_id": battle.battle_id, "a": battle.image_a, "b": battle.image_b},
    )
    return row is not None


def insert_vote(db: Database, vote: Vote) -> int:
    """Write the vote of a battle that `end` has just ended; returns its place among all votes.

    Raises:
        sqlite3.IntegrityError: the battle has a vote, or the outcome is none of the four.
    """
    cursor = db.conn.execute(
        """insert into votes (battle_id, voter, outcome, decided_ms, counted, reason, voted_at)
        values (?, ?, ?, ?, ?, ?, ?)""",
        (
            vote.battle_id,
            vote.voter,
            vote.outcome,
            vote.decided_ms,
            int(vote.counted),
            foreign_text(vote.reason),
            vote.voted_at,
        ),
    )
    return int(cursor.lastrowid or 0)


def expire(db: Database, voter: str, now: str) -> int:
    """End the voter's open battles whose time has passed at `now` (UTC text); how many."""
    cursor = db.conn.execute(
        "update battles set state = 'expired' where voter = :voter and state = 'open' and expires_at <= :now",
        {"voter": voter, "now": now},
    )
    return cursor.rowcount


def side(db: Database, image_id: str, owner: str | None) -> BattleSide | None:
    """The image with its run; `None` if there is none or it is not `owner`'s. Owner `None`: anybody's."""
    row = fetch_one(
        db,
        """select r.* from images as i join runs as r on r.run_id = i.run_id
        where i.image_id = :image_id and (:owner is null or r.owner = :owner)""",
        {"image_id": image_id, "owner": owner},
    )
    if row is None:
        return None
    view = views_of(db, [to_run(row)])[0]
    image = next(image for image in view.images if image.image_id == image_id)
    return BattleSide(image, view)


def has_voted(db: Database, voter: str) -> bool:
    """Whether there is a vote of this voter's."""
    return fetch_one(db, "select 1 from battles where voter = ? and state = 'voted' limit 1", (voter,)) is not None


def board_sizes(db: Database) -> dict[tuple[Operation, bool], int]:
    """Counted votes of each board that has any: (operation, whether drawn models) -> votes."""
    rows = fetch(
        db,
        """select b.operation, b.is_demo, count(*) as votes from votes as v join battles as b on b.battle_id = v.battle_id
        where v.counted = 1 group by b.operation, b.is_demo""",
    )
    return {(row["operation"], bool(row["is_demo"])): row["votes"] for row in rows}


def left_out(db: Database) -> int:
    """Votes that do not count."""
    row = fetch_one(db, "select count(*) as votes from votes where counted = 0")
    return int(row["votes"]) if row else 0


def pair_counts(db: Database, operation: Operation, *, is_demo: bool) -> list[tuple[str, str, str, int]]:
    """(offer_a, offer_b, outcome, votes) of one board, counted votes only."""
    rows = fetch(
        db,
        """select b.offer_a, b.offer_b, v.outcome, count(*) as votes
        from votes as v join battles as b on b.battle_id = v.battle_id
        where v.counted = 1 and b.operation = :operation and b.is_demo = :is_demo
        group by b.offer_a, b.offer_b, v.outcome""",
        {"operation": operation, "is_demo": int(is_demo)},
    )
    return [(row["offer_a"], row["offer_b"], row["outcome"], row["votes"]) for row in rows]


def in_order(
    db: Database, operation: Operation, *, is_demo: bool, before: int | None = None
) -> Iterator[tuple[str, str, str]]:
    """(offer_a, offer_b, outcome) of one board's counted votes in their order, read as they are asked for.

    Use it up within the read job. `before`: only votes placed before this one.
    """
    yield from db.conn.execute(
        """select b.offer_a, b.offer_b, v.outcome from votes as v join battles as b on b.battle_id = v.battle_id
        where v.counted = 1 and b.operation = :operation and b.is_demo = :is_demo
        and (:before is null or v.seq < :before) order by v.seq""",
        {"operation": operation, "is_demo": int(is_demo), "before": before},
    )


def recent_facts(db: Database, operation: Operation, *, is_demo: bool) -> list[OfferFacts]:
    """Cost and latency of the images in the newest `COSTED_BATTLES` voted battles of a board; an image counts once."""
    rows = fetch(
        db,
        """with recent as (
            select b.image_a, b.image_b from votes as v join battles as b on b.battle_id = v.battle_id
            where v.counted = 1 and b.operation = :operation and b.is_demo = :is_demo order by v.seq desc limit :battles
        )
        select r.offer, r.latency_ms,
            (select sum(amount_microusd) from ledger as l where l.run_id = r.run_id and l.state in ('settled', 'released'))
                / (select count(*) from images as made where made.run_id = r.run_id) as cost_microusd
        from images as i join runs as r on r.run_id = i.run_id
        where i.image_id in (select image_a from recent union select image_b from recent)""",
        {"operation": operation, "is_demo": int(is_demo), "battles": COSTED_BATTLES},
    )
    return [OfferFacts(row["offer"], row["cost_microusd"], row["latency_ms"]) for row in rows]


def _to_battle(row: dict[str, object]) -> Battle:
    return Battle(**(row | {"is_demo": bool(row["is_demo"])}))  # type: ignore[arg-type]  # STRICT columns vouch for it
