"""The header: brand, figures of the strip, theme and help. The real tab list is lifted between them by the style sheet."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from playground import spending
from playground.ready import sources_of
from ui.app import App
from ui.components import drawn, static
from ui.trouble import trouble_view
from ui.views import strip_view

ASSETS = Path(__file__).parent / "assets"

KEYS = (
    ("Ctrl Enter", "Run"),
    ("Ctrl .", "Stop"),
    ("X", "X-ray: what Run would send, its price, and code"),
    ("J K", "Next, previous image"),
    ("B R", "Use as base, Remix, on that image"),
    ("C", "Compare that image, or leave it out"),
    ("F", "Favourite that image, or no longer"),
    ("Del", "Put that image in the trash"),
    ("Ctrl Z", "Take it out again"),
    ("/", "Go to search, or to the prompt"),
    ("1 2", "A better, B better, in Arena"),
    ("3 4 0", "Tie, both bad, skip, in Arena"),
    ("N", "Next battle, in Arena"),
    ("Z F", "Enlarge both images, and flip them, in Arena"),
    ("?", "This list"),
)

_BRAND = """
<a class="brand" href="#playground" aria-label="Diptych, to the Playground">
<svg width="22" height="18" viewBox="0 0 22 18" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
<rect x="1" y="1" width="8.5" height="16" rx="1.5" fill="currentColor"/>
<rect x="12.5" y="1" width="8.5" height="16" rx="1.5"/></svg><span>Diptych</span></a>
<div class="frame-buttons">
<button type="button" class="icon-button" data-frame="theme" aria-label="Switch between light and dark" title="Light or dark">
<svg class="icon" width="16" height="16" aria-hidden="true"><use href="#i-moon"/></svg></button>
<button type="button" class="icon-button" data-frame="help" aria-label="Keyboard help" title="Keyboard help"
 aria-expanded="false" aria-controls="d-help">
<svg class="icon" width="16" height="16" aria-hidden="true"><use href="#i-help"/></svg></button>
</div>
<div id="d-live" class="unseen" role="status" aria-live="polite"></div>
"""


LETTERS = (
    '<label class="letters"><span class="box"><input type="checkbox" data-letters checked>'
    '<svg class="icon" width="16" height="16" aria-hidden="true"><use href="#i-check"/></svg></span>'
    "Single letters and digits work as keys</label>"
)
"""The switch for people whose software types letters by itself; `assets/frame.js` keeps it."""


def build() -> gr.HTML:
    """Puts the header on the page and returns the strip, whose value is `strip(app, owner)`."""
    sprite = (ASSETS / "icons.svg").read_text(encoding="utf-8")
    static(sprite + _BRAND + _help(), elem_id="d-brand")
    return drawn("strip", strip_view((), (), None, 0), elem_id="d-strip")


async def strip(app: App, owner: str) -> dict[str, object]:
    """The strip's value now: providers ready, spend since midnight where the operator is, runs under way."""
    services = app.services
    today = await spending.today(services, owner)
    sources = sources_of(services, owner)
    served = {services.catalog.offer(offer_id).provider_id for offer_id in sources.served}
    has_key = {row.name: row.provider_id in sources.ready | served for row in services.catalog.providers}
    ready = [name for name, found in has_key.items() if found]
    keyless = [name for name, found in has_key.items() if not found]
    figures = strip_view(
        ready, keyless, today.totals, app.engine.running(owner), today.limit_microusd, is_private=app.is_private
    )
    return figures | {"trouble": await trouble_view(app, owner)}


def _help() -> str:
    rows = "".join(f"<div><dt>{_caps(keys)}</dt><dd>{meaning}</dd></div>" for keys, meaning in KEYS)
    return (
        '<div id="d-help" class="popover" role="dialog" aria-label="Keyboard" tabindex="-1" hidden>'
        f"<h2>Keyboard</h2><dl>{rows}</dl><p>On a Mac, Cmd stands for Ctrl.</p>{LETTERS}</div>"
    )


def _caps(keys: str) -> str:
    return " ".join(f"<kbd>{key}</kbd>" for key in keys.split())
