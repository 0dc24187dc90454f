"""One table of faults over all providers: how the run ends, how often it was sent, what the ledger holds, what the tile says.

What is one provider's own stands in `tests/playground/` (`test_contract.py`, `test_job_errors.py`, `test_engine_openai.py`,
`test_gateways.py`); a fault here is one that any server, or anything in between, can have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from playground import library
from playground.breakers import Breakers
from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from providers.types import ImageRequest
from storage.records import RunView
from tests.fakes import faults
from tests.fakes.faults import Fault
from tests.fakes.http_fake import RawReply
from tests.fakes.pictures import bomb_png, picture
from tests.harness import Harness
from tests.playground.parties import PARTIES, Meeting, meeting
from ui.failed_tiles import failure_view
from ui.tiles import end_of

SERVED = tuple(name for name in PARTIES if name != "demo")
"""The Demo answers in this process: nothing can stand between."""
FINDS = ("replicate", "runware", "fal")
"""They can be asked for a job whose answer was lost."""
SAID = {"error": {"message": "Something is wrong."}}
DOUBT = "It may have been billed; check there before you retry."


@dataclass(frozen=True)
class Ends:
    """How a run ends. What may have been billed is `unknown`, everything else `failed` and free."""

    kind: str
    """Of the error; empty: it went well."""
    title: str = ""
    """What the tile says first. `{}` is the provider's name."""
    words: str = ""
    """What it says then, among other things."""
    is_billed: bool = False
    posts: int = 1
    label: str = "Retry"


LOST = Ends("network", "The answer was lost", "may have billed it; check there before you retry", is_billed=True)
BROKEN = Ends("server", "{} had an error", DOUBT, is_billed=True)
UNREADABLE = Ends("malformed", "The answer could not be read", DOUBT, is_billed=True)
REFUSED = Ends("validation", "{} refused a setting", label="Change the settings")

