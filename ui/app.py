"""What the pages are handed, and the tabs they hang in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from arena.judging import VoterWatch
from playground.engine import Engine
from playground.services import Services
from playground.snapshotting import SnapshotKeeper
from playground.worker import Worker
from ui import guard
from ui.pace import Pace


@dataclass(frozen=True, slots=True)
class App:
    """The composed application behind the page."""

    services: Services
    engine: Engine
    worker: Worker
    """This process, as the store knows it."""
    voter_watch: VoterWatch = field(init=False)
    snapshots: SnapshotKeeper = field(init=False)
    pace: Pace = field(init=False)
    """Of whoever asks by endpoint or as an agent."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pace", Pace(self.services.settings.calls_per_minute))
        object.__setattr__(self, "snapshots", SnapshotKeeper(self.services))
        object.__setattr__(self, "voter_watch", VoterWatch(self.services))


@dataclass(frozen=True, slots=True)
class Tabs:
    """The frame as `wire` sees it. Components are `Any`: Gradio is untyped here."""

    demo: Any
    """The Blocks; `tabs.demo.load(...)` runs when a page is opened."""
    bar: Any
    """The `gr.Tabs`; a handler that outputs to it may return `gr.Tabs(selected="settings")`."""
    strip: Any
    """The figures at the right of the header. After money or keys changed, output `await header.strip(app, owner)` to it."""
    playground: Any
    arena: Any
    leaderboard: Any
    history: Any
    costs: Any
    settings: Any
    """One `gr.Tab` each; load data on `tabs.history.select(...)`, not when the page opens."""


def owner_of(app: App, request: Any) -> str:  # noqa: ANN401 - Gradio's request is untyped here
    """Whose runs and keys this visit works with; see `ui.guard`."""
    return guard.owner_of(app.services.settings, request)
