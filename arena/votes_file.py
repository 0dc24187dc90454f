"""Votes out of a file, CSV or JSON lines, ours or anybody's; rated they give the numbers of the board they came from.

`competitor_a`, `competitor_b` and `outcome` are needed; `a` as an outcome says that `competitor_a` was better. `side_a` says
who stood on side A, by name or as `a` or `b`; without it that was `competitor_a`. Rows whose `counted` is 0 are left out, as
in our own export. Votes are in the order of `seq` or else of `voted_at` where every row has it, else of the file. Anything
that cannot be understood is an error that names its row: nothing is guessed. Blocking.
"""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import IO, Literal, get_args

import numpy as np
import orjson

from arena.ratings.outcomes import SCORE_OF_A, Outcome, VoteRow

NEEDED = ("competitor_a", "competitor_b", "outcome")
OPTIONAL = ("side_a", "counted", "category", "seq", "voted_at")
COLUMNS = (*NEEDED, *OPTIONAL)
MAX_LINE_BYTES = 2**20
"""A longer line is no vote; a file without line ends must not fill the memory."""
MAX_COMPETITORS = 1000
"""A board's work grows with the cube of them."""
MAX_NAME = 500
"""Characters of a competitor."""

TURNED = {"a": "b", "b": "a", "tie": "tie", "both_bad": "both_bad"}
"""An outcome as seen when the sides are exchanged."""
EMPTY = "The file is empty."
_COUNTED: dict[object, bool] = {"": True, "1": True, "true": True, "0": False, "false": False, 1: True, 0: False}
_SIDES = {"": "a", "a": "a", "b": "b"}

OrderedBy = Literal["seq", "voted_at", "file"]


class VotesFileError(ValueError):
    """A file of votes that cannot be read. The message names the row where there is one, and can be shown."""


@dataclass(frozen=True, slots=True)
class FileVotes:
    """The votes of a file that count."""

    votes: list[VoteRow]
    """(competitor on side a, competitor on side b, outcome), in their order."""
    categories: list[str] | None
    """Of each vote; `None` where the file has no such column."""
    left_out: int
    """Rows that say of themselves that they do not count."""
    ordered_by: OrderedBy


_Raw = tuple[object, ...]
"""The fields of `COLUMNS` as the file has them; what is not there is an empty text."""


@dataclass(slots=True)
class _Place:
    """Where the reader is."""

    row: int = 0
    """Votes begun so far; the first is 1, the header none."""
    line: int = 0

    def error(self, words: str) -> VotesFileError:
        """The words with the place in front."""
        return VotesFileError(f"Row {self.row} (line {self.line}): {words}")


def read_votes(path: Path) -> FileVotes:
    """The votes of the file, whose name ends in `.csv` or `.jsonl`.

    Raises:
        VotesFileError: the file is not there or is neither, a column is missing, or a row cannot be understood.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".jsonl"):
        raise VotesFileError(f"{path.name!r} is neither a .csv nor a .jsonl file.")
    try:
        with path.open("rb") as file:
            place = _Place()
            return _collected((_csv_rows if kind == ".csv" else _json_rows)(file, place), place)
    except OSError as error:
        raise VotesFileError(f"{path.name!r} cannot be read: {error.strerror}.") from error


def _lines(file: IO[bytes], place: _Place) -> Iterator[bytes]:
    """Lines with their ends, without the mark at the start of the file."""
    is_empty = True
    while line := file.readline(MAX_LINE_BYTES + 1):
        place.line += 1
        if place.line == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) > MAX_LINE_BYTES:
            raise VotesFileError(
                f"Line {place.line} is longer than {MAX_LINE_BYTES:,} bytes; this is no file of votes."
            )
        if b"\0" in line:
            raise VotesFileError(f"Line {place.line} holds a NUL byte; this is no text. Save the file as UTF-8.")
        if is_empty:
            is_empty = not line.strip()
        yield line
    if is_empty:
        raise VotesFileError(EMPTY)


def _text(line: bytes, place: _Place) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise VotesFileError(
            f"Line {place.line} is no UTF-8 text (byte 0x{byte:02X}). Save the file as UTF-8."
        ) from None


# CSV


def _csv_rows(file: IO[bytes], place: _Place) -> Iterator[_Raw]:
    reader = csv.reader((_text(line, place) for line in _lines(file, place)), strict=True)
    try:
        header = next((row for row in reader if row), [])
        pick = _picker([name.strip() for name in header])
        place.row = 1
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise place.error(f"it has {len(row)} fields, the header {len(header)}.")
            row.append("")
            yield pick(row)
            place.row += 1
    except csv.Error as error:
        raise place.error(f"this is no row of a CSV file ({error}).") from None


def _picker(header: list[str]) -> Callable[[list[str]], _Raw]:
    """Takes the fields of our columns out of a row that has an empty field at its end."""
    if not any(header):
        raise VotesFileError(EMPTY)
    twice = sorted({name for name in header if name in COLUMNS and header.count(name) > 1})
    if twice:
        raise VotesFileError(f"The header has the column {twice[0]!r} more than once.")
    missing = [name for name in NEEDED if name not in header]
    if missing:
        found = ", ".join(repr(name[:40]) for name in header[:10]) or "none"
        columns = f"column {missing[0]!r} is" if len(missing) == 1 else f"columns {', '.join(map(repr, missing))} are"
        raise VotesFileError(f"The {columns} missing; the header has {found}.")
    return itemgetter(*(header.index(name) if name in header else len(header) for name in COLUMNS))


# JSON lines


def _json_rows(file: IO[bytes], place: _Place) -> Iterator[_Raw]:
    for line in _lines(file, place):
        if not line.strip():
            continue
        place.row += 1
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise place.error(f"this is no JSON ({str(error)[:120]}).") from None
        if not isinstance(found, dict):
            raise place.error("each line must be a JSON object, as {...}.")
        yield tuple([_plain(found, name, place) for name in COLUMNS])


def _plain(found: dict[str, object], name: str, place: _Place) -> object:
    value = found.get(name)
    if value is None:
        if name in NEEDED:
            raise place.error(f"{name!r} is missing.")
        return ""
    if isinstance(value, str) or (isinstance(value, int | float) and name not in NEEDED):
        return value
    raise place.error(f"{name!r} must be a text.")


# Both


@dataclass(slots=True)
class _Times:
    """What puts votes in order, as long as every row has it."""

    name: OrderedBy = "file"
    column: int = 0
    values: array[float] = field(default_factory=lambda: array("d"))
    kind: bool | None = None
    """Whether all are numbers; `None` before the first."""

    def begin(self, row: _Raw) -> None:
        """Chooses the column by the first row."""
        for name in ("seq", "voted_at"):
            if row[COLUMNS.index(name)] != "":
                self.name, self.column = name, COLUMNS.index(name)
                return

    def take(self, row: _Raw, place: _Place) -> None:
        """The next row's. Raises: VotesFileError where there is one that says nothing."""
        value = row[self.column]
        if value == "":
            self.name = "file"
            return
        is_number, moment = _moment(value)
        if moment is None or is_number is not self.kind:
            if self.kind is None and moment is not None and (is_number or self.name == "voted_at"):
                self.kind = is_number
            else:
                raise place.error(f"{self.name} {str(value)[:40]!r} is not {_WANTED[self.name]}.")
        self.values.append(moment)

    def order(self) -> list[int]:
        """Places of the rows by time; equal ones stay as they were."""
        order: list[int] = np.argsort(np.frombuffer(self.values), kind="stable").tolist()
        return order


