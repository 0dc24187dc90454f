"""A connection to PostgreSQL that waits only where an answer is looked at.

A statement is sent along with the next one whose rows somebody asks for, so a job that writes ten rows waits once, and not ten
times. What one of them ran into is raised there, or where the job ends, and nothing behind it was carried out. It speaks to
libpq directly: what psycopg does around a statement takes longer than most statements of ours.
"""

from __future__ import annotations

import re
import select
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg.adapt import Buffer, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.string import TextLoader

from storage import errors
from storage.engine import Parameters
from storage.engines.postgres_connections import LOCK, NUL, PostgresConnection
from storage.engines.postgres_sql import translated, with_words

MOST_UNANSWERED = 256
"""Statements sent before their answers are taken in: neither side fills up the other's buffers."""
ANSWER_WITHIN_S = 60.0
"""How long the server may be silent, as where it hangs or the network swallows everything: nobody waits for ever."""
HEARD_S = 10.0
"""So long after an answer a connection is taken to be there; what drops idle ones on the way waits longer."""
_OFTEN = 3
"""Uses of a statement from which on the server keeps it prepared."""
_MOST_PREPARED = 500
_ROWS_AT_ONCE = 1000
_PLACE = re.compile("%[s%]")

_BIGINT, _TEXT, _UNKNOWN = 20, 25, 0


def _text(value: str) -> bytes:
    return value.replace("\0", NUL).encode()


def _number(value: float) -> bytes:
    return repr(value).encode()


def _nothing(_: None) -> None:
    return None


# As the dumpers of `postgres_connections` say them.
_SAID: dict[type, Callable[[Any], bytes | None]] = {str: _text, int: _number, float: _number, type(None): _nothing}
_KINDS: dict[type, int] = {str: _TEXT, int: _BIGINT, float: _UNKNOWN, type(None): _UNKNOWN}
_PLAIN = frozenset(_SAID)

_Key = tuple[bytes, tuple[int, ...]]


