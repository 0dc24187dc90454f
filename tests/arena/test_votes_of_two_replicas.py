"""The same votes given at two replicas at once, over one PostgreSQL database: each counts once, and both show one board."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from arena import battle, opening
from arena.battle import VoteRefused
from playground.services import Services
from storage import tallies
from storage.tallies import BoardFilter
from storage.verify import verify
from tests.arena.world import add_run, make_services
from tests.postgres_server import PostgresServer, open_by_folder

OFFERS = ("openai/gpt-image-2", "openai/gpt-image-1-mini")
VOTERS = 16


@pytest.fixture
def replicas(server: PostgresServer, tmp_path: Path) -> Iterator[list[Services]]:
    with ExitStack() as stack:
        made = []
        for name in ("one", "two"):
            services = make_services(tmp_path / name)
            services.store.close()
            store = open_by_folder(tmp_path / f"{name} on PostgreSQL", database_url=server.url_of(tmp_path / "shared"))
            stack.callback(store.close)
            made.append(replace(services, store=store))
        yield made


def test_a_vote_given_at_both_at_once_counts_once(replicas: list[Services]) -> None:
    def opened(number: int) -> str:
        services, voter = replicas[number % 2], f"voter {number}"
        for offer in OFFERS:
            add_run(services, offer, f"Lighthouse {number}", owner=voter)
        return asyncio.run(opening.next_battle(services, voter)).battle_id

    def vote(number: int) -> str:
        services, voter = replicas[number % 2], number // 2
        try:
            asyncio.run(battle.vote(services, battles[voter], f"voter {voter}", "a", 1_234))
        except VoteRefused as error:
            return error.kind
        return "taken"

    battles = [opened(number) for number in range(VOTERS)]
    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(vote, range(2 * VOTERS))) == {"taken": VOTERS, "already_voted": VOTERS}
    boards = [one.store.read(lambda db: tallies.grouped(db, BoardFilter())) for one in replicas]
    assert boards[0] == boards[1]
    kept = replicas[0].store.read(lambda db: db.conn.execute("select count(*) from votes").fetchall())
    assert kept == [(VOTERS,)]
    assert {row.kind for row in verify(replicas[1].store)} <= {"blob_missing"}, "the images are in the other's folder"
