"""OpenAI's image routes, answered in process with drawn pictures: no key, no network, no cost.

`DemoServer.answer` takes a call as it stands on the wire and gives the reply as it would come back, errors, server-sent
events and all, so that the adapter for OpenAI runs unchanged against it. Drawing happens in worker threads.
Source: providers reference, section 1 (OpenAI's API, read 2026-11).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from providers.demo.prompt_reading import page_shape
from providers.demo.references import EditOrder, draw_edit, nearest_size
from providers.demo.studio import Order, Quality, draw, encoded, preview
from providers.demo.token_usage import Usage, usage_of
from providers.demo.wire_errors import WireError, fault_of
from providers.demo.wire_requests import MODELS, WireRequest, edit, generation

CREATED: Final = 1_790_000_000
"""When the three models "came out", in seconds since 1970; only `GET /v1/models` shows it."""

PAUSE_S: Final[dict[Quality, float]] = {"low": 0.2, "medium": 0.6, "high": 1.2}
"""Waiting added to a whole answer at pace 1, so that its stages can be seen."""

SLOW_S: Final = 20.0
"""What `[slow]` in a prompt takes at pace 1."""


@dataclass(frozen=True, slots=True)
class DemoReply:
    """A reply on the wire."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    chunks: AsyncIterator[bytes]
    """The body; a streamed reply yields each event as it is ready."""


@dataclass(frozen=True, slots=True)
class _Answering:
    """A checked call with all `auto` resolved, and how to send its answer."""

    request: WireRequest
    size: tuple[int, int]
    quality: Quality
    usage: Usage
    pause_s: float
    """Waiting for each image, seconds."""
    created: int

    @property
    def is_edit(self) -> bool:
        return bool(self.request.images)

    def facts(self) -> dict[str, object]:
        """What every answer says about how the pictures were made."""
        request = self.request
        return {
            "background": "transparent" if request.background == "transparent" else "opaque",
            "output_format": request.output_format,
            "quality": self.quality,
            "size": f"{self.size[0]}x{self.size[1]}",
        }


class DemoServer:
    """Answers `/v1/images/generations`, `/v1/images/edits` and `/v1/models` like OpenAI."""

    def __init__(self, *, pace: float = 1.0) -> None:
        """`pace` multiplies every artificial delay; 0 answers as fast as it can draw."""
        self._pace = pace

    async def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> DemoReply:
        """The reply to one call; a refusal is a reply too, nothing is raised.

        `headers` may come in any case. The body of a prompt with `[cut]` raises `ConnectionResetError` half-way.
        """
        started = time.monotonic()
        request_id = (
            "demo-" + hashlib.sha256(f"{method} {path} {time.time_ns()}".encode() + body[:4096]).hexdigest()[:20]
        )
        lowered = {name.lower(): value for name, value in headers.items()}
        try:
            if path.split("?")[0].rstrip("/") == "/v1/models" and method.upper() == "GET":
                return _whole(200, _model_list(), request_id, started)
            request = await _parsed(method.upper(), path.split("?")[0].rstrip("/"), lowered, body)
            fault = fault_of(request.prompt, request_id)
            if fault is not None:
                await asyncio.sleep(0.2 * self._pace)
                raise fault
            answering = self._resolved(request)
            if request.stream:
                reply = DemoReply(
                    200, _headers("text/event-stream; charset=utf-8", request_id, started), _events(answering)
                )
            else:
                reply = _whole(200, await _pictures_body(answering), request_id, started)
        except WireError as error:
            reply = _whole(error.status, error.body(), request_id, started)
            return replace(reply, headers=reply.headers | error.headers)
        if "[cut]" in request.prompt.lower():
            return DemoReply(reply.status, reply.headers, _cut(reply.chunks))
        return reply

    def _resolved(self, request: WireRequest) -> _Answering:
        if request.size is not None:
            size = request.size
        elif request.images:
            size = nearest_size(*request.images[0].size)
        else:
            size = page_shape(request.prompt)
        quality: Quality = request.quality or "medium"
        pause_s = (SLOW_S / request.n if "[slow]" in request.prompt.lower() else PAUSE_S[quality]) * self._pace
        partials = request.partial_images if request.stream else 0
        return _Answering(
            request=request,
            size=size,
            quality=quality,
            usage=usage_of(request.prompt, [image.size for image in request.images], size, quality, partials=partials),
            pause_s=pause_s,
            created=int(time.time()),
        )


