"""Votes a second: through the store by 1, 8 and 64 threads, and through HTTP by 64 clients, each answer counted exactly once.

The store has two floors: one connection that commits one narrow row after another with a full sync, and the same threads that
write one such row each through the same writer. A vote writes its battle, its row and the sums of its boards. The peer of HTTP
is a bare Gradio endpoint that commits one such row.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlite_utils import Database

from benchmarks.board_from_store import add_runs, battle_row, insert_sql, services_of
from benchmarks.processes import bare_gradio, diptych
from playground.owners import LOCAL_OWNER
from playground.services import Services, timestamp
from storage import battles, votes
from storage.records import Vote

THREADS = (1, 8, 64)
VOTES, QUICK_VOTES = 6400, 640
CLIENTS = 64
HTTP_VOTES, QUICK_HTTP_VOTES = 1280, 128
WARM_UP = 8
PROMISED_VOTES, PROMISED_P99_MS = 3000, 100
OFFERS = 20


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with votes a second, the slowest answers, and ratios."""
    count = QUICK_VOTES if quick else VOTES
    yield f"  {os.cpu_count()} cores; {count:,} votes each"
    for number in THREADS:
        yield _of_store(number, count)
    yield from asyncio.run(_through_http(QUICK_HTTP_VOTES if quick else HTTP_VOTES))


