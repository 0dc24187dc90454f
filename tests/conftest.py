"""What all tests share: no network but loopback, and an application composed over a temporary folder."""

from __future__ import annotations

import gc
import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.services import Services
from tests.arena.world import Clock, make_services
from tests.harness import Harness
from tests.only_sqlite import ONLY_SQLITE
from tests.postgres_server import PostgresServer, rows_in, running_server
from tests.thorough import THOROUGH
from tests.ui.browser import CHROMIUM, SharedChromium


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CHROMIUM] = SharedChromium()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[CHROMIUM].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what only `make test-all` runs; the slow files first, so that no worker begins one when the others are done."""
    for item in items:
        if item.nodeid.startswith(THOROUGH):
            item.add_marker("thorough")
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def pytest_collection_finish() -> None:
    """What was loaded stays until the end: looking through it for garbage again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The browser's tests come first; others may need the event loop that it holds."""
    if item.get_closest_marker("browser") is None:
        item.config.stash[CHROMIUM].close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=("sqlite", "postgres"), default="sqlite", help="where stores keep their rows")


@pytest.fixture(scope="session", autouse=True)
def _rows_of_stores(request: pytest.FixtureRequest) -> Iterator[PostgresServer | None]:
    """With `--engine postgres` every store that a test opens by its folder has its rows in a database of its own."""
    if request.config.getoption("--engine") != "postgres":
        yield None
        return
    with running_server() as server, rows_in(server):
        yield server


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A server of PostgreSQL that forgets what it was told when it is killed, and is the faster for it."""
    with running_server() as one:
        yield one


@pytest.fixture(autouse=True)
def _no_databases_left(request: pytest.FixtureRequest, _rows_of_stores: PostgresServer | None) -> Iterator[None]:
    if _rows_of_stores and request.node.nodeid.startswith(ONLY_SQLITE):
        pytest.skip("about the file that SQLite keeps, or how SQLite finds rows")
    folder = request.getfixturevalue("tmp_path") if _rows_of_stores and "tmp_path" in request.fixturenames else None
    yield
    if _rows_of_stores and folder:
        _rows_of_stores.drop_below(folder)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anything but this machine fails the test that makes it."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            assert host == "localhost" or ipaddress.ip_address(host).is_loopback, f"a test connects to {host}"
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def clock() -> Clock:
    """The clock of `services`."""
    return Clock()


@pytest.fixture
def services(tmp_path: Path, clock: Clock) -> Iterator[Services]:
    """What the layers below the page share, over an empty store and without a network."""
    made = make_services(tmp_path / "data", clock=clock)
    yield made
    made.store.close()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Callable[..., Harness]]:
    """Composes applications over `tmp_path`; closes their stores at the end."""
    made: list[Harness] = []

    def make(**changes: Any) -> Harness:
        one = Harness(tmp_path / "data", **changes)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()
