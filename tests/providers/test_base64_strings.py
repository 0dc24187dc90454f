"""Images are taken out of answers as they arrive, and nothing else of an answer changes."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base64_strings import LONG_BYTES, MOST_ROOM_BYTES, Base64Strings

IMAGE = random.Random(1).randbytes(3 * LONG_BYTES + 1)
TEXT = base64.b64encode(IMAGE).decode()


def read(document: bytes, size: int) -> tuple[bytes, dict[str, bytes]]:
    strings = Base64Strings()
    for at in range(0, len(document), size):
        strings.feed(document[at : at + size])
    return strings.close()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 4096, 10**6])
@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("escape", [False, True])
def test_a_long_image_leaves_only_its_name(size: int, head: str, escape: bool) -> None:
    document = json.dumps({"data": [{"b64_json": head + TEXT, "n": 'a "quoted" \\ \u00e9'}, {"b64_json": head + TEXT}]})
    if escape:
        document = document.replace("/", "\\/")
    kept, files = read(document.encode(), size)
    first, second = json.loads(kept)["data"]
    assert [files[one["b64_json"]] for one in (first, second)] == [IMAGE, IMAGE]
    assert first["n"] == 'a "quoted" \\ \u00e9'
    assert len(kept) < 300


SPOILED = {
    "a line break": TEXT[:60_000] + "\n" + TEXT[60_000:],
    "no padding": TEXT.rstrip("="),
    "text after padding": TEXT + "AAAA",
    "a character too many": TEXT + "A",
    "words": "not base64 at all, " * 4000,
    "another uri": "data:image/svg+xml,<svg>" + TEXT,
    "a letter outside": TEXT[:70_000] + "é" + TEXT[70_000:],
    "url-safe": TEXT.replace("+", "-").replace("/", "_"),
    "short": TEXT[:LONG_BYTES],
}


@pytest.mark.parametrize("size", [7, 1000, 10**6])
@pytest.mark.parametrize("kind", SPOILED)
def test_what_is_no_base64_stays_as_it_came(kind: str, size: int) -> None:
    given = {"text": SPOILED[kind], "after": [1, "x"]}
    kept, files = read(json.dumps(given).encode(), size)
    assert files == {}
    assert json.loads(kept) == given


@pytest.mark.parametrize("cut", [1, LONG_BYTES, 2 * LONG_BYTES, len(TEXT)])
def test_a_document_that_breaks_off_stays_as_it_came(cut: int) -> None:
    whole = b'{"b64_json": "' + TEXT.encode()
    kept, files = read(whole[: len(whole) - cut], 1000)
    assert kept == whole[: len(whole) - cut]
    assert files == {}


def test_an_answer_cannot_name_an_image_that_it_did_not_bring() -> None:
    first, files = read(json.dumps([TEXT]).encode(), 4096)
    again, others = read(first[:-1] + b', "' + TEXT.encode() + b'"]', 4096)
    assert json.loads(again)[0] not in others
    assert set(files) & set(others) == set()


@given(st.binary(max_size=400), st.integers(1, 50))
def test_short_documents_pass_unchanged_whatever_they_are(document: bytes, size: int) -> None:
    assert read(document, size) == (document, {})


@pytest.mark.parametrize("said", ["right", "nothing", "too little", "far too much"])
def test_a_large_image_is_held_little_more_than_once(said: str) -> None:
    image = random.Random(2).randbytes(4_000_000)
    document = b'{"b64_json": "' + base64.b64encode(image) + b'"}'
    pieces = [document[at : at + 65_536] for at in range(0, len(document), 65_536)]
    length = {"right": len(document), "nothing": 0, "too little": 100_000, "far too much": 4 * 10**8}[said]
    tracemalloc.start()
    strings = Base64Strings(length)
    for piece in pieces:
        strings.feed(piece)
    _, files = strings.close()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(files.values()) == [image]
    assert kept < 1.1 * len(image)
    assert peak < (MOST_ROOM_BYTES + 10**6 if said == "far too much" else 1.3 * len(image))
