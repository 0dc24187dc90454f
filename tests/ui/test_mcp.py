"""The official client of the Model Context Protocol at the door for agents: what one sees, makes, pays and may not."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from playground.settings import Settings
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, Harness
from tests.ui.makers import DRAWN, told_in
from ui import guard
from ui.mcp_door import McpDoor

mcp = pytest.importorskip(
    "mcp", reason="The package mcp is not installed (requirements-mcp.txt): agents are not tried."
)
pytestmark = pytest.mark.asyncio
HERE = "http://127.0.0.1/"


class Served:
    """The door behind the guard, as the server has it, without a socket."""

    def __init__(self, one: Harness) -> None:
        self.harness = one
        self.asgi: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.asgi(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Each time with a door of its own, because one opens only once."""
        door = McpDoor(self.harness.app)
        self.asgi = Starlette(routes=door.routes, middleware=guard.middleware(self.harness.settings))
        async with door.run():
            yield


@pytest_asyncio.fixture
async def app(harness: Callable[..., Harness], fake: FakeOpenAI) -> AsyncIterator[Served]:
    settings = replace(Settings(), mode="public", mcp=True, calls_per_minute=3)
    one = harness(openai_url=fake.base_url, key=None, settings=settings)
    yield Served(one)
    await one.stop()


class Agent:
    def __init__(self, session: Any) -> None:
        self._session = session

    async def __call__(self, name: str, **told: object) -> tuple[dict[str, Any], list[bytes]]:
        """What the tool says, and its previews."""
        result = await self._session.call_tool(name, told)
        said = json.loads(result.content[0].text)
        assert result.structuredContent == said
        assert result.isError == bool(said.get("error"))
        return said, [base64.b64decode(one.data) for one in result.content if one.type == "image"]


@asynccontextmanager
async def agent(app: Served, **headers: str) -> AsyncIterator[Agent]:
    from mcp.client.streamable_http import streamable_http_client

    given = {name.replace("_", "-"): text for name, text in headers.items()}
    async with (
        app.running(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=given, timeout=60) as http,
        streamable_http_client(f"{HERE}mcp", http_client=http) as (reading, writing, _),
        mcp.ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        yield Agent(session)


async def test_an_agent_makes_edits_votes_and_reads_the_board(app: Served) -> None:
    async with agent(app, X_Diptych_Visitor=secrets.token_urlsafe(32)) as ask:
        tools = {tool.name: tool for tool in (await ask._session.list_tools()).tools}
        assert [*tools] == [
            *(
                "generate",
                "edit",
                "estimate",
                "models",
                "group",
                "cancel",
                "history",
                "new_battle",
                "vote",
                "leaderboard",
            ),
        ]
        assert tools["edit"].inputSchema["required"] == ["prompt", "offers", "images"]
        assert tools["estimate"].annotations.readOnlyHint
        assert not tools["generate"].annotations.readOnlyHint
        offers = (await ask("models"))[0]["offers"]
        assert {row["offer"] for row in offers} == {"demo/painterly", "demo/flat", "demo/sketch"}
        asked = {"prompt": "A red boat", "offers": ["demo/flat"], "size": "816x816"}
        assert (await ask("estimate", **asked))[0]["total_microusd"] == 0
        made, previews = await ask("generate", **asked)
        assert (made["done"], made["cost_microusd"], made["cost_source"]) == (True, 0, "computed")
        image = made["runs"][0]["images"][0]
        assert image["link"] == f"{HERE}media/{image['sha256']}.png"
        assert [data[8:12] for data in previews] == [b"WEBP"]
        assert len(previews[0]) < 40_000
        edited, _ = await ask("edit", **{**asked, "prompt": "Blue", "images": [image["sha256"]]})
        assert edited["runs"][0]["state"] == "succeeded"
        assert (await ask("group", group_id=edited["group_id"]))[0] == edited
        assert (await ask("history", search="boat"))[0]["count"] == 1
        battle, sides = await ask("new_battle", source="demo", task="generate")
        assert len(sides) == 2
        assert told_in(json.dumps(battle), battle["prompt"], DRAWN) == []
        voted, _ = await ask("vote", battle_id=battle["battle_id"], outcome="a")
        assert voted["counted"]
        board, _ = await ask("leaderboard")
        assert board["votes"] == 1
        said, _ = await ask("generate", **asked)
        assert (said["error"]["kind"], said["error"]["retryable"]) == ("rate_limit", True)


async def test_an_agent_pays_with_its_own_key_up_to_its_limit_and_sees_its_own(app: Served, fake: FakeOpenAI) -> None:
    asked = {"prompt": "A fox", "offers": ["openai/gpt-image-2"], "size": "1024x1024"}
    async with agent(
        app, X_Diptych_Visitor=secrets.token_urlsafe(32), X_Diptych_Key_openai=KEY, X_Diptych_Max_Usd="0.05"
    ) as ask:
        said, _ = await ask("generate", **asked, n=10)
        assert said["problems"][0]["field"] == "max_usd"
        said, _ = await ask("generate", **asked, max_usd=0.001)
        assert "Nothing was sent" in said["error"]["message"]
        assert fake.posts == 0
        made, _ = await ask("generate", **asked)
        assert made["cost_source"] == "computed"
        assert 0 < made["cost_microusd"] < 50_000
        assert KEY not in json.dumps(made)
    async with agent(app, X_Diptych_Visitor=secrets.token_urlsafe(32)) as ask:
        said, _ = await ask("group", group_id=made["group_id"])
        assert said["problems"][0]["field"] == "group_id"
        said, _ = await ask("generate", **asked)
        assert "no key for OpenAI" in said["error"]["message"]
    async with agent(app) as ask:
        said, _ = await ask("generate", **asked)
        assert "X-Diptych-Visitor" in said["error"]["message"]
        said, _ = await ask("edit", prompt="x", offers=["demo/flat"], images=["http://127.0.0.1/x.png"])
        assert said["error"]["kind"] == "permission"
    assert fake.posts == 1
    assert fake.violations == []


async def test_another_site_cannot_ask(app: Served) -> None:
    async with app.running(), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        answer = await http.post(f"{HERE}mcp", json={}, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403
