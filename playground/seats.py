"""A place at a provider that counts over all replicas: asked for in the store, and waited for until those before have left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

from playground.finishing import to_its_end
from storage import seats
from storage.database import Store
from storage.engine import Database
from storage.errors import StoreClosed, StoreError
from storage.seats import Standing
from storage.workers import Worker

log = logging.getLogger(__name__)

T = TypeVar("T")
_LOOK_AGAIN_S = 1.0
"""News that a place is free may be lost."""
FREED = "seat"
"""The news that a place at a provider is free; the provider follows."""


class Seats(Protocol):
    """The places of all processes together."""

    async def take(self, provider_id: str) -> str:
        """Waits for a place; its name, to give it back by."""

    def give_back(self, seat_id: str, provider_id: str) -> None:
        """The place is free for others soon. Never waits: whoever had it may be stopped, and must come to its end."""

    def look_again(self, provider_id: str) -> None:
        """Somebody left the provider's line."""

    async def close(self) -> None:
        """The process ends."""


class NoOthers:
    """Where there is one process only, its own places are all there are."""

    async def take(self, _provider_id: str) -> str:
        """Nothing to wait for."""
        return ""

    def give_back(self, _seat_id: str, _provider_id: str) -> None:
        """Nothing to give."""

    def look_again(self, _provider_id: str) -> None:
        """Nobody waits."""

    async def close(self) -> None:
        """Nothing to end."""


class SharedSeats:
    """Places that are counted in the store. Lives on one event loop."""

    def __init__(self, store: Store, worker: Worker, new_id: Callable[[], str], most: Mapping[str, int]) -> None:
        """`most`: provider -> how many calls at once. Whoever is not in it has no line here."""
        self._store, self._worker, self._new_id, self._most = store, worker, new_id, most
        self._freed: dict[str, asyncio.Event] = {}
        self._given: dict[str, str] = {}
        """Places that nobody here needs any more, and that are still in the store -> provider."""
        self._giving: asyncio.Task[None] | None = None
        self._is_away = False
        """Whether the newest write said no."""

    async def take(self, provider_id: str) -> str:
        """Waits for a place, also while the store cannot be asked; its name, empty where none is needed."""
        if provider_id not in self._most:
            return ""
        seat_id = self._new_id()
        try:
            found = await self._asked(seat_id, provider_id)
            while found != "holds":
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_AGAIN_S):
                        await self._freed.setdefault(provider_id, asyncio.Event()).wait()
                found = await self._looked(seat_id, provider_id)
        except BaseException:
            self.give_back(seat_id, provider_id)
            raise
        return seat_id

    def give_back(self, seat_id: str, provider_id: str) -> None:
        """The place is free for others soon, or once the store can be told."""
        if seat_id:
            self._given[seat_id] = provider_id
            if self._giving is None or self._giving.done():
                self._giving = asyncio.create_task(self._give_back(), name="give back places at providers")

    async def _give_back(self) -> None:
        """All that is to be given back, and what comes meanwhile."""
        while given := dict(self._given):
            try:
                await self._written(partial(_give_back, seat_ids=given))
            except StoreClosed:
                return  # with the process goes all that it held
            except StoreError:
                await asyncio.sleep(_LOOK_AGAIN_S)
                continue
            for seat_id in given:
                del self._given[seat_id]
            for provider_id in set(given.values()):
                self._worker.tell(f"{FREED} {provider_id}")
                self.look_again(provider_id)

    async def close(self) -> None:
        """Waits no longer for what is being given back: with the process goes all that it held."""
        if self._giving is not None:
            self._giving.cancel()
            await asyncio.wait([self._giving])

    def look_again(self, provider_id: str) -> None:
        """Everybody here who waits for the provider looks."""
        if waiting := self._freed.pop(provider_id, None):
            waiting.set()

    async def _asked(self, seat_id: str, provider_id: str) -> Standing:
        """Puts the ticket into the line; how it is with it."""
        most = self._most[provider_id]

        def ask(db: Database) -> Standing:
            seats.ask(db, seat_id, self._worker.worker_id, provider_id)
            return seats.standing(db, seat_id, provider_id, most)

        async def asked() -> Standing:
            try:
                return await self._written(ask)
            except StoreClosed:
                raise
            except StoreError:
                return "gone"

        found, was_cancelled = await to_its_end(asked())
        if was_cancelled:
            raise asyncio.CancelledError
        return found

    async def _looked(self, seat_id: str, provider_id: str) -> Standing:
        most = self._most[provider_id]
        look = partial(seats.standing, seat_id=seat_id, provider=provider_id, most=most)
        try:
            found = await asyncio.to_thread(self._store.read, look)
        except StoreClosed:
            raise
        except StoreError:
            return "waits"
        return found if found != "gone" else await self._asked(seat_id, provider_id)

    async def _written(self, job: Callable[[Database], T]) -> T:
        """What the job returned. Raises: StoreError, told in the log once for as long as nothing can be written."""
        try:
            done = await asyncio.to_thread(self._store.write, job)
        except StoreClosed:
            raise
        except StoreError as error:
            if not self._is_away:
                log.warning("places at providers cannot be asked for or given back now: %s", error)
            self._is_away = True
            raise
        if self._is_away:
            log.info("places at providers can be asked for and given back again")
        self._is_away = False
        return done


def _give_back(db: Database, seat_ids: Iterable[str]) -> None:
    for seat_id in seat_ids:
        seats.give_back(db, seat_id)
