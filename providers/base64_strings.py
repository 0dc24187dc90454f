"""Takes images out of a JSON answer while it arrives, so that their text is never held whole. Pure.

A string that is long and base64, bare or as data URI, is decoded piece by piece. In the document a name stands in its
place. Everything else passes unchanged, also what is no JSON.
"""

from __future__ import annotations

import io
import secrets

import pybase64

LONG_BYTES = 16 * 2**10
"""Strings up to this stay in the document: only then is it clear whether a string is base64, and worth the trouble."""

MOST_ROOM_BYTES = 16 * 2**20
"""Taken for one string before it has come, at most: a length that a server merely says is not to be believed beyond that."""

_QUOTE, _BACKSLASH = b'"', b"\\"


class Base64Strings:
    """Reads one document. Feed it the pieces as they come, then close it."""

    def __init__(self, expected_bytes: int = 0) -> None:
        """`expected_bytes`: how long the document will be, as its server says; 0 where it does not."""
        self._to_come = expected_bytes
        self._mark = secrets.token_hex(8)
        self._document = bytearray()
        self._files: dict[str, bytes] = {}
        self._is_in_string = False
        self._is_escaped = False
        self._is_plain = False
        """Whether the string under way is certainly no base64."""
        self._string = bytearray()
        """The string under way, as it came; empty while it is decoded."""
        self._decoder: _Decoder | None = None

    def feed(self, piece: bytes) -> None:
        """Reads on."""
        at = 0
        while at < len(piece):
            at = self._inside(piece, at) if self._is_in_string else self._outside(piece, at)
        self._to_come -= len(piece)

    def close(self) -> tuple[bytes, dict[str, bytes]]:
        """The document with names for long base64 strings, and the bytes by name."""
        if self._decoder is not None:
            self._give_up()
        self._document += self._string + (_BACKSLASH if self._is_escaped else b"")
        return bytes(self._document), self._files

    def _outside(self, piece: bytes, at: int) -> int:
        quote = piece.find(_QUOTE, at)
        end = len(piece) if quote < 0 else quote + 1
        self._document += piece[at:end]
        self._is_in_string = quote >= 0
        return end

    def _inside(self, piece: bytes, at: int) -> int:
        if self._is_escaped:
            self._is_escaped = False
            self._take_escape(piece[at : at + 1])
            return at + 1
        quote = piece.find(_QUOTE, at)
        end = len(piece) if quote < 0 else quote
        backslash = piece.find(_BACKSLASH, at, end)
        end = end if backslash < 0 else backslash
        if end > at:
            self._take(piece[at:end])
        if backslash >= 0:
            self._is_escaped = True
        elif quote >= 0:
            self._end_string()
        return end + 1

    def _take_escape(self, character: bytes) -> None:
        if self._decoder is not None and character == b"/":
            # Some servers write every slash so, and base64 is full of them.
            self._take(character)
            return
        if self._decoder is not None:
            self._give_up()
        self._take(_BACKSLASH + character)

    def _take(self, text: bytes) -> None:
        if self._decoder is not None:
            try:
                self._decoder.feed(text)
            except ValueError:
                self._give_up()
                self._string += text
            return
        self._string += text
        if len(self._string) > LONG_BYTES and not self._is_plain:
            self._decoder = _decoder_of(bytes(self._string).replace(b"\\/", b"/"), self._room())
            self._is_plain = self._decoder is None
            if self._decoder is not None:
                self._string.clear()

    def _room(self) -> int:
        """Bytes that the string under way can have at most, as far as that is known: all that is still to come, decoded."""
        return min(max(0, self._to_come + len(self._string)) * 3 // 4, MOST_ROOM_BYTES)

    def _end_string(self) -> None:
        if self._decoder is not None:
            try:
                data = self._decoder.close()
            except ValueError:
                self._give_up()
            else:
                name = f"{self._mark}:{len(self._files)}"
                self._files[name] = data
                self._string += name.encode()
        self._document += self._string + _QUOTE
        self._string.clear()
        self._decoder, self._is_in_string, self._is_plain = None, False, False

    def _give_up(self) -> None:
        """Puts the text back that was decoded."""
        if self._decoder is not None:
            self._string += self._decoder.text()
        self._decoder, self._is_plain = None, True


class _Decoder:
    """Decodes base64 strictly, in pieces of any length."""

    def __init__(self, head: bytes, room: int) -> None:
        self._head = head
        # One block, and it is handed over as it is. Pieces by the thousand, or many blocks that grow side by side, would leave
        # the memory in shreds; a copy at the end would hold every picture twice.
        self._decoded = io.BytesIO()
        if room:
            self._decoded.seek(room - 1)
            self._decoded.write(b"\0")
            self._decoded.seek(0)
        self._rest = b""
        """Less than four characters."""
        self._is_padded = False

    def feed(self, text: bytes) -> None:
        """Decodes on. Raises: ValueError when it is no base64; then nothing of `text` was taken."""
        text = self._rest + text if self._rest else text
        end = len(text) - len(text) % 4
        if end:
            if self._is_padded:
                raise ValueError("text after the padding")
            self._decoded.write(pybase64.b64decode(text[:end] if end < len(text) else text, validate=True))
            self._is_padded = text.endswith(b"=", 0, end)
        self._rest = text[end:]

    def close(self) -> bytes:
        """All bytes. Raises: ValueError when some characters are missing."""
        if self._rest:
            raise ValueError("the last four characters are not complete")
        self._decoded.truncate()
        return self._decoded.getvalue()

    def text(self) -> bytes:
        """What was fed."""
        self._decoded.truncate()
        return self._head + pybase64.b64encode(self._decoded.getbuffer()) + self._rest


def _decoder_of(text: bytes, room: int) -> _Decoder | None:
    """A decoder that has read the text, or `None` when that is no base64."""
    head, payload = b"", text
    if text.startswith(b"data:"):
        head, _, payload = text.partition(b",")
        if not head.endswith(b";base64"):
            return None
        head += b","
    decoder = _Decoder(head, room)
    try:
        decoder.feed(payload)
    except ValueError:
        return None
    return decoder
