"""What money costs in a store: a limit checked and the Costs tab opened over 1,000,000 ledger lines.

The floor of a reservation is committing one small row with a full sync; that of the tab is reading nothing at all.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from arena.coach import advise
from playground import limits, spending
from playground.keys import KeyRing
from playground.offering import catalog_of
from playground.services import Services, new_ulid, timestamp
from playground.settings import Settings
from playground.spending import Period
from providers.client import Client
from providers.rows import CATALOG
from providers.transport import Transport
from storage import days, ledger_audit, ledger_pages
from storage.costs import By
from storage.database import Store
from storage.ledger_pages import LedgerFilter
from storage.money_steps import SUMS
from storage.records import LimitSpan
from ui.costs.views import BY

LINES = 1_000_000
DAYS = 365
ROUNDS = 20
QUALITIES = ("low", "medium", "high", "auto")


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with the median and the worst of several rounds."""
    with tempfile.TemporaryDirectory() as folder:
        services = services_of(Path(folder), limits_microusd=10**12)
        began = time.perf_counter()
        lines = LINES // 20 if quick else LINES
        fill(services, lines)
        yield f"{lines:,} lines written in {time.perf_counter() - began:.0f} s"
        yield from _limits(services)
        yield from _tab(services)
        began = time.perf_counter()
        wrong = services.store.read(lambda db: len(list(ledger_audit.differences(db))))
        yield f"audit of all lines against the sums: {time.perf_counter() - began:.1f} s, {wrong} wrong"
        services.store.close()


def services_of(folder: Path, *, limits_microusd: int | None = None) -> Services:
    """The application's parts over a folder, with limits where some are given."""
    spans: tuple[LimitSpan, ...] = ("day", "month", "session")
    told = {span: limits_microusd for span in spans if limits_microusd is not None}
    settings = Settings(data_dir=folder, limits=told)
    return Services(
        settings=settings,
        store=Store.open(folder),
        client=Client(Transport()),
        catalog=catalog_of(settings, CATALOG),
        keys=KeyRing(settings),
        clock=lambda: datetime.now(UTC),
        new_id=new_ulid,
        rng=random.Random(1),
    )


def fill(services: Services, lines: int, *, over_days: int = DAYS, seed: int = 1) -> None:
    """Ended runs with their lines, spread over the days until now; most settled, a few unknown or released."""
    rng, now = random.Random(seed), services.clock()
    offers = [row.offer_id for row in services.catalog.offers if row.price and not row.price.is_free][:20]

    def write(db: Database) -> None:
        # Words and facts of the history are not measured here, and the sums are made at once at the end.
        kept = db.conn.execute(
            "select name, sql from sqlite_master where type = 'trigger' and tbl_name in ('runs', 'ledger')"
        )
        triggers = dict(kept.fetchall())
        for name in triggers:
            db.conn.execute(" ".join(["drop trigger", name]))
        zone = days.zone_of(db)
        made: list[tuple[tuple[object, ...], tuple[object, ...]]] = []
        db.conn.execute(
            "insert into groups values ('many', 'local', 'run', 'generate', 'a cat', ?, null)", (timestamp(now),)
        )
        for number in range(lines):
            moment = now - timedelta(days=over_days) * (1 - number / lines)
            made.append(_row(number, timestamp(moment), days.day_of(timestamp(moment), zone), offers, rng))
            if len(made) == 10_000 or number == lines - 1:
                db.conn.executemany(_RUN, [run for run, _ in made])
                db.conn.executemany(_LINE, [line for _, line in made])
                made.clear()
        for statement in ("delete from spend_days", "delete from spend_spans", *SUMS, *triggers.values()):
            db.conn.execute(statement)

    services.store.write(write, timeout_s=1800)


_RUN = """insert into runs (run_id, group_id, owner, position, offer, operation, prompt, asked, state, queued_at,
    estimate_microusd, latency_ms) values (?, 'many', 'local', ?, ?, 'generate', ?, ?, 'succeeded', ?, ?, ?)"""
_LINE = """insert into ledger (ledger_id, run_id, owner, offer, quality, payer, state, amount_microusd, reserved_microusd,
    source, price_id, images, session, day, reserved_at, at, settled_by, note)
    values (?, ?, 'local', ?, ?, ?, ?, ?, ?, 'computed', null, ?, 'bench', ?, ?, ?, null, '')"""
_PROMPTS = ("A lighthouse on a basalt headland at dusk", "Still life with a stoneware vase", "A red fox in fresh snow")


def _row(
    number: int, at: str, day: str, offers: list[str], rng: random.Random
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    offer, quality = rng.choice(offers), rng.choice(QUALITIES)
    estimate = {"low": 6_000, "medium": 41_000, "high": 165_000, "auto": 60_000}[quality]
    state = rng.choices(("settled", "released", "unknown"), (97, 2, 1))[0]
    amount = {"settled": estimate * rng.randint(90, 112) // 100, "released": 0, "unknown": estimate}[state]
    run_id, asked = f"run{number:09}", f'{{"quality": "{quality}", "n": 1}}'
    run = (run_id, number, offer, rng.choice(_PROMPTS), asked, at, estimate, rng.randint(4_000, 40_000))
    line = (
        *(f"line{number:09}", run_id, offer, quality, offer.partition("/")[0], state, amount, estimate),
        *(int(state == "settled"), day, at, at),
    )
    return run, line


def _limits(services: Services) -> Iterator[str]:
    at = services.now()

    def check() -> None:
        services.store.read(lambda db: limits.look(db, services.settings, "local", "bench", at, [1_000]))

    yield _timed("limit check (budget 5 ms)", check)

    def commit() -> None:
        services.store.write(
            lambda db: db.conn.execute("insert into install values (?, '')", (services.new_id(),)) and None
        )

    yield _timed("floor: one small row committed", commit)


def _tab(services: Services) -> Iterator[str]:
    def tab(by: By, period: Period) -> None:
        asyncio.run(spending.of_owner(services, "local", by, period, "bench"))

    for by in BY:
        for name, period in spending.PERIODS.items():
            yield _timed(
                f"tab by {by}, {name} days (budget 1 s)",
                partial(tab, by, period),
                rounds=3,
            )
    yield _timed("what the numbers say", lambda: asyncio.run(advise(services, "local")))
    offer = next(row.offer_id for row in services.catalog.offers if row.price and not row.price.is_free)
    filters = {
        "all": LedgerFilter("local"),
        "unknown": LedgerFilter("local", "unknown"),
        "one offer": LedgerFilter("local", None, offer),
        "unknown of one offer": LedgerFilter("local", "unknown", offer),
    }
    for name, wanted in filters.items():
        yield _timed(
            f"ledger page, {name}",
            partial(services.store.read, partial(ledger_pages.page, wanted=wanted, limit=25)),
        )
    middle = ("2026-05-20", "line")
    yield _timed(
        "ledger page, half way down",
        lambda: services.store.read(lambda db: ledger_pages.page(db, filters["all"], limit=25, before=middle)),
    )
    yield _timed("ledger filters", lambda: asyncio.run(spending.ledger_page(services, filters["all"], None)))
    began = time.perf_counter()
    written = sum(len(some) for some in spending.all_lines(services, filters["all"]))
    yield f"all {written:,} lines for a file: {time.perf_counter() - began:.0f} s"


def _timed(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> str:
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return f"{name}: median {sorted(times)[len(times) // 2]:.2f} ms, worst {max(times):.2f} ms"
