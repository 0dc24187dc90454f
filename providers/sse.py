"""Server-sent events out of bytes that arrive in any pieces, images in them decoded as they come. Pure and incremental.

Source: the event stream format of the HTML standard, https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from providers.base64_strings import Base64Strings


@dataclass(frozen=True, slots=True)
class Event:
    """One whole event."""

    name: str
    """Empty where none was said."""
    data: bytes
    """Where an image stood in it as base64, a name stands."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The images by those names; see `providers.base64_strings`."""


@dataclass(slots=True)
class EventParser:
    """Feed it bytes; it gives whole events. Lines may end with LF, CR LF or CR."""

    _line: Base64Strings = field(default_factory=Base64Strings)
    """The line under way."""
    _is_after_cr: bool = False
    """Whether a line just ended with CR at the end of a piece, so that an LF next belongs to it."""
    _event: str = ""
    _data: list[bytes] = field(default_factory=list)
    _files: dict[str, bytes] = field(default_factory=dict)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that became whole with this chunk."""
        at = 1 if self._is_after_cr and chunk.startswith(b"\n") else 0
        self._is_after_cr &= not chunk
        while at < len(chunk):
            end = _line_end(chunk, at)
            if end < 0:
                self._line.feed(chunk[at:])
                return
            self._line.feed(chunk[at:end])
            at = end + 1
            if chunk.startswith(b"\r", end):
                self._is_after_cr = at == len(chunk)
                at += chunk.startswith(b"\n", at)
            yield from self._end_line()

    def close(self) -> Iterator[Event]:
        """The last event, when the stream ended without the blank line behind it."""
        for _ in range(2):
            yield from self._end_line()

    def _end_line(self) -> Iterator[Event]:
        line, files = self._line.close()
        self._line = Base64Strings()
        if not line:
            if self._data:
                yield Event(self._event, b"\n".join(self._data), self._files)
            self._event, self._data, self._files = "", [], {}
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._files |= files
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")


def _line_end(chunk: bytes, at: int) -> int:
    """Where the line ends; -1 when that has not come."""
    lf = chunk.find(b"\n", at)
    cr = chunk.find(b"\r", at, lf if lf >= 0 else len(chunk))
    return cr if cr >= 0 else lf
