from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store
from tests.fakes import s3
from tests.fresh_store import fresh, home_of_images


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(fresh(tmp_path / "data"), home_of_images(tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def s3_of_session() -> Iterator[s3.S3]:
    with s3.S3() as server:
        yield server


@pytest.fixture
def s3_server(s3_of_session: s3.S3) -> Iterator[s3.S3]:
    """An S3 server without faults."""
    yield s3_of_session
    s3_of_session.fault = None
    s3_of_session.let_go.set()
    s3_of_session.let_go.clear()
