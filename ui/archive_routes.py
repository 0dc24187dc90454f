"""Routes for files: take along, bring back, recall. Each checks the owner itself.

An upload is written to a file of its own as it comes, looked through, and waits there for its owner's word. Whoever changes
something must send the page's header, which no form of another site can.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playground import bringing, taking
from playground.archive import ArchiveRefused
from playground.bringing import MOST_BYTES
from playground.recall import MAX_BYTES, NotRecalled, recall
from storage.engine import Database
from storage.errors import StoreError
from ui import guard
from ui.app import App, own
from ui.archive_views import recalled_view, report_document, report_sentences
from ui.edges import Told, edged
from ui.route_answers import answer, refused
from ui.streamed import Streamed

AT_ONCE = 2
"""Files that are looked through, or recalled, at once; each takes a processor."""
EXPORTS_AT_ONCE = 3
LONGEST_S = 3600.0
WAITS_S = 900.0
"""So long an upload waits for its owner's word."""
_MOST_GROUPS = 500
FOLDER = "brought"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An archive that was looked through."""

    owner: str
    path: Path
    at: float


@dataclass(slots=True)
class _Desk:
    """What is under way."""

    folder: Path
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    """By a token that only its owner was told."""
    exports: set[Streamed] = field(default_factory=set)
    busy: dict[str, int] = field(default_factory=dict)
    """Owner -> what they have under way."""

    def drop_old(self, owner: str) -> None:
        """Forgets the owner's archives that wait, and those that waited too long."""
        now = time.monotonic()
        for token, one in list(self.waiting.items()):
            if one.owner == owner or now - one.at > WAITS_S:
                self.forget(token)

    def forget(self, token: str) -> None:
        """Deletes an archive that waits."""
        one = self.waiting.pop(token, None)
        if one is not None:
            one.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def place(self, owner: str) -> Iterator[None]:
        """A place at the desk. Raises: _Busy when there is none."""
        if owner in self.busy or len(self.busy) >= AT_ONCE:
            raise _Busy
        self.busy[owner] = 1
        try:
            yield
        finally:
            del self.busy[owner]


class _Busy(Exception):
    """Others are being served."""


class _TooLarge(Exception):
    """The upload is larger than what is taken; the message can be shown."""


def archive_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    desk = _Desk(app.services.store.data_dir / FOLDER)
    return [
        Route("/take-along.zip", own(take_along, app, desk)),
        Route("/bring-back", own(edged(look_through, _told), app, desk), methods=["POST"]),
        Route("/bring-back/{token}", own(edged(bring_back, _told), app, desk), methods=["POST", "DELETE"]),
        Route("/recall", own(edged(recall_file, _told), app, desk), methods=["POST"]),
    ]


