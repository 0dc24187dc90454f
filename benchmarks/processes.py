"""Programs in processes of their own: servers, what prints lines, and the browser that asks."""

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


class Failed(RuntimeError):
    """How a process ended, and what it said last."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(command: Sequence[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """Address and process number of a server started with these arguments of Python, once it answers; ended with the block."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1,localhost", **QUIET_GRADIO, **(env or {})}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_for(url)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def diptych_process(env: Mapping[str, str] | None = None, folder: Path | None = None) -> Iterator[tuple[str, int]]:
    """Address and process number of this app over a folder, or over one of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory() as made:
        ours = {"DIPTYCH_DATA_DIR": str(folder or made), "DIPTYCH_PORT": str(port)}
        with started(["app.py"], port, {**ours, **(env or {})}) as server:
            yield server


@contextmanager
def diptych(env: Mapping[str, str] | None = None, folder: Path | None = None) -> Iterator[str]:
    """The address of this app over a folder, or over one of its own."""
    with diptych_process(env, folder) as (url, _):
        yield url


@contextmanager
def bare_gradio(*arguments: str) -> Iterator[str]:
    """The address of `benchmarks.bare_gradio` with these arguments."""
    port = free_port()
    with started(["-m", "benchmarks.bare_gradio", f"--port={port}", *arguments], port) as (url, _):
        yield url


def lines_of(command: Sequence[str]) -> Iterator[str]:
    """What Python prints when started with these arguments, line by line as it comes; its errors go on to ours.

    Raises:
        Failed: it ended with another code than 0, after all its lines.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            assert process.stdout is not None
            yield from (line.rstrip("\n") for line in process.stdout)
        errors.seek(0)
        said = errors.read()
    sys.stderr.write(said)
    if process.returncode:
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        raise Failed(f"{last} (exit code {process.returncode})")


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
