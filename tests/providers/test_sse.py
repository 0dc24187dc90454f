"""Server-sent events, whatever pieces they arrive in."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sse import Event, EventParser

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
    return [(event.name, event.data) for event in events(stream, cuts)]


def events(stream: bytes, cuts: list[int]) -> list[Event]:
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


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_images_come_decoded_each_with_its_own_event(line_end: bytes) -> None:
    images = [random.Random(seed).randbytes(40_000) for seed in (1, 2)]
    texts = [base64.b64encode(image).decode() for image in images]
    lines = [f'event: done\ndata: {{"b64_json": "{text}", "n": 1}}\n\n' for text in texts]
    # A quote too many in one event does not reach into the next.
    stream = ('data: say "\n\n' + "".join(lines)).encode().replace(b"\n", line_end)
    found = events(stream, list(range(0, len(stream), 1000)))
    assert [event.name for event in found] == ["", "done", "done"]
    for event, image in zip(found[1:], images, strict=True):
        assert [event.files[json.loads(event.data)["b64_json"]]] == list(event.files.values()) == [image]


def test_a_large_image_is_held_little_more_than_once_while_it_comes() -> None:
    image = random.Random(1).randbytes(4_000_000)
    line = b'data: {"b64_json": "' + base64.b64encode(image) + b'"}\n\n'
    pieces = (line[at : at + 65_536] for at in range(0, len(line), 65_536))
    parser = EventParser()
    tracemalloc.start()
    found = [event for piece in pieces for event in parser.feed(piece)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert list(found[0].files.values()) == [image]
    assert peak < 1.3 * len(image)


def test_a_long_line_is_not_scanned_again_for_each_piece() -> None:
    parser = EventParser()
    piece = b"x" * 65_536
    list(parser.feed(b"data: "))
    for _ in range(400):
        assert list(parser.feed(piece)) == []
    assert len(list(parser.feed(b"\n\n"))) == 1
