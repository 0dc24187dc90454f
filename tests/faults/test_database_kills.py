"""The whole server of PostgreSQL killed under a living application: what it acknowledged is there, and it goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import victim
from tests.faults.kills import Driver, Figures, driver, forks
from tests.faults.victim import Orders
from tests.postgres_server import PostgresServer, rows_in, running_server

RECOVERS_WITHIN_S = 10.0
AWAY_S = 0.3
MORE_THAN_IT_VOTES_ON = 20_000
KINDS = ("vote", "image")


def lines(orders: Orders) -> list[str]:
    return [line.partition(" ")[0] for line in orders.said.read_text().splitlines()] if orders.said.exists() else []


def wait_for(happened: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def grew(orders: Orders, by: int) -> Callable[[], bool]:
    """Whether so many more votes and images were acknowledged since this was asked for."""
    before = [lines(orders).count(kind) for kind in KINDS]
    return lambda: all(lines(orders).count(kind) >= was + by for kind, was in zip(KINDS, before, strict=True))


def killed_under(one: Driver, server: PostgresServer, kills: int) -> Figures:
    """The figures after so many kills of the server under one application, which lives on."""
    orders = one.orders("lives", votes=MORE_THAN_IT_VOTES_ON)
    process = forks().Process(target=victim.live, args=(orders,))
    process.start()
    took: list[float] = []
    try:
        wait_for(lambda: "up" in lines(orders), 60, "the application does not start")
        for number in range(kills):
            wait_for(grew(orders, 2), 60, "nothing is done")
            server.kill()
            time.sleep(AWAY_S)
            server.start()
            up = time.monotonic()
            wait_for(grew(orders, 1), 2 * RECOVERS_WITHIN_S, f"it does not go on after kill {number + 1}")
            took.append(time.monotonic() - up)
    finally:
        process.terminate()
        process.join(30)
    assert process.exitcode == 0
    assert max(took) < RECOVERS_WITHIN_S, took
    one.recover()
    return one.judge()


@pytest.mark.parametrize("kills", [1, 8])
def test_a_server_killed_under_the_application_loses_no_vote_and_no_picture(tmp_path: Path, kills: int) -> None:
    with running_server(is_safe=True) as server, rows_in(server), driver(tmp_path, 3, ("openai", "runware")) as one:
        found = killed_under(one, server, kills)
    assert (found.votes_lost, found.images_lost, found.twice) == (0, 0, 0)
    assert found.problems == []
    assert found.votes > 2 * kills
    assert found.images > 2 * kills
    assert all("DIPTYCH_DATABASE_URL" in words or "may be saved" in words for words in found.troubles)
