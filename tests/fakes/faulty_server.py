"""What every strict fake of a provider shares: it judges its client, and fails as a test has planned."""

import asyncio
import itertools
from abc import abstractmethod
from collections import deque

from tests.fakes import wire
from tests.fakes.faults import Fault, UnfitFault
from tests.fakes.loopback import LoopbackServer
from tests.fakes.wire import Head, Socket


class FaultyServer(LoopbackServer):
    """Context manager. A subclass serves one request (`exchange`), and asks `take_fault` once for each paid POST."""

    def __init__(self, *, key: str, port: int = 0) -> None:
        super().__init__(port=port)
        self.key = key
        self.violations: list[str] = []
        """Every broken rule; an honest client leaves it empty."""
        self.posts = 0
        """Paid POSTs received, refused and failed ones too."""
        self.left_early = 0
        """Clients that closed the connection while an answer was due or under way."""
        self._queue: deque[Fault | None] = deque()
        self._always: Fault | None = None
        self._numbers = itertools.count(1)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    @abstractmethod
    def base_url(self) -> str:
        """What a client is given as base URL."""

    def next(self, *planned: Fault | None) -> None:
        """Queues one fault (None: no fault) for each of the next paid POSTs; `always` applies after them."""
        self._queue.extend(planned)

    def always(self, fault: Fault | None) -> None:
        """Sets the fault of every paid POST that has none queued; None ends that."""
        self._always = fault

    def take_fault(self) -> Fault | None:
        """The fault of the paid POST that has just arrived."""
        self.posts += 1
        return self._queue.popleft() if self._queue else self._always

    def next_number(self) -> int:
        """A number no other picture of this server has."""
        return next(self._numbers)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection until one of them ends it."""
        sock = Socket(reader, writer)
        try:
            while (head := await wire.read_head(reader)) is not None:
                if not await self.exchange(sock, head) or head.headers.get("connection", "").lower() == "close":
                    return
        except wire.BadRequestError as error:
            await self._give_up(sock, 400, f"not a readable HTTP request: {error}")
        except UnfitFault as error:
            await self._give_up(sock, 500, f"the test is wrong: {error}")

    async def _give_up(self, sock: Socket, status: int, words: str) -> None:
        self.violations.append(words)
        await sock.send(wire.head_bytes(status, [("content-length", "0"), ("connection", "close")]))

    @abstractmethod
    async def exchange(self, sock: Socket, head: Head) -> bool:
        """Serves one request; says whether the connection may be used again."""
