"""Settings: keys, servers, what the data folder holds, shortcuts and about. A typed key never is a component's value."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.snapshotting import is_lost_at_restart
from playground.version import VERSION
from storage import verify
from storage.opening import DATABASE_NAME
from ui import header, history_views
from ui.app import App, Tabs, owner_of
from ui.components import bound, drawn, static
from ui.history_views import View
from ui.snapshot_views import snapshot_view

SECTIONS = (
    ("st-keys", "Keys"),
    ("st-servers", "Servers"),
    ("st-storage", "Storage"),
    ("st-shortcuts", "Shortcuts"),
    ("st-about", "About"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    keys: Any
    servers: Any
    storage: Any


def build(app: App) -> Page:
    """Puts the components on the tab."""
    with gr.Row(elem_id="st-sides"):
        static(_nav(), elem_id="st-nav")
        with gr.Column(elem_id="st-body"):
            mode = {"mode": app.services.settings.mode}
            keys = drawn("keys", mode, elem_id="st-keys", events=("keys_changed",))
            servers = drawn("servers", mode, elem_id="st-servers", events=("keys_changed",))
            storage = drawn("storage", {"state": "loading"}, elem_id="st-storage", events=("verify",))
            static(_shortcuts(), elem_id="st-shortcuts")
            static(_about(), elem_id="st-about")
    return Page(keys, servers, storage)


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {"api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden"}
    tabs.settings.select(bound(on_visit, app), None, page.storage, **quiet)
    page.keys.keys_changed(bound(on_keys_changed, app), None, tabs.strip, **quiet)
    page.servers.keys_changed(bound(on_keys_changed, app), None, tabs.strip, **quiet)
    page.storage.verify(bound(on_verify, app), None, page.storage, **quiet)


async def on_visit(app: App) -> View:
    """What the data folder holds now."""
    return await asyncio.to_thread(_storage, app)


async def on_keys_changed(app: App, request: gr.Request) -> View:
    """The header's figures: another number of providers is ready."""
    return await header.strip(app, owner_of(app, request))


async def on_verify(app: App) -> View:
    """The figures again, with the result of an audit of every row and file; on a public server that is the host's alone."""
    if app.services.settings.mode != "local":
        return await on_visit(app)
    problems = await asyncio.to_thread(verify.verify, app.services.store)
    figures = await asyncio.to_thread(_storage, app)
    return figures | {"verified": history_views.verified_view(problems)}


def _storage(app: App) -> View:
    """Blocking: looks at the size of every file."""
    services = app.services
    sizes = [path.stat().st_size for _, path in services.store.blobs.all()]
    database = services.store.data_dir / DATABASE_NAME
    is_local = services.settings.mode == "local"
    beside = [database.with_name(database.name + ending) for ending in ("", "-wal")]
    return history_views.storage_view(
        images=len(sizes),
        image_bytes=sum(sizes),
        database_bytes=sum(path.stat().st_size for path in beside if path.is_file()),
        # On a public server the path, and the hours an audit takes, are nobody's but the host's.
        folder=str(services.store.data_dir) if is_local else "",
        can_verify=is_local,
    ) | {
        "snapshots": snapshot_view(
            app.snapshots.standing, is_host=is_local, is_lost=is_lost_at_restart(services.settings)
        )
    }


def _nav() -> str:
    links = "".join(f'<button type="button" data-section="{section}">{name}</button>' for section, name in SECTIONS)
    return f'<nav aria-label="Settings">{links}</nav>'


def _shortcuts() -> str:
    rows = "".join(
        f"<div><dt>{' '.join(f'<kbd>{key}</kbd>' for key in keys.split())}</dt><dd>{meaning}</dd></div>"
        for keys, meaning in header.KEYS
    )
    mac = "<p class='caption'>On a Mac, Cmd stands for Ctrl.</p>"
    return f"<h2>Shortcuts</h2><div class='panel'><dl>{rows}</dl>{mac}{header.LETTERS}</div>"


def _about() -> str:
    return (
        "<h2>About</h2><div class='panel'><dl>"
        f"<div><dt>Version</dt><dd>{VERSION}</dd></div>"
        "<div><dt>Licence</dt><dd>MIT</dd></div>"
        "<div><dt>Typeface</dt><dd>Inter, SIL Open Font License 1.1</dd></div>"
        "</dl></div>"
    )
