"""A socket server on 127.0.0.1 in a thread of its own, with one coroutine for each connection."""

import asyncio
import contextlib
import socket
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class LoopbackServer(ABC):
    """Context manager that serves `handle` and, on leaving, ends every connection still open.

    Leaving raises what `handle` itself failed by, so that no test passes over a crash of its fake: the client only sees a
    connection that ends.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        """The port asked for; the real one once the server runs."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._crashes: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if self._crashes:
            raise BaseExceptionGroup(f"{type(self).__name__} itself failed", self._crashes)

    @abstractmethod
    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection until it should end."""

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        # Not asyncio.start_server: closed while it accepts, it leaves that connection open for ever (3.11).
        with socket.create_server(("127.0.0.1", self.port), backlog=128) as listener:
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            self._loop.add_reader(listener, self._accept, listener)
            self._ready.set()
            await self._stopping.wait()
            self._loop.remove_reader(listener)
        # Lets the task of a connection just accepted begin: cancelled before that, it would close nothing.
        await asyncio.sleep(0)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = listener.accept()
            task = asyncio.ensure_future(self._connected(connection))
            self._open.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.discard(task)
        if not task.cancelled() and (crash := task.exception()) is not None:
            self._crashes.append(crash)

    async def _connected(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError, EOFError, asyncio.CancelledError):
            # The client goes away, or this server is stopping: nothing more to say on this connection.
            reader, writer = await asyncio.open_connection(sock=connection)
            try:
                await self.handle(reader, writer)
                writer.close()
                await writer.wait_closed()
            finally:
                # Waiting for what was not sent yet could take for ever: the client may never read it.
                writer.transport.abort()
