"""Diptych: compose and launch. Settings, store, client and services are made here; nothing else is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from playground.settings import Settings, environment
from providers.rows import CATALOG
from ui import command_line

if TYPE_CHECKING:
    from ui.app import App


def compose(settings: Settings) -> App:
    """The application, ready to serve or to carry out a command. Loads what it is made of, which other commands need not."""
    import random

    from playground.engine import Engine
    from playground.image_home import elsewhere_of
    from playground.keys import KeyRing
    from playground.offering import catalog_of
    from playground.prices import reprice
    from playground.services import Services, new_ulid, utc_now
    from playground.spending import keep_days
    from providers.client import Client
    from providers.demo.server import DemoServer
    from providers.transport import Transport
    from storage.database import Store
    from ui.app import App

    address = settings.database_url.reveal() if settings.database_url else None
    store = Store.open(settings.data_dir, elsewhere_of(settings.images), database_url=address)
    services = Services(
        settings=settings,
        store=store,
        client=Client(Transport({"http://demo.invalid": DemoServer()})),
        catalog=catalog_of(settings, CATALOG),
        keys=KeyRing(settings),
        clock=utc_now,
        new_id=new_ulid,
        rng=random.SystemRandom(),
    )
    keep_days(services)
    reprice(services)
    worker = store.enlist(new_ulid(), settings.lease_s)
    return App(services, Engine(services, worker), worker)


if __name__ == "__main__":
    sys.exit(command_line.main(sys.argv[1:], CATALOG, dict(environment()), compose))
