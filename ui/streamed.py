"""A file on its way to a browser while it is still being written."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO

_PIECE_BYTES = 2**18
_LOOK_AGAIN_S = 0.02

Write = Callable[[IO[bytes], Callable[[], bool]], object]
"""Writes the file; asks the function now and then whether anybody still wants it. What is written stays as it is."""

log = logging.getLogger(__name__)


class Streamed:
    """An export on its way. A thread writes a file without a name while the client reads it, so a slow client holds neither
    the database nor memory.
    """

    def __init__(self, folder: Path, under_way: set[Streamed], write: Write, *, longest_s: float) -> None:
        """`under_way` holds it from its beginning to its end. `longest_s`: a slower client does not keep its file."""
        self._folder = folder
        self._under_way = under_way
        self._write_to = write
        self._longest_s = longest_s
        self._is_left = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """What is written, as it is. Raises what the writing raises: the answer then ends before its end."""
        with ExitStack() as held:
            self._under_way.add(self)
            held.callback(self._under_way.discard, self)
            file = held.enter_context(tempfile.TemporaryFile(dir=self._folder))
            writing = asyncio.create_task(asyncio.to_thread(self._write, file))
            # The thread may write on when its reader has left: from now on the file is its own to the end.
            to_let_go = held.pop_all()
        try:
            at, ends_at = 0, time.monotonic() + self._longest_s
            while time.monotonic() < ends_at:
                is_done = writing.done()
                piece = await asyncio.to_thread(_piece, file, at)
                if piece:
                    at += len(piece)
                    yield piece
                elif is_done:
                    writing.result()
                    return
                else:
                    await asyncio.sleep(_LOOK_AGAIN_S)
            raise TimeoutError(f"an export was not taken within {self._longest_s:g} s")
        finally:
            self._is_left = True
            writing.add_done_callback(partial(_end, to_let_go))

    def _write(self, file: IO[bytes]) -> None:
        self._write_to(file, self._is_wanted)

    def _is_wanted(self) -> bool:
        return not self._is_left


def _end(held: ExitStack, writing: asyncio.Task[None]) -> None:
    if not writing.cancelled() and writing.exception() is not None:
        log.warning("an export ended early: %s", writing.exception())
    held.close()


def _piece(file: IO[bytes], at: int) -> bytes:
    """Bytes from a place on, by a read of its own: the writer's place in the file stays where it is."""
    return os.pread(file.fileno(), _PIECE_BYTES, at)
