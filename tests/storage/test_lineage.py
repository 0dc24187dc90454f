from __future__ import annotations

from functools import partial

from sqlite_utils import Database

from storage import lineage, locks, runs
from storage.database import Store
from tests.storage.builders import NOW, insert, make_derived, make_image, make_run


def test_a_branch_is_followed_both_ways_with_its_cost(store: Store) -> None:
    """a -> b -> c by its image, b -> d by what was locked of it; x of another owner takes the same picture."""

    def given(db: Database, run: str, sha256: str) -> None:
        db.conn.execute("insert into inputs values (?, 'image', 0, ?, 'image/png', 8, 6)", (run, sha256))

    def job(db: Database) -> None:
        insert(db, *(make_run(name) for name in "abcd"), make_run("x", group_id="g2", owner="you"))
        for place, name in enumerate("ab"):
            runs.add_image(db, make_image(name, sha256=f"{place}0" * 32))
        locks.owe(db, "i-b", NOW)
        locks.made(db, "i-b", [make_derived("i-b", sha256="ee" * 32)], note="", at=NOW)
        for run, sha256 in (("b", "00" * 32), ("c", "10" * 32), ("d", "ee" * 32), ("x", "10" * 32)):
            given(db, run, sha256)
        db.conn.execute("update ledger set state = 'settled', amount_microusd = 1000 where run_id in ('a', 'c')")

    store.write(job)
    up = store.read(lambda db: lineage.came_from(db, "b", "local"))
    assert ([view.run.run_id for view in up.runs], up.count, up.cost_microusd, up.unknown) == (["a"], 1, 1000, 0)
    down = store.read(lambda db: lineage.led_to(db, "a", "local"))
    assert [view.run.run_id for view in down.runs] == ["b", "c", "d"]
    assert (down.count, down.cost_microusd, down.unknown) == (3, 1000, 2)
    assert store.read(lambda db: lineage.came_from(db, "d", "local")).count == 2
    assert store.read(lambda db: lineage.led_to(db, "a", "you")).count == 0


def test_runs_that_asked_the_same_know_of_each_other(store: Store) -> None:
    long = "a lighthouse, " * 40
    same = {"asked": {"n": 1}, "prompt": long}

    def job(db: Database) -> None:
        insert(db, *(make_run(name, **same) for name in "abc"))
        insert(db, make_run("d", prompt=long, asked={"n": 2}), make_run("e", prompt=long + "x", asked={"n": 1}))
        insert(db, make_run("f", prompt="一只猫坐在屋顶上"), make_run("g", prompt="一只猫坐在屋顶上"))
        insert(db, make_run("h", prompt="!"))
        insert(db, make_run("y", group_id="g2", owner="you", **same))
        db.conn.execute("update runs set trashed_at = 'now' where run_id = 'c'")

    store.write(job)
    assert store.read(lambda db: lineage.same_request(db, "a", "local")) == ["b"]
    assert store.read(lambda db: lineage.same_request(db, "f", "local")) == ["g"]
    assert store.read(lambda db: lineage.same_request(db, "h", "local")) == []
    assert store.read(lambda db: lineage.same_request(db, "a", "you")) == []


def test_a_branch_goes_by_indexes(store: Store) -> None:
    def plan(db: Database, line: str) -> list[str]:
        given = {"run": "a", "owner": "local", "most": 9}
        rows = db.conn.execute(f"explain query plan {line} {lineage._COSTS}", given).fetchall()
        return [row[3] for row in rows]

    for line in (lineage.UP, lineage.DOWN):
        steps = store.read(partial(plan, line=line))
        assert not [step for step in steps if step.startswith("SCAN") and step not in ("SCAN l", "SCAN line")]
