"""What pages of a long history cost: 1,000, 10,000 and 100,000 runs with half as many images again, rows only.

Each figure is the median of several rounds, as a door asks for it: the page with all that is shown of its runs, and how many
match. The floor is reading as many whole runs by their numbers.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from playground.services import timestamp
from storage import curation, history, ledger
from storage.database import Store
from storage.history import HistoryPage
from storage.rating_steps import FACT_TRIGGERS, FILL_FACTS
from storage.records import LedgerLine, RunView
from storage.rows import fetch, to_run
from storage.views import views_of

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 9
PAGE = 24
FAR_PAGE = 500
OWNER = "local"
START = datetime(2025, 1, 1, tzinfo=UTC)
NOW = "2026-11-21T10:15:30.123Z"
OFFERS = (
    "openai/gpt-image-2",
    "openai/gpt-image-1-mini",
    "fal/gpt-image-2",
    "replicate/gpt-image-1.5",
    "demo/painterly",
)
WORDS = [
    "lighthouse",
    "dusk",
    "gouache",
    "paper",
    "muted",
    "palette",
    "window",
    "basalt",
    "headland",
    "fox",
    "river",
    "poster",
    "botanic",
    "garden",
    "stone",
    "vase",
    "night",
    "city",
    "haze",
    "dunes",
    "noon",
    "ridge",
    "mist",
    "portrait",
    "lino",
    "cut",
    "concert",
    "triennale",
    "hill",
    "green",
    "red",
    "blue",
    "夕焼け",
    "猫",
    "海",
    "قارب",
    "고양이",
    "🦊",
]
WEIGHTS = [1 / (place + 1) for place in range(len(WORDS))]
SEARCHES = ("triennale", "lighthouse dusk", "lig", '"red blue"', "猫", "-lighthouse vase")
FILTERS = (
    "provider:fal cost:>0.02",
    "size:1536x1024 quality:high is:edit",
    "is:fav",
    "tag:logo",
    "date:2025-06",
    "lighthouse is:failed",
)


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with medians in milliseconds, and ratios to those of the smallest history."""
    first: dict[str, float] = {}
    for size in SIZES[:2] if quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = Store.open(Path(folder))
            fill(store, size)
            yield f"{size:,} runs, {size * 3 // 2:,} images"
            for name, job in jobs_of(store, size):
                took = _median_ms(store, job)
                ratio = f", {took / first[name]:.1f} x that of {SIZES[0]:,}" if name in first else ""
                first.setdefault(name, took)
                yield f"  {name:44} {took:7.1f} ms{ratio}"
            store.close()


def fill(store: Store, size: int, owner: str = OWNER) -> None:
    """So many runs, and half as many images again, without any bytes."""
    rng = random.Random(1)
    store.write(lambda db: _fill(db, size, rng, owner), timeout_s=600)


