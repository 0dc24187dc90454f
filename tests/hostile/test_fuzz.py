"""Anything at all into everything that reads words from outside: what comes out is a result or a refusal of ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.votes_file import VotesFileError, read_votes
from playground import embedded, variables
from playground.addresses import SettingsError, address_fault
from playground.archive import ArchiveRefused
from playground.bringing import bring
from playground.image_hygiene import UploadRefused, clean_image, shown_name
from playground.refusals import PlanRefused
from playground.servers import read_servers
from playground.services import Services
from playground.settings import Settings
from providers.adapter import Adapter, FetchedJobs, KeyCheckAdapter, PolledJobs, QuoteAdapter, Reply
from providers.adapters import ADAPTERS
from providers.base64_strings import Base64Strings
from providers.errors import ProviderError
from providers.rows import CATALOG
from providers.sse import EventParser
from providers.types import Job
from storage.images import UnreadableImage, read_header
from storage.search import parse_search
from tests.arena.world import add_run
from tests.hostile import images
from tests.hostile.documents import bodies, json_of, texts, values
from tests.playground.archives import Members, bent, taken_along
from ui import drafts
from ui.board_queries import WrongQuery, board_query
from ui.forms import FormValues
from ui.told_requests import read_asked

THOROUGH = int(os.environ.get("DIPTYCH_FUZZ", "1"))
"""So many times the everyday examples; more than once are new ones each time."""


def fuzzed(examples: int) -> Any:
    """Always the same examples, so that a run can be repeated; nothing is kept between runs."""
    return settings(
        max_examples=examples * THOROUGH, deadline=None, derandomize=THOROUGH == 1, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


# What providers say


def asked(adapter: Adapter, reply: Reply) -> Iterator[Callable[[], object]]:
    """All that an adapter reads of an answer."""
    job = Job("abc-1", {"status_url": "https://queue.fal.run/x/requests/1/status", "number": "2", "n": "2"})
    yield lambda: adapter.parse(reply)
    yield lambda: adapter.parse_event("image_generation.completed", reply)
    if isinstance(adapter, PolledJobs | FetchedJobs):
        yield lambda: adapter.parse_poll(reply, job)
        yield lambda: adapter.is_cancelled(reply)
        yield lambda: adapter.has_begun(reply)
        yield lambda: adapter.parse_found(reply, {"input": {"prompt": "x"}, "path": "/x"}, "2026-11-21T10:15:30.123Z")
    if isinstance(adapter, FetchedJobs):
        yield lambda: adapter.parse_result(reply, job)
    if isinstance(adapter, KeyCheckAdapter):
        yield lambda: adapter.parse_check(reply)
    if isinstance(adapter, QuoteAdapter):
        yield lambda: adapter.parse_quote(reply)


@pytest.mark.parametrize("name", ADAPTERS)
@fuzzed(60)
@given(body=bodies(), status=st.sampled_from([200, 202, 400, 401, 402, 404, 422, 429, 500, 503]), word=texts())
def test_any_answer_is_read_or_is_an_error_of_ours(name: str, body: bytes, status: int, word: str) -> None:
    adapter = ADAPTERS[name]
    reply = Reply(
        status, {"retry-after": word, "x-request-id": word, "x-total-cost": word, "openai-processing-ms": word}, body
    )
    for read in asked(adapter, reply):
        with contextlib.suppress(ProviderError):
            read()
    error = adapter.parse_error(reply)
    assert isinstance(error, ProviderError)
    assert len(str(error)) < 5000


@fuzzed(60)
@given(body=bodies(), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_cut_anywhere_streams_and_documents_come_out_the_same(body: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    pieces = [body[start:end] for start, end in zip(places, places[1:], strict=False)]
    whole, cut = EventParser(), EventParser()
    once = [*whole.feed(body), *whole.close()]
    assert [*(event for piece in pieces for event in cut.feed(piece)), *cut.close()] == once
    strings = Base64Strings()
    for piece in pieces:
        strings.feed(piece)
    document, files = strings.close()
    assert document == body
    assert files == {}


# What people type and bring


@fuzzed(120)
@given(text=texts(), more=texts(), told=values())
def test_any_text_is_understood_or_refused(text: str, more: str, told: object) -> None:
    parse_search(f"{text} tag:{more} -{text} cost>{more} {more}:{text}")
    shown_name(text)
    address_fault(text)
    embedded.settings_in(b"" + json_of(told))
    row = dict.fromkeys(variables.names_of(f"{{{text}}} {more}"), text)
    variables.fill(f"{{{text}}} {more}", [row])
    variables.literal(text)
    drafts.from_draft(told, FormValues())
    with contextlib.suppress(WrongQuery):
        board_query({"board": text, "category": more, "since": text, "until": more, "method": text})


@fuzzed(60)
@given(one=texts(), other=texts(), options=st.sampled_from(["", "|n=4", "|extra={}", "|size=1x1|mask=image"]))
def test_any_environment_is_read_or_named(one: str, other: str, options: str) -> None:
    environ = {
        "DIPTYCH_SERVERS": f"{one}={other}{options},sd=http://127.0.0.1:1/v1{options}", "OPENAI_BASE_URL": other, "PORT": one,
        "DIPTYCH_IMAGE_HOSTS": other, "DIPTYCH_MODE": one, "DIPTYCH_DATA_DIR": "x",
    }  # fmt: skip
    with contextlib.suppress(SettingsError):
        read_servers(environ)
    with contextlib.suppress(SettingsError):
        Settings.from_env(environ, CATALOG)


@fuzzed(50)
@given(told=values())
def test_any_request_of_a_program_is_read_or_refused(told: object) -> None:
    named = {
        "prompt": "x",
        "offers": ["demo/flat"],
        "images": told,
        "n": told,
        "size": told,
        "mask": told,
        "seed": told,
    }
    for document in (told, named, {**named, "images": None, "mask": None}):
        with contextlib.suppress(PlanRefused):
            asyncio.run(read_asked(None, None, document))


@fuzzed(60)
@given(
    header=st.sampled_from(["model_a,model_b,winner", "model_a,model_b,winner,tstamp", "winner"]) | texts(),
    rows=st.lists(st.lists(texts(), max_size=5), max_size=4), kind=st.sampled_from([".csv", ".jsonl"]), told=values(),
)  # fmt: skip
def test_any_file_of_votes_is_read_or_refused(header: str, rows: list[list[str]], kind: str, told: object) -> None:
    lines = [header, *(",".join(row) for row in rows)] if kind == ".csv" else [json_of(told).decode("utf-8", "replace")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"votes{kind}"
        path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
        with contextlib.suppress(VotesFileError):
            read_votes(path)


def test_many_more_examples(request: pytest.FixtureRequest) -> None:
    all_others = [f"--deselect={request.node.nodeid}", __file__]
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-o", "addopts=", "-q", "-x", *all_others]
    done = subprocess.run(
        command, env={**os.environ, "DIPTYCH_FUZZ": "20"}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:]


# Files

SEEDS = tuple(
    images.SMALL[name]()
    for name in (
        "png of 16 bits", "png palette out of range", "png with millions of frames", "animated gif", "animated webp",
        "animated avif", "jpeg of CMYK", "jpeg turned by text", "jpeg with a loop in its camera data", "mpo of forty",
        "tiff that loops", "bmp of many colours",
    )
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@fuzzed(120)
@given(
    seed=st.sampled_from(SEEDS), keep=st.integers(0, 6000), again=st.integers(0, 3),
    changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=8),
)  # fmt: skip
def test_any_bent_image_is_cleaned_or_refused(
    seed: bytes, keep: int, again: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray((seed + seed[8:] * again)[: keep + 8])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    for read in (lambda: clean_image(bytes(data), "x"), lambda: read_header(bytes(data))):
        with contextlib.suppress(UploadRefused, UnreadableImage):
            read()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, Path]]:
    with taken_along(tmp_path_factory.mktemp("fuzzed"), add_run) as made:
        yield made


@fuzzed(60)
@given(
    table=st.sampled_from(["groups", "runs", "images", "ledger"]), column=st.integers(0, 60), told=values(),
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=3), is_bytes=st.booleans(),
)  # fmt: skip
def test_any_bent_archive_is_taken_or_refused(
    store: tuple[Services, Path], table: str, column: int, told: object, changes: list[tuple[int, int]], is_bytes: bool
) -> None:
    services, good = store
    path = good.with_name("bent.zip")

    def bend(members: Members) -> None:
        name = f"rows/{table}.jsonl"
        row = orjson.loads(members[name])
        row[sorted(row)[column % len(row)]] = told
        members[name] = json_of(row) + b"\n"

    if is_bytes:
        data = bytearray(good.read_bytes())
        for at, value in changes:
            data[-1 - at % len(data)] = value
        path.write_bytes(data)
    else:
        bent(good, path, bend)
    with contextlib.suppress(ArchiveRefused):
        bring(services, path, "local", dry_run=True)