def _of_store(number: int, count: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        floor = _floor(Path(folder) / "floor.sqlite", min(count, 1000))
        services = services_of(Path(folder))
        open_battles(services, count)
        services.store.write(lambda db: db.execute("create table bare(battle text primary key, outcome text)"))
        bare = by_threads(number, count, lambda battle: _row(services, battle))
        waits = by_threads(number, count, lambda battle: vote(services, battle))
        kept = services.store.read(lambda db: db.table("votes").count)
        services.store.close()
    rate, p99 = count / waits.clock, waits.at(0.99)
    promised = ""
    if number == max(THREADS):
        ok = rate >= PROMISED_VOTES and p99 <= PROMISED_P99_MS
        promised = f"; promised {PROMISED_VOTES:,}/s and {PROMISED_P99_MS} ms: {'kept' if ok else 'MISSED'}"
    return (
        f"  store, {number:2} threads {rate:9,.0f} votes/s {rate / floor:6.2f}x one plain row after another "
        f"({floor:,.0f}/s), {waits.clock / bare.clock:.1f} times as long as plain rows by as many threads; "
        f"p50 {waits.at(0.5):.1f} p99 {p99:.1f} ms; {kept:,} of {count:,} kept{promised}"
    )


class Waits:
    """How long each answer took, and all together."""

    def __init__(self, seconds: list[float], clock: float) -> None:
        self._seconds = sorted(seconds)
        self.clock = clock

    def at(self, share: float) -> float:
        """Milliseconds that so large a share took at most."""
        return self._seconds[min(len(self._seconds) - 1, int(len(self._seconds) * share))] * 1000


def by_threads(number: int, count: int, work: Callable[[str], None]) -> Waits:
    """How long each piece of work took, done by so many threads."""
    seconds: list[float] = []
    begin = threading.Barrier(number + 1)

    def client(first: int) -> None:
        own = []
        begin.wait()
        for at in range(first, count, number):
            started = time.perf_counter()
            work(_id(at))
            own.append(time.perf_counter() - started)
        seconds.extend(own)

    threads = [threading.Thread(target=client, args=(first,)) for first in range(number)]
    for thread in threads:
        thread.start()
    begin.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return Waits(seconds, time.perf_counter() - started)


def vote(services: Services, battle_id: str) -> None:
    """Votes in one of them."""
    now = services.now()

    def write(db: Database) -> None:
        before, is_ended = battles.end_by_vote(db, battle_id, LOCAL_OWNER, now=now)
        if before is None or not is_ended:
            raise RuntimeError(f"{battle_id} is not open")
        votes.insert(db, Vote(battle_id, LOCAL_OWNER, "a", 900, not before.is_repeated, None, now), before.battle)

    services.store.write(write)


def _row(services: Services, battle_id: str) -> None:
    """One narrow row through the writer that votes go through."""
    services.store.write(lambda db: db.execute("insert into bare values (?, ?)", [battle_id, "a"]))


def _floor(path: Path, count: int) -> float:
    """Rows a second of one connection, each committed by itself."""
    rows = sqlite3.connect(path, isolation_level=None)
    rows.execute("pragma journal_mode=wal")
    rows.execute("pragma synchronous=full")
    rows.execute("create table votes(battle text primary key, outcome text)")
    started = time.perf_counter()
    for number in range(count):
        rows.execute("insert into votes values (?, ?)", [_id(number), "a"])
    took = time.perf_counter() - started
    rows.close()
    return count / took


def _id(number: int) -> str:
    return f"{number:032x}"


def open_battles(services: Services, count: int) -> None:
    """Battles of the local owner that wait for a vote for a day yet."""
    offers = [f"maker/model-{number:02}" for number in range(OFFERS)]
    services.store.write(lambda db: add_runs(db, offers))
    now = datetime.now(UTC)
    made, ends = timestamp(now), timestamp(now + timedelta(days=1))

    def row(number: int) -> tuple[object, ...]:
        a = number % OFFERS
        b = (a + 1 + number // OFFERS % (OFFERS - 1)) % OFFERS
        cells = [*battle_row(number, offers, (a, b, 0, 0), made)]
        at = {name: place for place, name in enumerate(names)}
        cells[at["voter"]], cells[at["state"]], cells[at["expires_at"]] = LOCAL_OWNER, "open", ends
        return tuple(cells)

    names = services.store.read(
        lambda db: [name for name, *_ in db.conn.execute("select * from battles limit 0").description or ()]
    )
    services.store.write(
        lambda db: db.conn.executemany(insert_sql("battles", len(names)), map(row, range(count))) and None
    )


async def _through_http(count: int) -> list[str]:
    ours = bare = None
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        services = services_of(folder)
        open_battles(services, count + WARM_UP)
        services.store.close()
        with diptych({"DIPTYCH_CALLS_PER_MINUTE": "10000"}, folder) as url:
            ours = await by_clients(url, count)
        services = services_of(folder)
        kept = services.store.read(lambda db: db.table("votes").count) - WARM_UP
        services.store.close()
    with bare_gradio() as url:
        bare = await by_clients(url, count)
    rate, floor = count / ours.clock, count / bare.clock
    verdict = "kept" if kept == count else "MISSED"
    return [
        f"  HTTP, {CLIENTS} clients   {rate:9,.0f} votes/s {rate / floor:6.2f}x a bare Gradio endpoint ({floor:,.0f}/s); "
        f"p50 {ours.at(0.5):.0f} p99 {ours.at(0.99):.0f} ms (bare p99 {bare.at(0.99):.0f}); "
        f"{kept:,} of {count:,} counted, promised all: {verdict}"
    ]


async def by_clients(url: str, count: int, clients: int = CLIENTS) -> Waits:
    """Each client asks for one vote after another, by Gradio's own protocol, and reads its answer. There are `WARM_UP` more."""
    seconds: list[float] = []
    # A connection that was quiet for seconds may be closed by the server at the moment it is used again.
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS, keepalive_expiry=1)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits, trust_env=False) as http:

        async def vote(number: int) -> None:
            asked = await http.post("gradio_api/call/vote", json={"data": [_id(number), "a"]})
            answer = await http.get(f"gradio_api/call/vote/{asked.json()['event_id']}")
            if "counted" not in answer.text:
                raise RuntimeError(answer.text[:300])

        async def client(first: int) -> None:
            for number in range(first, count, clients):
                started = time.perf_counter()
                await vote(number)
                seconds.append(time.perf_counter() - started)

        for number in range(count, count + WARM_UP):
            await vote(number)
        started = time.perf_counter()
        await asyncio.gather(*(client(first) for first in range(clients)))
        return Waits(seconds, time.perf_counter() - started)


if __name__ == "__main__":
    for line in measure(quick="--quick" in sys.argv):
        print(line, flush=True)
