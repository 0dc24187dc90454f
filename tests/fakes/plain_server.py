"""A stand-in that answers every request at once and whole: for services that nobody pays and no test makes fail."""

import asyncio
from abc import abstractmethod

from tests.fakes import wire
from tests.fakes.http_fake import Answer, Request, answer_bytes, request_of
from tests.fakes.loopback import LoopbackServer


class PlainServer(LoopbackServer):
    """Context manager. A subclass answers one request (`answer`)."""

    @property
    def url(self) -> str:
        """Scheme, host and port; once the server runs."""
        return f"http://127.0.0.1:{self.port}"

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Answers one request. Runs in a thread, several at a time."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection until the client ends it."""
        while (head := await wire.read_head(reader)) is not None:
            request = request_of(head, await wire.read_body(reader, head.headers))
            first, body = answer_bytes(await asyncio.to_thread(self.answer, request))
            writer.write(first if head.method == "HEAD" else first + body)
            await writer.drain()
