"""What tests share: each job provider with its fake, audited when the test is over, and replicas over one database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import Harness
from tests.playground.faulty_answers import Make
from tests.playground.job_world import PROVIDERS, World, world_of
from tests.playground.replicas import replicas_over
from tests.postgres_server import PostgresServer


@pytest.fixture(params=PROVIDERS)
def world(
    request: pytest.FixtureRequest, harness: Callable[..., Harness], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[World]:
    """A provider with jobs. At the end nothing may have broken a rule, and no key may stand in a file or a log."""
    caplog.set_level(logging.DEBUG)
    with world_of(request.param, tmp_path / "data", harness) as one:
        yield one
        for key in one.secrets:
            assert key not in caplog.text


@pytest.fixture
def replica(server: PostgresServer, tmp_path: Path) -> Iterator[Make]:
    """Makes replicas over one database and one store of images, each with a data folder of its own."""
    with replicas_over(server.url_of(tmp_path / "database"), tmp_path) as make:
        yield make
