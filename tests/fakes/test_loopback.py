"""What a fake fails by itself reaches the test, whatever the client made of the connection that ended."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.fakes.loopback import LoopbackServer


class Echo(LoopbackServer):
    """Sends a line back; "crash" is its own fault, "left" the client's."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if line == b"crash\n":
            raise KeyError(line)
        if line == b"left\n":
            raise ConnectionResetError
        writer.write(line)


def said(port: int, line: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(line)
        return connection.recv(100)


def crash() -> None:
    with Echo() as echo:
        assert said(echo.port, b"crash\n") == b""
        assert said(echo.port, b"hello\n") == b"hello\n"


def test_a_crash_of_the_fake_is_raised_when_it_is_left() -> None:
    with pytest.raises(BaseExceptionGroup, match="Echo itself failed") as raised:
        crash()
    assert [type(error) for error in raised.value.exceptions] == [KeyError]


def test_a_client_that_leaves_and_a_connection_still_open_are_no_crash() -> None:
    with Echo() as echo:
        assert said(echo.port, b"left\n") == b""
        waiting = socket.create_connection(("127.0.0.1", echo.port), timeout=5)
    waiting.close()
