"""`kill -9` for real, at random moments: under load, in an upgrade, beside another process; and a lost write-ahead log."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.anchors import anchor_of, lost
from storage.database import Store
from storage.errors import StoreNotWritable
from storage.migrations import RELEASED
from storage.opening import DATABASE_NAME
from storage.verify import check_anchor, verify
from tests.faults import victim
from tests.faults.kills import Figures, driver, forks, kill_many
from tests.fresh_store import fresh
from tests.storage.test_old_stores import OLD, rebuilt
from tests.storage.test_votes import Votes

MANY_VOTES = 4_000


def is_whole(found: Figures) -> None:
    assert (found.votes_lost, found.images_lost, found.twice) == (0, 0, 0)
    assert found.problems == []
    assert found.troubles == []
    assert set(found.unknown) <= {"openai"}, "only where a provider tells nothing of a call whose answer was lost"


def test_a_few_kills_under_load_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    with driver(tmp_path, 3) as one:
        one.kill_one(1)
        one.kill_one(2, beside=True)
        one.kill_one(3, in_order=True)
        one.recover()
        found = one.judge()
    is_whole(found)
    assert (found.kills, found.stops) == (3, 1)
    assert found.votes > 20
    assert sum(found.paid.values()) > 12


def test_sixty_kills_under_load_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    found = kill_many(tmp_path, 60, stops=6)
    is_whole(found)
    assert found.kills == 60
    assert found.votes > 500
    assert found.images > 50


@pytest.mark.parametrize("provider", ["openai", "runware"])
def test_an_image_that_came_is_not_lost_where_the_process_dies_before_its_row(tmp_path: Path, provider: str) -> None:
    with driver(tmp_path, 3, (provider,)) as one:
        process = forks().Process(target=victim.die_before_the_row, args=(one.orders("dies", votes=0),))
        process.start()
        process.join(30)
        assert process.exitcode == -9
        one.recover()
        found = one.judge()
        store = Store.open(one.data_dir)
        kept = store.read(
            lambda db: db.conn.execute(
                """select i.sha256, r.state from images as i join runs as r on r.run_id = i.run_id
                where r.prompt like 'dies-%' order by 1"""
            ).fetchall()
        )
        store.close()
    is_whole(found)
    served = {hashlib.sha256(data).hexdigest() for data in one.fakes[provider].served}
    assert {sha256 for sha256, _ in kept} <= served
    if provider == "runware":
        assert {state for _, state in kept} == {"succeeded"}
        assert len(kept) == len(served)
    else:
        assert kept, "the image that was on disk is shown"
        assert {state for _, state in kept} == {"unknown"}


def grown(folder: Path) -> Path:
    """An old store with so many votes that the upgrade takes a while."""
    rebuilt(next(path for path in OLD if path.stem == "first-landed"), folder)
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as conn, conn:
        one = conn.execute("select * from battles limit 1").fetchone()
        marks = ", ".join("?" * len(one))
        conn.executemany(
            f"insert into battles values ({marks})", [(f"{n + 2**120:032x}", *one[1:]) for n in range(MANY_VOTES)]
        )
        conn.execute(
            """insert into votes (battle_id, voter, outcome, counted, voted_at)
            select battle_id, voter, 'a', 1, created_at from battles where battle_id not in (select battle_id from votes)"""
        )
    return folder


def test_an_upgrade_that_is_killed_leaves_the_old_schema_or_the_new_one(tmp_path: Path) -> None:
    old = grown(tmp_path / "old")
    context = forks()
    rng = random.Random(5)
    started = time.monotonic()
    shutil.copytree(old, tmp_path / "whole")
    process = context.Process(target=victim.open_and_close, args=(tmp_path / "whole",))
    process.start()
    process.join()
    takes_s = time.monotonic() - started
    halves = attempt = 0
    while attempt < 3 or (not halves and attempt < 20):
        folder = tmp_path / f"try{attempt}"
        shutil.copytree(old, folder)
        process = context.Process(target=victim.open_and_close, args=(folder,))
        process.start()
        time.sleep(rng.uniform(0.2, 1.0) * takes_s)
        process.kill()
        process.join()
        with closing(sqlite3.connect(folder / DATABASE_NAME)) as conn:
            steps = tuple(row[0] for row in conn.execute("select name from _sqlite_migrations order by id"))
        assert steps in (RELEASED[:2], RELEASED)
        halves += steps != RELEASED
        attempt += 1
        if steps == RELEASED:
            # Too late: the first one took the longer for the start of the process that forks.
            takes_s *= 0.8
    assert halves, "none was killed on its way"
    store = Store.open(folder)
    try:
        assert verify(store) == []
        assert store.read(anchor_of).at.votes > MANY_VOTES
    finally:
        store.close()


def test_a_lost_log_looks_healthy_and_only_the_anchor_tells(tmp_path: Path) -> None:
    world = Votes(tmp_path / "data")
    for _ in range(3):
        world.vote("a")
    world.store.write(lambda db: None)
    with closing(sqlite3.connect(world.store.data_dir / DATABASE_NAME)) as conn:
        conn.execute("pragma wal_checkpoint(truncate)")
    for _ in range(4):
        world.vote("b")
    known = world.store.read(anchor_of)
    # As a crash leaves it, with the log gone.
    crashed = tmp_path / "crashed"
    shutil.copytree(world.store.data_dir, crashed)
    world.store.close()
    for end in ("-wal", "-shm"):
        (crashed / f"{DATABASE_NAME}{end}").unlink()
    store = Store.open(crashed)
    try:
        assert verify(store) == []
        missing = store.read(lambda db: lost(db, known))
        assert missing is not None
        assert missing.votes == (4, 4)
        assert len(check_anchor(store, known)) == 1
    finally:
        store.close()


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that others can reach, which tests' own folders are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.mark.parametrize("what", ["folder", "database"])
def test_a_folder_or_file_that_cannot_be_written_is_refused_in_words(open_to_all: Path, what: str) -> None:
    data = open_to_all / "data"
    Store.open(fresh(data)).close()
    data.chmod(0o555 if what == "folder" else 0o777)
    (data / DATABASE_NAME).chmod(0o444)
    for below in ("blobs", "thumbs"):
        (data / below).chmod(0o777)
    said = open_to_all / "said"
    process = forks().Process(target=victim.open_as_nobody, args=(data, said))
    process.start()
    process.join(30)
    assert said.read_text().startswith(StoreNotWritable.__name__), said.read_text()
    assert str(data) in said.read_text()
