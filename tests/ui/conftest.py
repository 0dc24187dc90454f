"""What tests of pages and of the command line share: a browser; a strict server and a shell that reaches it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from providers.rows import CATALOG
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY
from tests.ui.browser import CHROMIUM, RunningApp
from tests.ui.shell import Nobody, Shell, serve_nothing
from tests.ui.visit import Visit
from ui import command_line


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Browser:
    return pytestconfig.stash[CHROMIUM].browser


@pytest.fixture
def page(pytestconfig: pytest.Config) -> Iterator[Page]:
    """A page as somebody has it who was never here, 1440 x 900, not yet opened."""
    shared = pytestconfig.stash[CHROMIUM]
    one = shared.new_page()
    yield one
    shared.leave(one)


@pytest.fixture
def visit(page: Page, app: RunningApp) -> Iterator[Visit]:
    """A visit of the module's `app`, which asks nobody else and breaks no script."""
    one = Visit(page, app)
    yield one
    assert one.foreign == []
    assert one.errors == []


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path, fake: FakeOpenAI) -> Shell:
    return Shell(tmp_path / "data", fake)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Callable[..., Any]]:
    """Runs the command line in this process; gives exit code, document and what was said."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, env: dict[str, str] | None = None, **parts: Any) -> tuple[int, Any, str]:
        environ = {"OPENAI_API_KEY": KEY} | (env or {})
        compose, serve = parts.get("compose", Nobody()), parts.get("serve", serve_nothing)
        code = command_line.main(list(arguments), CATALOG, environ, compose, serve)
        printed, said = capfdbinary.readouterr()
        return code, json.loads(printed), said.decode()

    root.handlers = []
    yield run
    root.handlers = handlers
    root.setLevel(level)