TABLE: dict[str, tuple[Fault, Ends]] = {
    "400": (RawReply(400, SAID), REFUSED),
    "401": (RawReply(401, SAID), Ends("auth", "{} refused the key", "Check it in Settings", label="Check the key")),
    "402": (RawReply(402, SAID), Ends("quota", "No credit left at {}", "Add credit there", label="Check the key")),
    "403": (RawReply(403, SAID), Ends("permission", "{} does not allow this", label="Check the key")),
    "404": (RawReply(404, SAID), Ends("not_found", "{} does not have this model", label="Change the settings")),
    "408": (RawReply(408, SAID), Ends("timeout", "No answer from {} in ", DOUBT, is_billed=True)),
    "409": (RawReply(409, SAID), BROKEN),
    "413": (RawReply(413, SAID), REFUSED),
    "422": (RawReply(422, SAID), REFUSED),
    "429": (RawReply(429, SAID), Ends("rate_limit", "{} asks to slow down", "Wait a moment, then retry", posts=4)),
    "500": (RawReply(500, SAID), BROKEN),
    "502": (RawReply(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"}), BROKEN),
    "503": (RawReply(503, SAID), Ends("server", "{} had an error", "Nothing was run", posts=4)),
    "504": (RawReply(504, SAID), BROKEN),
    "slow": (faults.Slow(0.05), Ends("")),
    "reset": (faults.Reset(), LOST),
    "reset before it was read": (faults.Reset(after_body=False), LOST),
    "cut headers": (faults.CutHeaders(), LOST),
    "cut body": (faults.CutBody(), LOST),
    "redirect": (
        RawReply(307, b"", {"location": "http://localhost:1/x"}),
        Ends("server", "{} had an error", "not followed"),
    ),
    "nothing": (RawReply(200, b""), UNREADABLE),
    "a list": (RawReply(200, []), UNREADABLE),
    "no object": (RawReply(200, b"null"), UNREADABLE),
    "half an answer": (RawReply(200, b'{"data": [{"b64_json": "iVBO'), UNREADABLE),
    "no image": (RawReply(200, {"data": []}), UNREADABLE),
    "base64 that is none": (RawReply(200, {"data": [{"b64_json": "%%%%"}]}), UNREADABLE),
}
BETWEEN = ("reset", "cut headers", "cut body")
"""After these the job is there, and is found where the provider can be asked."""


def asked(met: Meeting) -> ImageRequest:
    return ImageRequest("A red fox", size="1024x1024", quality=None if met.provider == "compatible" else "low")


def is_as_told(met: Meeting, view: RunView, ends: Ends, posts: int) -> None:
    error = view.run.error
    assert posts == ends.posts, error
    if not ends.kind:
        assert (view.run.state, error, len(view.images)) == ("succeeded", None, 1)
        return
    assert error is not None
    assert (error.kind, error.may_have_been_billed) == (ends.kind, ends.is_billed), error
    ended = ("unknown", "unknown", None) if ends.is_billed else ("failed", "released", 0)
    assert (view.run.state, view.ledger_state, view.cost_microusd) == ended
    tile = failure_view(view, end_of(view), met.name)
    assert str(tile["title"]).startswith(ends.title.format(met.name))
    assert ends.words in str(tile["text"])
    assert tile["label"] == ends.label
    assert (tile["aside"] == "A new charge is possible") is ends.is_billed
    met.is_told(view)


@pytest.mark.asyncio
@pytest.mark.parametrize("provider", SERVED)
async def test_each_fault_ends_as_the_table_says(
    provider: str, harness: Callable[..., Harness], tmp_path: Path
) -> None:
    began = time.monotonic()
    with meeting(provider, tmp_path / "data", harness) as met:
        async with met.running() as one:
            for name, (fault, ends) in TABLE.items():
                met.fake.always(fault)
                one.engine._places.breakers = Breakers(time.monotonic)
                before = met.fake.posts
                (view,) = await one.run(asked(met), met.offer)
                expected = Ends("") if provider in FINDS and name in BETWEEN else ends
                is_as_told(met, view, expected, met.fake.posts - before)
    assert time.monotonic() - began < 30


@pytest.mark.asyncio
@pytest.mark.parametrize("provider", SERVED)
async def test_a_provider_that_never_answers_is_left_at_the_time_limit(
    provider: str, harness: Callable[..., Harness], tmp_path: Path
) -> None:
    with meeting(provider, tmp_path / "data", harness) as met:
        async with met.running() as one:
            met.fake.always(faults.Hang())
            plan = make_plan(asked(met), [met.offer], one.services.catalog)
            (run,) = plan.runs
            short = replace(plan, runs=(replace(run, request=replace(run.request, timeout_s=0.3)),))
            group_id = await one.engine.submit(short, LOCAL_OWNER)
            async with asyncio.timeout(10):
                async for _ in one.engine.follow(group_id, LOCAL_OWNER):
                    pass
            found = await library.group(one.services, group_id, LOCAL_OWNER)
        assert found is not None
        (view,) = found.runs
        assert met.fake.posts == 1
        ended = view.run.state, view.run.error.kind if view.run.error else "", view.ledger_state
        # Where the job can be looked for, it may be found in time, or told to end.
        found_in_time = {("failed", "timeout", "released")} | {("succeeded", "", one) for one in ("settled", "unknown")}
        assert ended in {("unknown", "timeout", "unknown")} | (found_in_time if provider in FINDS else set())
        assert view.run.error is None or "billed" in view.run.error.message


PICTURES: dict[str, tuple[bytes, Fault, str]] = {
    "a page": (b"<html><body>This is no image.</body></html>", faults.NotAnImage(), "malformed"),
    "a bomb": (bomb_png(), faults.ImageBomb(), "malformed"),
    "another size": (picture((512, 768), "png", number=2), faults.WrongSize(), ""),
}
"""Bytes of the result file, or what puts the same inside the answer, and the kind of the error."""


@pytest.mark.asyncio
@pytest.mark.parametrize("provider", SERVED)
async def test_what_stands_in_an_images_place_is_judged_by_its_bytes(
    provider: str, harness: Callable[..., Harness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meeting(provider, tmp_path / "data", harness) as met:
        async with met.running() as one:
            for data, fault, kind in PICTURES.values():

                def draw(*_: Any, data: bytes = data, **__: Any) -> bytes:
                    return data

                if met.has_jobs:
                    monkeypatch.setattr(met.fake, "draw", draw)
                else:
                    met.fake.always(fault)
                before = met.fake.posts
                (view,) = await one.run(asked(met), met.offer)
                assert met.fake.posts - before == 1
                if kind:
                    assert view.run.error is not None
                    assert (view.run.error.kind, view.images) == (kind, ())
                    assert view.run.unreadable_sha256, "its bytes are kept"
                    assert failure_view(view, end_of(view), met.name)["title"] == "The answer could not be read"
                else:
                    assert view.run.state == "succeeded"
                    assert "size_differs" in view.images[0].checks
