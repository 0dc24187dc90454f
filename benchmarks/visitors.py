"""Many visitors of a public server at once: each opens the page as a browser does, runs a Demo model, and takes its picture.

The app has a process of its own; the visitors are plain HTTP clients in this one that speak Gradio's queue as the page does, so
both share the machine's cores. After them, sessions come and go, which must not leave memory behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.processes import diptych_process
from benchmarks.resident import settled_mb
from providers.fetching import no_cookies

VISITORS, SESSIONS, FIRST = 200, 2_000, 100
AT_ONCE = 40
"""Sessions that are open at the same time while they come and go."""
MB_A_SESSION = 1.5
GROWTH = 0.20
"""What is promised: megabytes that a session may take, and by how much memory may be above that of the first sessions."""
OFFER = "demo/flat"
_MEDIA = re.compile(r"media/[0-9a-f]{64}\.png")
_PATIENCE_S = 240.0


@dataclass(slots=True)
class Seen:
    """What the visitors met; times in seconds."""

    page: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    picture: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Form:
    """What the page would send, read from the configuration that it is given."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._values = {row["id"]: row["props"].get("value") for row in config["components"]}
        ids = {row["props"].get("elem_id"): row["id"] for row in config["components"]}
        self._values[ids["pg-offers"]] = {"ticked": [OFFER]}
        self._prompt = ids["pg-prompt"]
        self._rows = config["dependencies"]

    def opening(self) -> list[dict[str, Any]]:
        """What is asked when the page opens."""
        return [self._event(row, "") for row in self._rows if any(what == "load" for _, what in row["targets"])]

    def run(self, prompt: str) -> dict[str, Any]:
        """A press of Run."""
        return self._event(next(row for row in self._rows if row["api_name"] == "on_run"), prompt)

    def _event(self, row: dict[str, Any], prompt: str) -> dict[str, Any]:
        data = [prompt if name == self._prompt else self._values[name] for name in row["inputs"]]
        return {"data": data, "event_data": None, "fn_index": row["id"], "trigger_id": row["targets"][0][0]}


class Visitor:
    """One browser: its cookie, its address, and one session of the page."""

    def __init__(self, http: httpx.AsyncClient, number: int) -> None:
        self._http = http
        self._session = f"visitor{number:x}"
        # A household of its own each: limits are for an address too.
        self._headers = {"X-Forwarded-For": f"2a00:{number // 65536:x}:{number % 65536:x}::1"}
        self._number = number

    async def open(self) -> None:
        """Gets the page and its token."""
        answer = await self._http.get("/", headers=self._headers)
        answer.raise_for_status()
        self._headers["Cookie"] = answer.headers["set-cookie"].split(";")[0]

    async def say(self, events: Sequence[dict[str, Any]]) -> str:
        """Puts the events into the queue and follows the stream until all have ended; everything that it said.

        Raises: RuntimeError when one of them failed.
        """
        waits, told = set(), []
        for event in events:
            body = {**event, "session_hash": self._session}
            answer = await self._http.post("/gradio_api/queue/join", json=body, headers=self._headers)
            answer.raise_for_status()
            waits.add(answer.json()["event_id"])
        async for message, line in self._stream():
            told.append(line)
            if message.get("msg") == "process_completed":
                waits.discard(message["event_id"])
                if not message["success"]:
                    raise RuntimeError(line[:300])
            if not waits:
                return "".join(told)
        raise RuntimeError("the stream ended early")

    async def _stream(self) -> AsyncIterator[tuple[dict[str, Any], str]]:
        params = {"session_hash": self._session}
        async with self._http.stream("GET", "/gradio_api/queue/data", params=params, headers=self._headers) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: ")), line

    async def look(self, form: Form, seen: Seen) -> None:
        """Opens the page, and what it then asks for."""
        began = time.perf_counter()
        await self.open()
        seen.page.append(time.perf_counter() - began)
        await self.say(form.opening())
        seen.opened.append(time.perf_counter() - began)

    async def visit(self, form: Form, seen: Seen) -> None:
        """Opens the page, presses Run and takes the picture."""
        await self.look(form, seen)
        began = time.perf_counter()
        told = await self.say([form.run(f"A red boat with the number {self._number}")])
        places = _MEDIA.findall(told)
        if not places:
            raise RuntimeError(f"no picture: {told[-600:]}")
        (await self._http.get(f"/{places[-1]}", headers=self._headers)).raise_for_status()
        seen.picture.append(time.perf_counter() - began)


