"""Runs with all that a page shows of them, gathered for many runs at once in a few queries."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from storage import locks
from storage.engine import Cursor, Database
from storage.records import (
    CostSource,
    ImageLock,
    LedgerLine,
    LedgerState,
    Run,
    RunView,
    StoredImage,
    StoredInput,
    StoredPartial,
)
from storage.rows import Row, fetched, to_image, to_input, to_ledger_line, to_partial

T = TypeVar("T")

_LEDGER_BY_WEIGHT: tuple[LedgerState, ...] = ("reserved", "unknown", "settled", "released")
"""A run with several lines counts as the first of these that one of them is in."""

_SOURCES_BY_DOUBT: tuple[CostSource, ...] = ("unknown", "estimated", "by_hand", "computed", "reported")
"""A sum is only as good as its worst part."""

_IMAGES = """select * from images where run_id in (select value from json_each(?)) and deleted_at is null
    order by run_id, position"""
_INPUTS = "select * from inputs where run_id in (select value from json_each(?)) order by run_id, role, position"
_PARTIALS = """select * from partials where run_id in (select value from json_each(?))
    order by run_id, image_position, partial_position"""
_LEDGER = "select * from ledger where run_id in (select value from json_each(?)) order by run_id, ledger_id"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost."""

    microusd: int | None
    """`None` when nobody knows."""
    source: CostSource
    state: LedgerState


def views_of(db: Database, runs: Sequence[Run]) -> list[RunView]:
    """A view of each run, in the order given. The number of queries does not depend on the number of runs."""
    if not runs:
        return []
    ids = json.dumps([run.run_id for run in runs])
    asked = [db.conn.execute(sql, (ids,)) for sql in (_IMAGES, _INPUTS, _PARTIALS, _LEDGER)]
    locked = locks.of_runs(db, ids)
    images, inputs = _by_run(asked[0], to_image), _by_run(asked[1], to_input)
    partials, ledger = _by_run(asked[2], to_partial), _by_run(asked[3], to_ledger_line)
    return [
        _view(
            run,
            tuple(images[run.run_id]),
            tuple(inputs[run.run_id]),
            tuple(partials[run.run_id]),
            ledger[run.run_id],
            tuple(locked.get(run.run_id, ())),
        )
        for run in runs
    ]


def _by_run(cursor: Cursor, record: Callable[[Row], T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for row in fetched(cursor):
        found[row["run_id"]].append(record(row))
    return found


def _view(
    run: Run,
    images: tuple[StoredImage, ...],
    inputs: tuple[StoredInput, ...],
    partials: tuple[StoredPartial, ...],
    lines: Sequence[LedgerLine],
    locked: tuple[ImageLock, ...],
) -> RunView:
    cost = cost_of(lines)
    return RunView(
        run=run,
        images=tuple(image for image in images if image.trashed_at is None),
        inputs=inputs,
        partials=partials,
        cost_microusd=cost.microusd,
        cost_source=cost.source,
        ledger_state=cost.state,
        locks=locked,
        trashed=tuple(image for image in images if image.trashed_at is not None),
    )


def cost_of(lines: Sequence[LedgerLine]) -> Cost:
    """What a run cost, by its lines of the ledger."""
    state = _ledger_state(lines)
    counted = [line for line in lines if line.state == state]
    # Released lines hold 0: a run that certainly cost nothing has a known cost.
    is_known = state in ("settled", "released")
    return Cost(
        sum(line.amount_microusd or 0 for line in counted) if is_known else None,
        next((source for source in _SOURCES_BY_DOUBT if any(line.source == source for line in counted)), "unknown"),
        state,
    )


def _ledger_state(lines: Sequence[LedgerLine]) -> LedgerState:
    for state in _LEDGER_BY_WEIGHT:
        if any(line.state == state for line in lines):
            return state
    return "unknown"
