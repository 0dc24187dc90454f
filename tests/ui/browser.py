"""The real app in a process of its own, and a real browser on it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 20_000
"""For whatever is waited for on a page; a busy machine takes its time."""
expect.set_options(timeout=PATIENCE_MS)

FLAGS = [
    *("--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium() -> str:
    """Path of an installed Chromium. Skips without one; in CI its absence is a failure."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    if os.environ.get("CI"):
        pytest.fail("No Chromium is installed; CI needs one.")
    pytest.skip("No Chromium is installed: browser tests are skipped.")


class RunningApp:
    """`python app.py` over a folder, until `stop` or `kill`."""

    def __init__(self, data_dir: Path, log: Path, **environment: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log = log
        ours = {"DIPTYCH_DATA_DIR": str(data_dir), "DIPTYCH_PORT": str(self.port), "NO_PROXY": "127.0.0.1,localhost"}
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "DIPTYCH_", "SPACE_"))
        }
        self._output = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**clean, **ours, **environment},
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(self.url, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError(f"the app does not answer: {self.log.read_text()}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(timeout=40)
        self._output.close()
        return code


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
