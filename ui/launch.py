"""How the page is launched: head, theme, routes and limits, as values for `Blocks.launch`.

Style sheets and scripts are files of our own under `dp/<hash>/`, because Gradio rewrites what is given as `css`. Each kind
is one file, zipped once. The hash is that of all files together, so a changed file changes every address and the browser may
keep them for ever. Gradio puts the head's links into the page only when its own scripts have run; `ui.opening` writes them into
the page itself.
"""

from __future__ import annotations

import hashlib
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gradio.routes import BUILD_PATH_LIB
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from storage.blob_home import ELSEWHERE
from storage.opening import DATABASE_NAME
from ui import guard, routes
from ui.app import App
from ui.bundling import script_bundle, style_bundle
from ui.late import late
from ui.opening import FOREVER, Opening, Ours, zipped
from ui.replicas import Named, replica_routes
from ui.theme import theme

if TYPE_CHECKING:
    from ui.mcp_door import McpDoor

ASSETS = Path(__file__).parent / "assets"
STYLES = (
    "tokens.css",
    "frame.css",
    "styles.css",
    "playground.css",
    "offers.css",
    "tiles.css",
    "menus.css",
    "compare.css",
    "xray.css",
    "arena.css",
    "boards.css",
    "files.css",
    "leaderboard.css",
    "costs.css",
    "settings.css",
)
KEPT = (DATABASE_NAME, "blobs", *ELSEWHERE, "thumbs", "blind", "workers", "backups")
"""What is in the data folder, but for uploads on their way."""
SCRIPTS = ("frame.js", "playground.js", "boards.js")
SCRIPT, STYLE = "script", "style"
"""Names of the bundles: without an ending, else Gradio would zip what is zipped once more."""
FONT = "inter-latin-wght-normal.woff2"


class ImmutableFiles(StaticFiles):
    """Static files that a browser never asks for again."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, marked as unchanging."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = FOREVER
        return response


@cache
def assets_hash() -> str:
    """Names this state of the assets folder."""
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def assets_route() -> Route:
    """Serves the assets folder at the address `head_html` links to."""
    files = ImmutableFiles(directory=ASSETS)
    bundles = {SCRIPT: script_bundle(ASSETS, SCRIPTS), STYLE: style_bundle(ASSETS, STYLES)}

    async def asset(request: Request) -> Response:
        bundle = bundles.get(request.path_params["name"])
        if bundle is None:
            return await files.get_response(request.path_params["name"], request.scope)
        return await zipped(bundle, request.headers.get("accept-encoding", ""))

    # Not mounted: below a proxy that takes a prefix off, a mount looks for the prefix in vain.
    return Route(f"/{_address('{name}')}", asset, name="assets")


def head_html() -> str:
    """Links for the page's head where Gradio is left to write them; `opening` names more."""
    return f'<link rel="stylesheet" href="{_address(STYLE)}">{_links()}'


def opening(replica: str, app: ASGIApp) -> ASGIApp:
    """The application, with the page's head written in advance, and the name of this replica on what its queue answers."""
    ours = Ours(_links(), style_bundle(ASSETS, STYLES), f"dp/{assets_hash()}")
    return Named(Opening(app, Path(BUILD_PATH_LIB).parent, ours), replica)


def _links() -> str:
    return (
        f'<link rel="preload" href="{_address(FONT)}" as="font" type="font/woff2" crossorigin>'
        f'<link rel="icon" href="{_address("mark.svg")}" type="image/svg+xml">'
        f'<script type="module" src="{_address(SCRIPT)}"></script>'
    )


def _address(name: str) -> str:
    """Where a file of the assets folder is served, relative to wherever the app is mounted."""
    return f"dp/{assets_hash()}/{name}"


def _agents(app: App) -> McpDoor:
    # The package mcp is optional (requirements-mcp.txt): loaded with this file, it would end the start of whoever has none.
    return cast("type[McpDoor]", late("ui.mcp_door", "McpDoor"))(app)


def launch_options(app: App, on_loop: Callable[[AbstractEventLoop], None]) -> dict[str, object]:
    """Keyword arguments for `Blocks.launch`; address and port are the caller's. `on_loop` learns the server's loop."""
    agents = _agents(app) if app.services.settings.mcp else None
    return {
        "head": head_html(),
        "theme": theme(),
        "app_kwargs": {
            "routes": [
                assets_route(),
                *replica_routes(app, _address),
                *routes.routes(app),
                *(agents.routes if agents else []),
            ],
            "middleware": guard.middleware(
                app.services.settings, app.services.usage, partial(opening, app.worker.worker_id)
            ),
            "lifespan": routes.lifespan(app, on_loop, agents.run if agents else nullcontext),
        },
        "run_history": False,
        "ssr_mode": False,
        "max_threads": 200,
        "state_session_capacity": 500,
        # Above what an input may have, so that a large file is refused in our words; Gradio says no more than "too large".
        "max_file_size": "100mb",
        # The database and the images are given by our own routes only. Uploads on their way lie beside them.
        "blocked_paths": [str(app.services.settings.data_dir.resolve() / name) for name in KEPT],
        "enable_monitoring": False,
        "footer_links": [],
        "show_error": False,
        "quiet": True,
        "favicon_path": ASSETS / "mark.svg",
    }
