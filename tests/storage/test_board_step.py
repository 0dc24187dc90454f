"""The step that makes battles and votes anew: every row of before is there, points where it did, and takes what is new."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from storage import battles, tallies, votes
from storage.database import Store
from storage.migrations import migrations
from storage.tallies import BoardFilter
from tests.storage.builders import LATER, NOW

PAIRS = 3


def make_old(folder: Path) -> None:
    """A database as the third step left it: three battles, of which the first has a vote that counts and the last one that does
    not.
    """
    with closing(sqlite3.connect(folder / "diptych.sqlite3")) as conn:
        db = Database(conn, execute_plugins=False)
        migrations.apply(db, stop_before="m004_boards")
        with db.atomic():
            db.execute("insert into groups values ('g1', 'local', 'run', 'generate', 'a cat', ?)", (NOW,))
            for n, quality in enumerate(("low", "high")):
                db.execute(
                    """insert into runs (run_id, group_id, owner, position, offer, operation, prompt, asked, state, queued_at)
                    values (?, 'g1', 'local', ?, 'openai/gpt-image-2', 'generate', 'a cat', ?, 'succeeded', ?)""",
                    (f"r{n}", n, f'{{"quality": "{quality}"}}', NOW),
                )
            for run in range(2):
                for n in range(PAIRS):
                    db.execute(
                        """insert into images (image_id, run_id, position, sha256, media_type, width, height, size_bytes,
                            checks, created_at) values (?, ?, ?, ?, 'image/png', 8, 6, 100, '[]', ?)""",
                        (f"i{run}{n}", f"r{run}", n, f"{run}{n}" * 32, NOW),
                    )
            for n, state in enumerate(("voted", "open", "voted")):
                db.execute(
                    "insert into battles values (?, 'local', 'generate', 'a cat', ?, ?, 'x/x', 'y/y', 'new', 0, 0.5, ?, ?, ?)",
                    (f"b{n}", f"i0{n}", f"i1{n}", state, NOW, LATER),
                )
            for seq, n, counted, reason in ((4, 0, 1, None), (9, 2, 0, "You have voted before.")):
                db.execute(
                    "insert into votes values (?, ?, 'local', 'a', 900, ?, ?, ?)", (seq, f"b{n}", counted, reason, NOW)
                )


def test_battles_and_votes_are_made_anew_with_all_their_rows(tmp_path: Path) -> None:
    make_old(tmp_path)
    store = Store.open(tmp_path)
    found = [store.read(lambda db, n=n: battles.get(db, f"b{n}", "local")) for n in range(PAIRS)]
    assert [
        (one.state, one.board, one.category, one.quality_a, one.quality_b, one.shown_at) for one in found if one
    ] == [(state, "generate", "own", "low", "high", NOW) for state in ("voted", "open", "voted")]
    rows = store.read(lambda db: list(votes.exported(db, BoardFilter())))
    assert [(row["seq"], row["outcome"], row["counted"], row["reason"]) for row in rows] == [
        (4, "a", 1, ""),
        (9, "a", 0, "You have voted before."),
    ]
    assert store.read(tallies.held) == store.read(tallies.recounted) != {}
    assert store.read(lambda db: db.conn.execute("pragma foreign_key_check").fetchall()) == []
    assert store.read(lambda db: db.conn.execute("pragma integrity_check").fetchall()) == [("ok",)]
    assert not [name for name in store.read(lambda db: db.table_names()) if "before" in name]
    assert store.write(lambda db: battles.end_reported(db, "b1", "local"))
    store.close()


def test_each_list_that_the_arena_asks_for_has_its_index(tmp_path: Path) -> None:
    make_old(tmp_path)
    store = Store.open(tmp_path)
    for sql, index in (
        ("select 1 from battles where voter = 'x' and shown_at >= 'y'", "battles_by_shown"),
        ("select 1 from battles where voter = 'x' and created_at > 'y'", "battles_by_voter"),
        ("select reason, count(*) from votes where reason is not null group by 1", "votes_left_out"),
        ("select 1 from reports order by at desc", "reports_by_time"),
    ):
        plan = store.read(lambda db, sql=sql: str(db.conn.execute(f"explain query plan {sql}").fetchall()))
        assert index in plan, plan
    store.close()
