"""Battles: candidates for one, its row, and its end.

A vote is one guarded `UPDATE` of its battle together with one row of `storage.votes`; the row's battle is unique, so
there is never a second vote. Whoever calls owns the transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storage.engine import Database
from storage.records import (
    Battle,
    BattleSource,
    BattleState,
    BoardName,
    CostSource,
    LedgerLine,
    Operation,
    RunView,
    StoredImage,
)
from storage.rows import Row, changed, fetch, fetch_one, fetched, foreign_text, to_image, to_ledger_line, to_run
from storage.views import cost_of, views_of
from storage.votes import BROUGHT

CANDIDATE_RUNS = 2000
"""Newest succeeded runs of a voter among which pairs are looked for; it bounds the work of finding one."""

COSTED_BATTLES = 2000
"""Newest battles of a board over which cost and latency are told."""

# The state as an expression: no engine then goes through all open battles to find this one.
_END = """update battles set state = :state
    where battle_id = :battle_id and voter = :voter and state || '' = 'open' and expires_at > :now"""
_BEFORE_VOTE = """select b.*,
        exists (select 1 from battles as past where past.voter = b.voter and past.image_a = b.image_a
            and past.image_b = b.image_b and past.state = 'voted' and past.battle_id != b.battle_id)
        or exists (select 1 from battles as past where past.voter = b.voter and past.image_a = b.image_b
            and past.image_b = b.image_a and past.state = 'voted' and past.battle_id != b.battle_id) as is_repeated,
        exists (select 1 from exclusions as e where e.voter = b.voter and e.lifted_at is null) as is_left_out
    from battles as b where b.battle_id = :battle_id and b.voter = :voter"""
_IMAGES_OF = """(select image_a as image_id from battles where battle_id = :battle_id
    union all select image_b from battles where battle_id = :battle_id)"""
_MAKERS = " ".join(
    [
        """select i.image_id, i.sha256, r.run_id, r.offer, r.latency_ms,
        (select count(*) from images as made where made.run_id = r.run_id and made.deleted_at is null) as images from""",
        *(_IMAGES_OF, "as side cross join images as i on i.image_id = side.image_id"),
        "cross join runs as r on r.run_id = i.run_id",
    ]
)
_MAKERS_LINES = " ".join(
    [
        *("select * from ledger where run_id in (select i.run_id from", _IMAGES_OF, "as side cross join images as i"),
        "on i.image_id = side.image_id) order by run_id, ledger_id",
    ]
)


@dataclass(frozen=True, slots=True)
class BattleImage:
    """An image that is fit for a battle."""

    image_id: str
    offer: str
    kin: int
    """Equal within one answer of `candidates` for images of the same prompt, operation and inputs."""
    board: BoardName
    prompt: str


@dataclass(frozen=True, slots=True)
class Met:
    """Two images that have met in a battle."""

    image_a: str
    image_b: str
    state: BattleState
    source: BattleSource

    @property
    def pair(self) -> frozenset[str]:
        """Both, whichever the sides."""
        return frozenset((self.image_a, self.image_b))

    @property
    def is_spent(self) -> bool:
        """Whether they must not meet again: they have a vote or a report, or were made for a battle that was skipped, and stand
        in the history with their makers since.
        """
        return self.state in ("voted", "reported") or (self.state == "skipped" and self.source == "new")


@dataclass(frozen=True, slots=True)
class BeforeVote:
    """A battle as it stands when its vote comes, and what that vote will count for."""

    battle: Battle
    is_repeated: bool
    """Whether the voter has voted on the same two images in another battle, whichever the sides."""
    is_left_out: bool
    """Whether the voter's votes are left out of everybody's boards."""


@dataclass(frozen=True, slots=True)
class BattleSide:
    """One side of a battle with the run that made its image."""

    image: StoredImage
    view: RunView


@dataclass(frozen=True, slots=True)
class Maker:
    """What made one image of a battle."""

    image_id: str
    sha256: str
    run_id: str
    offer: str
    latency_ms: int | None
    cost_microusd: int | None
    """Of one image; `None` when nobody knows."""
    cost_source: CostSource


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What a board says of an offer beside its rating."""

    offer: str
    quality: str
    cost_microusd: int | None
    """Cost of one image; `None` when nobody knows."""
    latency_ms: int | None


