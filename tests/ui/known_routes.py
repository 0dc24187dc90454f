"""Every route that the served app has, ours and Gradio's, and how a stranger fares there. A new one has to be put down here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from gradio.routes import App as GradioApp

from tests.harness import Harness
from ui import blocks, launch

FILES = {
    *("GET /static/{path:path}", "GET /assets/{path:path}", "GET /svelte/{path:path}", "GET /dp/*/{name}"),
    *("GET /favicon.ico", "GET /robots.txt", "GET /pwa_icon", "GET /pwa_icon/{size}", "GET /manifest.json"),
    *("GET /theme.css", "GET /gradio_api/theme.css"),
    "GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}",
}
"""Of the program, the same for everybody."""

STREAMS = {
    *("GET /gradio_api/heartbeat/{session_hash}", "GET /gradio_api/queue/data", "GET /gradio_api/upload_progress"),
    "GET /gradio_api/startup-events",
}
"""Without an end. What they tell whom has tests of its own; the last tells nothing of anybody."""

CLOSED = {
    *("GET /gradio_api/deep_link", "GET /gradio_api/token", "GET /gradio_api/dev/reload", "GET /gradio_api/runs"),
    *("POST /gradio_api/run-history/connect", "GET /gradio_api/run-history/buckets"),
    *("GET /gradio_api/run-history/records", "GET /monitoring", "GET /monitoring/summary", "GET /monitoring/{key}"),
    "GET /gradio_api/run-history/records/{endpoint}/{record_id}/assets/{asset_id}",
    *("GET /gradio_api/proxy={url_path:path}", "HEAD /gradio_api/proxy={url_path:path}"),
    *("GET /gradio_api/file={path_or_url:path}", "HEAD /gradio_api/file={path_or_url:path}"),
    *(
        "GET /gradio_api/file/{path:path}",
        "POST /gradio_api/stream/{event_id}",
        "POST /gradio_api/stream/{event_id}/close",
    ),
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file",
    "GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}",
    *("POST /gradio_api/component_server", "POST /gradio_api/process_recording", "POST /gradio_api/vibe-edit"),
    *("POST /gradio_api/undo-vibe-edit", "GET /gradio_api/vibe-code", "POST /gradio_api/vibe-code"),
    "POST /gradio_api/vibe-starter-queries",
}
"""Not there, for anybody."""

OPEN = {
    # Gradio's: the page and what its listeners are called by.
    *("GET /", "HEAD /", "GET /config", "GET /gradio_api/info", "GET /gradio_api/openapi.json", "GET /openapi.json"),
    *("GET /gradio_api/user", "GET /gradio_api/login_check", "GET /gradio_api/app_id", "POST /login", "GET /logout"),
    *("POST /gradio_api/api/{api_name}", "POST /gradio_api/run/{api_name}", "POST /gradio_api/call/{api_name}"),
    *("POST /gradio_api/call/v2/{api_name}", "GET /gradio_api/call/{api_name}/{event_id}"),
    *("GET /gradio_api/call/v2/{api_name}/{event_id}", "POST /gradio_api/queue/join", "GET /gradio_api/queue/status"),
    *("POST /gradio_api/cancel", "POST /gradio_api/reset", "POST /gradio_api/upload"),
    # Ours.
    *("GET /media/{name}", "GET /thumbs/{name}", "GET /blind/{battle_id}/{side}.webp", "GET /bank/{source_id}.jpg"),
    *("GET /healthz", "GET /take-along.zip", "POST /bring-back", "POST /bring-back/{token}"),
    *("DELETE /bring-back/{token}", "POST /recall", "GET /compare.json", "GET /images.json", "GET /costs/ledger.csv"),
    *("GET /history/page.json", "GET /history/runs/{run_id}.json", "GET /history/runs/{run_id}/code.json"),
    *("GET /history/runs/{run_id}/again.json", "POST /history/runs/{run_id}/again.json", "POST /history/do"),
    *("GET /history/runs/{run_id}/{position:int}/{copy}", "POST /history/pack", "GET /history/pack/{token}.zip"),
    *("GET /history/pack/{token}.html", "GET /keys", "POST /keys/{provider_id}", "DELETE /keys/{provider_id}"),
    *("POST /keys/{provider_id}/test", "GET /leaderboard.json", "GET /leaderboard.md", "GET /leaderboard/standing"),
    *("GET /sweeps/{group_id}.html", "POST /private", "DELETE /private", "DELETE /mine", "POST /operator"),
    *("DELETE /operator", "GET /votes.csv", "GET /votes.jsonl", "POST /visitor", "* /mcp"),
    *("POST /disk", "GET /unsaved", "GET /replica", "GET /scattered"),
}
"""Answers, and is asked by the stranger: they get nothing of anybody's and change nothing of anybody's."""


def routes_of(one: Harness) -> set[str]:
    """Method and path of each route of the server as it is launched; a slash more at the end makes no other one."""
    options: Any = launch.launch_options(one.app, _on_loop)
    served = GradioApp.create_app(blocks.build_app(one.app), app_kwargs=options["app_kwargs"])
    return {row.replace(launch.assets_hash(), "*") for row in _told(served.routes)}


def _told(routes: Iterable[Any]) -> Iterator[str]:
    for row in routes:
        inside = getattr(row, "original_router", row)
        if getattr(inside, "routes", None):
            yield from _told(inside.routes)
            continue
        methods = set(row.methods or ["*"])
        for method in methods - {"HEAD"} or methods:
            yield f"{method} {row.path.rstrip('/') or '/'}"


def _on_loop(_loop: asyncio.AbstractEventLoop) -> None:
    """Nobody waits for it."""
