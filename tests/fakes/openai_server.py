"""A strict fake of OpenAI's image API on a loopback port: it judges every request and can fail in every way.

Written from the provider reference alone, so that it is an independent judge of this program. An honest
client leaves `violations` empty, and what it stores is byte for byte what stands in `served`.

By hand: `python -m tests.fakes.openai_server --port 8099 --fault stream-cut-partial`.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import sys
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from tests.fakes import faults, openai_facts, openai_replies, wire
from tests.fakes.faults import Fault
from tests.fakes.faulty_server import FaultyServer
from tests.fakes.http_fake import RawReply
from tests.fakes.openai_door import EDITS, ELSEWHERE, GENERATIONS, door_refusal, judge_body
from tests.fakes.openai_replies import Frame, StreamUsage
from tests.fakes.openai_rules import Job, Verdict
from tests.fakes.refusals import Refusal
from tests.fakes.wire import Call, Head, Socket

Headers = list[tuple[str, str]]


class FakeOpenAI(FaultyServer):
    """OpenAI's `/v1/images/generations`, `/v1/images/edits` and `/v1/models`. Attributes may be changed at any time."""

    def __init__(
        self,
        *,
        key: str = "sk-test-0123456789",
        port: int = 0,
        models: Mapping[str, openai_facts.Family] = openai_facts.LIVING_MODELS,
        auto_size: str = "1024x1024",
        auto_quality: str = "medium",
        pace_s: float = 0.0,
        sse_crlf: bool = False,
        sse_done: bool = False,
        stream_usage: StreamUsage = "sum",
    ) -> None:
        super().__init__(key=key, port=port)
        self.models = models
        self.auto_size, self.auto_quality = auto_size, auto_quality
        """What the service chooses for `auto`."""
        self.pace_s = pace_s
        """Pause before each streamed event."""
        self.sse_crlf = sse_crlf
        self.sse_done = sse_done
        self.stream_usage: StreamUsage = stream_usage
        self.calls: list[Call] = []
        self.served: list[bytes] = []
        """Bytes of the final images sent, in order; what only a part of was sent is not in it."""
        self.partials_sent = 0
        self.bend: Callable[[Any], Any] | None = None
        """Changes the JSON of good answers that are no stream."""

    @property
    def base_url(self) -> str:
        """What a client is given as base URL."""
        return f"{self.origin}/v1"

    async def exchange(self, sock: Socket, head: Head) -> bool:
        return await _Exchange(self, sock, head).run()