def measure(visitors: int = VISITORS, sessions: int = SESSIONS) -> Iterator[str]:
    """Lines with what was measured, and whether it keeps what is promised."""
    with diptych_process({"DIPTYCH_MODE": "public", "DIPTYCH_TRUSTED_PROXIES": "1"}) as (url, pid):
        yield f"  {os.cpu_count()} cores, which app and visitors share"
        yield from asyncio.run(_measured(url, pid, visitors, sessions))


async def _measured(url: str, pid: int, visitors: int, sessions: int) -> list[str]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=visitors)
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, timeout=_PATIENCE_S, limits=limits, cookies=no_cookies()
    ) as http:
        form = Form((await http.get("/config")).json())
        await Visitor(http, 0).visit(form, Seen())
        before, seen = await settled_mb(pid), Seen()
        await asyncio.gather(*(_guarded(Visitor(http, number).visit, form, seen) for number in range(1, visitors + 1)))
        grown = await settled_mb(pid) - before
        lines = _visitors_lines(seen, visitors, before, grown)
        return lines + await _coming_and_going(http, pid, form, visitors, sessions)


def _visitors_lines(seen: Seen, visitors: int, before: float, grown: float) -> list[str]:
    each = grown / visitors
    return [
        f"  {visitors} at once: {len(seen.errors)} errors: {'kept' if not seen.errors else 'MISSED'}",
        *(f"    {words}" for words in seen.errors[:3]),
        *(_line(name, times) for name, times in _named(seen)),
        f"  memory {before:.0f} MB, and {grown:.0f} MB more with them: {each:.2f} MB a session; promised {MB_A_SESSION}: "
        + ("kept" if each <= MB_A_SESSION else "MISSED"),
    ]


async def _coming_and_going(http: httpx.AsyncClient, pid: int, form: Form, start: int, sessions: int) -> list[str]:
    seen, sizes = Seen(), []
    for first in range(0, sessions, AT_ONCE):
        people = [Visitor(http, start + 1 + number) for number in range(first, min(first + AT_ONCE, sessions))]
        await asyncio.gather(*(_guarded(one.look, form, seen) for one in people))
        done = first + len(people)
        if done == sessions or done - AT_ONCE < FIRST <= done:
            sizes.append((done, await settled_mb(pid)))
    early = next((size for count, size in sizes if count >= FIRST), sizes[-1][1])
    share = sizes[-1][1] / early - 1
    return [
        f"  {sessions} sessions that come and go, {AT_ONCE} at a time: {len(seen.errors)} errors",
        *(f"    {words}" for words in seen.errors[:3]),
        *(_line(name, times) for name, times in _named(seen)),
        f"  memory after {FIRST}: {early:.0f} MB, after all: {sizes[-1][1]:.0f} MB, {share:+.0%}; promised "
        f"{GROWTH:+.0%} at most: " + ("kept" if share <= GROWTH else "MISSED"),
    ]


async def _guarded(work: Callable[[Form, Seen], Awaitable[None]], form: Form, seen: Seen) -> None:
    try:
        await work(form, seen)
    except (httpx.HTTPError, RuntimeError, LookupError) as error:
        where = f" at {error.request.url.path}" if isinstance(error, httpx.RequestError) else ""
        seen.errors.append(f"{type(error).__name__}{where}: {str(error)[:300]}")


def _named(seen: Seen) -> list[tuple[str, list[float]]]:
    return [("page", seen.page), ("page and its data", seen.opened), ("Run to picture", seen.picture)]


def _line(name: str, times: list[float]) -> str:
    if not times:
        return f"    {name:18} –"
    ordered = sorted(times)
    late = ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
    return f"    {name:18} p50 {statistics.median(ordered):.2f} s, p95 {late:.2f} s, last {ordered[-1]:.2f} s"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visitors", description=__doc__)
    parser.add_argument("--visitors", type=int, default=VISITORS, help="who come at once")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="that come and go")
    given = parser.parse_args()
    for line in measure(given.visitors, given.sessions):
        print(line, flush=True)
