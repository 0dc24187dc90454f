"""A process killed in the middle of an import, of the trash, or of deleting for ever: the store is clean, and what was
acknowledged is so.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage.freeing import freed, sweep_freed
from storage.verify import verify
from tests.playground.archives import fill, services_at, taken_along

KILLS = 14
RUNS = 4
"""In the archive."""
STATES = {"bring": "shown", "trash": "trashed", "restore": "shown", "delete": "gone"}


class Told:
    """What the killed processes said, and what must be true after it."""

    def __init__(self) -> None:
        self.acknowledged: dict[tuple[str, str], str] = {}
        """Owner and run -> shown, trashed or gone."""
        self.begun: tuple[str, str, list[str]] | None = None
        """The action that was not acknowledged: name, owner and runs."""
        self.done: set[str] = set()
        self.interrupted: set[str] = set()

    def take(self, words: list[str]) -> None:
        if words[0] == "will":
            self.begun = (words[1], words[2], words[3:])
        elif words[0] == "did":
            self.begun = None
            self.done.add(words[1])
            self.acknowledged |= {(words[2], run): STATES[words[1]] for run in words[3:]}

    def check(self, folder: Path) -> None:
        services = services_at(folder, "public")
        store = services.store
        assert verify(store) == []
        here = store.read(_states)
        name, owner, runs = self.begun or ("", "", [])
        self.interrupted |= {name} - {""}
        for key, state in self.acknowledged.items():
            may_be = {state, STATES[name]} if key[0] == owner and key[1] in runs else {state}
            assert here.get(key) in may_be, (key, here.get(key), may_be)
        assert not self.acknowledged.keys() - here.keys()
        if name == "bring":
            assert sum(key[0] == owner for key in here) in (0, RUNS)
        self.acknowledged, self.begun = here, None
        # What a kill left half deleted or half brought goes, and nothing else.
        sweep_freed(store, unused_s=-100_000)
        assert verify(store) == []
        assert store.read(freed) == set()
        store.close()


def _states(db: Database) -> dict[tuple[str, str], str]:
    rows = db.execute("select owner, run_id, deleted_at is not null, trashed_at is not null from runs").fetchall()
    return {(row[0], row[1]): "gone" if row[2] else "trashed" if row[3] else "shown" for row in rows}


@pytest.fixture(scope="module")
def forker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    with taken_along(tmp_path_factory.mktemp("taken"), fill) as (_, path):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.playground.dying", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        yield process
        process.kill()
        process.communicate()


def child_lines(forker: subprocess.Popen[str], folder: Path, seed: int, step: int = -1) -> Iterator[list[str]]:
    """The words of each line of a new child, until it is dead."""
    assert forker.stdin
    assert forker.stdout
    forker.stdin.write(f"{folder} {seed} {step}\n")
    forker.stdin.flush()
    while (line := forker.stdout.readline()) and line != "dead\n":
        yield line.split()


def test_a_kill_at_any_moment_leaves_a_clean_store(forker: subprocess.Popen[str], tmp_path: Path) -> None:
    rng, told = random.Random(6), Told()
    for seed in range(KILLS):
        left, child = rng.randint(4, 30), 0
        for words in child_lines(forker, tmp_path / "data", seed):
            child = int(words[1]) if words[0] == "child" else child
            told.take(words)
            left -= 1
            if left == 0:
                time.sleep(rng.uniform(0, 0.01))
                os.kill(child, signal.SIGKILL)
        told.check(tmp_path / "data")
    assert told.done == set(STATES)
    assert len(told.interrupted) >= 2


def test_a_kill_at_each_step_between_rows_and_files_leaves_a_clean_store(
    forker: subprocess.Popen[str], tmp_path: Path
) -> None:
    step, ended = 0, False
    while not ended:
        told, folder = Told(), tmp_path / str(step)
        for words in child_lines(forker, folder, 0, step):
            told.take(words)
            ended = words[0] == "done"
        told.check(folder)
        shutil.rmtree(folder)
        step += 1
    assert step > 30
