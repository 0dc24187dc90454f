"""The chain over votes: what it covers, where it breaks, and what an anchor says of a database that was put back or cut."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage import battles as battle_rows
from storage import erasing, vote_chain, votes
from storage.anchors import Anchor, AnchorRefused, Lost, anchor_of, anchor_of_copy, lost, read_anchor, write_anchor
from storage.database import Store
from storage.opening import DATABASE_NAME
from storage.verify import check_anchor, verify
from storage.vote_chain import NO_HEAD
from tests.behind_the_store import everything
from tests.storage.test_votes import DAY, Votes


@pytest.fixture
def world(tmp_path: Path):
    one = Votes(tmp_path / "data")
    yield one
    one.store.close()


def sql(world: Votes, *statements: str) -> None:
    """By hand, past every check."""

    def change(db: Database) -> None:
        for statement in statements:
            db.conn.execute(statement)

    world.store.write(change)


def take_back(world: Votes, number: int) -> None:
    def take(db: Database) -> bool:
        battle = battle_rows.get(db, f"{number:032x}", "local")
        return battle is not None and votes.take_back(db, battle, now=DAY.format(2), since=DAY.format(2))

    assert world.store.write(take)


def kinds(store: Store) -> list[tuple[str, str]]:
    return [(one.kind, one.subject) for one in verify(store) if one.kind.startswith("vote_")]


def anchor(world: Votes) -> Anchor:
    return world.store.read(anchor_of)


def test_each_vote_and_each_change_of_it_is_a_link_that_anybody_can_compute(world: Votes) -> None:
    world.vote("a", voter="ann")
    world.vote("tie", follows="b", category="text")
    take_back(world, 2)
    world.store.write(lambda db: erasing.erase(db, "ann", DAY.format(3), "nobody-1"))
    rows = world.store.read(
        lambda db: db.conn.execute(
            "select link, seq, kind, votes, nonce is null, digest, head from vote_links order by link"
        ).fetchall()
    )
    assert [row[:5] for row in rows] == [
        (1, 1, "cast", 1, 1),
        (2, 2, "cast", 2, 0),
        (3, 2, "undone", 2, 0),
        (4, 1, "erased", 2, 0),
    ]
    head = NO_HEAD
    for *_, digest, its_head in rows:
        head = hashlib.sha256((head + digest).encode()).hexdigest()
        assert head == its_head
    nonce = world.store.read(lambda db: db.conn.execute("select nonce from vote_links where link = 3").fetchone()[0])
    seen = f"{2:032x}", "local", "tie", "b", None, 900, DAY.format(2), *world.images
    sides = "openai/x", "auto", "fal/x", "auto", "generate", 0, "text"
    vote = json.dumps(["undone", 2, *seen, *sides, 0, votes.TAKEN_BACK, DAY.format(2)], separators=(",", ":"))
    assert hashlib.sha256(f"{nonce}\n{vote}".encode()).hexdigest() == rows[2][5]
    assert verify(world.store) == []


def test_a_vote_that_was_parted_from_its_voter_cannot_be_tried_out(world: Votes) -> None:
    world.vote("a", voter="ann")
    before = anchor(world)
    world.store.write(lambda db: erasing.erase(db, "ann", DAY.format(3), "nobody-1"))
    assert "ann" not in everything(world.store).replace("planned", "")
    assert check_anchor(world.store, before) == [], "the vote is still there, and the anchor knows it"


HAND_MADE = {
    "another answer": ("update votes set outcome = 'b' where seq = 2", {("vote_changed", "vote 2")}),
    "another maker": (
        f"update battles set offer_a = 'x/y' where battle_id = '{2:032x}'",
        {("vote_changed", "vote 2")},
    ),
    "counts no more": ("update votes set counted = 0 where seq = 2", {("vote_changed", "vote 2")}),
    "counts again": (
        "update votes set counted = 1, reason = null, undone_at = null where seq = 3",
        {("vote_changed", "vote 3")},
    ),
    "a vote gone": ("delete from votes where seq = 2", {("vote_missing", "vote 2")}),
    "the last link gone": (
        "delete from vote_links where link = (select max(link) from vote_links)",
        {("vote_changed", "vote 3")},
    ),
    "vote and link gone": (
        "delete from vote_links where seq = 2; delete from votes where seq = 2",
        {("vote_chain_broken", "link 2")},
    ),
    "another head": ("update vote_links set head = digest where link = 2", {("vote_chain_broken", "link 2")}),
    "a nonce gone": ("update vote_links set nonce = null where link = 2", {("vote_changed", "vote 2")}),
    "past the chain": ("update vote_links set seq = 7 where link = 2",
        {("vote_missing", "vote 7"), ("vote_unlinked", "vote 2")}),
}  # fmt: skip


@pytest.mark.parametrize("fault", HAND_MADE)
def test_whatever_is_changed_by_hand_is_found_where_it_is(world: Votes, fault: str) -> None:
    for _ in range(3):
        world.vote("a")
    take_back(world, 3)
    assert kinds(world.store) == []
    statements, found = HAND_MADE[fault]
    sql(world, *statements.split("; "))
    assert set(kinds(world.store)) == found


def test_an_anchor_counts_what_a_restored_database_lacks(world: Votes, tmp_path: Path) -> None:
    for _ in range(5):
        world.vote("a")
    world.store.backup(tmp_path / "old.sqlite3")
    for _ in range(3):
        world.vote("b")
    take_back(world, 8)
    world.store.backup(tmp_path / "new.sqlite3")
    write_anchor(tmp_path / "kept.json", anchor_of_copy(tmp_path / "new.sqlite3"), made_at=DAY.format(3))
    kept = read_anchor(tmp_path / "kept.json")
    assert check_anchor(world.store, kept) == []
    world.store.close()
    data = world.store.data_dir
    for left in ("-wal", "-shm"):
        (data / f"{DATABASE_NAME}{left}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.sqlite3", data / DATABASE_NAME)
    world.store = Store.open(data)
    world.number = 5
    assert verify(world.store) == [], "nothing in the file itself says that votes are gone"
    assert world.store.read(lambda db: lost(db, kept)) == Lost((3, 3), (1, 1))
    (problem,) = check_anchor(world.store, kept)
    assert problem.kind == "anchor_differs"
    assert "3 of the anchor's 8 votes are missing" in problem.message
    for _ in range(6):  # and the old copy goes on, past the number of links that the anchor knew
        world.vote("tie")
    assert world.store.read(lambda db: lost(db, kept)) == Lost((3, 3), (1, 1))
    assert check_anchor(world.store, anchor(world)) == []


def test_an_anchor_tells_apart_a_history_that_was_written_anew(world: Votes) -> None:
    for _ in range(4):
        world.vote("a")
    kept = anchor(world)
    sql(world, "update votes set outcome = 'b' where seq = 3", "delete from vote_links where seq > 2")
    world.store.write(vote_chain.append_new)
    assert kinds(world.store) == [], "whoever may write the file can make the chain anew"
    assert world.store.read(lambda db: lost(db, kept)) == Lost((2, 2), (0, 0))
    bare = Anchor(kept.at)
    assert world.store.read(lambda db: lost(db, bare)) == Lost((1, 4), (0, 0)), "without marks there is a range"
    assert world.store.read(lambda db: lost(db, Anchor())) is None


def test_an_anchor_of_many_votes_stays_small(world: Votes) -> None:
    world.vote("a")

    def stretch(db: Database) -> None:
        db.conn.execute(
            """insert into vote_links with recursive n (i) as (select 2 union all select i + 1 from n where i < 40000)
            select i, 1, 'undone', 1, 0, null, null, null, substr(:z || i, length(:z || i) - 63),
                substr(:z || (i * i), length(:z || (i * i)) - 63) from n""",
            {"z": "0" * 64},
        )

    world.store.write(stretch)
    found = anchor(world)
    assert len(json.dumps(found.document())) < 25_000
    assert found.at.links == 40_000
    sql(world, "delete from vote_links where link > 20000")
    missing = world.store.read(lambda db: lost(db, found))
    assert missing is not None
    assert missing.others[0] == 20_000 <= missing.others[1] <= 20_160


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"vote_chain": {}}',
        '{"vote_chain": {"links": 1, "votes": 2, "head": "%s"}}' % ("a" * 64),
        '{"vote_chain": {"links": 1, "votes": 1, "head": "A"}}',
        '{"vote_chain": {"links": true, "votes": 1, "head": "%s"}}' % ("a" * 64),
        '{"vote_chain": {"links": 1, "votes": 1, "head": "%s", "marks": {"0": "x"}}}' % ("a" * 64),
    ],
)
def test_what_is_no_anchor_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(AnchorRefused, match="is no anchor"):
        read_anchor(tmp_path / "a.json")
    with pytest.raises(AnchorRefused, match="No such file"):
        read_anchor(tmp_path / "b.json")


def test_votes_from_before_the_chain_are_linked_in_their_order(world: Votes) -> None:
    for outcome in ("a", "b", "tie"):
        world.vote(outcome)
    world.store.close()
    data = world.store.data_dir
    with closing(sqlite3.connect(data / DATABASE_NAME)) as conn, conn:
        conn.executescript("drop table vote_links; delete from _sqlite_migrations where name = 'm017_vote_chain'")
    world.store = Store.open(data)
    assert verify(world.store) == []
    assert anchor(world).at.votes == 3
    assert world.store.read(lambda db: db.conn.execute("select seq from vote_links order by link").fetchall()) == [
        (1,), (2,), (3,),
    ]  # fmt: skip
