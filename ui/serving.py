"""Serving the page until a signal ends it: no new runs, calls under way are waited for, then the store is closed."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from playground.addresses import SettingsError
from playground.settings import Settings, preset_environment
from ui.app import App
from ui.late import late

if TYPE_CHECKING:
    import gradio as gr

_LaunchOptions = Callable[[App, Callable[[asyncio.AbstractEventLoop], None]], dict[str, object]]
log = logging.getLogger(__name__)

_ENGINE_STOP_SLACK_S = 10.0
_LAST_SNAPSHOT_S, _LAST_SNAPSHOT_SHARE = 10.0, 0.5
_KEEP_ALIVE_S = 75
"""How long a connection without requests stays open. The server's own 5 s is less than what proxies count on (nginx: 60 s): a
request that sets out while it is being closed is lost."""


class CannotListen(OSError):
    """The address is taken or not this machine's; the message says what to do."""


def refuse_missing(settings: Settings) -> None:
    """Raises: SettingsError when agents are to be served and the package for it is not there, or another line of it."""
    if not settings.mcp:
        return
    try:
        version = importlib.metadata.version("mcp")
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if not version.startswith("1."):
        found = "is not installed" if version == "none" else f"is version {version}"
        raise SettingsError(
            f"Agents are to be served, but the package mcp {found}. Run pip install -r requirements-mcp.txt, or leave "
            "--mcp and DIPTYCH_MCP out.",
            "DIPTYCH_MCP",
        )


def serve(app: App, tell: Callable[[str], None]) -> int:
    """Blocks until Ctrl-C or SIGTERM and returns the signal's number; `tell` is called with the address once it is up.

    Raises: CannotListen when the address cannot be listened on.
    """
    settings = app.services.settings
    preset_environment(
        {
            "GRADIO_ANALYTICS_ENABLED": "False",
            # Gradio sums up all past events after each one; there is nobody to read it.
            "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000",
            "GRADIO_TEMP_DIR": str((settings.data_dir / "transfers").resolve()),
            # Else whoever asks from this machine may say in a header that they are somebody else; `guard.address_of` reads it.
            "FORWARDED_ALLOW_IPS": "",
        }
    )
    # They load Gradio, which reads the variables above as it is loaded.
    build_app = cast("Callable[[App], gr.Blocks]", late("ui.blocks", "build_app"))
    launch_options = cast(_LaunchOptions, late("ui.launch", "launch_options"))
    server = _Server(app)
    # Before the page answers: a signal that comes early must not be lost.
    server.listen_for_signals()
    options = launch_options(app, server.on_loop)
    page = build_app(app)
    try:
        _launch(page, settings, options)
        tell(page.local_url.rstrip("/"))
        return server.wait_for_signal()
    finally:
        server.stop(page)


def _launch(page: gr.Blocks, settings: Settings, options: dict[str, object]) -> None:
    try:
        page.launch(
            server_name=settings.host,
            server_port=settings.port,
            root_path=settings.root_path or None,
            prevent_thread_lock=True,
            **options,
        )
        page.server.config.timeout_keep_alive = _KEEP_ALIVE_S
    except OSError as error:
        raise CannotListen(
            f"Nothing can be served at {settings.host}:{settings.port}: another program is there, or the address is not "
            "this machine's. Stop it, or choose another with --port."
        ) from error


class _Server:
    """What is between a signal in the main thread and the event loop in Gradio's."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signalled = threading.Event()
        self._number = 0

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Told by the server's start which loop the engine lives on."""
        self._loop = loop

    def listen_for_signals(self) -> None:
        """From now on SIGINT and SIGTERM end the app in order instead of at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def wait_for_signal(self) -> int:
        """The number of the first SIGINT or SIGTERM, once it came."""
        while not self._signalled.wait(1.0):
            pass
        return self._number

    def stop(self, page: gr.Blocks) -> None:
        """Ends engine, page, snapshots and store, each whatever becomes of the others."""
        self._ended("the engine", self._end_engine)
        self._ended("the page", lambda: page.close(verbose=False))
        self._ended("the last snapshot", lambda: self._app.snapshots.finish(self._last_snapshot_s))
        # The engine gives the lock back itself; where it could not, the next process must not take this one for alive.
        self._ended("the lock of this process", self._app.worker.close)
        self._ended("the store", self._app.services.store.close)

    @staticmethod
    def _ended(name: str, end: Callable[[], object]) -> None:
        try:
            end()
        except Exception:
            log.exception("%s did not end in order", name)

    def _end_engine(self) -> None:
        """On its loop, within the drain time and a little more. Without the loop no run is under way any more."""
        loop = self._loop
        if loop is None or not loop.is_running():
            return
        drain_s = self._app.services.settings.drain_s - self._last_snapshot_s
        log.info("Stopping; calls under way have up to %g s.", drain_s)
        ended = asyncio.run_coroutine_threadsafe(self._end(drain_s), loop)
        ended.result(timeout=drain_s + _ENGINE_STOP_SLACK_S)

    async def _end(self, drain_s: float) -> None:
        try:
            await self._app.engine.close(drain_s)
        finally:
            await self._app.room.close()
            await self._app.services.client.close()

    @property
    def _last_snapshot_s(self) -> float:
        """The part of the drain that is the last snapshot's: whoever sent the signal waits no longer than the whole."""
        drain_s = self._app.services.settings.drain_s
        return min(_LAST_SNAPSHOT_S, drain_s * _LAST_SNAPSHOT_SHARE) if self._app.snapshots.is_on else 0.0

    def _on_signal(self, number: int, _frame: object) -> None:
        # A second signal does not wait for calls under way.
        signal.signal(number, signal.SIG_DFL)
        self._number = self._number or number
        self._signalled.set()
