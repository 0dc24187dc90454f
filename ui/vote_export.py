"""Votes on their way out, so that anybody can rate them again: CSV and JSON lines, with sides, chances and times.

`competitor_a` stood on side A. Voters leave under a hash made with this store's salt, prompts do not leave at all. Names and
answers are written as they are, because the board follows from them; only the words of a reason are kept from being taken for
a formula by a spreadsheet. Rows are written as they are read: the whole is never in memory.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Literal

import orjson

from arena import board
from arena.board import BoardQuery
from arena.voter_ids import shown_voter
from playground.services import Services
from storage import install, votes
from storage.engine import Database
from storage.files import appearing
from storage.records import Question
from storage.tallies import BoardFilter
from ui.arena_views import REPORTS
from ui.csv_cells import as_text

ExportKind = Literal["csv", "jsonl"]

COLUMNS = (
    *("competitor_a", "competitor_b", "outcome", "voted_at", "voter", "side_a", "probability", "source", "category"),
    *("prompt_id", "decided_ms", "follows", "looks", "offer_a", "quality_a", "offer_b", "quality_b", "created_at"),
    *("counted", "reason", "reported", "seq"),
)
SAME = "Both images are of one competitor on this board."
BLOCK_ROWS = 500
"""Rows written at once."""

_ANSWERS: dict[Question, str] = {"better": "outcome", "follows": "follows", "looks": "looks"}

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Written:
    """What an export holds."""

    votes: int
    counted: int
    """Of these votes, those that the board counts."""
    reported: int
    """Battles that a report ended without a vote."""


def kind_of(name: str) -> ExportKind | None:
    """The format by the ending of a file's name; `None` for another ending."""
    kinds: dict[str, ExportKind] = {".csv": "csv", ".jsonl": "jsonl"}
    return kinds.get(Path(name).suffix.lower())


def write_file(services: Services, query: BoardQuery, path: Path, *, everything: bool) -> Written:
    """Writes the export to a file whose name ends in `.csv` or `.jsonl`; it appears once it is whole. Blocking.

    Raises:
        OSError: the file cannot be written.
    """
    with appearing(path) as file:
        Path(file.name).chmod(0o644)
        return write_votes(services, query, file, kind_of(path.name) or "csv", everything=everything)


def write_votes(
    services: Services,
    query: BoardQuery,
    file: IO[bytes],
    kind: ExportKind,
    *,
    everything: bool = False,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Written:
    """Writes the votes of a board in their order, as they stood at one moment; with `everything` those too that do not count.

    `is_wanted` is asked now and then; once it says no, the rest stays unwritten. Blocking.

    Raises:
        OSError: the file takes no more.
    """
    encode = _as_csv if kind == "csv" else _as_json

    def read(db: Database) -> Written:
        found: Counter[str] = Counter()
        block: list[Row] = []
        file.write(_header() if kind == "csv" else b"")
        for row in _rows(db, services, query, everything=everything):
            block.append(row)
            found["votes" if row["outcome"] else "reported"] += 1
            found["counted"] += row["counted"] == 1
            if len(block) == BLOCK_ROWS:
                file.write(encode(block))
                block.clear()
                if not is_wanted():
                    break
        file.write(encode(block))
        file.flush()
        return Written(found["votes"], found["counted"], found["reported"])

    return services.store.read(read)


def _rows(db: Database, services: Services, query: BoardQuery, *, everything: bool) -> Iterator[Row]:
    salt = install.voter_salt(db)
    shown = lru_cache(100_000)(lambda voter: shown_voter(salt, voter))
    competing, answer = board.competing_on(services, query), _ANSWERS[query.question]
    for vote in _told(db, board.filter_of(db, query), everything=everything):
        if vote[answer] is None:
            continue
        a = competing(str(vote["offer_a"]), str(vote["quality_a"]))
        b = competing(str(vote["offer_b"]), str(vote["quality_b"]))
        is_counted = vote["counted"] == 1 and a != b
        if not (is_counted or everything):
            continue
        own = {
            "competitor_a": a,
            "competitor_b": b,
            "outcome": vote[answer],
            "voter": shown(str(vote["voter"])),
            "side_a": a,
            "counted": int(is_counted),
            "reason": SAME if vote["counted"] == 1 and a == b else _reason(str(vote["reason"]), is_counted=is_counted),
        }
        row = vote | own
        yield {name: row[name] for name in COLUMNS}


def _told(db: Database, wanted: BoardFilter, *, everything: bool) -> Iterator[Row]:
    """Votes in their order, and with `everything` the battles of the main question that a report ended without one."""
    yield from votes.exported(db, wanted)
    if everything and wanted.question == "better":
        for row in votes.reported_without_vote(db, wanted):
            yield row | {"reason": f"Reported: {REPORTS[str(row['reported'])].lower()}."}


def _reason(words: str, *, is_counted: bool) -> str:
    """A counted vote has none, also where its voter was left out once."""
    return "" if is_counted else words


def _header() -> bytes:
    return (",".join(COLUMNS) + "\r\n").encode()


def _as_csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow((row | {"reason": as_text(str(row["reason"]))}).values())
    return text.getvalue().encode()


def _as_json(rows: list[Row]) -> bytes:
    return b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows])