class _Exchange:
    """One request and its answer."""

    def __init__(self, fake: FakeOpenAI, sock: Socket, head: Head) -> None:
        self.fake, self.sock, self.head = fake, sock, head
        self.path = head.target.partition("?")[0]
        self.request_id = f"req_fake{fake.next_number():028d}"

    async def run(self) -> bool:
        """Serves the request; says whether the connection may be used again."""
        paid = self.head.method == "POST" and self.path in (GENERATIONS, EDITS)
        fault = self.fake.take_fault() if paid else None
        if fault in _BEFORE_BODY and fault is not None:
            self._record(None, b"")
            return await self._break(fault)
        if self.head.headers.get("expect", "").lower() == "100-continue":
            await self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await wire.read_body(self.sock.reader, self.head.headers)
        refusal = door_refusal(self.head, self.fake.key)
        if not paid:
            self._record(None, body)
            return await self._answer_free(refusal)
        fields, verdict = await asyncio.to_thread(self._judged, body)
        self._record(fields, body)
        if refusal is not None:
            verdict = Verdict(refusals=[refusal])
        for broken in verdict.refusals:
            self._violate(broken.message)
        return await self._answer(verdict, fault)

    def _record(self, fields: object, body: bytes) -> None:
        head = self.head
        self.call = Call(head.method, self.path, head.headers, fields, time.monotonic(), body, self.request_id)
        self.fake.calls.append(self.call)

    def _violate(self, words: str) -> None:
        self.fake.violations.append(f"{self.head.method} {self.path}: {words}")

    def _judged(self, body: bytes) -> tuple[object, Verdict]:
        if self.fake.key.encode() in body:
            self._violate("the key is in the body")
        return judge_body(self.path, self.head.headers.get("content-type", ""), body, self.fake.models)

    async def _answer_free(self, refusal: Refusal | None) -> bool:
        """Answers whatever costs nothing: the list of models, and wrong addresses."""
        if self.path == ELSEWHERE:
            carried = "with" if "authorization" in self.head.headers else "without"
            self._violate(f"followed a redirect to another host {carried} the Authorization header")
            return await self._reply(200, b"{}", [])
        if refusal is not None:
            self._violate(refusal.message)
            return await self._refuse(refusal)
        listed = [
            {"id": name, "object": "model", "created": 1776729600, "owned_by": "system"} for name in self.fake.models
        ]
        return await self._reply(200, json.dumps({"object": "list", "data": listed}).encode(), [])

    async def _refuse(self, refusal: Refusal) -> bool:
        return await self._reply(refusal.status, json.dumps(refusal.body()).encode(), [])

    async def _answer(self, verdict: Verdict, fault: Fault | None) -> bool:
        match fault:
            case faults.Hang() | faults.Reset() | faults.CutHeaders():
                return await self._break(fault)
            case faults.ErrorReply():
                return await self._reply_error(fault)
            case RawReply():
                body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
                kind = fault.headers.get("content-type", "application/json")
                return await self._reply(fault.status, body, [], content_type=kind)
            case faults.Redirect():
                location = fault.location or f"http://localhost:{self.fake.port}{ELSEWHERE}"
                return await self._reply(fault.status, b"", [("location", location)])
        if verdict.job is None:
            return await self._refuse(verdict.refusals[0])
        job = openai_replies.resolved(verdict.job, auto_size=self.fake.auto_size, auto_quality=self.fake.auto_quality)
        if isinstance(fault, faults.STREAM_ONLY) and not job.stream:
            self._violate(f"the test is wrong: {fault} needs a request with stream=true")
            fault = None
        if await self._left_waiting(fault):
            return False
        if job.stream and not isinstance(fault, faults.StreamIgnored):
            return await self._stream(job, fault)
        return await self._reply_images(job, fault)

    async def _left_waiting(self, fault: Fault | None) -> bool:
        """Waits as the fault says; whether the client went away meanwhile."""
        while isinstance(fault, faults.Held) and not fault.released.is_set():
            if await self._left(0.05):
                return True
        return isinstance(fault, faults.Slow) and await self._left(fault.seconds)

    async def _break(self, fault: Fault) -> bool:
        """Gives no answer at all."""
        match fault:
            case faults.Hang(unread=True):
                await asyncio.Event().wait()
            case faults.Hang():
                await self._left(None)
            case faults.Reset():
                self.sock.reset()
            case faults.CutHeaders():
                await self.sock.send(b"HTTP/1.1 200 OK\r\ncontent-type: applica")
        return False

    async def _left(self, seconds: float | None) -> bool:
        """Waits, and says whether the client went away meanwhile."""
        return self._noted(gone=await self.sock.left_within(seconds))

    async def _drip(self, data: bytes, interval_s: float, *, chunked: bool = False) -> bool:
        """Sends byte by byte; says whether the client stayed to the end."""
        return not self._noted(gone=not await self.sock.drip(data, interval_s, chunked=chunked))

    def _noted(self, *, gone: bool) -> bool:
        self.fake.left_early += gone
        return gone

    async def _reply_error(self, fault: faults.ErrorReply) -> bool:
        key = self.head.headers.get("authorization", "").removeprefix("Bearer ")
        extra = openai_replies.retry_after(fault, now=time.time())
        if fault.html is not None:
            return await self._reply(fault.status, fault.html.encode(), extra, content_type="text/html")
        refusal = openai_replies.error(fault, key=key, model=self.call.model, request_id=self.request_id)
        return await self._reply(fault.status, json.dumps(refusal.body()).encode(), extra)

    async def _reply_images(self, job: Job, fault: Fault | None) -> bool:
        images = await asyncio.to_thread(openai_replies.final_images, job, fault, self.fake.next_number)
        body = openai_replies.answer(job, images, fault, created=int(time.time())).encode()
        if self.fake.bend is not None:
            body = json.dumps(self.fake.bend(json.loads(body))).encode()
        extra: Headers = []
        if isinstance(fault, faults.Gzip):
            body, extra = gzip.compress(body, 1), [("content-encoding", "gzip")]
        head = self._head(200, "application/json", [*extra, ("content-length", str(len(body)))])
        if isinstance(fault, faults.CutBody):
            await self.sock.send(head + body[: len(body) // 2])
            return False
        if isinstance(fault, faults.Drip):
            await self.sock.send(head)
            if not await self._drip(body[:-1], fault.interval_s):
                return False
            head, body = b"", body[-1:]
        # Noted before the last byte leaves, so that a client that has its answer also finds it here.
        if not isinstance(fault, faults.InvalidJson):
            self.fake.served += [image.data for image in images if image.data is not None]
        await self.sock.send(head + body)
        return True

    async def _stream(self, job: Job, fault: Fault | None) -> bool:
        encoding: Headers = [("content-encoding", "gzip")] if isinstance(fault, faults.Gzip) else []
        extra = [*encoding, ("transfer-encoding", "chunked"), ("cache-control", "no-cache")]
        await self.sock.send(self._head(200, "text/event-stream; charset=utf-8", extra))
        packer = zlib.compressobj(1, wbits=31) if isinstance(fault, faults.Gzip) else None
        cut = False
        async for frame in self._frames(job, fault):
            if self.fake.pace_s and await self._left(self.fake.pace_s):
                return False
            text = frame.text.replace("\n", "\r\n") if self.fake.sse_crlf else frame.text
            data = text.encode()
            if packer is not None:
                data = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
            if cut or isinstance(fault, faults.CutBody):
                await self.sock.send_pieces(data[: len(data) // 2])
                return False
            if isinstance(fault, faults.Drip):
                if not await self._drip(data[:-1], fault.interval_s, chunked=True):
                    return False
                data = data[-1:]
            self._count(frame)
            await self.sock.send_pieces(data)
            cut = isinstance(fault, faults.StreamCut) and fault.after == frame.kind
            if cut and isinstance(fault, faults.StreamCut) and not fault.inside_next:
                return False
        if packer is not None:
            await self.sock.send_pieces(packer.flush())
        await self.sock.send(wire.chunk_bytes(b""))
        return not cut

    async def _frames(self, job: Job, fault: Fault | None) -> AsyncIterator[Frame]:
        """The events, each drawn in a thread, so that other connections are not held up."""
        images = await asyncio.to_thread(openai_replies.final_images, job, fault, self.fake.next_number)
        planned: Iterator[Frame] = openai_replies.frames(
            job,
            images,
            fault,
            self.fake.next_number,
            created=int(time.time()),
            request_id=self.request_id,
            stream_usage=self.fake.stream_usage,
            done=self.fake.sse_done,
        )
        while (frame := await asyncio.to_thread(next, planned, None)) is not None:
            yield frame

    def _count(self, frame: Frame) -> None:
        self.fake.partials_sent += frame.kind == "partial"
        if frame.image is not None:
            self.fake.served.append(frame.image)

    async def _reply(self, status: int, body: bytes, extra: Headers, *, content_type: str = "application/json") -> bool:
        await self.sock.send(self._head(status, content_type, [*extra, ("content-length", str(len(body)))]) + body)
        return True

    def _head(self, status: int, content_type: str, extra: Headers) -> bytes:
        limits = [(f"x-ratelimit-{what}-requests", value) for what, value in _LIMITS]
        common = [
            ("content-type", content_type),
            ("x-request-id", self.request_id),
            ("openai-processing-ms", "9120"),
            ("openai-organization", "org-test"),
            ("openai-version", "2020-10-01"),
        ]
        return wire.head_bytes(status, [*common, *limits, *extra])


_BEFORE_BODY = (faults.Hang(unread=True), faults.Reset(after_body=False))
_LIMITS = (("limit", "250"), ("remaining", "249"), ("reset", "240ms"))


def main() -> None:
    """Serves until interrupted; prints the base URL, then one line per request and per broken rule."""
    parser = argparse.ArgumentParser(description="A strict fake of OpenAI's image API on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--key", default="sk-test-0123456789", help="the only key that is accepted")
    parser.add_argument("--fault", choices=sorted(faults.NAMED), help="what goes wrong with each paid POST")
    parser.add_argument("--pace", type=float, default=0.5, help="seconds before each streamed event")
    parser.add_argument("--crlf", action="store_true", help="stream with CRLF line ends")
    parser.add_argument("--done", action="store_true", help="end streams with data: [DONE]")
    options = parser.parse_args()
    fake = FakeOpenAI(
        key=options.key, port=options.port, pace_s=options.pace, sse_crlf=options.crlf, sse_done=options.done
    )
    fake.always(faults.NAMED.get(options.fault or ""))
    with fake, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"{fake.base_url}\n")
        calls = violations = 0
        while True:
            for call in fake.calls[calls:]:
                sys.stdout.write(f"{call.method} {call.path} ({len(call.body)} bytes)\n")
                calls += 1
            for broken in fake.violations[violations:]:
                sys.stdout.write(f"BROKEN RULE: {broken}\n")
                violations += 1
            sys.stdout.flush()
            time.sleep(0.2)


if __name__ == "__main__":
    main()
