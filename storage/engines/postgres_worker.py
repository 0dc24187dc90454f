"""A process among others over one PostgreSQL database: it renews a lease, and tells and hears news, over its own connection.

A worker is alive as long as its row is there. Whoever has renewed its own row without a gap for the whole term of a lease
deletes rows that were not seen for that long. So an outage of the server kills nobody: when it is over everybody has a gap, and
as long again to be seen. All times are the database's, so that it does not matter what the machines think. Nothing of this
needs to outlive a crash of the server, so commits of this connection do not wait for its disk.
"""

from __future__ import annotations

import logging
import select
import socket
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psycopg

from storage import errors
from storage.engine import Database
from storage.engines.postgres_connections import PostgresConnection, connect
from storage.workers import Heard

log = logging.getLogger(__name__)

CHANNEL = "diptych"
_RENEWALS = 5
"""In the term of a lease."""
_LOOKS = 4
_LONGEST_GAP = 0.5
"""Of the term, between two renewals: after a longer one nothing is known of others."""
_RETRY_S = 1.0
_MOST_UNTOLD = 1_000
"""News that wait while the server is away; then the oldest are forgotten."""
_ENLIST = """insert into workers (worker_id, seen_ms) values (?, now_ms())
    on conflict (worker_id) do update set seen_ms = excluded.seen_ms returning seen_ms"""
_RENEW = """with now as (select now_ms() as ms), before as (select seen_ms from workers where worker_id = :worker)
    update workers set seen_ms = now.ms from now, before where worker_id = :worker
    returning now.ms, now.ms - before.seen_ms"""


class _Line(PostgresConnection):
    """The connection over which a process is seen, tells and hears."""

    def __init__(self, url: str, data_dir: Path) -> None:
        super().__init__(connect(url, data_dir).raw, data_dir)
        self._arrived: deque[str] = deque()
        self.raw.add_notify_handler(self._on_notify)
        self.run(f"set synchronous_commit = off; listen {CHANNEL}")

    def tell(self, news: list[str]) -> None:
        """Say something to all who listen."""
        self.executemany("select pg_notify(?, ?)", [(CHANNEL, each) for each in news])

    def waited(self, bell: int, most_s: float) -> bool:
        """Until something arrives, the bell rings, or so many seconds have passed; whether it was the bell."""
        both = select.poll()  # `select.select` takes no number above 1023, and a busy process has such
        both.register(bell, select.POLLIN)
        with self._errors():
            both.register(self.raw.pgconn.socket, select.POLLIN)
        return bell in [number for number, _ in both.poll(most_s * 1000)]

    def arrived(self) -> list[str]:
        """What others told since the last call."""
        with self._errors():
            self.raw.pgconn.consume_input()
            while told := self.raw.pgconn.notifies():
                self._note(told.be_pid, told.extra.decode())
        found = [*self._arrived]
        self._arrived.clear()
        return found

    def _on_notify(self, told: psycopg.Notify) -> None:
        self._note(told.pid, told.payload)

    def _note(self, pid: int, news: str) -> None:
        if pid != self.raw.info.backend_pid:
            self._arrived.append(news)


