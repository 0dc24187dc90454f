"""A killed process and a full disk, each tried for real in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage.blobs import BlobFolder
from storage.database import Store
from storage.errors import StoreFull
from storage.verify import verify

WRITE_FOR_EVER = """
import sys, threading
from pathlib import Path
from storage import runs
from storage.database import Store
from tests.storage.builders import make_group
store = Store.open(Path(sys.argv[1]))
def loop(thread):
    number = 0
    while True:
        name = f"{sys.argv[2]}-{thread}-{number}"
        store.write(lambda db: runs.insert_group(db, make_group(name)))
        sys.stdout.write(name + "\\n")
        sys.stdout.flush()
        number += 1
for thread in range(4):
    threading.Thread(target=loop, args=(thread,)).start()
"""


def test_rows_acknowledged_before_a_kill_are_all_there(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for attempt in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path), str(attempt)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        for _ in range(150 + 100 * attempt):
            acknowledged.add(process.stdout.readline().strip())
        process.kill()
        rest = process.stdout.read()
        acknowledged.update(rest[: rest.rfind("\n") + 1].split())
        process.stdout.close()
        process.wait()
    store = Store.open(tmp_path)
    there = store.read(lambda db: {row[0] for row in db.conn.execute("select group_id from groups").fetchall()})
    problems = verify(store)
    store.close()
    assert len(acknowledged) >= 750
    assert acknowledged <= there
    assert problems == []


FILL_UP = """
import resource, sys
from pathlib import Path
from storage import runs
from storage.database import Store
from storage.errors import StoreFull
from tests.storage.builders import make_group
store = Store.open(Path(sys.argv[1]))
store.write(lambda db: runs.insert_group(db, make_group("before")))
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
def big(db):
    runs.insert_group(db, make_group("big", template="x" * 3_000_000))
limit(1_000_000)
seen = []
for use in (
    lambda: store.write(big),
    lambda: store.blobs.put(b"x" * 2_000_000, "image/png"),
    lambda: store.backup(Path(sys.argv[1]) / "copy.sqlite3") if limit(10_000) is None else None,
):
    try:
        use()
    except StoreFull as error:
        seen.append(str(error))
assert store.read(lambda db: db.conn.execute("select group_id from groups").fetchall()) == [("before",)]
limit(resource.RLIM_INFINITY)
store.write(big)
store.blobs.put(b"x" * 2_000_000, "image/png")
assert store.read(lambda db: db.conn.execute("select count(*) from groups").fetchone()[0]) == 2
store.close()
sys.stdout.write("\\n".join(seen))
"""


def test_a_full_disk_is_named_and_writing_goes_on_once_there_is_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FILL_UP, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert len(said) == 3
    assert all(str(tmp_path) in sentence and "free some space" in sentence for sentence in said)
    assert not list(tmp_path.rglob("*.tmp"))
    assert not list(tmp_path.rglob("*.part*"))


def test_a_batch_lost_to_a_full_disk_is_reported_to_every_caller(store: Store) -> None:
    # `max_page_count` gives the same SQLITE_FULL as a full disk, transaction rolled back and all.
    pages = store.write(lambda db: db.conn.execute("pragma page_count").fetchone()[0])
    store._writer._db.conn.execute(f"pragma max_page_count={pages + 2}")

    def big(db: Database) -> None:
        db.conn.execute("insert into groups values ('b', 'me', 'run', 'edit', ?, '', null)", ("x" * 100_000,))

    with pytest.raises(StoreFull, match="no restart is needed"):
        store.write(big)
    store._writer._db.conn.execute("pragma max_page_count=1000000")
    store.write(big)


DIE_BEFORE_RENAME = """
import os, sys
from pathlib import Path
from storage.blobs import BlobFolder
blobs = BlobFolder(Path(sys.argv[1]))
Path.replace = lambda *_: os._exit(9)
blobs.put(b"half a picture", "image/png")
"""


def test_a_crash_before_the_rename_leaves_nothing_readable(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIE_BEFORE_RENAME, str(tmp_path)], check=False)
    assert done.returncode == 9
    blobs = BlobFolder(tmp_path)
    assert list(blobs.all()) == []
    assert len(list((tmp_path / "incoming").iterdir())) == 1
    sha256 = blobs.put(b"half a picture", "image/png")
    assert blobs.path(sha256, "image/png").read_bytes() == b"half a picture"
