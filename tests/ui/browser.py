"""The real app in a process of its own, and a real browser on it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page, expect, sync_playwright

from tests.app_process import AppProcess
from tests.installed import need

PATIENCE_MS = 20_000
"""For whatever is waited for on a page; a busy machine takes its time."""
expect.set_options(timeout=PATIENCE_MS)

FLAGS = [
    *("--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # A process that knows the page's scripts already opens it in half the time.
    "--process-per-site",
]
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def chromium() -> str:
    """Path of an installed Chromium. Skips without one; in CI its absence is a failure."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    need(None if found else "pages are not tried in a browser: no Chromium is installed (apt-get install chromium)")
    assert found
    return found


class RunningApp:
    """`python app.py` over a folder, until `stop` or `kill`."""

    def __init__(self, data_dir: Path, log: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log = log
        ours = {"DIPTYCH_DATA_DIR": str(data_dir), "DIPTYCH_PORT": str(self.port), "NO_PROXY": "127.0.0.1,localhost"}
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "DIPTYCH_", "SPACE_"))
        }
        self._process = AppProcess([], {**clean, **ours, **environment}, log, log)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            raise

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log.read_text()
            try:
                with urllib.request.urlopen(self.url, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"the app does not answer: {self.log.read_text()}")

    def wait_until_it_says(self, words: str) -> None:
        """On its output, within 30 s."""
        deadline = time.monotonic() + 30
        while words not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def fill_disk(self, *, is_full: bool) -> None:
        """From now on no file may grow beyond a few kilobytes, which is a full disk to the app; or any may again."""
        most = 8_000 if is_full else resource.RLIM_INFINITY
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def kill(self) -> None:
        """kill -9."""
        self._process.send_signal(signal.SIGKILL)
        self.ended()

    def ask_to_stop(self) -> None:
        """SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """The exit code, once there is one."""
        return self._process.wait(timeout=40)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.ask_to_stop()
        return self.ended()


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[RunningApp]:
    """The app over `data` in this folder, as the tests of a module share it. It has to end in order and without a traceback."""
    one = RunningApp(folder / "data", folder / "log.txt", **environment)
    yield one
    assert one.stop() == 0
    assert "Traceback" not in one.log.read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SharedChromium:
    """One Chromium for the browser tests of this process, started when the first of them asks for it.

    They share a context, whose caches stay; what a site keeps there is forgotten before every page.
    """

    def __init__(self) -> None:
        self._open: _Opened | None = None

    @property
    def browser(self) -> Browser:
        """For tests that need visitors of several kinds at once, each in a context of its own."""
        return self._opened().browser

    def new_page(self) -> Page:
        """A page as somebody has it who was never here. To be given back to `leave`."""
        opened = self._opened()
        opened.context.clear_cookies()
        opened.storage.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        return opened.context.new_page()

    def leave(self, page: Page) -> None:
        """Closes the page. The browser's process for this site stays, with all it has learned of its scripts."""
        opened = self._opened()
        if opened.resting.url == "about:blank":
            # An app that has ended does not answer.
            with suppress(Error):
                opened.resting.goto(urljoin(page.url, "/static/nothing"))
        _come_to_rest(page)
        page.close()

    def close(self) -> None:
        """Ends it, for tests that need this thread's event loop, which Playwright holds."""
        if self._open is not None:
            self._open.all.close()
            self._open = None

    def _opened(self) -> _Opened:
        if self._open is None:
            path = chromium()
            with ExitStack() as stack:
                play = stack.enter_context(sync_playwright())
                browser = stack.enter_context(play.chromium.launch(executable_path=path, args=FLAGS))
                # Motion is drawn by the processor here, and a button that moves is waited for.
                context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
                resting = context.new_page()
                self._open = _Opened(browser, context, resting, context.new_cdp_session(resting), stack.pop_all())
        return self._open


def _come_to_rest(page: Page) -> None:
    """Chromium forgets to close a page that is just on its way to another one, and Playwright waits for that for ever."""
    with suppress(Error):  # it was on its way, which ends there
        page.goto("about:blank")
    page.wait_for_url("about:blank")


@dataclass(frozen=True, slots=True)
class _Opened:
    browser: Browser
    context: BrowserContext
    resting: Page
    storage: CDPSession
    all: ExitStack


CHROMIUM = pytest.StashKey[SharedChromium]()
