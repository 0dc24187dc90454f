from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import Store
from tests.fresh_store import fresh


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(fresh(tmp_path / "data"))
    yield opened
    opened.close()
