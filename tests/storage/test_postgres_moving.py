"""PostgreSQL beside SQLite: the same rows after a move, and the same answers to a search."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from storage import history, ledger, moving, restoring, tallies
from storage.database import Store
from storage.moving import FOLLOWING, KEYS, NotEmpty
from storage.restoring import NotBackup
from storage.tallies import BoardFilter
from storage.verify import verify
from tests.postgres_server import PostgresServer, open_by_folder
from tests.storage.builders import insert, make_line, make_run, store_everything
from tests.storage.test_votes import Votes

# From one engine to the other


def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for the words to search, which each engine keeps in its own way."""
    names = sorted(KEYS.keys() | FOLLOWING - {"runs_fts"})
    return {
        name: sorted(store.read(lambda db, name=name: db.conn.execute(f"select * from {name}").fetchall()), key=repr)
        for name in names
    }


def test_rows_go_over_and_come_back_to_the_last_digit(server: PostgresServer, tmp_path: Path) -> None:
    world = Votes(tmp_path / "first")
    for outcome, voter in (("a", "ann"), ("b", "bob"), ("tie", "ann"), ("both_bad", "local")):
        world.vote(outcome, voter=voter, follows="a")
    first = world.store
    store_everything(first)
    first.write(lambda db: insert(db, make_run("open", group_id="g9", prompt="Ünï \0 🐱")))
    first.write(lambda db: ledger.insert(db, [make_line("open", ledger_id="l2", amount_microusd=None, payer="host")]))
    first.backup(tmp_path / "there.sqlite3")
    second = server.store_of(tmp_path / "second")
    counts = restoring.restore(second, tmp_path / "there.sqlite3")
    assert counts["votes"] == 4
    assert rows_of(second) == rows_of(first)
    second.backup(tmp_path / "back.sqlite3")
    third = open_by_folder(tmp_path / "third")
    restoring.restore(third, tmp_path / "back.sqlite3")
    assert rows_of(third) == rows_of(first)
    for board in (BoardFilter(), BoardFilter(question="follows"), BoardFilter(voter="ann")):
        sums = [store.read(lambda db, b=board: tallies.grouped(db, b)) for store in (first, second, third)]
        assert sums[0] == sums[1] == sums[2], "in one order too, so that ratings come out alike to the last digit"
    rows_only = {"blob_missing"}
    assert {one.kind for store in (second, third) for one in verify(store)} <= rows_only
    second.backup(tmp_path / "again.sqlite3")
    assert (tmp_path / "again.sqlite3").read_bytes() == (tmp_path / "back.sqlite3").read_bytes(), (
        "a copy of the same rows"
    )
    with pytest.raises(NotEmpty, match="holds rows already"):
        restoring.restore(second, tmp_path / "there.sqlite3")
    (tmp_path / "notes.txt").write_text("no backup")
    with pytest.raises(NotBackup, match="is no backup"):
        restoring.restore(third, tmp_path / "notes.txt")
    for store in (first, second, third):
        store.close()


def test_pages_of_a_table_are_copied_whole(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_PAGE", 3)
    first, second = open_by_folder(tmp_path / "first"), server.store_of(tmp_path / "second")
    first.write(lambda db: insert(db, *(make_run(f"r{n}", group_id=f"g{n}") for n in range(10))))
    first.backup(tmp_path / "copy.sqlite3")
    restoring.restore(second, tmp_path / "copy.sqlite3")
    assert rows_of(second) == rows_of(first)
    first.close()
    second.close()


# The same search


WORDS = [
    "fox",
    "Fox",
    "füchse",
    "FÜCHSE",
    "fo",
    "x",
    "a.b",
    "日本",
    "日本語",
    "🦊",
    "naïve",
    "naive",
    "1024x1536",
    "ça",
    "été!",
    "й",
    "и",
]


def found_by(store: Store, search: str) -> list[str]:
    page = store.read(lambda db: history.page(db, "local", search=search, limit=500))
    return [view.run.run_id for view in page.runs]


def test_both_engines_find_the_same_runs(server: PostgresServer, tmp_path: Path) -> None:
    rng = random.Random(7)
    one, other = open_by_folder(tmp_path / "one"), server.store_of(tmp_path / "other")
    prompts = [" ".join(rng.choices([*WORDS, "-", '"', "(", "*"], k=rng.randint(1, 6))) for _ in range(120)]
    runs = [make_run(f"r{number}", group_id="g", prompt=prompt) for number, prompt in enumerate(prompts)]
    for store in (one, other):
        store.write(lambda db: insert(db, *runs))
    signs = ["", "-", '"', "is:done ", "note:", "-is:fav "]
    for _ in range(120):
        search = " ".join(rng.choice(signs) + word for word in rng.choices(WORDS, k=rng.randint(1, 4)))
        assert found_by(one, search) == found_by(other, search), search
    one.close()
    other.close()
