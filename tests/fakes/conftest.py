"""What the fakes' own tests share: a fake, OpenAI's where a file has none of its own, and a plain HTTP client with its key."""

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.faulty_server import FaultyServer
from tests.fakes.openai_server import FakeOpenAI


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def client(fake: FaultyServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {fake.key}"}
    # verify=False: loading certificates that plain HTTP never uses would take longer than most tests.
    with httpx.Client(base_url=fake.base_url, headers=headers, timeout=5, trust_env=False, verify=False) as plain:
        yield plain
