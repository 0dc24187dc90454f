"""Processes under load, killed at random: what was acknowledged, sent and billed is held against what is there afterwards.

`python -m benchmarks.kills` tells the figures. The fakes live on in this process, as providers do, and remember
every paid call; each run has a prompt of its own, so its calls can be counted.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from playground.services import timestamp, utc_now
from storage import battles
from storage.anchors import Anchor, anchor_of
from storage.database import Store
from storage.records import Battle
from storage.verify import check_anchor, verify
from tests import fresh_store
from tests.arena.world import add_run, make_services
from tests.fakes import faults
from tests.fakes.fal_server import FakeFal
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.faults import victim
from tests.faults.victim import Orders

OFFERS = {
    "openai": "openai/gpt-image-2",
    "replicate": "replicate/gpt-image-2.5-flare",
    "runware": "runware/gpt-image-2.5-flare",
    "fal": "fal/gpt-image-2.5-flare",
}
FAKES: dict[str, Any] = {"openai": FakeOpenAI, "replicate": FakeReplicate, "runware": FakeRunware, "fal": FakeFal}
UP_WITHIN_S = 60.0
LONGEST_S = 1.5
"""A victim lives at most so long after it is up."""
LONGEST_AMONG_OTHERS_S = 4.0
"""The same over a database server: a new one waits for a lease to end before it has the places of the dead at providers."""
BATTLES = 600
"""Open battles for each victim: more than it gets to vote on."""
STOPPED_WITHIN_S = 30.0


@dataclass
class Figures:
    """What all the kills came to."""

    kills: int = 0
    stops: int = 0
    votes: int = 0
    votes_lost: int = 0
    images: int = 0
    images_lost: int = 0
    paid: Counter[str] = field(default_factory=Counter)
    """By provider: POSTs that asked for images."""
    twice: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    """By provider: billed runs that ended as unknown, each with the amount that was held for it."""
    without_picture: Counter[str] = field(default_factory=Counter)
    """By provider: billed runs that ended in any other way without an image, or unknown without an amount."""
    troubles: list[str] = field(default_factory=list)
    """What was said where rows could not be written or read."""
    problems: list[str] = field(default_factory=list)
    """Of `verify`, of what hangs, and of rules that were broken towards a provider."""

    def lines(self) -> Iterator[str]:
        """In words."""
        yield f"{self.kills} kills, {self.stops} stops in order"
        yield f"votes acknowledged: {self.votes:,}, lost: {self.votes_lost}"
        yield f"images acknowledged: {self.images:,}, lost: {self.images_lost}"
        yield f"paid POSTs: {dict(self.paid)}, sent twice: {self.twice}"
        yield f"billed and unknown, with the amount: {dict(self.unknown)}"
        yield f"billed without a picture and not told so: {dict(self.without_picture)}"
        yield f"problems: {self.problems or 'none'}"


def forks() -> ForkServerContext:
    """Where processes are forks of one that has loaded everything, and begin at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.victim"])
    return context


