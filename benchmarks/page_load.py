"""The first load of the page against an empty Gradio page: bytes on the wire, requests, first paint, and when it is ready.

Each load has a browser context of its own, so nothing is kept from the one before. Both are taken in turn. The empty page is
ready when Gradio has drawn it, ours when its scripts have set `body.ready` too. What comes after is counted as well, until
nothing was asked for half a second, but for the event stream that stays open.
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.processes import NoBrowser, bare_gradio, chromium, diptych

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS, QUICK_ROUNDS = 9, 3
PROMISED = 1.3
_SETTLE_MS = 800
_READY = {"ours": "body.ready", "empty": ".gradio-container .prose"}
_TIMES = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return paint ? paint.startTime : 0;
}"""


@dataclass(frozen=True, slots=True)
class Load:
    """One load of a page."""

    kilobytes: float
    """On the wire, heads included."""
    requests: int
    paint_ms: float
    """First contentful paint."""
    ready_ms: float
    kinds: Counter[str]
    """Kilobytes by kind of file."""
    script_ms: float
    """Time of the processor in scripts, styles and layout."""


def measure(*, quick: bool = False) -> Iterator[str]:
    """Lines with what was measured and ratios to the empty page."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    try:
        with chromium() as browser, diptych() as ours, bare_gradio() as empty:
            loads: dict[str, list[Load]] = {"ours": [], "empty": []}
            for name, url in (("ours", ours), ("empty", empty)):
                _load(browser, url, name)
            for _ in range(rounds):
                for name, url in (("ours", ours), ("empty", empty)):
                    loads[name].append(_load(browser, url, name))
    except NoBrowser as error:
        yield f"  {error}"
        return
    for name, field, unit in (
        ("weight", "kilobytes", "kB"),
        ("requests", "requests", ""),
        ("first paint", "paint_ms", "ms"),
        ("ready", "ready_ms", "ms"),
        ("browser's processor", "script_ms", "ms"),
    ):
        mine, floor = (statistics.median(getattr(one, field) for one in loads[key]) for key in ("ours", "empty"))
        verdict = (
            f"; promised {PROMISED}: {'kept' if mine <= PROMISED * floor else 'MISSED'}" if name == "ready" else ""
        )
        yield f"  {name:20}{mine:9.0f} {unit:3} empty page {floor:9.0f} {unit:3} {mine / floor:5.2f}x{verdict}"
    for name in ("ours", "empty"):
        kinds = loads[name][0].kinds
        yield f"  {name}: " + ", ".join(f"{kind} {size / 1000:.0f} kB" for kind, size in kinds.most_common())


def _load(browser: Browser, url: str, name: str) -> Load:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    kinds: Counter[str] = Counter()
    types: dict[str, str] = {}
    session.on("Network.responseReceived", lambda event: types.update({event["requestId"]: event["type"]}))

    def finished(event: dict[str, Any]) -> None:
        kinds[types.get(event["requestId"], "other")] += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    session.send("Performance.enable")
    page.goto(url, wait_until="commit")
    page.wait_for_selector(_READY[name], state="attached")
    ready = float(page.evaluate("performance.now()"))
    page.wait_for_timeout(_SETTLE_MS)
    paint = float(page.evaluate(_TIMES))
    metrics = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    return Load(sum(kinds.values()) / 1000, len(types), paint, ready, kinds, metrics["TaskDuration"] * 1000)


if __name__ == "__main__":
    for line in measure(quick="--quick" in sys.argv):
        print(line, flush=True)
