"""Going on with runs that an ended process left, as far as their keys are here; the others wait for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from playground import outcome
from playground.asked import request_of
from playground.carrying import LiveRun
from playground.events import Hub, RunEvent
from playground.keeping import end_run
from playground.keys import FoundKey
from playground.offered import access_of
from playground.parking import ParkingLot
from playground.plan import PlannedRun, plan_run
from playground.prices import offer_as_reserved
from playground.recovery import Found
from playground.refusals import PlanRefused
from playground.run_keys import key_of
from playground.services import Services
from playground.uploads import UploadRefused, load_input
from providers.checks import Problem
from providers.errors import MissingKey
from providers.types import ImageRequest
from storage.records import Run

log = logging.getLogger(__name__)

Begin = Callable[[Run, PlannedRun, FoundKey, Found], None]
"""Starts a run that can go on."""


class Resumption:
    """The runs of one process that others had begun. Lives on the engine's event loop."""

    def __init__(self, services: Services, hub: Hub, begin: Begin) -> None:
        self._services, self._hub, self._begin = services, hub, begin
        self.parked = ParkingLot()
        self.under_way: set[str] = set()
        """Ids of runs that are being looked at, and neither go on nor wait yet."""

    async def go_on(self, found: Found) -> None:
        """Goes on with a run that now is this process's; without its key it waits for its owner to come back with it. What
        stands in the way is logged, and the run stays as it is: a later look tries again.
        """
        self.under_way.add(found.run.run_id)
        try:
            await self._go_on(found)
        except Exception:  # one run that cannot go on must not keep the others, or the app, from going on
            log.exception("run %s could not be taken up", found.run.run_id)
        finally:
            self.under_way.discard(found.run.run_id)

    async def _go_on(self, found: Found) -> None:
        run = found.run
        try:
            offer = await asyncio.to_thread(offer_as_reserved, self._services, run)
            planned = plan_run(await self._request_of(found), offer, self._services.catalog)
        except (PlanRefused, ValueError) as error:
            await self._give_up(found, f"The app stopped before this run was done, and it cannot go on: {error}")
            return
        key, lacking = None, planned.provider.name
        try:
            key = key_of(self._services, planned, run.owner, self._services.keys, is_sent=found.was_sent)
        except MissingKey as error:
            lacking = error.provider
        if key is None or (run.key_source == "session" and key.source != "session"):
            # What was meant for a visitor's own key must not be paid for by the server's.
            access = access_of(planned.provider, FoundKey("none", None), self._services.settings)
            self.parked.put(found, LiveRun(run, planned, access), lacking)
            return
        self._begin(replace(run, key_source=key.source), planned, key, found)

    async def key_arrived(self, owner: str) -> None:
        """Goes on with the owner's runs that waited for a key."""
        for run_id in self.parked.of_owner(owner):
            parked = self.parked.take(run_id)
            if parked is not None:
                await self.go_on(parked.found)

    async def end_late(self) -> None:
        """Ends runs that have waited for their key too long."""
        for run_id in self.parked.too_late(self._services.clock()):
            await self.end_parked(run_id, "Its key did not come back in time.")

    async def end_parked(self, run_id: str, why: str) -> None:
        """Ends a run that waits for its key."""
        parked = self.parked.take(run_id)
        if parked is None:
            return
        await self._give_up(parked.found, why)
        run = parked.found.run
        self._hub.publish(RunEvent(run.group_id, run_id, run.owner, "finished"))

    async def _give_up(self, found: Found, why: str) -> None:
        estimate = outcome.FREE if found.run.estimate_microusd == 0 else outcome.UNPRICED
        ended = outcome.stopped(estimate, was_sent=found.was_sent, why=why)
        await asyncio.to_thread(end_run, self._services, found.run, ended)

    async def _request_of(self, found: Found) -> ImageRequest:
        """What the run asks. An input that is gone keeps nothing from being sent, but not a job from being asked for."""
        try:
            return await stored_request(self._services, found.run)
        except PlanRefused:
            if not found.was_sent:
                raise
            return request_of(found.run.asked, (), None)


async def stored_request(services: Services, run: Run) -> ImageRequest:
    """What the run asks, with the bytes of its inputs. Raises: PlanRefused when an input is gone."""
    try:
        images = [await load_input(services, run.owner, sha256) for sha256 in _hashes(run.asked.get("images"))]
        masks = [await load_input(services, run.owner, sha256) for sha256 in _hashes([run.asked.get("mask")])]
    except UploadRefused as error:
        raise PlanRefused((Problem("images", str(error)),)) from error
    return request_of(run.asked, images, masks[0] if masks else None)


def _hashes(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
