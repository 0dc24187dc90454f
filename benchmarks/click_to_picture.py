"""From the click on Run to the picture on screen, in a real Chromium, over an upstream that takes 1.0 s; as ratios to it.

App, upstream and browser have processes of their own. A picture counts as on screen two frames after its bytes were decoded.
Layout shifts are what the browser itself reports. Needs Playwright and a Chromium: see requirements-dev.txt.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
FLOOR_S = 1.0
ONE_S, EIGHT_S = 1.25, 1.4
"""What is promised of one, and of eight at once."""
SINGLE_TRIES, EIGHT_TRIES = 9, 5
ONE = "openai/gpt-image-2"
SERVERS = ("north", "east", "south", "west")
"""Own servers: each is asked for two images at a time, so eight at once need four."""
EIGHT = tuple(f"{name}/{model}" for name in SERVERS for model in ("m1", "m2"))
TILES = 40
NO_SHIFT = 0.001
"""A figure in the header that gets a digit more; a row of tiles that jumped would be a hundred times that."""

_WATCH = """() => {
  const seen = new Set();
  window.bench = {clicked: 0, painted: [], shift: 0};
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#pg-run, [data-answer=yes]")) return;
    Object.assign(window.bench, {clicked: performance.now(), painted: [], shift: 0});
  }, true);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // What a click brings at once is no jump: the browser's own measure leaves it out too.
      if (!entry.hadRecentInput) window.bench.shift += entry.value;
    }
  }).observe({type: "layout-shift", buffered: false});
  const note = () => window.bench.painted.push(performance.now());
  const look = () => {
    for (const image of document.querySelectorAll("[data-testid=tile][data-state=done] .image-box img")) {
      if (seen.has(image)) continue;
      seen.add(image);
      image.decode().then(() => requestAnimationFrame(() => requestAnimationFrame(note)));
    }
  };
  const attributes = {attributes: true, attributeFilter: ["data-state"]};
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, ...attributes});
  look();
}"""


def measure() -> Iterator[str]:
    """Lines with what was measured, and whether it keeps what is promised."""
    try:
        # By name: only this benchmark needs it, and the others run without.
        playwright = import_module("playwright.sync_api")
    except ImportError:
        yield "  Playwright is not installed"
        return
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser_path is None:
        yield "  no Chromium is installed"
        return
    with ExitStack() as stack:
        app = stack.enter_context(_app(stack.enter_context(_upstream())))
        play = stack.enter_context(playwright.sync_playwright())
        flags = ["--no-sandbox", "--headless=new", "--disable-gpu"]
        browser = stack.enter_context(play.chromium.launch(executable_path=browser_path, args=flags))
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.goto(app)
        page.wait_for_selector("body.ready")
        page.evaluate(_WATCH)
        yield f"  {os.cpu_count()} cores, upstream {FLOOR_S:.1f} s"
        _tick(page, [ONE])
        _press(page, "warm up", 1)
        yield _line("one", [_press(page, f"one {number}", 1) for number in range(SINGLE_TRIES)], ONE_S)
        _tick(page, [*EIGHT])
        _press(page, "warm up all", 8)
        yield _line("eight at once", [_press(page, f"eight {number}", 8) for number in range(EIGHT_TRIES)], EIGHT_S)
        yield from _many(page)


def _line(name: str, times: list[dict[str, float]], promised_s: float) -> str:
    took = sorted(one["last_s"] for one in times)
    middle = statistics.median(took)
    shift = max(one["shift"] for one in times)
    kept = "kept" if middle <= promised_s else "MISSED"
    return (
        f"  {name:16} median {middle:.3f} s, {middle / FLOOR_S:.2f}x the floor ({took[0]:.3f} to {took[-1]:.3f}); "
        f"promised {promised_s:.2f} s: {kept}; layout shift {shift:.4f}"
    )


def _many(page: Page) -> Iterator[str]:
    rows = TILES // len(EIGHT)
    page.fill("#pg-prompt textarea", "tile {number}")
    for row in range(rows):
        page.get_by_label(f"number, row {row + 1}", exact=True).fill(str(row))
    page.wait_for_function(f"document.querySelector('#pg-run').innerText.startsWith('Run {TILES}')")
    page.click("#pg-run")
    page.click("[data-answer=yes]")
    found = _result(page, TILES)
    verdict = "kept" if found["shift"] < NO_SHIFT else "MISSED"
    yield f"  {TILES} tiles         last after {found['last_s']:.1f} s; shift {found['shift']:.4f}, promised none: {verdict}"


def _tick(page: Page, offers: list[str]) -> None:
    for offer in offers:
        if not page.locator(f"#pg-offers input[value='{offer}']").count():
            page.evaluate("(offer) => { location.hash = `playground/use/${offer}` }", offer)
            page.locator(f"#pg-offers input[value='{offer}']").wait_for(state="attached")
    for box in page.locator("#pg-offers input[type=checkbox]").all():
        wanted = box.get_attribute("value") in offers
        if box.is_checked() != wanted:
            box.set_checked(wanted, force=True)


def _press(page: Page, prompt: str, runs: int) -> dict[str, float]:
    """Seconds from the click to the last picture on screen, and the layout shift in between."""
    page.fill("#pg-prompt textarea", prompt)
    words = "Run ·" if runs == 1 else f"Run {runs}"
    page.wait_for_function(f"document.querySelector('#pg-run').innerText.startsWith('{words}')")
    page.wait_for_timeout(700)
    page.click("#pg-run")
    return _result(page, runs)


def _result(page: Page, images: int) -> dict[str, float]:
    page.wait_for_function(f"window.bench.clicked && window.bench.painted.length >= {images}", timeout=120_000)
    page.wait_for_timeout(300)
    bench: Mapping[str, Any] = page.evaluate("window.bench")
    return {"last_s": (max(bench["painted"]) - bench["clicked"]) / 1000, "shift": bench["shift"]}


@contextmanager
def _upstream() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.slow_answers", "--seconds", str(FLOOR_S)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.communicate()


@contextmanager
def _app(upstream: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        ours = {
            "DIPTYCH_DATA_DIR": folder,
            "DIPTYCH_PORT": str(port),
            "OPENAI_API_KEY": "sk-benchmark",
            "OPENAI_BASE_URL": upstream,
            "DIPTYCH_SERVERS": ",".join(f"{name}={upstream}" for name in SERVERS),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        environment, quiet = {**os.environ, **ours}, subprocess.DEVNULL
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
        url = f"http://127.0.0.1:{port}/"
        try:
            _wait_for(url)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"the app does not answer at {url}")


if __name__ == "__main__":
    for line in measure():
        print(line, flush=True)