async def _parsed(method: str, path: str, headers: Mapping[str, str], body: bytes) -> WireRequest:
    if path not in {"/v1/images/generations", "/v1/images/edits"}:
        raise WireError(404, f"Invalid URL ({method} {path})")
    if method != "POST":
        raise WireError(
            405, f"Not allowed to {method} on {path} (HINT: Perhaps you meant to use a different HTTP method?)"
        )
    content_type = headers.get("content-type", "")
    if path == "/v1/images/generations":
        return generation(body)
    return await asyncio.to_thread(edit, content_type, body)


def _drawn(answering: _Answering, index: int) -> Image.Image:
    request = answering.request
    order = Order(
        model=request.model,
        prompt=request.prompt,
        size=answering.size,
        quality=answering.quality,
        transparent=request.background == "transparent",
        index=index,
    )
    if answering.is_edit:
        return draw_edit(EditOrder(order, request.images, request.mask, request.is_faithful))
    return draw(order)


def _file(answering: _Answering, picture: Image.Image) -> str:
    """A picture as base64 of its file."""
    content = encoded(picture, answering.request.output_format, answering.request.output_compression)
    return base64.b64encode(content).decode("ascii")


def _drawn_file(answering: _Answering, index: int) -> str:
    return _file(answering, _drawn(answering, index))


async def _pictures_body(answering: _Answering) -> dict[str, object]:
    files = []
    for index in range(answering.request.n):
        started = time.monotonic()
        files.append(await asyncio.to_thread(_drawn_file, answering, index))
        # A whole answer waits once for all but a slow one: ten pictures need not take ten pauses.
        share = answering.pause_s / answering.request.n
        await asyncio.sleep(max(0.0, share - max(0.0, time.monotonic() - started - 0.4)))
    return {
        "created": answering.created,
        **answering.facts(),
        "data": [{"b64_json": file} for file in files],
        "usage": answering.usage.times(answering.request.n).as_json(),
    }


async def _events(answering: _Answering) -> AsyncIterator[bytes]:
    """Server-sent events: for each image its previews, then the finished one with its usage."""
    family = "image_edit" if answering.is_edit else "image_generation"
    wanted = answering.request.partial_images
    for index in range(answering.request.n):
        picture = await asyncio.to_thread(_drawn, answering, index)
        for stage in range(wanted):
            early = await asyncio.to_thread(_preview_file, answering, picture, stage)
            yield _event(f"{family}.partial_image", answering, early, {"partial_image_index": stage})
            await asyncio.sleep(answering.pause_s / wanted)
        if wanted == 0:
            await asyncio.sleep(answering.pause_s)
        file = await asyncio.to_thread(_file, answering, picture)
        yield _event(f"{family}.completed", answering, file, {"usage": answering.usage.as_json()})


def _preview_file(answering: _Answering, picture: Image.Image, stage: int) -> str:
    return _file(answering, preview(picture, stage, answering.request.partial_images))


def _event(name: str, answering: _Answering, file: str, more: Mapping[str, object]) -> bytes:
    data = {"type": name, "b64_json": file, "created_at": answering.created, **answering.facts(), **more}
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _model_list() -> dict[str, object]:
    rows = [{"id": model, "object": "model", "created": CREATED, "owned_by": "demo"} for model in MODELS]
    return {"object": "list", "data": rows}


def _headers(content_type: str, request_id: str, started: float) -> dict[str, str]:
    took_ms = round((time.monotonic() - started) * 1000)
    return {"content-type": content_type, "x-request-id": request_id, "openai-processing-ms": str(took_ms)}


def _whole(status: int, body: Mapping[str, object], request_id: str, started: float) -> DemoReply:
    content = json.dumps(body).encode()
    headers = _headers("application/json", request_id, started) | {"content-length": str(len(content))}
    return DemoReply(status, headers, _once(content))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _cut(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The first half of a body, or of a stream's first event, then a broken connection."""
    async for chunk in chunks:
        yield chunk[: len(chunk) // 2]
        raise ConnectionResetError("The demo cut this answer, as [cut] in the prompt asks.")