class Rows:
    """What a statement gives, or will give; a `storage.engine.Cursor`."""

    def __init__(self, pipeline: PipelinedConnection) -> None:
        self._pipeline = pipeline
        self._result: PGresult | None = None
        self._left: Iterator[tuple[Any, ...]] = iter(())
        self.error: psycopg.Error | None = None
        """What it ran into itself."""

    def take(self, result: PGresult) -> None:
        """The answer came."""
        self._result = result
        self._left = self._loaded(result)

    @property
    def description(self) -> Sequence[Sequence[Any]] | None:
        """The columns, each with its name first; `None` where the statement gives no rows."""
        result = self._answer()
        return [((result.fname(at) or b"").decode(),) for at in range(result.nfields)] or None

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""
        return self._answer().command_tuples or 0

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or `None`."""
        self._answer()
        return next(self._left, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows that are left."""
        self._answer()
        return list(self._left)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows one by one."""
        self._answer()
        return self._left

    def _answer(self) -> PGresult:
        if self._result is None:
            self._pipeline.answer()
        if self._result is None:
            raise sqlite3.OperationalError("a statement before this one failed, so it was not carried out")
        return self._result

    def _loaded(self, result: PGresult) -> Iterator[tuple[Any, ...]]:
        if not result.ntuples:
            return
        values = Transformer.from_context(self._pipeline.raw)
        values.set_pgresult(result)
        for first in range(0, result.ntuples, _ROWS_AT_ONCE):
            rows = values.load_rows(first, min(first + _ROWS_AT_ONCE, result.ntuples), tuple)
            yield from map(_with_nul, rows) if _has_nul(rows) else rows


class _Several(Rows):
    """What a statement gave that was run several times."""

    def __init__(self, pipeline: PipelinedConnection, each: Sequence[Rows]) -> None:
        super().__init__(pipeline)
        self._each = each

    @property
    def rowcount(self) -> int:
        """Rows that were changed by all."""
        return sum(rows.rowcount for rows in self._each)


class PipelinedConnection(PostgresConnection):
    """One connection, used by one thread at a time; a `storage.engine.Connection`."""

    def __init__(self, raw: psycopg.Connection[Any], data_dir: Path) -> None:
        super().__init__(raw, data_dir)
        self._take_over(raw)

    def _take_over(self, raw: psycopg.Connection[Any]) -> None:
        """Speak over this connection from now on."""
        self.raw = raw
        # psycopg's own, which takes no step of Python for each text; what stands in for NUL is looked for afterwards.
        raw.adapters.register_loader("text", TextLoader)
        self._unanswered: deque[tuple[Rows, _Key | None]] = deque()
        self._is_doubtful = False
        self._heard = time.monotonic()
        self._uses: Counter[_Key] = Counter()
        self._prepared: dict[_Key, bytes] = {}
        self._poll = select.poll()
        self._poll.register(raw.pgconn.socket, select.POLLIN)
        raw.pgconn.enter_pipeline_mode()

    @property
    def in_transaction(self) -> bool:
        """Whether one is open and can still be committed, as far as answers tell."""
        return not self.is_broken and (bool(self._unanswered) or super().in_transaction)

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        """Run one statement, now or with the next one that is waited for. Raises: `sqlite3.Error`."""
        is_search = isinstance(parameters, Mapping) and "runs_fts match" in sql
        if is_search and isinstance(parameters, Mapping):
            sql, parameters = with_words(sql, parameters)
        statement = translated(sql)
        # The plan of a search hangs on how many rows have its words: kept, it would be one for rare words.
        return self._send(_numbered(statement.sql), statement.values(parameters), is_kept=not is_search)

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Rows:
        """Run a statement that returns no rows once for each. Raises: `sqlite3.Error`."""
        statement = translated(sql)
        return _Several(self, [self._send(_numbered(statement.sql), statement.values(each)) for each in parameters])

    def run(self, sql: str) -> None:
        """Run one statement of PostgreSQL's own, now or with the next one that is waited for. Raises: `sqlite3.Error`."""
        self._send(sql.encode(), ())

    def mark(self, name: str) -> None:
        """Begin a part of the transaction that can be undone by itself."""
        self._send_surely(f"savepoint {name}")

    def unmark(self, name: str) -> None:
        """End the part."""
        self._send_surely(f"release {name}")

    def settle(self) -> None:
        """Wait until all that can fail is done.

        Raises:
            sqlite3.Error: what the first statement that failed ran into; none behind it was carried out.
        """
        if self._is_doubtful:
            self.answer()

    def answer(self) -> None:
        """Wait for the answers to all that was sent. Raises: as `settle`."""
        try:
            failed = self._taken_in() if self._unanswered else None
            self._is_doubtful = False
        except psycopg.Error as error:
            raise self._told(error) from error
        if failed:
            raise self._told(failed) from failed

    def begin_writing(self) -> None:
        """Open a transaction that is alone in writing, over all replicas: the lock is held until its end.

        Goes on without an answer where the server spoke a moment ago, and has said nothing unasked since, as it does when it
        goes away.
        """
        is_there = self._is_there()
        self.run("begin")
        self.run(LOCK)
        if not is_there:
            self.settle()

    def begin_reading(self) -> None:
        """Open a transaction that sees one moment and may not write. Waits for an answer as `begin_writing` does."""
        is_there = self._is_there()
        super().begin_reading()
        if not is_there:
            self.settle()

    def commit(self) -> None:
        """Bring what was written to the disk.

        Raises:
            sqlite3.Error: what a statement before it ran into; nothing is saved.
            errors.ServerTrouble: the connection broke; the commit may have been done.
        """
        end = self._send(b"commit", ())
        try:
            self.settle()
        except errors.ServerTrouble as error:
            if self.is_broken or end.error:
                raise errors.ServerTrouble(errors.answer_lost(str(error))) from error
            raise

    def rollback(self) -> None:
        """Give up what was written since the transaction began."""
        with suppress(sqlite3.Error):  # whoever gives up knows why
            self.settle()
        if self.in_transaction:
            self.run("rollback")
            self.settle()

    def _send(self, sql: bytes, values: Sequence[object], *, is_kept: bool = True) -> Rows:
        if len(self._unanswered) >= MOST_UNANSWERED:
            self.answer()
        rows = Rows(self)
        try:
            parameters, kinds = self._given(values)
            name = self._name_of((sql, kinds)) if is_kept else None
            if name:
                self.raw.pgconn.send_query_prepared(name, parameters)
            else:
                self.raw.pgconn.send_query_params(sql, parameters, kinds)
        except psycopg.Error as error:
            raise self._told(error) from error
        self._unanswered.append((rows, None))
        self._is_doubtful = True
        return rows

    def _given(self, values: Sequence[object]) -> tuple[Sequence[Buffer | None], tuple[int, ...]]:
        """Values as text, and the kind of each. Those that most statements have are put into words here."""
        if _PLAIN.issuperset(map(type, values)):
            said = [_SAID[type(value)](value) for value in values]
            return said, tuple([_KINDS[type(value)] for value in values])
        given = Transformer.from_context(self.raw)
        return given.dump_sequence(values, [PyFormat.TEXT] * len(values)), given.types or ()

    def _send_surely(self, sql: str) -> None:
        is_doubtful = self._is_doubtful
        self._send(sql.encode(), ())
        self._is_doubtful = is_doubtful

    def _name_of(self, key: _Key) -> bytes | None:
        """Under which the server knows the statement, which it is told if that is worth it."""
        name = self._prepared.get(key)
        if name is None and len(self._prepared) < _MOST_PREPARED:
            self._uses[key] += 1
            if self._uses[key] >= _OFTEN:
                name = self._prepared[key] = f"s{len(self._prepared)}".encode()
                self.raw.pgconn.send_prepare(name, key[0], key[1])
                self._unanswered.append((Rows(self), key))
        return name

    def _taken_in(self) -> psycopg.Error | None:
        """Waits for all answers; the first that says no."""
        server = self.raw.pgconn
        server.pipeline_sync()
        failed: psycopg.Error | None = None
        while server.flush():
            self._wait_for(select.POLLIN | select.POLLOUT)
        while self._unanswered:
            rows, key = self._unanswered.popleft()
            result = self._next_result()
            if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
                rows.take(result)
            else:
                if key:
                    del self._prepared[key]
                if failed is None:
                    rows.error = failed = error_from_result(result, encoding="utf-8")
            server.get_result()  # nothing: the end of this answer
        self._next_result()  # that there are no more
        self._heard = time.monotonic()
        return failed

    def _next_result(self) -> PGresult:
        server = self.raw.pgconn
        while server.is_busy():
            self._wait_for(select.POLLIN)
        result = server.get_result()
        if result is None:
            self._unanswered.clear()
            raise psycopg.OperationalError(server.get_error_message() or "the connection is lost")
        return result

    def _is_there(self) -> bool:
        """Whether there is no reason to think that the server may be gone."""
        self._poll.modify(self.raw.pgconn.socket, select.POLLIN)
        return time.monotonic() - self._heard < HEARD_S and not self._poll.poll(0)

    def _wait_for(self, what: int) -> None:
        self._poll.modify(self.raw.pgconn.socket, what)
        if not self._poll.poll(ANSWER_WITHIN_S * 1000):
            raise psycopg.OperationalError(f"it did not answer within {ANSWER_WITHIN_S:g} s")
        self.raw.pgconn.consume_input()


def _has_nul(rows: Iterable[tuple[Any, ...]]) -> bool:
    return any(type(value) is str and NUL in value for row in rows for value in row)


def _with_nul(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.replace(NUL, "\0") if isinstance(value, str) else value for value in row)


@lru_cache(maxsize=4096)
def _numbered(sql: str) -> bytes:
    """With `$1`, `$2` and so on for its places."""
    numbers = iter(range(1, len(sql)))
    return _PLACE.sub(lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql).encode()