_WANTED = {"seq": "a number", "voted_at": "a time as 2026-08-21T10:15:30.123Z, written alike in all rows"}


def _collected(rows: Iterable[_Raw], place: _Place) -> FileVotes:
    known: dict[_Raw, VoteRow | None] = {}
    names: set[str] = set()
    votes: list[VoteRow] = []
    categories: list[str] = []
    times = _Times()
    left_out = 0
    for row in rows:
        key = row[:5]
        if key not in known:
            known[key] = _understood(row, place)
            _check_names(names, known[key], place)
        vote = known[key]
        if vote is None:
            left_out += 1
            continue
        if not votes:
            times.begin(row)
        votes.append(vote)
        categories.append(str(row[5]))
        if times.name != "file":
            times.take(row, place)
    if votes and times.name != "file":
        order = times.order()
        votes, categories = [votes[at] for at in order], [categories[at] for at in order]
    return FileVotes(votes, categories if any(categories) else None, left_out, times.name)


def _check_names(names: set[str], vote: VoteRow | None, place: _Place) -> None:
    names.update(vote[:2] if vote else ())
    if len(names) > MAX_COMPETITORS:
        raise place.error(f"this is competitor {len(names):,}; a board holds at most {MAX_COMPETITORS:,}.")


def _understood(row: _Raw, place: _Place) -> VoteRow | None:
    """The vote as it stood on the page, or `None` when it does not count.

    Raises:
        VotesFileError: a field is none of what it can be.
    """
    first, second, told, side_a, counted, *_ = row
    counts = _COUNTED.get(counted.lower() if isinstance(counted, str) else counted)
    if counts is None:
        raise place.error(f"counted {str(counted)[:40]!r} is neither 0 nor 1.")
    if not counts:
        return None
    a, b, outcome = _name(first, place), _name(second, place), str(told)
    if outcome not in SCORE_OF_A:
        raise place.error(f"outcome {outcome[:40]!r} is unknown; expected one of {', '.join(get_args(Outcome))}.")
    if a == b:
        raise place.error(f"{a!r} cannot meet itself.")
    side = {a: "a", b: "b"}.get(str(side_a)) or _SIDES.get(str(side_a))
    if side is None:
        raise place.error(f"side_a {str(side_a)[:40]!r} is neither of the two competitors, nor a, nor b.")
    return (a, b, outcome) if side == "a" else (b, a, TURNED[outcome])


def _name(value: object, place: _Place) -> str:
    name = str(value)
    if not name.strip():
        raise place.error("a competitor has no name.")
    if len(name) > MAX_NAME:
        raise place.error(f"a competitor's name is longer than {MAX_NAME} characters.")
    return name


def _moment(value: object) -> tuple[bool, float | None]:
    """Whether it is a number, and it or the seconds since 1970 in UTC; `None` when it is neither."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
            return False, (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    if not isinstance(value, str | int | float):
        return True, None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return True, None
    return True, number if math.isfinite(number) else None