def candidates(db: Database, voter: str, *, with_brought: bool = True) -> list[BattleImage]:
    """Images of the voter's newest `CANDIDATE_RUNS` succeeded runs, newest first, without those that are blank, damaged or in
    the trash. `with_brought`: runs too that came in an archive, whose makers nobody can vouch for.
    """
    rows = fetch(
        db,
        """with recent as (
            select seq, run_id, offer, operation, prompt from runs
            where owner = :voter and state = 'succeeded' and trashed_at is null
            and (:with_brought = 1 or brought_at is null) order by seq desc limit :runs
        ), signed as (
            select recent.*, coalesce((
                select group_concat(given, ' ') from (
                    select role || position || sha256 as given from inputs
                    where inputs.run_id = recent.run_id order by role, position
                ) as each), '') as given
            from recent
        )
        select i.image_id, s.offer, dense_rank() over (order by s.operation, s.prompt, s.given) as kin,
            s.operation, s.prompt,
            (select count(*) from inputs where inputs.run_id = s.run_id and inputs.role = 'image') as sources
        from signed as s join images as i on i.run_id = s.run_id
        where i.trashed_at is null and not exists (select 1 from json_each(i.checks) where value in ('blank', 'damaged'))
        order by s.seq desc, i.position""",
        {"voter": voter, "runs": CANDIDATE_RUNS, "with_brought": int(with_brought)},
    )
    return [
        BattleImage(
            row["image_id"], row["offer"], row["kin"], board_of(row["operation"], row["sources"]), row["prompt"]
        )
        for row in rows
    ]


def board_of(operation: Operation, sources: int) -> BoardName:
    """Where votes on images made from so many source images belong."""
    if operation == "generate":
        return "generate"
    return "edit-multi" if sources > 1 else "edit-single"


def met(db: Database, voter: str, images: Sequence[str]) -> list[Met]:
    """The voter's battles between any two of `images`."""
    # The plus keeps the second condition out of the index, which SQLite would else ask for each image with each other.
    rows = fetch(
        db,
        """select image_a, image_b, state, source from battles where voter = :voter
        and image_a in (select value from json_each(:images)) and +image_b in (select value from json_each(:images))""",
        {"voter": voter, "images": json.dumps(list(images))},
    )
    return [Met(**row) for row in rows]


