"""Server-sent events out of bytes that arrive in any pieces. Pure and incremental.

Source: the event stream format of the HTML standard, https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class EventParser:
    """Feed it bytes; it gives whole events as `(event name, data)`. Lines may end with LF, CR LF or CR."""

    _buffer: bytearray = field(default_factory=bytearray)
    _event: str = ""
    _data: list[bytes] = field(default_factory=list)
    _searched: int = 0
    """Bytes at the start of the buffer known to hold no line end, so that a long line is scanned once."""

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The events that became whole with this chunk."""
        self._buffer += chunk
        while (line := self._next_line()) is not None:
            event = self._take(line)
            if event is not None:
                yield event

    def close(self) -> Iterator[tuple[str, bytes]]:
        """The last event, when the stream ended without the blank line behind it."""
        last = bytes(self._buffer).rstrip(b"\r")
        self._buffer.clear()
        for line in (last, b""):
            event = self._take(line)
            if event is not None:
                yield event

    def _next_line(self) -> bytes | None:
        end = self._line_end()
        if end is None:
            return None
        line = bytes(self._buffer[: end[0]])
        del self._buffer[: end[1]]
        self._searched = 0
        return line

    def _line_end(self) -> tuple[int, int] | None:
        """Where the first line ends and where the next begins; `None` while that is not known."""
        lf = self._buffer.find(b"\n", self._searched)
        cr = self._buffer.find(b"\r", self._searched, lf if lf >= 0 else len(self._buffer))
        if cr >= 0:
            if cr + 1 == len(self._buffer):
                self._searched = cr
                return None
            return cr, cr + (2 if self._buffer[cr + 1] == 0x0A else 1)
        if lf >= 0:
            return lf, lf + 1
        self._searched = len(self._buffer)
        return None

    def _take(self, line: bytes) -> tuple[str, bytes] | None:
        if not line:
            event = (self._event, b"\n".join(self._data)) if self._data else None
            self._event, self._data = "", []
            return event
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        return None
