"""What a command says: one JSON document or plain lines on stdout, words for people on stderr, log entries without keys."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TextIO

import orjson

from providers.redact import without_keys
from ui.failures import Failure
from ui.plain_documents import Document, failure_document


class NobodyReads(Exception):
    """Stdout takes no more: the reader has gone, or its disk is full. `words` is empty where there is nothing to say."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Answer:
    """The two streams of one command. However it goes, `--json` gives exactly one document."""

    def __init__(self, *, wants_json: bool) -> None:
        self.wants_json = wants_json
        self.group_id: str | None = None
        """The group that was stored, so that a failure can name it."""
        self._has_document = False

    def document(self, document: Document) -> None:
        """Prints the document, where one is wanted. Raises: NobodyReads."""
        if self.wants_json and not self._has_document:
            self._has_document = True
            self._print(_json(document))
            self.finish()

    def line(self, text: str) -> None:
        """Prints a line, where no document is wanted. Raises: NobodyReads."""
        if not self.wants_json:
            encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
            self._print(f"{text}\n".encode(encoding, "backslashreplace"))

    def say(self, text: str) -> None:
        """A line for people. That nobody reads it is no reason to end anything."""
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        except OSError:
            _discard(sys.stderr)

    def fail(self, failure: Failure) -> int:
        """Says why the command ends without its answer, and gives the exit code. Raises: NobodyReads."""
        error = failure.error
        self.say(f"{failure.usage}{error.message}")
        if self.group_id is not None:
            self.say(f"The runs of group {self.group_id} may still be billed; `history` shows what became of them.")
            error = replace(error, may_have_been_billed=True)
        self.document(failure_document(error, failure.problems, self.group_id))
        return failure.code

    def finish(self) -> None:
        """What was printed has left this process. Raises: NobodyReads."""
        self._print(b"")

    def _print(self, data: bytes) -> None:
        if sys.stdout is None:
            raise NobodyReads("Stdout is closed, so the answer went nowhere.")
        try:
            sys.stdout.buffer.write(data)
            if not data or self.wants_json:
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            _discard(sys.stdout)
            raise NobodyReads("") from None
        except OSError as error:
            _discard(sys.stdout)
            raise NobodyReads(f"The answer could not be written to stdout: {error.strerror}.") from None


class _SafeStream(io.TextIOBase):
    """A stream for people that no key passes, whoever writes to it."""

    # Each has its own; but without this one, Python's read-only attribute of that name would be in the way.
    encoding: str = ""

    def __init__(self, inside: TextIO, keys: Callable[[], Iterable[str]]) -> None:
        self._inside = inside
        self._keys = keys
        self.encoding = inside.encoding

    def write(self, text: str) -> int:
        """Log entries and lines of tracebacks come whole."""
        self._inside.write(without_keys(text, *self._keys()))
        return len(text)

    def flush(self) -> None:
        """See `io`."""
        self._inside.flush()

    def fileno(self) -> int:
        """See `io`."""
        return self._inside.fileno()

    def isatty(self) -> bool:
        """See `io`."""
        return self._inside.isatty()


@contextmanager
def safe_stderr(keys: Iterable[str], typed: Callable[[], Iterable[str]]) -> Iterator[None]:
    """While inside, nothing that this process says on stderr holds the keys given, those that `typed` gives at that moment, or
    whatever looks like one: the web server and Gradio write there past the log.
    """
    inside, known = sys.stderr, tuple(keys)
    if inside is not None:
        sys.stderr = _SafeStream(inside, partial(_all_keys, known, typed))
    try:
        yield
    finally:
        sys.stderr = inside


def _all_keys(known: tuple[str, ...], typed: Callable[[], Iterable[str]]) -> tuple[str, ...]:
    return (*known, *typed())


def _nothing() -> tuple[str, ...]:
    return ()


def log_to_stderr(level: int, keys: Iterable[str] = (), typed: Callable[[], Iterable[str]] = _nothing) -> None:
    """Log entries go to stderr from now on, without the keys given, those that `typed` gives at that moment, and whatever looks
    like one.
    """
    hidden = partial(_all_keys, tuple(keys), typed)
    handler = logging.StreamHandler(None if sys.stderr is None else _SafeStream(sys.stderr, hidden))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Two log whole addresses at INFO, the third each request of an agent.
    for name in ("httpx", "httpx2", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _json(document: Document) -> bytes:
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        # A file name need not be text; its odd bytes are escaped, which only this writer can.
        return f"{json.dumps(document, indent=2)}\n".encode()


def _discard(stream: TextIO) -> None:
    """What the stream still holds goes nowhere; else Python tries once more at its exit, and fails loudly."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
