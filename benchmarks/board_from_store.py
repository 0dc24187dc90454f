"""What a board costs in a store: 1,000,000 votes on 50 offers out of SQLite, one vote more, its hash and its export.

The floors are what cannot be left out: reading the sums, and committing one small row with a full sync.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlite_utils import Database

from arena import board, elo_days, judging
from arena.board import BoardQuery
from arena.ratings.method import Method
from arena.stated_board import of_file
from benchmarks.timing import least_s, line_of
from playground.keys import KeyRing
from playground.services import Services, new_ulid, timestamp
from playground.settings import Settings
from providers.client import Client
from providers.rows import CATALOG
from providers.transport import Transport
from storage import battles, exclusions, runs, tallies, votes
from storage.database import Store
from storage.records import Battle, Group, LedgerLine, Outcome, Run, StoredImage, Vote
from storage.tallies import BoardFilter
from ui import vote_export

VOTES = 1_000_000
VOTES_OF_UPDATE = 100_000
OFFERS = 50
VOTERS = 1000
DAYS = 30
CATEGORIES = ("portrait", "text", "logo", "product", "own")
START = datetime(2026, 10, 1, tzinfo=UTC)


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with the least seconds of several rounds, and ratios to floors of the same run."""
    of_update, of_boards = (VOTES_OF_UPDATE // 10, VOTES // 20) if quick else (VOTES_OF_UPDATE, VOTES)
    yield f"  {of_update:,} votes where one is added or voters are checked, {of_boards:,} where boards are made"
    with tempfile.TemporaryDirectory() as folder:
        small = filled(Path(folder) / "small", of_update)
        yield from _one_more(small)
        yield from _checks(small)
        small.store.close()
        big = filled(Path(folder) / "big", of_boards)
        yield from _boards(big)
        yield from _outward(big, Path(folder))
        big.store.close()


def services_of(folder: Path) -> Services:
    """Services over the folder, without a network. Its store is the caller's to close."""
    settings = Settings(data_dir=folder)
    return Services(
        settings=settings,
        store=Store.open(folder),
        client=Client(Transport()),
        catalog=CATALOG,
        keys=KeyRing(settings),
        clock=lambda: START + timedelta(days=DAYS),
        new_id=new_ulid,
        rng=random.Random(1),
    )


def filled(folder: Path, count: int) -> Services:
    """Services over so many votes on `OFFERS` offers, as rows only."""
    services = services_of(folder)
    offers = [f"maker/model-{number:02}" for number in range(OFFERS)]
    services.store.write(lambda db: add_runs(db, offers))
    rng = np.random.default_rng(1)
    strengths = np.linspace(-1.5, 1.5, OFFERS)
    a = rng.integers(0, OFFERS, count)
    b = (a + 1 + rng.integers(0, OFFERS - 1, count)) % OFFERS
    a_wins = rng.random(count) < 1 / (1 + np.exp(strengths[b] - strengths[a]))
    outcome = np.where(rng.random(count) < 0.2, 2, np.where(a_wins, 0, 1))
    voters = rng.integers(0, VOTERS, count)
    cells = list(zip(a.tolist(), b.tolist(), outcome.tolist(), voters.tolist(), strict=True))
    moments = [timestamp(START + timedelta(days=DAYS) * (number / count)) for number in range(count)]

    def write(db: Database) -> None:
        of_battles = ((battle_row(n, offers, cells[n], moments[n])) for n in range(count))
        db.conn.executemany(insert_sql("battles", 20), of_battles)
        of_votes = ((_vote_row(n, cells[n], moments[n])) for n in range(count))
        db.conn.executemany(insert_sql("votes", 11), of_votes)
        tallies.make_anew(db)

    services.store.write(write, timeout_s=600)
    return services


def insert_sql(table: str, columns: int) -> str:
    """The statement that adds a whole row."""
    return f"insert into {table} values ({', '.join('?' * columns)})"


def battle_row(number: int, offers: list[str], cell: tuple[int, int, int, int], at: str) -> tuple[object, ...]:
    """A row of `battles` that has its vote. `cell`: numbers of both offers, of the outcome and of the voter."""
    a, b, _, voter = cell
    return (
        *(f"{number:032x}", f"v{voter:04}", "generate", "A fox", f"i-{a:02}", f"i-{b:02}", offers[a], offers[b]),
        *(
            "history",
            0,
            0.01,
            "voted",
            at,
            at,
            at,
            "generate",
            CATEGORIES[number % len(CATEGORIES)],
            None,
            "low",
            "low",
        ),
    )


def _vote_row(number: int, cell: tuple[int, int, int, int], at: str) -> tuple[object, ...]:
    outcome = ("a", "b", "tie")[cell[2]]
    return (number + 1, f"{number:032x}", f"v{cell[3]:04}", outcome, 2500, 1, None, at, None, None, None)


def add_runs(db: Database, offers: list[str]) -> None:
    """One run with one image for each offer, rows only; images are `i-00` and so on."""
    at = timestamp(START)
    runs.insert_group(db, Group("g", "v", "run", "generate", "A fox", at))
    for number, offer in enumerate(offers):
        run = Run(
            run_id=f"r-{number:02}", group_id="g", owner="v", position=number, offer=offer, operation="generate",
            prompt="A fox", asked={"quality": "low"}, state="queued", queued_at=at, estimate_microusd=1000,
        )  # fmt: skip
        line = LedgerLine(f"l-{number}", run.run_id, "settled", 1000, "computed", None, at)
        runs.insert_runs(db, [run], [], [line])
        runs.add_image(db, StoredImage(f"i-{number:02}", run.run_id, 0, "ab" * 32, "image/png", 8, 6, 100, at))
        runs.finish(
            db, run.run_id, state="succeeded", finished_at=at, latency_ms=900, got=None, request_id=None, error=None
        )


def _boards(services: Services) -> list[str]:
    def board_of(query: BoardQuery) -> Callable[[], object]:
        return lambda: services.store.read(lambda db: board.read_board(db, services, query))

    floor = least_s(lambda: services.store.read(lambda db: tallies.grouped(db, BoardFilter())))
    first = least_s(lambda: asyncio.run(board.leaderboard(services, BoardQuery())), 1)
    page = least_s(lambda: asyncio.run(board.leaderboard(services, BoardQuery())))
    since = timestamp(START + timedelta(days=DAYS - 7))
    return [
        line_of(
            "board of all votes from SQLite, with sandwich",
            least_s(board_of(BoardQuery())),
            ("reading the sums", floor),
        ),
        line_of("the same by Davidson", least_s(board_of(BoardQuery(method=Method(kind="davidson"))), 3)),
        line_of("the same as the page asks for it, Elo days included", page),
        line_of("the first time, when all days of Elo are replayed", first),
        line_of("board of the last 7 days, by the votes themselves", least_s(board_of(BoardQuery(since=since)), 1)),
    ]


def _outward(services: Services, folder: Path) -> list[str]:
    def floor() -> int:
        return services.store.read(lambda db: sum(1 for _ in votes.exported(db, BoardFilter())))

    def export() -> None:
        with Path(os.devnull).open("wb") as nowhere:
            vote_export.write_votes(services, BoardQuery(), nowhere, "csv")

    path = folder / "votes.csv"
    vote_export.write_file(services, BoardQuery(), path, everything=False)
    sha256 = asyncio.run(board.digest(services, BoardQuery()))
    if of_file(path, Method()).votes_sha256 != sha256:
        raise AssertionError("the export has another hash than the board")
    return [
        line_of("hash of all votes", least_s(lambda: asyncio.run(board.digest(services, BoardQuery())), 1)),
        line_of("export of all votes as CSV", least_s(export, 1), ("reading them", least_s(floor, 1))),
        line_of("`leaderboard --votes` on that file", least_s(lambda: of_file(path, Method()), 1)),
    ]


def _one_more(services: Services) -> list[str]:
    """What lies between a vote and the numbers after it: the row and its sums, the change of Elo, and the whole board."""
    asyncio.run(board.leaderboard(services, BoardQuery()))
    numbers = iter(range(VOTES_OF_UPDATE, VOTES_OF_UPDATE * 2))
    wanted = BoardQuery()

    def floor() -> None:
        number = next(numbers)
        services.store.write(lambda db: exclusions.exclude(db, f"nobody {number}", "by_hand", "-", timestamp(START)))

    def vote() -> None:
        number = next(numbers)
        at = timestamp(START + timedelta(days=DAYS))
        battle = Battle(
            battle_id=f"{number:032x}", voter="v0001", operation="generate", prompt="A fox", image_a="i-01",
            image_b="i-02", offer_a="maker/model-01", offer_b="maker/model-02", source="history", is_demo=False,
            probability=0.5, state="voted", created_at=at, expires_at=at, quality_a="low", quality_b="low",
        )  # fmt: skip
        outcome: Outcome = "a"

        def write(db: Database) -> int:
            battles.insert(db, battle)
            row = Vote(battle.battle_id, "v0001", outcome, 900, counted=True, reason=None, voted_at=at)
            return votes.insert(db, row, battle)

        seq = services.store.write(write)
        services.store.write(lambda db: elo_days.change_by(db, battle, seq))

    def vote_and_board() -> None:
        vote()
        services.store.read(lambda db: board.read_board(db, services, wanted))

    return [
        line_of("one vote, and what it changed", least_s(vote), ("one small row", least_s(floor))),
        line_of("one vote and the whole board anew", least_s(vote_and_board)),
    ]


def _checks(services: Services) -> list[str]:
    return [line_of("voter checks on the votes of 1,000 voters", least_s(lambda: judging.check(services), 2))]


if __name__ == "__main__":
    for told in measure():
        print(told, flush=True)
