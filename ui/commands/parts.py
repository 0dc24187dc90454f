"""What a command is handed. Composing the application loads most of the program, so it waits until a command asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.settings import Settings
from providers.catalog import Catalog

if TYPE_CHECKING:
    from ui.app import App

Compose = Callable[[Settings], "App"]
Serve = Callable[["App", Callable[[str], None]], int]
"""Blocks until a signal ends the app, and returns its number. Calls the function with the page's address once it is up."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Settings and catalogue of this installation, and the way to its application."""

    settings: Settings
    catalog: Catalog
    """What is offered here."""
    compose: Compose
    serve: Serve | None = None
    """`None`: the web server."""
    keys: Sequence[str] = ()
    """Those of the settings, to be kept out of the log."""

    @contextmanager
    def app(self) -> Iterator[App]:
        """The application, its store open until the end of the block."""
        app = self.compose(self.settings)
        try:
            yield app
        finally:
            app.worker.close()
            app.services.store.close()
