"""PostgreSQL beside SQLite, with the same rows in both: pages of a history and votes, by the store and by the app over it, and
the board of many votes.

`python -m benchmarks.engines [VOTES]`. The server is one of its own in a temporary folder, over a socket, with every commit on
disk; `requirements-scale.txt` and Debian's `postgresql` are to be installed. The rows go over as `backup` and `restore` do it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx

from arena import board
from arena.board import BoardQuery
from benchmarks import board_from_store, history_pages, votes_at_once
from benchmarks.processes import diptych
from benchmarks.timing import least_s
from playground.services import Services
from storage.database import Store
from storage.restoring import restore
from tests.postgres_server import PostgresServer, missing, running_server

RUNS = 10_000
VOTES = 1_000_000
VOTES_ONE_BY_ONE = 2_000
VOTES_SERVED = 1_000
ROUNDS = 25
"""A connection has a statement prepared from its third use on, and its plan from the eighth."""
PAGES_ASKED = 200
PATHS = ("", "?page=200", "?sort=dearest", "?search=triennale", "?search=is:fav")


def measure(votes: int = VOTES) -> Iterator[str]:
    """One line for each thing, with the least time of several rounds on each and their ratio."""
    if why := missing():
        yield why
        return
    with tempfile.TemporaryDirectory() as folder, running_server(is_safe=True) as server:
        yield from _pages(Path(folder), server)
        yield from _votes(Path(folder), server)
        yield from _served_pages(Path(folder), server)
        yield from _served_votes(Path(folder), server)
        yield from _board(Path(folder), server, votes)


def _moved(store: Store, folder: Path, server: PostgresServer) -> Store:
    """A store on the server with the same rows."""
    store.backup(folder / "copy.sqlite3")
    there = Store.open(folder / "there", database_url=server.url_of(folder / "there"))
    restore(there, folder / "copy.sqlite3")
    server.sql("vacuum analyze", server.name_of(folder / "there"))
    return there


def _pages(folder: Path, server: PostgresServer) -> Iterator[str]:
    here = Store.open(folder / "pages" / "here")
    history_pages.fill(here, RUNS)
    started = time.perf_counter()
    there = _moved(here, folder / "pages", server)
    yield f"history of {RUNS:,} runs (moved in {time.perf_counter() - started:.1f} s)"
    for name, job in history_pages.jobs_of(here, RUNS):
        if here.read(job) != there.read(job):
            raise AssertionError(f"the engines differ: {name}")
        yield _line(name, partial(here.read, job), partial(there.read, job))
    here.close()
    there.close()


def _votes(folder: Path, server: PostgresServer) -> Iterator[str]:
    for threads in votes_at_once.THREADS:
        rates = []
        for number, url in enumerate((None, server.url_of(folder / f"votes-{threads}-1"))):
            services = board_from_store.services_of(folder / f"votes-{threads}-{number}" / "unused")
            store = Store.open(folder / f"votes-{threads}-{number}", database_url=url)
            services.store.close()
            services = replace(services, store=store)
            votes_at_once.open_battles(services, VOTES_ONE_BY_ONE)
            if url:  # as the server does by itself within a minute
                server.sql("analyze", server.name_of(folder / f"votes-{threads}-1"))
            waits = votes_at_once.by_threads(threads, VOTES_ONE_BY_ONE, partial(votes_at_once.vote, services))
            rates.append((VOTES_ONE_BY_ONE / waits.clock, waits.at(0.99)))
            store.close()
        (here, here_p99), (there, there_p99) = rates
        yield (
            f"  votes from {threads:2} threads: SQLite {here:7,.0f}/s, p99 {here_p99:6.1f} ms; "
            f"PostgreSQL {there:7,.0f}/s, p99 {there_p99:6.1f} ms; {here / there:.1f} x"
        )


def _served_pages(folder: Path, server: PostgresServer) -> Iterator[str]:
    """As the browser asks for them, of the app on each engine, which run side by side and are asked in turn."""
    url = server.url_of(folder / "pages" / "there")
    with diptych(folder=folder / "pages" / "here") as here, diptych(_on(url), folder / "pages" / "there") as there:
        for path in PATHS:
            took: list[list[float]] = [[], []]
            with httpx.Client(trust_env=False) as http:
                for _ in range(PAGES_ASKED):
                    for at, app in enumerate((here, there)):
                        started = time.perf_counter()
                        http.get(f"{app}history/page.json{path}").raise_for_status()
                        took[at].append((time.perf_counter() - started) * 1000)
            lite, postgres = (statistics.median(each) for each in took)
            yield (
                f"  served page {path:32} SQLite {lite:7.1f} ms, PostgreSQL {postgres:7.1f} ms, {postgres / lite:.1f} x"
            )


def _served_votes(folder: Path, server: PostgresServer) -> Iterator[str]:
    """From the call to its answer with the makers, by one client and by 64."""
    for clients in (1, votes_at_once.CLIENTS):
        waits = []
        for number in range(2):
            data = folder / f"served-{clients}-{number}"
            url = server.url_of(data) if number else None
            services = board_from_store.services_of(data / "unused")
            store = Store.open(data, database_url=url)
            services.store.close()
            votes_at_once.open_battles(replace(services, store=store), VOTES_SERVED + votes_at_once.WARM_UP)
            store.close()
            with diptych({**_on(url), "DIPTYCH_CALLS_PER_MINUTE": "10000"}, data) as app:
                waits.append(asyncio.run(votes_at_once.by_clients(app, VOTES_SERVED, clients)))
        here, there = waits
        yield (
            f"  served votes, {clients:2} clients: SQLite p50 {here.at(0.5):5.1f} ms, {VOTES_SERVED / here.clock:5.0f}/s; "
            f"PostgreSQL p50 {there.at(0.5):5.1f} ms, {VOTES_SERVED / there.clock:5.0f}/s; {there.clock / here.clock:.1f} x"
        )


def _on(url: str | None) -> dict[str, str]:
    return {"DIPTYCH_DATABASE_URL": url} if url else {}


def _board(folder: Path, server: PostgresServer, votes: int) -> Iterator[str]:
    here = board_from_store.filled(folder / "board" / "here", votes)
    started = time.perf_counter()
    there = replace(here, store=_moved(here.store, folder / "board", server))
    yield f"board of {votes:,} votes (moved in {time.perf_counter() - started:.1f} s)"

    def page(services: Services, query: BoardQuery) -> object:
        return asyncio.run(board.leaderboard(services, query)).rated.rows

    for name, query in (("as the page asks for it", BoardQuery()), ("of one voter", BoardQuery(voter="v0001"))):
        if page(here, query) != page(there, query):
            raise AssertionError("the engines differ on the board")
        yield _line(f"board {name}", partial(page, here, query), partial(page, there, query))
    here.store.close()
    there.store.close()


def _line(name: str, here: Callable[[], object], there: Callable[[], object]) -> str:
    took = [least_s(work, ROUNDS) * 1000 for work in (here, there)]
    return f"  {name:44} SQLite {took[0]:7.1f} ms, PostgreSQL {took[1]:7.1f} ms, {took[1] / took[0]:.1f} x"


if __name__ == "__main__":
    for line in measure(*map(int, sys.argv[1:])):
        print(line, flush=True)
