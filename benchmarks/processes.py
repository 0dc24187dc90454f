"""Servers in processes of their own, and the browser that asks them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
FLAGS = ("--no-sandbox", "--headless=new", "--disable-gpu")
QUIET_GRADIO = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}


class NoBrowser(RuntimeError):
    """What is missing, in words."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a server that is started with these arguments of Python, once it answers; ended with the block."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost", **QUIET_GRADIO, **(env or {})}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def diptych(env: Mapping[str, str] | None = None, folder: Path | None = None) -> Iterator[str]:
    """The address of this app over a folder, or over one of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory() as made:
        ours = {"DIPTYCH_DATA_DIR": str(folder or made), "DIPTYCH_PORT": str(port)}
        with serving(["app.py"], port, {**ours, **(env or {})}) as url:
            yield url


@contextmanager
def bare_gradio(*arguments: str) -> Iterator[str]:
    """The address of `benchmarks.bare_gradio` with these arguments."""
    port = free_port()
    with serving(["-m", "benchmarks.bare_gradio", f"--port={port}", *arguments], port) as url:
        yield url


def wait_for(url: str, within_s: float = 60.0, pause_s: float = 0.02) -> None:
    """Returns when the address answers. Raises: TimeoutError."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(pause_s)
    raise TimeoutError(f"nothing answers at {url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """An installed Chromium. Raises: NoBrowser."""
    try:
        # By name: only some benchmarks need it, and the others run without.
        playwright = import_module("playwright.sync_api")
    except ImportError as error:
        raise NoBrowser("Playwright is not installed") from error
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise NoBrowser("no Chromium is installed")
    with playwright.sync_playwright() as play, play.chromium.launch(executable_path=path, args=[*FLAGS]) as browser:
        yield browser
