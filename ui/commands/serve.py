"""`serve`: the page, until a signal ends it. Gradio is loaded by `ui.serving` alone."""

from __future__ import annotations

import argparse
import logging
import signal

from playground.snapshotting import restore_at_start
from ui.answering import Answer, log_to_stderr, safe_stderr
from ui.commands.parts import Parts
from ui.failures import ALL_WELL, INTERRUPTED
from ui.serving import refuse_missing, serve


def run(_options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Blocks until a signal; returns the exit code. Raises: SettingsError, CannotListen, StoreError."""
    refuse_missing(parts.settings)
    restored = restore_at_start(parts.settings)

    def tell(url: str) -> None:
        answer.say(f"Diptych is at {url}")
        answer.document({"url": url})

    with parts.app() as app:
        log_to_stderr(logging.INFO, parts.keys, app.services.keys.in_memory)
        app.snapshots.go_on_from(restored)
        with safe_stderr(parts.keys, app.services.keys.in_memory):
            return INTERRUPTED if (parts.serve or serve)(app, tell) == signal.SIGINT else ALL_WELL