async def take_along(app: App, desk: _Desk, request: Request) -> Response:
    """The visitor's archive: of all, or with `?group=ID&group=…` of these groups."""
    try:
        owner = guard.owner_of(app.services.settings, request)
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    groups = request.query_params.getlist("group") or None
    if groups is not None and (len(groups) > _MOST_GROUPS or await asyncio.to_thread(_missing, app, owner, groups)):
        return refused("One of these groups is not there.", 404)
    if len(desk.exports) >= EXPORTS_AT_ONCE:
        return refused("Other exports are under way. Try again in a minute.", 429)

    def write(file: IO[bytes], is_wanted: Callable[[], bool]) -> object:
        return taking.write(app.services, _Forward(file), owner, groups, is_wanted=is_wanted)

    name = f"diptych-{app.services.now()[:10]}.zip"
    return StreamingResponse(
        Streamed(app.services.store.data_dir, desk.exports, write, longest_s=LONGEST_S).pieces(),
        media_type="application/zip",
        headers={"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'},
    )


def _missing(app: App, owner: str, groups: list[str]) -> bool:
    def read(db: Database) -> bool:
        return bool(taking.missing_groups(db, owner, groups))

    return app.services.store.read(read)


class _Forward:
    """A file that is only ever written onward, because its bytes are on their way already."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        """Writes, and lets it be seen at once."""
        written = self._file.write(data)
        self._file.flush()
        return written

    def flush(self) -> None:
        """All is out already."""

    def close(self) -> None:
        """Whoever opened the file closes it."""


async def look_through(app: App, desk: _Desk, request: Request) -> Response:
    """Keeps the uploaded archive aside and tells what it would bring."""
    owner = _asker(app, request)
    with desk.place(owner):
        desk.drop_old(owner)
        path = await _kept_aside(desk, request, MOST_BYTES[app.services.settings.mode])
        try:
            report = await asyncio.to_thread(bringing.bring, app.services, path, owner, dry_run=True)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    token = secrets.token_urlsafe(24)
    desk.waiting[token] = _Waiting(owner, path, time.monotonic())
    document = report_document(report, dry_run=True)
    return answer(
        {"token": token, "words": report_sentences(report, dry_run=True), "nothing": report.brings_nothing, **document}
    )


async def bring_back(app: App, desk: _Desk, request: Request) -> Response:
    """Takes in the archive that waits under this token, or with DELETE lets go of it."""
    token = request.path_params["token"]
    owner = _asker(app, request)
    one = desk.waiting.get(token)
    if one is None or one.owner != owner:
        return refused("This archive is not waiting here any more. Choose the file again.", 404)
    if request.method == "DELETE":
        desk.forget(token)
        return answer({"words": []})
    with desk.place(owner):
        try:
            report = await asyncio.to_thread(bringing.bring, app.services, one.path, owner)
        finally:
            desk.forget(token)
    return answer({"words": report_sentences(report, dry_run=False), **report_document(report, dry_run=False)})


async def recall_file(app: App, desk: _Desk, request: Request) -> Response:
    """The visitor's images that the posted picture may have come from."""
    owner = _asker(app, request)
    with desk.place(owner):
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > MAX_BYTES:
                raise _TooLarge(f"The file is too large; at most {MAX_BYTES // 10**6} MB are looked at.")
        found = await asyncio.to_thread(recall, app.services, bytes(data), owner)
    return answer(recalled_view(found))


async def _kept_aside(desk: _Desk, request: Request, most_bytes: int) -> Path:
    desk.folder.mkdir(mode=0o700, exist_ok=True)
    _drop_leftovers(desk)
    path = desk.folder / f"{secrets.token_hex(16)}.zip"
    size = 0
    try:
        with path.open("xb") as file:
            async for piece in request.stream():
                size += len(piece)
                if size > most_bytes:
                    raise _TooLarge(
                        f"The archive is too large; at most {most_bytes // 10**6:,} MB are taken here at once."
                    )
                await asyncio.to_thread(file.write, piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _drop_leftovers(desk: _Desk) -> None:
    """Deletes what a killed process left aside: no upload waits so long."""
    kept = {one.path for one in desk.waiting.values()}
    for path in desk.folder.glob("*.zip"):
        with contextlib.suppress(FileNotFoundError):
            if path not in kept and time.time() - path.stat().st_mtime > 2 * WAITS_S:
                path.unlink()


def _asker(app: App, request: Request) -> str:
    """Whose page asks. Raises: PermissionError, UnknownVisitor."""
    if request.headers.get("x-diptych") != "1":
        raise PermissionError("This address is for the page's own script.")
    return guard.owner_of(app.services.settings, request)


_STATUS: dict[type[Exception], Literal[400, 403, 413, 503]] = {
    ArchiveRefused: 400,
    NotRecalled: 400,
    PermissionError: 403,
    guard.UnknownVisitor: 403,
    _TooLarge: 413,
    StoreError: 503,
}


def _told(error: Exception) -> Told[Response]:
    """The refusal in words."""
    if isinstance(error, _Busy):
        return Told(refused("Another file is being looked at. Try again in a moment.", 429))
    if isinstance(error, ClientDisconnect):
        return Told(refused("The file did not arrive whole. Choose it again.", 400))
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), None)
    if status is None:
        return Told(refused("Something failed inside the app. The log has the details.", 500), is_fault=True)
    return Told(refused(str(error), status))
