"""A process of the application under load, made to be killed: it runs, votes, and says what was acknowledged.

What it says goes line by line, each with one write, into a file that outlives it:

    up                     the store is open and what others left was taken up
    vote <battle id>       the vote was acknowledged
    image <prompt> <sha>   the run was seen to have ended with this image
    trouble                something was refused because rows cannot be written or read, and is tried again
    stopped                it was asked to end, and has
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena import battle
from playground import library
from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.types import ImageRequest
from storage import runs
from storage.database import Store
from storage.errors import StoreError
from tests.harness import Harness, no_sleep
from tests.playground.job_world import quick

SIDE_BY_SIDE = 3
"""Runs under way at each provider."""
VOTERS = 4
DRAIN_S = 5.0
LEASE_S = 1.0
"""By it processes over one database find what a killed one held. With the usual twenty seconds those that live for one would
wait for the places of the dead at the providers.
"""
NOBODY = 65534


@dataclass(frozen=True)
class Orders:
    """What one process is to do."""

    data_dir: Path
    said: Path
    name: str
    """Stands in each of its prompts, so that a call can be told by its prompt."""
    offers: tuple[str, ...]
    urls: dict[str, str]
    keys: dict[str, str]
    upload_urls: dict[str, str]
    jobs_urls: dict[str, str]
    battles: tuple[str, ...]
    """Ids of open battles to vote on; the voter is the id as well."""
    database_url: str | None
    """Where the rows are, if not in the folder."""


def live(orders: Orders) -> None:
    """Runs until it is killed or gets SIGTERM."""
    asyncio.run(_live(orders))


def recover(orders: Orders) -> None:
    """Takes up what was left, until nothing is under way any more."""
    asyncio.run(_recover(orders))


def _harness(orders: Orders, sleep: Callable[[float], Awaitable[None]] = quick) -> Harness:
    return Harness(
        orders.data_dir,
        key=None,
        urls=orders.urls,
        keys=orders.keys,
        upload_urls=orders.upload_urls,
        jobs_urls=orders.jobs_urls,
        database_url=orders.database_url,
        settings=Settings(lease_s=LEASE_S),
        sleep=sleep,
    )


async def _live(orders: Orders) -> None:
    one = _harness(orders)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    out = os.open(orders.said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(*words: str) -> None:
        os.write(out, f"{' '.join(words)}\n".encode())

    await one.engine.start()
    say("up")
    waiting = iter(orders.battles)
    work: list[Any] = [
        _runs(one, orders, offer, number, say) for offer in orders.offers for number in range(SIDE_BY_SIDE)
    ]
    work += [_votes(one, waiting, say) for _ in range(VOTERS)]
    tasks = [asyncio.create_task(each) for each in work]
    await stopping.wait()
    closing = asyncio.create_task(one.engine.close(DRAIN_S))
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    await closing
    await one.services.client.close()
    one.close()
    say("stopped")


async def _runs(one: Harness, orders: Orders, offer: str, number: int, say: Any) -> None:
    provider = offer.partition("/")[0]
    for count in itertools.count():
        prompt = f"{orders.name}-{provider}-{number}-{count}."
        plan = make_plan(ImageRequest(prompt, size="1024x1024", quality="low"), [offer], one.services.catalog)
        try:
            group_id = await one.engine.submit(plan, LOCAL_OWNER)
            async for _ in one.engine.follow(group_id, LOCAL_OWNER):
                pass
            found = await library.group(one.services, group_id, LOCAL_OWNER)
        except StoreError as error:
            await _in_trouble(error, say)
            continue
        for view in found.runs if found else ():
            for image in view.images:
                say("image", prompt, image.sha256)


async def _votes(one: Harness, waiting: Any, say: Any) -> None:
    for battle_id in waiting:
        if await _voted(one, battle_id, say):
            say("vote", battle_id)


async def _voted(one: Harness, battle_id: str, say: Any) -> bool:
    """Whether it was acknowledged; not where an answer was lost that had said so."""
    was_in_trouble = False
    while True:
        try:
            await battle.vote(one.services, battle_id, battle_id, "a", 900)
        except StoreError as error:
            was_in_trouble = True
            await _in_trouble(error, say)
        except battle.VoteRefused:
            if not was_in_trouble:
                raise
            return False
        else:
            return True


async def _in_trouble(error: StoreError, say: Any) -> None:
    """What a person reads in it is one line, and then tries again."""
    say("trouble", repr(str(error)))
    await asyncio.sleep(0.05)


async def _recover(orders: Orders) -> None:
    # Jobs that never were are looked for over minutes.
    one = _harness(orders, no_sleep)
    await one.engine.start()
    async with asyncio.timeout(60):
        async for _ in one.engine.follow_owner(LOCAL_OWNER):
            pass
    await one.stop()
    one.close()


def die_before_the_row(orders: Orders) -> None:
    """One run, killed when the bytes of its image are on disk and its row is not."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    runs.add_image = die
    asyncio.run(_live(orders))


def open_and_close(data_dir: Path) -> None:
    """What a start does to a data folder."""
    Store.open(data_dir).close()


def open_as_nobody(data_dir: Path, said: Path) -> None:
    """The same by somebody who may write nothing there; what was raised is written to the file."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        open_and_close(data_dir)
    except StoreError as error:
        os.write(out, f"{type(error).__name__}: {error}".encode())
