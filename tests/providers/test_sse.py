"""Server-sent events, whatever pieces they arrive in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sse import EventParser

STREAM = (
    ': a comment\n\nevent: image_generation.partial_image\ndata: {"a": "é🦊"}\n\n'
    "event: x\ndata: one\ndata: two\n\ndata: [DONE]\n\n"
).encode()
EVENTS = [
    ("image_generation.partial_image", '{"a": "é🦊"}'.encode()),
    ("x", b"one\ntwo"),
    ("", b"[DONE]"),
]


def parse(stream: bytes, cuts: list[int]) -> list[tuple[str, bytes]]:
    parser, found, start = EventParser(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += list(parser.feed(stream[start:cut]))
        start = cut
    return found + list(parser.close())


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends(line_end: bytes) -> None:
    assert parse(STREAM.replace(b"\n", line_end), []) == EVENTS


@given(st.lists(st.integers(0, len(STREAM) + 12), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cuts_give_the_same_events(cuts: list[int], line_end: bytes) -> None:
    assert parse(STREAM.replace(b"\n", line_end), cuts) == EVENTS


def test_every_single_byte_alone() -> None:
    assert parse(STREAM.replace(b"\n", b"\r\n"), list(range(len(STREAM) + 20))) == EVENTS


def test_a_last_event_without_its_blank_line_is_given() -> None:
    assert parse(b"event: x\ndata: last", []) == [("x", b"last")]


def test_a_long_line_is_not_scanned_again_for_each_piece() -> None:
    parser = EventParser()
    piece = b"x" * 65_536
    list(parser.feed(b"data: "))
    for _ in range(400):
        assert list(parser.feed(piece)) == []
    assert len(list(parser.feed(b"\n\n"))) == 1
