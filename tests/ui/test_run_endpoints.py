"""What programs may ask about runs, as functions: what is refused, at what price, how often, and with whose keys."""

from __future__ import annotations

import base64
import gc
import io
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from playground import library
from playground.addresses import SettingsError
from playground.engine import PlanRefused
from playground.owners import owner_of_token
from playground.settings import Settings
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness
from ui import run_endpoints
from ui.answering import safe_stderr
from ui.callers import caller_of, read_usd
from ui.pace import Pace, TooOften
from ui.told_requests import FIELDS, read_asked

ASKED = {"offers": [OFFER], "prompt": "A fox", "size": "1024x1024"}


def from_headers(one: Harness, **headers: str) -> Any:
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    return caller_of(one.app, SimpleNamespace(headers=told, cookies={}))


def picture(*, is_mask: bool = False) -> str:
    file = io.BytesIO()
    image = Image.new("RGBA" if is_mask else "RGB", (64, 48), "white")
    if is_mask:
        image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"offers": []}, "offers"),
        ({"offers": "demo/flat"}, "offers"),
        ({"offers": ["demo/flat"] * 21}, "offers"),
        ({"prompt": None}, "prompt"),
        ({"n": "2"}, "n"),
        ({"n": True}, "n"),
        ({"n": 11}, "n"),
        ({"quality": "ultra"}, "quality"),
        ({"timeout_s": 1e9}, "timeout_s"),
        ({"api_key": "sk-x"}, "api_key"),
        ({"images": ["http://169.254.169.254/latest"]}, "images"),
        ({"images": ["/etc/passwd"]}, "images"),
        ({"images": ["ab" * 32]}, "images"),
        ({"images": ["data:image/png;base64,???"]}, "images"),
        ({"images": ["data:image/png;base64,aGVsbG8="]}, "images"),
        ({"mask": picture()}, "mask"),
    ],
)
@pytest.mark.asyncio
async def test_what_cannot_be_read_is_named(
    harness: Callable[..., Harness], changes: dict[str, Any], field: str
) -> None:
    one = harness()
    with pytest.raises(PlanRefused) as refused:
        await read_asked(one.services, "local", {**ASKED, **changes})
    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.asyncio
async def test_all_fields_reach_the_request(harness: Callable[..., Harness]) -> None:
    told = {
        **ASKED,
        "images": [picture()],
        "mask": picture(is_mask=True),
        "n": 2,
        "quality": "high",
        "background": "opaque",
        "format": "webp",
        "compression": 80,
        "moderation": "low",
        "fidelity": "high",
        "partials": 1,
        "user": "u",
        "timeout": 40,
        "lock_outside_mask": False,
    }
    asked = (await read_asked(harness().services, None, told)).request
    assert (asked.n, asked.output_format, asked.output_compression, asked.input_fidelity) == (2, "webp", 80, "high")
    assert (asked.partial_images, asked.timeout_s, asked.lock_outside_mask, asked.user) == (1, 40.0, False, "u")
    assert (asked.images[0].width, asked.mask and asked.mask.height) == (64, 48)
    assert set(FIELDS) - {"offers"} <= set(asked.__dataclass_fields__)


@pytest.mark.asyncio
async def test_a_call_brings_its_own_key_which_is_kept_for_nobody(harness: Callable[..., Harness]) -> None:
    with FakeOpenAI(key="sk-of-this-call") as fake:
        one = harness(openai_url=fake.base_url, key=None, settings=replace(Settings(), mode="public"))
        token = "t" * 32
        caller = from_headers(one, X_Diptych_Visitor=token, X_Diptych_Key_openai="sk-of-this-call")
        offers = run_endpoints.models(one.app, caller)["offers"]
        assert OFFER in {row["offer"] for row in offers if row["ready"]}
        made = await run_endpoints.make(one.app, caller, ASKED, operation=None, wait_s=20)
        assert made["runs"][0]["state"] == "succeeded"
        assert made["cost_source"] == "computed"
        assert "sk-of-this-call" not in str(made)
        without = from_headers(one, X_Diptych_Visitor=token)
        offers = run_endpoints.models(one.app, without)["offers"]
        assert OFFER not in {row["offer"] for row in offers if row["ready"]}
        with pytest.raises(Exception, match="no key for OpenAI"):
            await run_endpoints.submit(one.app, without, ASKED)
        await one.stop()
        assert fake.violations == []


