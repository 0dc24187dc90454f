"""The Arena's handlers as a test presses them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.arena.world import add_run
from tests.harness import Harness
from ui import guard, routes
from ui.pages.arena import making, voting

VISITOR: Any = SimpleNamespace(cookies={}, headers={})
STRANGER: Any = SimpleNamespace(cookies={guard.VISITOR_COOKIE: "x" * 40}, headers={})


def event(**told: object) -> Any:
    return SimpleNamespace(**told)


async def last(steps: AsyncIterator[Any]) -> Any:
    return [step async for step in steps][-1]


async def visit(one: Harness, shown: object = None) -> Any:
    return await last(voting.on_visit(one.app, shown, VISITOR))


async def answer(one: Harness, shown: object, visitor: Any = VISITOR, **told: object) -> Any:
    return (await last(voting.on_answer(one.app, shown, event(**told), visitor)))[0]


async def form(one: Harness, act: str = "", **draft: object) -> Any:
    return await making.on_form(one.app, {"form": {"draft": draft}}, event(act=act), VISITOR)


async def started(one: Harness, **draft: object) -> list[Any]:
    return [step async for step in making.on_start(one.app, {"form": {"draft": draft}}, VISITOR)]


def page_of(one: Harness) -> TestClient:
    return TestClient(
        Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings)), base_url="http://127.0.0.1"
    )


def add_pair(one: Harness, prompt: str = "A lighthouse at dusk", **more: Any) -> None:
    for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini"):
        add_run(one.services, offer, prompt, **more)
