"""Settings: keys, servers, what the data folder holds, shortcuts and about. A typed key never is a component's value."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import gradio as gr

from playground import preferences
from playground.services import Services
from playground.snapshotting import is_lost_at_restart
from playground.version import VERSION
from storage import footprint, verify
from storage.engine import Database
from ui import guard, header, history_views, settings_views
from ui.app import App, Tabs, is_operator, owner_of
from ui.components import QUIET, bound, dated, drawn, static
from ui.history_views import View
from ui.snapshot_views import snapshot_view

SECTIONS = (
    ("st-keys", "Keys"),
    ("st-servers", "Servers"),
    ("st-defaults", "Defaults"),
    ("st-privacy", "Privacy"),
    ("st-storage", "Storage"),
    ("st-shortcuts", "Shortcuts"),
    ("st-about", "About"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The components of this tab."""

    keys: Any
    servers: Any
    defaults: Any
    privacy: Any
    storage: Any


def build(app: App) -> Page:
    """Puts the components on the tab."""
    with gr.Row(elem_id="st-sides"):
        static(_nav(), elem_id="st-nav")
        with gr.Column(elem_id="st-body"):
            mode = {"mode": app.services.settings.mode}
            keys = drawn("keys", mode, elem_id="st-keys", events=("keys_changed",))
            servers = drawn("servers", mode, elem_id="st-servers", events=("keys_changed",))
            defaults = drawn("defaults", {"state": "loading"}, elem_id="st-defaults", events=("prefer",))
            privacy = drawn("privacy", {"state": "loading"}, elem_id="st-privacy", events=("mine_changed",))
            if app.services.settings.public.can_sign_in:
                # Only where there is one does Gradio serve the routes of a sign-in; Settings shows a link of its own.
                gr.LoginButton(icon=None, visible=False)
            storage = drawn("storage", {"state": "loading"}, elem_id="st-storage", events=("verify",))
            static(_shortcuts(), elem_id="st-shortcuts")
            static(_about(), elem_id="st-about")
    return Page(keys, servers, defaults, privacy, storage)


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    quiet = {**QUIET, "concurrency_limit": None}
    tabs.settings.select(bound(on_visit, app), None, [page.defaults, page.privacy, page.storage], **quiet)
    # Gradio would drop a second press while the first is under way: each change counts, and of signs to look anew the last.
    page.defaults.prefer(bound(on_prefer, app), None, page.defaults, trigger_mode="multiple", **quiet)
    anew = {**quiet, "trigger_mode": "always_last"}
    page.privacy.mine_changed(bound(on_mine_changed, app), None, [page.privacy, page.storage, tabs.strip], **anew)
    page.keys.keys_changed(bound(on_keys_changed, app), None, tabs.strip, **anew)
    page.servers.keys_changed(bound(on_keys_changed, app), None, tabs.strip, **anew)
    page.storage.verify(bound(on_verify, app), None, page.storage, **quiet)


async def on_visit(app: App, request: gr.Request) -> list[View]:
    """What somebody prefers, what is kept of them, and what the data folder holds now."""
    return [await _liked(app, request), await _privacy(app, request), await _stored(app, request)]


async def on_prefer(app: App, request: gr.Request, event: gr.EventData) -> View:
    """Keeps what somebody prefers; it holds from the next time the form begins anew."""
    await preferences.keep(app.services, owner_of(app, request), getattr(event, "changed", None))
    return await _liked(app, request, is_saved=True)


async def on_mine_changed(app: App, request: gr.Request) -> list[View]:
    """The figures anew: something of theirs was deleted, or they run this server now."""
    strip = await header.strip(app, owner_of(app, request))
    return [await _privacy(app, request), await _stored(app, request), strip]


@dated
async def _liked(app: App, request: gr.Request, *, is_saved: bool = False) -> View:
    liked = await preferences.of_owner(app.services, owner_of(app, request))
    return settings_views.defaults_view(liked, is_saved=is_saved)


@dated
async def _privacy(app: App, request: gr.Request) -> View:
    owner, settings = owner_of(app, request), app.services.settings

    def read(db: Database) -> footprint.Footprint:
        return footprint.of_owner(db, owner)

    account = guard.account_of(settings, request)
    return settings_views.privacy_view(
        await asyncio.to_thread(app.services.store.read, read),
        settings,
        is_private=app.is_private,
        account=account.name if account else None,
        is_operator=is_operator(app, request),
        has_token=app.operators.has_token,
    )


@dated
async def _stored(app: App, request: gr.Request) -> View:
    is_host = is_operator(app, request)
    return await asyncio.to_thread(_storage, app.services, is_host=is_host) | {
        "snapshots": _copied(app, is_host=is_host)
    }


def _copied(app: App, *, is_host: bool) -> View | None:
    """How it stands with the copy of the store elsewhere. What is made in a private session is not copied."""
    if app.is_private:
        return None
    is_lost = is_lost_at_restart(app.services.settings)
    return snapshot_view(app.snapshots.standing, is_host=is_host, is_lost=is_lost)


async def on_keys_changed(app: App, request: gr.Request) -> View:
    """The header's figures: another number of providers is ready."""
    return await header.strip(app, owner_of(app, request))


async def on_verify(app: App, request: gr.Request) -> View:
    """The figures again, with the result of an audit of every row and file; on a public server that is the host's alone."""
    if not is_operator(app, request):
        return await _stored(app, request)
    problems = await asyncio.to_thread(verify.verify, app.services.store)
    return await _stored(app, request) | {"verified": history_views.verified_view(problems)}


def _storage(services: Services, *, is_host: bool) -> View:
    """Blocking: looks at the size of every file. On a public server figures, path and audit are the host's alone."""
    if not is_host:
        return {"cards": None, "words": "What this server holds in all is told to whoever runs it."}
    blobs = services.store.blobs
    sizes = [path.stat().st_size for _, path in blobs.all()]
    images = (len(sizes), sum(sizes)) if blobs.home is None else services.store.read(footprint.of_all)
    return history_views.storage_view(
        images=images,
        database_bytes=services.store.rows_bytes(),
        folder=str(services.store.data_dir),
        elsewhere=history_views.Elsewhere(blobs.home, len(sizes), sum(sizes), blobs.waiting()) if blobs.home else None,
    )


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
        f"<div><dt>Built with</dt><dd>{_parts()}</dd></div>"
        "<div><dt>Typeface</dt><dd>Inter, SIL Open Font License 1.1</dd></div>"
        "</dl></div>"
    )


def _parts() -> str:
    """The packages it stands on, with their versions and licences."""
    parts = (
        ("gradio", "Apache-2.0"),
        ("httpx", "BSD-3-Clause"),
        ("sqlite-utils", "Apache-2.0"),
        ("pillow", "MIT-CMU"),
        ("numpy", "BSD-3-Clause"),
        ("starlette", "BSD-3-Clause"),
    )
    return ", ".join(f"{name} {version(name)} ({licence})" for name, licence in parts)
