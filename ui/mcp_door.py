"""Agents reach the app by the Model Context Protocol: streamable HTTP at `/mcp`, one request at a time, nothing kept between.

Not Gradio's own server: its tools would be every public endpoint with whole images in the answers, it goes on without a word
where its package is missing, and each call takes a detour through a client of its own. This one stands behind the same guard
as the page, and is the package's server with our list of tools. The package's 1.x line: that is what `gradio[mcp]` asks for,
which a Space installs by itself, so 2.x cannot be had there. The package is optional: this module is only loaded where
agents are served, after `serving.refuse_missing`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ui import guard
from ui.app import App
from ui.battle_endpoints import Boards
from ui.callers import Caller, caller_of
from ui.document_answers import refusal
from ui.edges import Told, at_edge
from ui.mcp_tools import TOOLS, Answer, Desk, Tool

PATH = "/mcp"
MAX_BODY_BYTES = 24 * 2**20
"""An image to edit comes within the request."""
_SAID = (
    "Diptych makes and edits images with many models, tells the price before and the cost after, and rates models by blind "
    "votes. Ask models for what can be run and estimate for the price. Offers of demo/ are free drawings to try things with."
)


class McpDoor:
    """The server of one app. `routes` go beside the page's; `run` is entered while they are served."""

    def __init__(self, app: App) -> None:
        self._desk = Desk(app, Boards(app.services))
        self._tools = {tool.name: tool for tool in TOOLS}
        self._server = Server("diptych", instructions=_SAID)
        self._server.list_tools()(self._list)
        # Ours name every wrong field at once, and in our words.
        self._server.call_tool(validate_input=False)(self._call)
        self._manager = StreamableHTTPSessionManager(
            self._server, json_response=True, stateless=True, max_request_body_size=MAX_BODY_BYTES
        )

    @property
    def routes(self) -> list[Route]:
        """With and without a slash at the end, for clients that add one."""
        return [Route(path, _Asked(self._manager)) for path in (PATH, f"{PATH}/")]

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """While inside, requests are answered."""
        async with self._manager.run():
            yield

    async def _list(self) -> list[types.Tool]:
        return [
            types.Tool(
                name=tool.name,
                description=tool.words,
                inputSchema=tool.schema(),
                annotations=types.ToolAnnotations(
                    readOnlyHint=not tool.changes, destructiveHint=False, openWorldHint=tool.is_paid
                ),
            )
            for tool in TOOLS
        ]

    async def _call(self, name: str, told: Mapping[str, object]) -> types.CallToolResult:
        request: Request = self._server.request_context.request
        return await at_edge(self._carried_out(self._tools[name], request, told), _refused)

    async def _carried_out(self, tool: Tool, request: Request, told: Mapping[str, object]) -> types.CallToolResult:
        answer = await self._answer(tool, request, told)
        content: list[types.TextContent | types.ImageContent] = [
            types.TextContent(type="text", text=json.dumps(answer.document))
        ]
        for label, data in answer.previews:
            content.append(types.TextContent(type="text", text=f"Preview of {label}:"))
            encoded = base64.b64encode(data).decode()
            content.append(types.ImageContent(type="image", data=encoded, mimeType="image/webp"))
        return types.CallToolResult(content=content, structuredContent=answer.document)

    async def _answer(self, tool: Tool, request: Request, told: Mapping[str, object]) -> Answer:
        app = self._desk.app
        caller = _capped(caller_of(app, request), app.services.settings.mcp_max_microusd)
        return await tool.do(replace(self._desk, link=_address(app, request)), caller, told)


class _Asked:
    """The manager as an ASGI application, which a route takes for all methods."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        await self._manager.handle_request(scope, receive, send)


def _refused(error: Exception) -> Told[types.CallToolResult]:
    told = refusal(error)
    text = types.TextContent(type="text", text=json.dumps(told.shown))
    return Told(types.CallToolResult(content=[text], structuredContent=told.shown, isError=True), told.is_fault)


def _capped(caller: Caller, most: int | None) -> Caller:
    """The lower of what the caller and the operator allow."""
    limits = [amount for amount in (caller.max_microusd, most) if amount is not None]
    return replace(caller, max_microusd=min(limits, default=None))


def _address(app: App, request: Request) -> str:
    """Where whoever asks sees the page."""
    scheme = "https" if guard.is_https(request.scope, request.headers) else "http"
    return f"{scheme}://{request.headers['host']}{app.services.settings.root_path}/"