@pytest.mark.asyncio
@pytest.mark.parametrize("header", ["", "X_Diptych_Key_openai"])
async def test_a_key_is_known_by_value_as_long_as_a_run_uses_it(harness: Callable[..., Harness], header: str) -> None:
    key = "plain-words-of-a-key"
    goes_on = threading.Event()
    with FakeOpenAI(key=key) as fake:
        fake.always(faults.Held(goes_on))
        one = harness(openai_url=fake.base_url, key=None, settings=replace(Settings(), mode="public"))
        ring, owner = one.services.keys, owner_of_token("t" * 32)
        if not header:
            ring.put(one.services.catalog.provider("openai"), owner, key)
        caller = from_headers(one, X_Diptych_Visitor="t" * 32, **({header: key} if header else {}))
        await run_endpoints.submit(one.app, caller, ASKED)
        ring.forget_all(owner)
        del caller
        gc.collect()
        assert ring.in_memory() == ring.within(one.settings).in_memory() == (key,)
        goes_on.set()
        await one.stop()
        gc.collect()
        assert ring.in_memory() == ()


def test_nothing_said_on_stderr_holds_a_key_whoever_says_it(capfd: pytest.CaptureFixture[str]) -> None:
    with safe_stderr(["plain-words-of-the-server"], partial(iter, ["plain-words-in-a-header"])):
        try:
            raise ValueError("plain-words-of-the-server, plain-words-in-a-header, sk-neither-of-them")
        except ValueError:
            traceback.print_exc()
        sys.stderr.write("not plain-words-in-a-header\n")
    said = capfd.readouterr().err
    assert "ValueError: [hidden], [hidden], [hidden]" in said
    assert said.endswith("not [hidden]\n")


@pytest.mark.asyncio
async def test_a_call_never_costs_more_than_its_limit(harness: Callable[..., Harness]) -> None:
    with FakeOpenAI(key=KEY) as fake:
        one = harness(openai_url=fake.base_url)
        for most, asked in (("0.005", ASKED), ("100", ASKED | {"offers": ["openai/an-unlisted-model"]})):
            with pytest.raises(PlanRefused, match="Nothing was sent") as refused:
                await run_endpoints.submit(one.app, from_headers(one, X_Diptych_Max_Usd=most), asked)
            assert refused.value.problems[0].field == "max_usd"
        assert fake.posts == 0
        started = await run_endpoints.submit(one.app, from_headers(one, X_Diptych_Max_Usd="0.02"), ASKED)
        assert started["estimate_microusd"] is not None
        await one.stop()


def test_each_caller_has_a_pace_of_its_own() -> None:
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    pace.take("a")
    now[0] = 10.0
    pace.take("a")
    pace.take("b")
    with pytest.raises(TooOften) as refused:
        pace.take("a")
    assert refused.value.wait_s == 50.0
    now[0] = 60.0
    pace.take("a")


@pytest.mark.parametrize(
    "headers", [{"X_Diptych_Key_nobody": "sk-12345678"}, {"X_Diptych_Key_openai": "a b"}, {"X_Diptych_Max_Usd": "x"}]
)
def test_a_wrong_header_is_refused_without_its_value(harness: Callable[..., Harness], headers: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        from_headers(harness(), **headers)
    assert "sk-1234" not in str(refused.value)
    assert read_usd("0.5") == 500_000


@pytest.mark.asyncio
async def test_before_the_vote_no_endpoint_tells_of_a_battles_runs(harness: Callable[..., Harness]) -> None:
    one = harness()
    caller = from_headers(one)
    asked = await read_asked(one.services, "local", ASKED | {"offers": ["demo/flat"], "size": "816x816"})
    plan = run_endpoints._plan(one.app, asked)
    group_id = await one.engine.submit(plan, "local", kind="battle")
    async for _ in one.engine.follow(group_id, "local"):
        pass
    shown = run_endpoints._run(one.app, (await library.group(one.services, group_id, "local")).runs[0])
    assert shown["images"][0]["path"].endswith(shown["images"][0]["url"].removeprefix("media/"))
    with pytest.raises(PlanRefused, match="no such group"):
        await run_endpoints.group(one.app, caller, group_id)
    assert (await run_endpoints.history(one.app, caller, "", 10, None))["runs"] == []
    await one.stop()
