"""The application as tests compose it: real parts over a temporary folder, with time and randomness in hand."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from playground import library
from playground.engine import Engine
from playground.image_home import elsewhere_of
from playground.keys import KeyRing
from playground.offering import catalog_of
from playground.plan import make_plan
from playground.services import LOCAL_OWNER, Services, new_ulid
from playground.settings import Secret, Settings
from providers.catalog import Catalog
from providers.client import Client
from providers.demo.server import DemoServer
from providers.rows import CATALOG
from providers.transport import Transport
from providers.types import ImageRequest
from storage.database import Store
from storage.records import RunView
from tests.fresh_store import fresh, home_of_images
from tests.noon import since_noon
from ui.app import App

OFFER = "openai/gpt-image-2"
KEY = "sk-test-0123456789"


async def no_sleep(_seconds: float) -> None:
    """Waits between tries take no time in tests."""
    await asyncio.sleep(0)


class Harness:
    """One process of the application. Build a second one over the same folder to restart it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        openai_url: str | None = None,
        key: str | None = KEY,
        urls: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        upload_urls: Mapping[str, str] | None = None,
        jobs_urls: Mapping[str, str] | None = None,
        catalog: Catalog = CATALOG,
        settings: Settings | None = None,
        database_url: str | None = None,
        demo_pace: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = no_sleep,
        clock: Callable[[], datetime] = since_noon,
    ) -> None:
        base_urls = ({"openai": openai_url} if openai_url else {}) | dict(urls or {})
        secrets = ({"openai": key} if key else {}) | dict(keys or {})
        self.settings = replace(
            settings or Settings(),
            data_dir=data_dir,
            base_urls=base_urls,
            keys={name: Secret(value) for name, value in secrets.items()},
            upload_urls=dict(upload_urls or {}),
            jobs_urls=dict(jobs_urls or {}),
        )
        elsewhere = elsewhere_of(self.settings.images) or home_of_images(data_dir)
        store = Store.open(fresh(data_dir), elsewhere, database_url=database_url)
        transport = Transport({"http://demo.invalid": DemoServer(pace=demo_pace)})
        self.services = Services(
            settings=self.settings,
            store=store,
            client=Client(transport, sleep=sleep, rng=random.Random(1)),
            catalog=catalog_of(self.settings, catalog),
            keys=KeyRing(self.settings),
            clock=clock,
            new_id=new_ulid,
            rng=random.Random(1),
        )
        self.worker = store.enlist(new_ulid(), self.settings.lease_s)
        self.engine = Engine(self.services, self.worker)
        self.app = App(self.services, self.engine, self.worker)

    async def run(self, request: ImageRequest, *offers: str, owner: str = LOCAL_OWNER) -> tuple[RunView, ...]:
        """Submits the request and returns its runs when all have ended."""
        plan = make_plan(request, offers or (OFFER,), self.services.catalog)
        group_id = await self.engine.submit(plan, owner)
        async for _ in self.engine.follow(group_id, owner):
            pass
        found = await library.group(self.services, group_id, owner)
        assert found is not None
        return found.runs

    async def one(self, prompt: str = "A red fox", offer: str = OFFER, **fields: object) -> RunView:
        """The ended run of a simple request."""
        runs = await self.run(ImageRequest(prompt=prompt, **fields), offer)
        return runs[0]

    async def stop(self) -> None:
        """Ends the engine as a shutdown does."""
        await self.engine.close(5)
        await self.services.client.close()

    def close(self) -> None:
        """Closes the store; may be called twice."""
        self.worker.close()
        self.services.store.close()
