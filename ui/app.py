"""What the pages are handed, and the tabs they hang in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from arena.judging import VoterWatch
from arena.private_room import PrivateRoom
from playground.engine import Engine
from playground.operators import Operators
from playground.services import Services
from playground.snapshotting import SnapshotKeeper
from storage.workers import Worker
from ui import guard
from ui.pace import Pace, pace_of


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
    operators: Operators = field(init=False)
    room: PrivateRoom = field(init=False)
    is_private: bool = False
    """Whether this is what a private session works with."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pace", pace_of(self.services))
        object.__setattr__(self, "snapshots", SnapshotKeeper(self.services))
        object.__setattr__(self, "voter_watch", VoterWatch(self.services))
        object.__setattr__(self, "operators", Operators(self.services.settings))
        object.__setattr__(self, "room", PrivateRoom(self.services, self.engine))


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


def owner_of(app: App, request: guard.Asker) -> str:
    """Whose runs and keys this visit works with; see `ui.guard`."""
    settings = app.services.settings
    owner = guard.owner_of(settings, request)
    if settings.mode == "public":
        scope = guard.scope_of(request)
        app.services.usage.seen(owner, guard.address_of(settings, scope, Headers(scope=scope) if scope else {}))
    return owner


def is_operator(app: App, request: guard.Asker) -> bool:
    """Whether whoever asks runs this server. Raises: as `owner_of`."""
    account = guard.account_of(app.services.settings, request)
    return app.operators.includes(owner_of(app, request), account.name if account else "")


async def app_for(app: App, request: guard.Asker) -> App:
    """The application this visit works with: the one given, or that of private sessions. Raises: as `owner_of`."""
    if not guard.is_private(request):
        return app
    private = App(*await app.room.enter(owner_of(app, request)), is_private=True)
    object.__setattr__(private, "operators", app.operators)
    return private


def own(
    handler: Callable[..., Awaitable[Response]], app: App, *more: object
) -> Callable[[Request], Awaitable[Response]]:
    """The handler of a route that gives a visitor what is theirs, private sessions included: `handler(app, *more, request)`."""

    async def call(request: Request) -> Response:
        try:
            return await handler(await app_for(app, request), *more, request)
        except guard.UnknownVisitor as error:
            return PlainTextResponse(str(error), 403)

    return call


def drop_transfers(app: App, paths: Iterable[str]) -> None:
    """Deletes files on their way once they are taken, where a private session leaves none; others go within a day."""
    for path in paths if app.is_private else ():
        Path(path).unlink(missing_ok=True)
