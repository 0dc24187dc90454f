"""Private sessions: the same application over a folder of its own that is deleted when the session ends.

Whoever is in one is known by a cookie that ends with the browser, so that nothing is kept by mistake after a restart of the
server. All private visitors share one folder, as all others share the data folder, and are told apart by their owner as there.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from arena.erasing import erase_everything
from playground.engine import Engine
from playground.services import Services, new_ulid
from storage import limits
from storage.database import Store
from storage.engine import Database
from storage.errors import StoreError
from storage.limits import StoredLimit
from storage.workers import Worker

log = logging.getLogger(__name__)

IDLE_S = 2 * 3600.0
"""So long after the last request of its visitor a private session ends by itself."""
LOOK_EVERY_S = 300.0
_PREFIX = "diptych-private-"
_ALIVE = "alive.lock"


class PrivateRoom:
    """The private sessions of one process, on its event loop. Nothing is made before the first one begins.

    `services` and `engine` are those of what is kept: money spent there counts towards the limits here.
    """

    def __init__(self, services: Services, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._public, self._engine = services, engine
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._open: _Opened | None = None
        self._seen: dict[str, float] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def enter(self, owner: str) -> tuple[Services, Engine, Worker]:
        """What the owner's private session works with. Raises: OSError or StoreError when no folder can be made."""
        async with self._lock:
            self._seen[owner] = self._monotonic()
            if self._open is None:
                self._open = await asyncio.to_thread(_opened, self._public, self._engine.session)
                await self._open.engine.start()
                self._sweeper = asyncio.create_task(self._sweep(), name="end idle private sessions")
            return self._open.services, self._open.engine, self._open.worker

    async def leave(self, owner: str) -> None:
        """Ends the owner's private session: its runs are stopped and all it holds is deleted."""
        async with self._lock:
            await self._leave(owner)

    async def close(self) -> None:
        """Ends all of them, with the process."""
        async with self._lock:
            self._seen.clear()
            await self._shut()

    async def _leave(self, owner: str) -> None:
        self._seen.pop(owner, None)
        if self._open is None:
            return
        if not self._seen:
            await self._shut()
            return
        await erase_everything(self._open.services, self._open.engine, owner, unused_s=0)

    async def _shut(self) -> None:
        opened, self._open = self._open, None
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None and sweeper is not asyncio.current_task():
            sweeper.cancel()
        if opened is not None:
            for owner in {live.run.owner for live in opened.engine.all_live()}:
                await opened.engine.cancel_all(owner)
            await opened.engine.close(0)
            await asyncio.to_thread(opened.delete)

    async def _sweep(self) -> None:
        while self._open is not None:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.end_idle()

    async def end_idle(self) -> None:
        """Ends the sessions whose visitors have not been here for a while, unless a run of theirs is under way."""
        before = self._monotonic() - IDLE_S
        for owner in [owner for owner, at in self._seen.items() if at <= before]:
            if self._open is None or self._open.engine.running(owner):
                continue
            try:
                await self.leave(owner)
            except (StoreError, OSError):
                log.exception("a private session could not be ended; trying again later")


class _Opened:
    def __init__(self, services: Services, engine: Engine, worker: Worker, folder: Path, alive: FileLock) -> None:
        self.services, self.engine, self.worker = services, engine, worker
        self._folder, self._alive = folder, alive

    def delete(self) -> None:
        self.services.store.close()
        self._alive.release()
        shutil.rmtree(self._folder, ignore_errors=True)


def _opened(public: Services, session: str) -> _Opened:
    """Blocking."""
    delete_left_behind()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    alive = FileLock(folder / _ALIVE, thread_local=False)
    alive.acquire(timeout=0)
    settings = public.settings
    # The server's keys are held against what is spent in the data folder, of which nothing is known here.
    unserved = replace(settings, data_dir=folder / "data", public=replace(settings.public, server_keys="off"))
    services = Services(
        settings=unserved,
        store=Store.open(unserved.data_dir),
        client=public.client,
        catalog=public.catalog,
        keys=public.keys.within(unserved),
        clock=public.clock,
        new_id=public.new_id,
        rng=public.rng,
        kept=(public.store, session),
        counted=public.usage,
    )
    _take_over(public.store.read(limits.all_set), services.store)
    worker = services.store.enlist(new_ulid())
    return _Opened(services, Engine(services, worker), worker, folder, alive)


def _take_over(set_there: Sequence[StoredLimit], store: Store) -> None:
    """Limits hold here as they do where things are kept; what is changed here ends with the session."""

    def put(db: Database) -> None:
        for limit in set_there:
            limits.put(db, limit)

    store.write(put)


def delete_left_behind() -> None:
    """Deletes the folders of private sessions whose process was killed. Blocking."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            probe = FileLock(folder / _ALIVE, thread_local=False)
            probe.acquire(timeout=0)
        except (Timeout, OSError):
            continue
        probe.release()
        shutil.rmtree(folder, ignore_errors=True)
