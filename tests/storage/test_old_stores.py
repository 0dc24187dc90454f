"""Databases as earlier versions left them, with rows: they upgrade, and nothing that stood in them changes.

`old/first-landed.sql` was written by the first version that was landed, `old/before-curation.sql` by the last one before the
history was curated. Their first lines say which.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from arena.board import BoardQuery, read_board
from storage import history, ledger, runs, tallies
from storage.blobs import EXTENSIONS, BlobFolder
from storage.database import Store
from storage.opening import DATABASE_NAME
from storage.tallies import BoardFilter
from storage.verify import verify
from tests.arena.world import make_services

OLD = sorted((Path(__file__).parent / "old").glob("*.sql"))
Rows = dict[str, Counter[tuple[object, ...]]]


def rebuilt(dump: Path, folder: Path) -> dict[str, list[str]]:
    """The data folder as it was; the columns of each of its tables."""
    text = dump.read_text(encoding="utf-8")
    folder.mkdir()
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as conn:
        conn.execute("pragma journal_mode=wal")
        conn.executescript(text)
        tables = [row[0] for row in conn.execute("select name from pragma_table_list where type = 'table'")]
        columns = {name: [row[1] for row in conn.execute(f"pragma table_info({name})")] for name in tables}
    for media_type, data in re.findall(r"^-- blob (\S+) ([0-9a-f]+)$", text, re.MULTILINE):
        BlobFolder(folder / "blobs").put(bytes.fromhex(data), media_type)
    return columns


def rows_of(folder: Path, columns: dict[str, list[str]]) -> Rows:
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as conn:
        return {
            table: Counter(conn.execute(f"select {', '.join(names)} from {table}").fetchall())
            for table, names in columns.items()
            if not table.startswith(("sqlite_", "_sqlite_"))
        }


@pytest.mark.parametrize("dump", OLD, ids=[path.stem for path in OLD])
def test_an_old_store_upgrades_with_its_rows_and_everything_can_be_read(dump: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    columns = rebuilt(dump, folder)
    before = rows_of(folder, columns)
    assert sum(before["runs"].values()) == 10
    assert sum(before["votes"].values()) == 4
    services = make_services(folder)
    store = services.store
    try:
        assert rows_of(folder, columns) == before
        assert verify(store) == []
        assert list(folder.glob("before-m*.sqlite3")), "a copy from before the upgrade"
        page = store.read(lambda db: history.page(db, "local"))
        assert [view.run.state for view in page.runs] == [
            *("downloading", "waiting", "sending", "queued", "unknown", "cancelled", "failed"),
            *("succeeded", "succeeded", "succeeded"),
        ]
        assert store.read(lambda db: history.count(db, "local", "lighthouse")) == 2
        assert store.read(lambda db: history.count(db, "local", "naive")) == 8
        assert store.read(lambda db: history.count(db, "local", "日")) == 8
        edit = page.runs[7]
        assert [one.role for one in edit.inputs] == ["image", "mask"]
        assert page.runs[4].run.unreadable_sha256
        assert store.read(lambda db: len(runs.open_runs(db))) == 4
        spent = store.read(lambda db: ledger.totals(db, "local", "2026-01-01T00:00:00.000Z"))
        assert (spent.settled_microusd, spent.reserved_microusd, spent.unknown_count) == (3 * 4100 + 6, 4 * 5900, 1)
        counted = store.read(lambda db: tallies.grouped(db, BoardFilter()))
        assert sum(row.votes for row in counted) == 3
        board = store.read(lambda db: read_board(db, services, BoardQuery()))
        assert {row.rated.competitor for row in board.rows} == {"openai/gpt-image-1.5", "openai/gpt-image-2"}
    finally:
        store.close()
    again = Store.open(folder)
    assert verify(again) == []
    again.close()


def test_the_fixtures_hold_only_types_that_are_kept() -> None:
    for dump in OLD:
        found = set(re.findall(r"^-- blob (\S+)", dump.read_text(encoding="utf-8"), re.MULTILINE))
        assert found <= EXTENSIONS.keys()
    assert [path.stem for path in OLD] == ["before-curation", "first-landed"]