class PostgresWorker:
    """This process, known by the lease it renews; a `storage.workers.Worker`. Raises: `sqlite3.Error` where none is had."""

    def __init__(
        self,
        url: str,
        data_dir: Path,
        worker_id: str,
        lease_s: float,
        read: Callable[[Callable[[Database], bool]], bool],
    ) -> None:
        """`worker_id` is a fresh id, `lease_s` the term of the lease in seconds, the same for all, and `read` runs a job that
        reads.
        """
        self.worker_id = worker_id
        self.look_every_s = lease_s / _LOOKS
        self._url, self._data_dir, self._read = url, data_dir, read
        self._lease_s, self._renew_every_s = lease_s, lease_s / _RENEWALS
        self._untold: deque[str] = deque(maxlen=_MOST_UNTOLD)
        self._heard: Heard = _nobody
        self._bell, self._ringing = socket.socketpair()
        self._bell.settimeout(0)
        self._ringing.settimeout(0)
        self._is_closing = threading.Event()
        self._renewed_at = self._unbroken_ms = 0.0
        line = _Line(url, data_dir)
        self._enlist(line)
        self._thread = threading.Thread(target=self._run, args=(line,), name="store-worker", daemon=True)
        self._thread.start()

    def is_alive(self, worker_id: str | None) -> bool:
        """Whether its row is there. Raises: StoreError, where nobody can tell now."""

        def is_there(db: Database) -> bool:
            return bool(db.conn.execute("select 1 from workers where worker_id = ?", (worker_id,)).fetchall())

        if worker_id == self.worker_id:
            return True
        try:
            return worker_id is not None and self._read(is_there)
        except errors.ServerTrouble as error:
            raise error.told from error

    def tell(self, news: str, /) -> None:
        """Say something to all others."""
        self._untold.append(news)
        self._ring()

    def hear(self, heard: Heard, /) -> None:
        """From now on `heard` is called, on this worker's thread."""
        self._heard = heard

    def close(self) -> None:
        """Take the row away, and with it all places that it held. Calling it again is harmless."""
        self._is_closing.set()
        self._ring()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _ring(self) -> None:
        try:
            self._bell.send(b"!")
        except (BlockingIOError, OSError):
            return  # it rings already, or nobody is there any more

    def _run(self, line: _Line) -> None:
        is_away = False
        while not self._is_closing.is_set():
            try:
                if line.is_broken:
                    line = _Line(self._url, self._data_dir)
                    self._heard("")
                self._turn(line)
            except sqlite3.Error as error:
                if not is_away:
                    log.warning("this process cannot be seen by others now: %s", error)
                is_away = True
                self._is_closing.wait(min(_RETRY_S, self._renew_every_s))
            else:
                if is_away:
                    log.info("this process can be seen by others again")
                is_away = False
        self._leave(line)
        line.close()
        self._bell.close()
        self._ringing.close()

    def _turn(self, line: _Line) -> None:
        """What is due, then a wait for whatever comes first."""
        if time.monotonic() >= self._renewed_at + self._renew_every_s:
            self._renew(line)
        if self._untold:
            line.tell([self._untold.popleft() for _ in range(len(self._untold))])
        left_s = max(0.0, self._renewed_at + self._renew_every_s - time.monotonic())
        if line.waited(self._ringing.fileno(), left_s):
            self._ringing.recv(4096)
        for news in line.arrived():
            self._heard(news)

    def _enlist(self, line: _Line) -> None:
        [(now_ms,)] = line.execute(_ENLIST, (self.worker_id,)).fetchall()
        self._unbroken_ms, self._renewed_at = now_ms, time.monotonic()

    def _renew(self, line: _Line) -> None:
        found = line.execute(_RENEW, {"worker": self.worker_id}).fetchall()
        if not found:
            log.warning("this process was not seen for %g s, so others have taken it for dead", self._lease_s)
            self._enlist(line)
            self._heard("")
            return
        self._renewed_at = time.monotonic()
        [(now_ms, gap_ms)] = found
        if not 0 <= gap_ms <= self._lease_s * _LONGEST_GAP * 1000:
            self._unbroken_ms = now_ms
        if now_ms - self._unbroken_ms >= self._lease_s * 1000:
            self._bury(line, now_ms - round(self._lease_s * 1000))

    def _bury(self, line: _Line, before_ms: int) -> None:
        """Forget those that were not seen since, and what they held."""
        dead = line.execute("delete from workers where seen_ms < ? returning worker_id", (before_ms,)).fetchall()
        line.execute("delete from seats where worker_id not in (select worker_id from workers)")
        if dead:
            log.warning("%d other processes are gone: %s", len(dead), ", ".join(str(name) for (name,) in dead))
            self._heard("")

    def _leave(self, line: _Line) -> None:
        try:
            line.execute("delete from seats where worker_id = ?", (self.worker_id,))
            line.execute("delete from workers where worker_id = ?", (self.worker_id,))
        except sqlite3.Error as error:
            log.info("this process could not say that it ends; others see it by its lease: %s", error)


def _nobody(_news: str) -> None:
    """Nobody listens yet."""
