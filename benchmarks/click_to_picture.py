"""From the click on Run to the picture on screen, in a real Chromium, over an upstream that takes 1.0 s; as ratios to it, and
to a bare Gradio app (`bare_gradio.py`) over the same one.

App, upstream and browser have processes of their own. A picture counts as on screen two frames after its bytes were decoded.
Layout shifts are what the browser itself reports. Needs Playwright and a Chromium: see requirements-dev.txt.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.processes import ROOT, NoBrowser, bare_gradio, chromium, diptych

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLOOR_S = 1.0
ONE_S, EIGHT_S = 1.25, 1.4
"""What is promised of one, and of eight at once."""
PEER_RATIO = 1.15
"""And of a bare Gradio app that asks the same upstream and shows the file it stored."""
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
    if (!event.target.closest("#pg-run, #run, [data-answer=yes]")) return;
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
    const shown = "[data-testid=tile][data-state=done] .image-box img, #shown img";
    for (const image of document.querySelectorAll(shown)) {
      // The bare app's image stays one element and gets another address.
      if (!image.src || seen.has(image.src)) continue;
      seen.add(image.src);
      image.decode().then(() => requestAnimationFrame(() => requestAnimationFrame(note)));
    }
  };
  const attributes = {attributes: true, attributeFilter: ["data-state", "src"]};
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, ...attributes});
  look();
}"""


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with what was measured, and whether it keeps what is promised."""
    singles, eights = (3, 1) if quick else (SINGLE_TRIES, EIGHT_TRIES)
    try:
        with ExitStack() as stack:
            browser = stack.enter_context(chromium())
            upstream = stack.enter_context(_upstream())
            ours, bare = stack.enter_context(_app(upstream)), stack.enter_context(bare_gradio("--upstream", upstream))
            page, peer = _opened(browser, ours, "body.ready"), _opened(browser, bare, "#run")
            yield f"  {os.cpu_count()} cores, upstream {FLOOR_S:.1f} s"
            _tick(page, [ONE])
            _press(page, "warm up", 1)
            _press_bare(peer, "warm up")
            one, others = [], []
            for number in range(singles):
                one.append(_press(page, f"one {number}", 1))
                others.append(_press_bare(peer, f"one {number}"))
            yield _line("one", one, ONE_S)
            yield _peer_line(one, others)
            _tick(page, [*EIGHT])
            _press(page, "warm up all", 8)
            yield _line("eight at once", [_press(page, f"eight {number}", 8) for number in range(eights)], EIGHT_S)
            yield from _many(page)
    except NoBrowser as error:
        yield f"  {error}"


def _opened(browser: Browser, url: str, ready: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page.goto(url)
    page.wait_for_selector(ready)
    page.evaluate(_WATCH)
    return page


def _press_bare(page: Page, prompt: str) -> dict[str, float]:
    page.bring_to_front()
    page.fill("#prompt textarea", prompt)
    page.wait_for_timeout(700)
    page.click("#run")
    return _result(page, 1)


def _peer_line(ours: list[dict[str, float]], bare: list[dict[str, float]]) -> str:
    mine, theirs = (statistics.median(one["last_s"] for one in runs) for runs in (ours, bare))
    kept = "kept" if mine <= PEER_RATIO * theirs else "MISSED"
    return (
        f"  a bare Gradio app     {theirs:.3f} s; ours {mine / theirs:.2f}x of it, promised {PEER_RATIO:.2f}x: {kept}"
    )


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
    page.bring_to_front()
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
    ours = {
        "OPENAI_API_KEY": "sk-benchmark",
        "OPENAI_BASE_URL": upstream,
        "DIPTYCH_SERVERS": ",".join(f"{name}={upstream}" for name in SERVERS),
    }
    with diptych(ours) as url:
        yield url


if __name__ == "__main__":
    for line in measure(quick="--quick" in sys.argv):
        print(line, flush=True)