def _fill(db: Database, size: int, rng: random.Random, owner: str) -> None:
    # Facts are filled in once at the end, as the upgrade does it.
    names = [sql.split()[2] for sql in FACT_TRIGGERS]
    for name in names:
        db.conn.execute(f"drop trigger {name}")
    runs, groups, lines, images, inputs, tags = [], [], [], [], [], []
    for number in range(size):
        run_id, group_id = f"01r{number:023}", f"01g{number // 3:023}"
        at = timestamp(START + timedelta(minutes=9 * number * 100_000 / size))
        prompt = " ".join(rng.choices(WORDS, WEIGHTS, k=rng.randint(6, 40)))
        is_edit, state = rng.random() < 0.3, "failed" if rng.random() < 0.05 else "succeeded"
        width, height = rng.choice(((1024, 1024), (1536, 1024), (1024, 1536)))
        asked = {
            "prompt": prompt,
            "n": 1,
            "size": f"{width}x{height}",
            "quality": rng.choice(("low", "medium", "high")),
        }
        operation = "edit" if is_edit else "generate"
        if number % 3 == 0:
            groups.append((group_id, owner, operation, prompt, at))
        sent = json.dumps(asked | {"model": "gpt-image-2", "padding": "x" * 300})
        latency = rng.randint(4_000, 90_000) if state == "succeeded" else None
        runs.append((
            run_id, group_id, owner, number % 3, rng.choice(OFFERS), operation, prompt, json.dumps(asked), sent,
            json.dumps({"usage": {"total_tokens": 1000}, "padding": "y" * 200}), state, at, at, at, latency, 31_000,
        ))  # fmt: skip
        cost = rng.randint(2_000, 90_000) if state == "succeeded" else 0
        lines.append(LedgerLine(f"01l{number:023}", run_id, "settled", cost, "reported", None, at))
        count = 0 if state == "failed" else 1 + (rng.random() < 0.58)
        for position in range(count):
            sha256 = f"{rng.getrandbits(256):064x}"
            images.append((
                f"01i{number:021}{position:02}", run_id, position, sha256, width, height, at,
                int(rng.random() < 0.02), rng.choice((0, 0, 0, 0, 3, 4, 5)), f"{rng.getrandbits(64):016x}",
            ))  # fmt: skip
        if is_edit:
            inputs.append((run_id, f"{rng.getrandbits(256):064x}"))
        if rng.random() < 0.01:
            tags.append((run_id, "logo"))
    write = db.conn.executemany
    write("insert into groups values (?, ?, 'run', ?, ?, ?, null)", groups)
    write(
        """insert into runs (run_id, group_id, owner, position, offer, operation, prompt, asked, sent, got, state, queued_at,
            sent_at, finished_at, latency_ms, estimate_microusd) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        runs,
    )
    ledger.insert(db, lines)
    write(
        """insert into images (image_id, run_id, position, sha256, media_type, width, height, size_bytes, checks, created_at,
            favourite, stars, phash) values (?, ?, ?, ?, 'image/png', ?, ?, 1000, '[]', ?, ?, ?, ?)""",
        images,
    )
    write("insert into inputs values (?, 'image', 0, ?, 'image/png', 8, 6)", inputs)
    write("insert into tags values (?, ?)", tags)
    # As the app's own functions keep them.
    curation.renew_words(db, [run[0] for run in runs])
    for sql in (FILL_FACTS, *FACT_TRIGGERS):
        db.conn.execute(sql)


def jobs_of(store: Store, size: int) -> Iterator[tuple[str, Callable[[Database], object]]]:
    """What is measured, by name."""
    pages = size // PAGE
    far = min(FAR_PAGE, pages)
    yield "24 whole runs by their numbers (the floor)", _whole_runs
    for sort in ("newest", "dearest", "slowest", "stars", "rating"):
        yield f"first page, {sort}", _page(sort=sort)
    yield "first page and how many there are", _found("")
    for sort in ("newest", "dearest", "rating"):
        cursor = store.read(_page(sort=sort, skip=(far - 1) * PAGE)).next
        yield f"next page behind page {FAR_PAGE}, {sort}", _page(sort=sort, before=cursor)
    yield f"page {FAR_PAGE} by its number", _page(skip=(far - 1) * PAGE)
    yield f"page {FAR_PAGE} by its number, dearest", _page(sort="dearest", skip=(far - 1) * PAGE)
    yield "last page by its number", _page(skip=(pages - 1) * PAGE)
    for search in SEARCHES:
        yield f"search {search}", _found(search)
    for search in FILTERS:
        yield f"filter {search}", _found(search)
    yield "filter and sort provider:fal cost:>0.02", _found("provider:fal cost:>0.02", sort="dearest")
    yield "search and sort lighthouse", _found("lighthouse", sort="slowest")


def _whole_runs(db: Database) -> list[RunView]:
    return views_of(db, [to_run(row) for row in fetch(db, "select * from runs where seq between 1 and ?", (PAGE,))])


def _page(
    *, search: str = "", sort: str = "newest", before: str | None = None, skip: int = 0
) -> Callable[[Database], HistoryPage]:
    return lambda db: history.page(
        db, OWNER, search=search, sort=sort, limit=PAGE, before=before, skip=skip, blind_at=NOW
    )


def _found(search: str, sort: str = "newest") -> Callable[[Database], object]:
    return lambda db: history.page(db, OWNER, search=search, sort=sort, limit=PAGE, blind_at=NOW, is_counted=True)


def _median_ms(store: Store, job: Callable[[Database], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        store.read(job)
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in measure())
