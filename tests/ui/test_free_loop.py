"""While one visitor waits for their page, everybody else's must go on: no step of the event loop takes long."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.app_process import ROOT

MOST_MS = 20.0
PASSES = 3
"""A step is slow when it is in each of so many passes: what happens once is something that is loaded or made for good."""
TABS = ("arena", "leaderboard", "history", "costs", "settings", "playground")


class Watched:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        self._file = folder / "steps.json"
        env = {
            **os.environ,
            "DIPTYCH_DATA_DIR": str(folder / "data"),
            "DIPTYCH_PORT": str(port),
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-m", "tests.loop_watch", str(self._file)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=-3, stderr=-3)

    def slow_steps(self) -> dict[str, float]:
        self._file.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        _until(self._file.exists)
        return dict(json.loads(self._file.read_text()))

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


def _until(happened: Any) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    one = Watched(tmp_path)
    try:
        _until(one.answers)
        yield one
    finally:
        one.process.terminate()
        one.process.wait(timeout=60)


def _visit(page: Page, url: str, number: int) -> None:
    page.goto(url)
    page.wait_for_selector("body.ready")
    page.fill("#pg-prompt textarea", f"A lighthouse at dusk, number {number}")
    page.wait_for_function("!document.querySelector('#pg-run').disabled")
    page.click("#pg-run")
    page.wait_for_selector("[data-testid=tile][data-state=done] img", timeout=60_000)
    for tab in TABS:
        page.evaluate("(tab) => { location.hash = tab }", tab)
        page.wait_for_load_state("networkidle")


def test_no_step_of_the_event_loop_takes_long(page: Page, watched: Watched) -> None:
    _visit(page, watched.url, 0)
    watched.slow_steps()
    seen = []
    for number in range(1, 1 + PASSES):
        _visit(page, watched.url, number)
        seen.append(watched.slow_steps())
    always = {name: min(one[name] for one in seen) for name in set.intersection(*map(set, seen))}
    assert {name: took for name, took in always.items() if took > MOST_MS} == {}
