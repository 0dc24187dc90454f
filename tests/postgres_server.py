"""A PostgreSQL server of the tests' own: made in a temporary folder, spoken to over a socket in it, gone at the end."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.blobs_elsewhere import Elsewhere
from storage.database import Store
from tests import fresh_store
from tests.installed import need

_USERS = ("postgres", "nobody")
"""Whom the server runs as where the tests run as root, which it refuses."""
_TEMPLATE = "made_once"
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
_SAFE = "-c fsync=on"


def missing() -> str | None:
    """Why there is no server here, in one line; `None`: there can be."""
    if importlib.util.find_spec("psycopg") is None:
        return "PostgreSQL is not tried: psycopg is not installed (requirements-scale.txt)"
    if _folder_of_programs() is None:
        return "PostgreSQL is not tried: its server is not installed (apt-get install postgresql)"
    return None


def _folder_of_programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


class PostgresServer:
    """A server and the databases in it, one for each data folder."""

    def __init__(self, folder: Path, *, is_safe: bool = False) -> None:
        self.folder = folder
        self._programs = _folder_of_programs()
        self._options = _SAFE if is_safe else _FAST
        self._names: dict[Path, str] = {}
        self._lock = threading.Lock()

    def make(self) -> None:
        """Make the files of the server and start it."""
        if os.getuid() == 0:
            shutil.chown(self.folder, self._user())
        # Any collation but "C" will do to show that none of ours follows the database's.
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "diptych", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        self.start()

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=200 {self._options}"
        end = time.monotonic() + 10
        # What a killed server had started ends a moment after it, and until then there can be no other.
        while not self._runs("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start"):
            assert time.monotonic() < end, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def stop(self, *, how: str = "immediate") -> None:
        """`immediate`: as if it had crashed."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", how, "stop")

    def kill(self) -> None:
        """kill -9 of the server's first process, and of all it started."""
        os.kill(self.first_process, 9)
        # Where nobody buries the dead, its number looks as if it still ran.
        (self.folder / "data" / "postmaster.pid").unlink()

    @property
    def first_process(self) -> int:
        """The number of the one that takes connections."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://diptych@/{name}?host={self.folder}"

    def url_of(self, data_dir: Path) -> str:
        """The address of the database of a data folder, made the first time with its schema in it."""
        data_dir = data_dir.absolute()
        with self._lock:
            if data_dir not in self._names:
                self._make_template()
                name = f"store_{hashlib.sha256(bytes(data_dir)).hexdigest()[:16]}"
                self.sql(f"create database {name} template {_TEMPLATE}")
                self._names[data_dir] = name
        return self.url(self._names[data_dir])

    def name_of(self, data_dir: Path) -> str:
        """The name of the database of a data folder that has one."""
        return self._names[data_dir.absolute()]

    def store_of(self, data_dir: Path) -> Store:
        """A store with its rows in the database of a data folder; the same folder again: another replica."""
        return open_by_folder(data_dir, database_url=self.url_of(data_dir))

    def drop_below(self, folder: Path) -> None:
        """Drop the databases of all data folders in a folder."""
        for data_dir in [each for each in self._names if each.is_relative_to(folder)]:
            self.sql(f"drop database {self._names.pop(data_dir)} with (force)")

    def sql(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as whoever owns everything."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as conn:
            conn.execute(statement.encode())

    def _make_template(self) -> None:
        if (self.folder / "template").exists():
            return
        (self.folder / "template").mkdir()
        self.sql(f"create database {_TEMPLATE}")
        with tempfile.TemporaryDirectory() as data_dir:
            open_by_folder(Path(data_dir), database_url=self.url(_TEMPLATE)).close()

    def _run(self, program: str, *arguments: str) -> None:
        assert self._runs(program, *arguments), (self.folder / "said").read_text()[-2000:]

    def _runs(self, program: str, *arguments: str) -> bool:
        assert self._programs
        command: Sequence[str] = [str(self._programs / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", self._user(), "--", *command]
        # Into a file: the server inherits the streams, and whoever reads a pipe would wait for its end.
        with (self.folder / "said").open("w") as said:
            return subprocess.run(command, cwd=self.folder, stdout=said, stderr=said, check=False).returncode == 0

    @staticmethod
    def _user() -> str:
        import pwd

        names = {entry.pw_name for entry in pwd.getpwall()}
        return next(name for name in _USERS if name in names)


open_by_folder = Store.open


@contextmanager
def rows_in(server: PostgresServer) -> Iterator[None]:
    """Every store that is opened by its folder meanwhile has its rows in a database of its own on this server."""
    usual = Store.open

    def open_there(data_dir: Path, elsewhere: Elsewhere | None = None, *, database_url: str | None = None) -> Store:
        return open_by_folder(data_dir, elsewhere, database_url=database_url or server.url_of(data_dir))

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(Store, "open", open_there)
        patches.setattr(fresh_store, "database_of", server.url_of)
        yield
    assert Store.open == usual


@contextmanager
def running_server(*, is_safe: bool = False) -> Iterator[PostgresServer]:
    """A new server; `is_safe`: what it acknowledged survives its death, which takes longer.

    Skips where there can be none; in CI that is a failure.
    """
    need(missing())
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path is short
    server = PostgresServer(folder, is_safe=is_safe)
    try:
        server.make()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
