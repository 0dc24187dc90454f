"""Two processes of the whole app over one PostgreSQL database and one store of images: one is killed, or the server goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.replicate_server import FakeReplicate
from tests.harness import KEY
from tests.postgres_server import PostgresServer
from tests.ui.browser import RunningApp
from tests.ui.caller import Caller

LEASE_S = 5
WITHIN_S = 60
"""So long after a death its runs have ended, with a lease of 20 s."""
SYNC, ASYNC = "openai/gpt-image-2", "replicate/gpt-image-2.5-flare"


@dataclass
class World:
    """A server, two providers, and the replicas that were started."""

    folder: Path
    server: PostgresServer
    openai: Any
    replicate: Any
    stack: ExitStack
    count: int = 0

    def start(self, **changes: str) -> tuple[RunningApp, Caller]:
        """One more replica, with a data folder of its own."""
        self.count += 1
        given = {
            "DIPTYCH_DATABASE_URL": self.server.url_of(self.folder / "database"),
            "DIPTYCH_BLOBS_URL": f"file://{self.folder / 'images'}",
            "DIPTYCH_LEASE_S": str(LEASE_S),
            "DIPTYCH_CALLS_PER_MINUTE": "1000",
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": self.openai.base_url,
            "REPLICATE_API_TOKEN": self.replicate.key,
            "REPLICATE_BASE_URL": self.replicate.base_url,
        }
        app = RunningApp(self.folder / f"data{self.count}", self.folder / f"log{self.count}", **(given | changes))
        self.stack.callback(app.kill)
        caller = Caller(app.url)
        self.stack.callback(caller.http.close)
        return app, caller


@pytest.fixture
def world(server: PostgresServer, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        fakes = stack.enter_context(FakeOpenAI(key=KEY)), stack.enter_context(FakeReplicate())
        apps = stack.enter_context(ExitStack())
        yield World(tmp_path, server, *fakes, apps)


def ask(offer: str, prompt: str) -> dict[str, object]:
    return {"prompt": prompt, "offers": [offer], "size": "1024x1024", "quality": "low"}


def runs(caller: Caller) -> dict[str, dict[str, Any]]:
    """By prompt."""
    return {run["asked"]["prompt"]: run for run in caller("history", "", 100, "")["runs"]}


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> float:
    """Until it is so; the seconds that took."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds
        time.sleep(0.1)
    return time.monotonic() - began


def is_over(caller: Caller) -> bool:
    return all(run["state"] in ("succeeded", "unknown", "failed", "cancelled") for run in runs(caller).values())


def test_what_a_killed_replica_carried_is_ended_by_the_other_and_nothing_is_sent_twice(world: World) -> None:
    world.openai.always(faults.Hang())
    world.replicate.polls = 10_000
    dying, one = world.start()
    _, other = world.start()
    for number in range(7):
        one("submit", ask(SYNC, f"sync {number}"))
    for number in range(3):
        one("submit", ask(ASYNC, f"async {number}"))
    wait_for(lambda: world.openai.posts == 5 and world.replicate.creates == 3)
    time.sleep(2 * LEASE_S)
    assert {run["state"] for run in runs(other).values()} == {"queued", "sending", "waiting"}, "all of them live"
    dying.kill()
    world.replicate.polls = 0
    for job in world.replicate.jobs.values():
        job.pending = 0
    world.openai.always(None)
    took_s = wait_for(lambda: is_over(other), WITHIN_S)
    assert took_s < WITHIN_S * LEASE_S / 20
    found = runs(other)
    states = [found[f"sync {number}"]["state"] for number in range(7)]
    assert states == ["unknown"] * 5 + ["succeeded"] * 2, "those that were queued had not been sent"
    assert {found[f"sync {number}"]["ledger_state"] for number in range(5)} == {"unknown"}
    assert [found[f"async {number}"]["state"] for number in range(3)] == ["succeeded"] * 3
    assert (world.openai.posts, world.replicate.creates) == (7, 3)


def test_an_outage_of_the_server_takes_nothing_over(world: World) -> None:
    world.openai.always(faults.Hang())
    _, one = world.start()
    _, other = world.start()
    one("submit", ask(SYNC, "still going"))
    wait_for(lambda: world.openai.posts == 1)
    world.server.stop()
    time.sleep(2 * LEASE_S)
    world.server.start()
    time.sleep(3 * LEASE_S)
    assert runs(other)["still going"]["state"] == "sending"
    run_id = runs(other)["still going"]["run_id"]
    assert other("cancel", run_id)["stopped"] is True
    assert runs(one)["still going"]["state"] == "unknown"
    assert world.openai.posts == 1


def test_a_cap_is_exact_over_two_processes(world: World) -> None:
    world.openai.always(faults.Hang())
    price = _price(world)
    replicas = [world.start(DIPTYCH_LIMIT_DAY=f"{45 * price / 1e6:.6f}")[1] for _ in range(2)]

    def press(number: int) -> bool:
        answer = replicas[number % 2]("submit", ask(SYNC, f"press {number}"))
        assert answer["group_id"] or "Today's limit" in str(answer["problems"])
        return answer["group_id"] is not None

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(press, range(64))) == 45
    assert len(runs(replicas[0])) == 45


def _price(world: World) -> int:
    app, caller = world.start()
    price = caller("estimate", ask(SYNC, "a fox"))["runs"][0]["estimate_microusd"]
    app.stop()
    return int(price)