class Driver:
    """Kills, restarts and counts."""

    def __init__(self, folder: Path, fakes: dict[str, Any], seed: int) -> None:
        self.data_dir = folder / "data"
        self.figures = Figures()
        self._folder = folder
        self.fakes = fakes
        self._rng = random.Random(seed)
        self._context = forks()
        self._said: list[Path] = []
        self._anchors: list[Anchor] = []
        self._prepared = 0
        self.images: list[str] = []

    def prepare(self) -> None:
        """A store with two images that can meet."""
        services = make_services(self.data_dir, clock=None)
        try:
            self.images = [add_run(services, offer)[0] for offer in ("openai/x", "fal/x")]
        finally:
            services.store.close()

    def kill_one(self, number: int, *, beside: bool = False, in_order: bool = False) -> None:
        """Starts a process, lets it work for a while, and kills it; with `beside` another one that votes too.
        `in_order`: it is told to stop instead, and must do so.
        """
        orders = self.orders(f"kill{number}")
        processes = [self._context.Process(target=victim.live, args=(orders,))]
        if beside:
            other = self.orders(f"beside{number}", offers=())
            processes.append(self._context.Process(target=victim.live, args=(other,)))
        for process in processes:
            process.start()
        self._wait_for(orders, "up", UP_WITHIN_S)
        time.sleep(self._rng.uniform(0.02, LONGEST_AMONG_OTHERS_S if orders.database_url else LONGEST_S))
        if in_order:
            self.figures.stops += 1
            for process in processes:
                process.terminate()
                process.join(STOPPED_WITHIN_S)
                if process.exitcode != 0:
                    self.figures.problems.append(f"a process told to stop ended with {process.exitcode}")
        self.figures.kills += sum(process.is_alive() for process in processes)
        for process in processes:
            process.kill()
            process.join()
            if not in_order and process.exitcode != -signal.SIGKILL:
                self.figures.problems.append(f"a victim ended by itself with {process.exitcode}")

    def recover(self) -> None:
        """A last process that takes up everything and is left alone."""
        process = self._context.Process(target=victim.recover, args=(self.orders("last", votes=0),))
        process.start()
        process.join(90)
        if process.exitcode != 0:
            self.figures.problems.append(f"the last process hangs or failed: {process.exitcode}")
            process.kill()
            process.join()

    def judge(self) -> Figures:
        """Holds everything against everything."""
        store = Store.open(self.data_dir)
        try:
            votes, images, runs = store.read(_there)
            self._judge_words(votes, images, store)
            self._judge_calls(runs)
            self.figures.problems += [f"{one.kind} {one.subject}: {one.message}" for one in verify(store)]
            self.figures.problems += [one.message for each in self._anchors for one in check_anchor(store, each)]
            open_runs = [
                prompt for prompt, (state, _, _, _) in runs.items() if state in ("queued", "sending", "waiting")
            ]
            self.figures.problems += [f"still open: {prompt}" for prompt in open_runs]
        finally:
            store.close()
        for provider, fake in self.fakes.items():
            self.figures.problems += [f"{provider}: {words}" for words in fake.violations]
        return self.figures

    def _judge_words(self, votes: set[str], images: set[str], store: Store) -> None:
        for said in self._said:
            for line in said.read_text().splitlines() if said.exists() else ():
                match line.split():
                    case ["vote", battle_id]:
                        self.figures.votes += 1
                        self.figures.votes_lost += battle_id not in votes
                    case ["image", _, sha256]:
                        self.figures.images += 1
                        self.figures.images_lost += sha256 not in images or store.blobs.find(sha256) is None
                    case ["trouble", *words]:
                        self.figures.troubles.append(" ".join(words))

    def _judge_calls(self, runs: dict[str, tuple[str, int, str, int | None]]) -> None:
        for provider, fake in self.fakes.items():
            calls = Counter(prompt for call in fake.calls for prompt in _prompts(call, runs))
            for prompt, times in calls.items():
                self.figures.paid[provider] += times
                self.figures.twice += times - 1
                state, images, ledger_state, amount = runs[prompt]
                if state == "unknown" and ledger_state == "unknown" and amount is not None:
                    self.figures.unknown[provider] += 1
                elif images == 0:
                    self.figures.without_picture[provider] += 1
                    self.figures.problems.append(f"{prompt} was billed and is {state}, {ledger_state}, {amount}")

    def orders(self, name: str, *, offers: tuple[str, ...] | None = None, votes: int = BATTLES) -> Orders:
        said = self._folder / f"{name}.txt"
        self._said.append(said)
        fal = self.fakes.get("fal")
        return Orders(
            self.data_dir,
            said,
            name,
            tuple(OFFERS[one] for one in self.fakes) if offers is None else offers,
            {one: fake.base_url for one, fake in self.fakes.items()},
            {one: fake.key for one, fake in self.fakes.items()},
            {"fal": fal.rest_url} if fal else {},
            {"fal": fal.platform_url} if fal else {},
            self._battles(votes),
            fresh_store.database_of(self.data_dir),
        )

    def _battles(self, many: int) -> tuple[str, ...]:
        first, self._prepared = self._prepared, self._prepared + many
        ids = tuple(f"{number:032x}" for number in range(first, self._prepared))
        now = utc_now()
        store = Store.open(self.data_dir)

        def write(db: Database) -> None:
            for battle_id in ids:
                one = Battle(
                    battle_id=battle_id, voter=battle_id, operation="generate", prompt="A lighthouse at dusk",
                    image_a=self.images[0], image_b=self.images[1], offer_a="openai/x", offer_b="fal/x", source="history",
                    is_demo=False, probability=0.5, state="open", created_at=timestamp(now),
                    expires_at=timestamp(now + timedelta(days=1)),
                )  # fmt: skip
                battles.insert(db, one)

        try:
            store.write(write)
            self._anchors.append(store.read(anchor_of))
        finally:
            store.close()
        return ids

    def _wait_for(self, orders: Orders, word: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not (orders.said.exists() and word in orders.said.read_text().split()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{orders.name} does not say {word!r} within {seconds:g} s")
            time.sleep(0.005)


def _there(db: Database) -> tuple[set[str], set[str], dict[str, tuple[str, int, str, int | None]]]:
    votes = {row[0] for row in db.conn.execute("select battle_id from votes").fetchall()}
    images = {row[0] for row in db.conn.execute("select sha256 from images").fetchall()}
    runs = db.conn.execute(
        """select r.prompt, r.state, (select count(*) from images as i where i.run_id = r.run_id), l.state,
            coalesce(l.amount_microusd, l.reserved_microusd) from runs as r join ledger as l on l.run_id = r.run_id"""
    ).fetchall()
    return votes, images, {row[0]: tuple(row[1:]) for row in runs if row[0].endswith(".")}


def _prompts(call: Any, runs: dict[str, Any]) -> list[str]:
    """The prompts of the runs that a paid call asks images for."""
    body = call.body.decode("utf-8", "replace")
    is_paid = call.method == "POST" and '"prompt"' in body.replace("positivePrompt", "prompt")
    return [prompt for prompt in runs if f'"{prompt}"' in body] if is_paid else []


@contextmanager
def driver(folder: Path, seed: int, providers: tuple[str, ...] = tuple(OFFERS)) -> Iterator[Driver]:
    """A driver with its providers up."""
    with ExitStack() as stack:
        fakes = {one: stack.enter_context(FAKES[one]()) for one in providers}
        if "openai" in fakes:
            fakes["openai"].always(faults.Slow(0.1))
        one = Driver(folder, fakes, seed)
        one.prepare()
        yield one


def kill_many(folder: Path, kills: int, *, seed: int = 7, stops: int = 0) -> Figures:
    """The figures after so many kills, and so many stops in order between them."""
    with driver(folder, seed) as one:
        each = max(1, kills // max(1, stops))
        number = 0
        while one.figures.kills < kills:
            number += 1
            one.kill_one(number, beside=number % 4 == 0 and one.figures.kills + 2 <= kills)
            if number % each == 0 and one.figures.stops < stops:
                one.kill_one(-number, in_order=True)
        one.recover()
        return one.judge()