def insert(db: Database, battle: Battle) -> None:
    """Write a battle whose blind copies are on disk already.

    Raises:
        sqlite3.IntegrityError: the id is taken, or an image is not there or meets itself.
    """
    db.conn.execute(
        """insert into battles (battle_id, voter, operation, prompt, image_a, image_b, offer_a, offer_b, source, is_demo,
            probability, state, created_at, expires_at, board, category, prompt_id, quality_a, quality_b, shown_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
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
            battle.board,
            battle.category,
            battle.prompt_id,
            battle.quality_a,
            battle.quality_b,
            battle.shown_at,
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


def show(db: Database, battle_id: str, now: str) -> None:
    """Note that the battle is put before its voter: from now on a vote on another one stands."""
    db.conn.execute("update battles set shown_at = ? where battle_id = ?", (now, battle_id))


def newest_open(db: Database, voter: str, now: str) -> Battle | None:
    """The voter's newest battle that still waits for a vote at `now` (UTC text), or `None`.

    One whose images have been spent in another battle meanwhile waits no more, see `Met.is_spent`.
    """
    row = fetch_one(
        db,
        """select * from battles as b where voter = :voter and state = 'open' and expires_at > :now and not exists (
            select 1 from (select b.image_a as one, b.image_b as other union all select b.image_b, b.image_a) as pair
            cross join battles as past on past.voter = :voter and past.image_a = pair.one and past.image_b = pair.other
            where past.state in ('voted', 'reported') or (past.state = 'skipped' and past.source = 'new'))
        order by created_at desc, battle_id limit 1""",
        {"voter": voter, "now": now},
    )
    return _to_battle(row) if row else None


def end(db: Database, battle_id: str, voter: str, *, state: BattleState, now: str) -> bool:
    """`open` to `voted` or `skipped`; false if it is not this voter's, over already, or past its time at `now`."""
    return changed(db, _END, {"battle_id": battle_id, "voter": voter, "state": state, "now": now})


def end_reported(db: Database, battle_id: str, voter: str) -> bool:
    """Any state but `voted` to `reported`, also where the battle was skipped or is past its time; false: it has its vote."""
    return changed(
        db,
        "update battles set state = 'reported' where battle_id = :battle_id and voter = :voter and state != 'voted'",
        {"battle_id": battle_id, "voter": voter},
    )


def end_by_vote(db: Database, battle_id: str, voter: str, *, now: str) -> tuple[BeforeVote | None, bool]:
    """The battle as it was before, `None` if there is none or it is not this voter's; and whether it went from `open` to
    `voted`, as by `end`.
    """
    named = {"battle_id": battle_id, "voter": voter, "state": "voted", "now": now}
    asked, ended = db.conn.execute(_BEFORE_VOTE, named), db.conn.execute(_END, named)
    return _to_before_vote(next(iter(fetched(asked)), None)), ended.rowcount > 0


def _to_before_vote(row: Row | None) -> BeforeVote | None:
    if row is None:
        return None
    is_repeated, is_left_out = bool(row.pop("is_repeated")), bool(row.pop("is_left_out"))
    return BeforeVote(_to_battle(row), is_repeated, is_left_out)


def expire(db: Database, voter: str, now: str) -> int:
    """End the voter's open battles whose time has passed at `now` (UTC text); how many."""
    cursor = db.conn.execute(
        "update battles set state = 'expired' where voter = :voter and state = 'open' and expires_at <= :now",
        {"voter": voter, "now": now},
    )
    return cursor.rowcount


def side(db: Database, image_id: str, owner: str | None) -> BattleSide | None:
    """The image with its run, also one that was deleted since; `None` if there is none or it is not `owner`'s. Owner `None`:
    anybody's.
    """
    named = {"image_id": image_id, "owner": owner}
    of_image = db.conn.execute("select * from images where image_id = :image_id", named)
    of_run = fetch(
        db,
        """select * from runs where (:owner is null or owner = :owner)
        and run_id = (select run_id from images where image_id = :image_id)""",
        named,
    )
    images, views = fetched(of_image), views_of(db, [to_run(row) for row in of_run])
    return BattleSide(to_image(images[0]), views[0]) if views else None


def ask_makers(db: Database, battle_id: str) -> Callable[[], dict[str, Maker]]:
    """Asks who made the battle's images; whoever calls what it gives has the answer, by the image's id. What is asked meanwhile
    waits no longer for it.
    """
    named = {"battle_id": battle_id}
    images, lines = db.conn.execute(_MAKERS, named), db.conn.execute(_MAKERS_LINES, named)

    def answer() -> dict[str, Maker]:
        billed: defaultdict[str, list[LedgerLine]] = defaultdict(list)
        for line in map(to_ledger_line, fetched(lines)):
            billed[line.run_id].append(line)
        return {row["image_id"]: _to_maker(row, billed[row["run_id"]]) for row in fetched(images)}

    return answer


def _to_maker(row: Row, lines: Sequence[LedgerLine]) -> Maker:
    cost, images = cost_of(lines), row.pop("images")
    of_one = None if cost.microusd is None else round(cost.microusd / max(1, images))
    return Maker(**row, cost_microusd=of_one, cost_source=cost.source)


def recent_facts(db: Database, board: BoardName, *, is_demo: bool) -> list[OfferFacts]:
    """Cost and latency of the images in the newest `COSTED_BATTLES` voted battles of a board; an image counts once."""
    rows = fetch(
        db,
        """with recent as (
            select b.image_a, b.image_b from votes as v join battles as b on b.battle_id = v.battle_id
            where v.counted = 1 and coalesce(v.reason, '') != :brought
            and b.board = :board and b.is_demo = :is_demo order by v.seq desc limit :battles
        )
        select r.offer, coalesce(r.asked ->> 'quality', 'auto') as quality, r.latency_ms,
            (select sum(amount_microusd) from ledger as l where l.run_id = r.run_id and l.state in ('settled', 'released'))
                / (select count(*) from images as made where made.run_id = r.run_id) as cost_microusd
        from images as i join runs as r on r.run_id = i.run_id
        where i.image_id in (select image_a from recent union select image_b from recent)""",
        {"board": board, "is_demo": int(is_demo), "battles": COSTED_BATTLES, "brought": BROUGHT},
    )
    return [OfferFacts(row["offer"], row["quality"], row["cost_microusd"], row["latency_ms"]) for row in rows]


def _to_battle(row: Row) -> Battle:
    return Battle(**(row | {"is_demo": bool(row["is_demo"])}))
