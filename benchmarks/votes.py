"""Acknowledged votes a second through the store: each is on disk, summed up and in the chain when its caller goes on.

`python -m benchmarks.votes`. The floor is the same number of threads that each write one bare row through the same writer.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from storage import battles, votes
from storage.database import Store
from storage.records import Battle, Group, Run, StoredImage, Vote
from storage.runs import add_image, insert_group, insert_runs

AT = "2026-11-21T10:15:30.123Z"
LATE = "2026-12-21T10:15:30.123Z"


def measure(count: int = 12_000) -> Iterator[str]:
    """One line for each number of threads."""
    for threads in (1, 8, 64):
        with tempfile.TemporaryDirectory() as folder:
            store = Store.open(Path(folder))
            try:
                _prepare(store, count)
                floor_s, _ = _run(threads, count, partial(_bare, store))
                took_s, waits = _run(threads, count, partial(_vote, store))
            finally:
                store.close()
        p99 = sorted(waits)[int(len(waits) * 0.99)] * 1000
        yield (
            f"  {threads:2} threads: {count / took_s:7,.0f} votes/s, p99 {p99:5.1f} ms; "
            f"{took_s / floor_s:.1f} times a bare row"
        )


def _prepare(store: Store, count: int) -> None:
    def write(db: Database) -> None:
        insert_group(db, Group("g", "local", "run", "generate", "a cat", AT))
        for name in ("one", "two"):
            run = Run(name, "g", "local", 0, f"openai/{name}", "generate", "a cat", {}, "succeeded", AT, None)
            insert_runs(db, [run], [], [])
            add_image(db, StoredImage(f"i-{name}", name, 0, "ab" * 32, "image/png", 8, 6, 100, AT))
        for number in range(count):
            battles.insert(db, _battle(number))
        db.execute("create table bare (number integer primary key, text text)")

    store.write(write, timeout_s=120)


def _battle(number: int) -> Battle:
    return Battle(
        battle_id=f"{number:032x}", voter=f"voter-{number % 997}", operation="generate", prompt="a cat", image_a="i-one",
        image_b="i-two", offer_a="openai/one", offer_b="openai/two", source="history", is_demo=False, probability=0.5,
        state="open", created_at=AT, expires_at=LATE,
    )  # fmt: skip


def _vote(store: Store, number: int) -> None:
    battle = _battle(number)

    def write(db: Database) -> None:
        if not battles.end(db, battle.battle_id, battle.voter, state="voted", now=AT):
            raise RuntimeError("a battle of the benchmark was over before its vote")
        vote = Vote(battle.battle_id, battle.voter, "a", 900, counted=True, reason=None, voted_at=AT)
        votes.insert(db, vote, battle)

    store.write(write)


def _bare(store: Store, number: int) -> None:
    def write(db: Database) -> None:
        db.execute("insert into bare values (?, ?)", (number, AT * 8))

    store.write(write)


def _run(threads: int, count: int, one: Callable[[int], None]) -> tuple[float, list[float]]:
    waits: list[float] = []

    def loop(first: int) -> None:
        for number in range(first, count, threads):
            start = time.perf_counter()
            one(number)
            waits.append(time.perf_counter() - start)

    started = time.perf_counter()
    workers = [threading.Thread(target=loop, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started, waits


if __name__ == "__main__":
    for line in measure():
        print(line, flush=True)
