"""Serving the page until a signal ends it: no new runs, calls under way are waited for, then the store is closed."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any

from playground.settings import preset_environment
from ui.app import App

_ENGINE_STOP_SLACK_S = 10.0


class CannotListen(OSError):
    """The address is taken or not this machine's; the message says what to do."""


def serve(app: App) -> None:
    """Blocks until Ctrl-C or SIGTERM.

    Raises: CannotListen when the address cannot be listened on.
    """
    settings = app.services.settings
    preset_environment(
        {
            "GRADIO_ANALYTICS_ENABLED": "False",
            # Gradio sums up all past events after each one; there is nobody to read it.
            "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000",
            "GRADIO_TEMP_DIR": str((settings.data_dir / "transfers").resolve()),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
    )
    # Gradio takes seconds to load and reads its variables when it does; only serving pays for it.
    from ui.blocks import build_app  # noqa: PLC0415
    from ui.launch import launch_options  # noqa: PLC0415

    server = _Server(app)
    # Before the page answers: a signal that comes early must not be lost.
    server.listen_for_signals()
    options = launch_options(app, on_loop=server.on_loop)
    page: Any = build_app(app)
    try:
        page.launch(server_name=settings.host, server_port=settings.port, prevent_thread_lock=True, **options)
    except OSError as error:
        raise CannotListen(
            f"Nothing can be served at {settings.host}:{settings.port}: another program is there, or the address is not "
            "this machine's. Stop it, or choose another with --port."
        ) from error
    sys.stderr.write(f"Diptych is at {page.local_url.rstrip('/')}\n")
    try:
        server.wait_for_signal()
    finally:
        server.stop()
        page.close(verbose=False)
        app.services.store.close()


class _Server:
    """What is between a signal in the main thread and the event loop in Gradio's."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signalled = threading.Event()

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Told by the server's start which loop the engine lives on."""
        self._loop = loop

    def listen_for_signals(self) -> None:
        """From now on SIGINT and SIGTERM end the app in order instead of at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def wait_for_signal(self) -> None:
        """Returns after SIGINT or SIGTERM."""
        while not self._signalled.wait(1.0):
            pass

    def stop(self) -> None:
        """Ends the engine and its connections on their loop, within the drain time and a little more."""
        if self._loop is None or not self._loop.is_running():
            return
        drain_s = self._app.services.settings.drain_s
        sys.stderr.write(f"Stopping; calls under way have up to {drain_s:g} s.\n")
        ended = asyncio.run_coroutine_threadsafe(self._end(drain_s), self._loop)
        ended.result(timeout=drain_s + _ENGINE_STOP_SLACK_S)

    async def _end(self, drain_s: float) -> None:
        await self._app.engine.close(drain_s)
        await self._app.services.client.close()

    def _on_signal(self, number: int, _frame: object) -> None:
        # A second signal does not wait for calls under way.
        signal.signal(number, signal.SIG_DFL)
        self._signalled.set()
