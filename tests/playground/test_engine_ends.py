"""Every run ends, whoever cancels what and when, and nothing that was paid for is lost on the way."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from providers.redact import provider_words
from providers.rows import CATALOG
from providers.transport import Access
from providers.types import ImageRequest
from storage.errors import StoreBusy
from storage.verify import verify
from tests.behind_the_store import going_away
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER
from tests.playground.faulty_answers import (
    ODD_USAGES,
    PLAIN_KEY,
    Make,
    _set_states,
    all_runs,
    answering,
    files_with,
    restarted,
)

pytestmark = pytest.mark.asyncio


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


async def test_a_submit_that_is_cancelled_leaves_nothing_to_be_sent_later(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.Hang())
    for steps in range(6):
        one = harness(openai_url=fake.base_url)
        plan = make_plan(ImageRequest(f"a fox {steps}"), [OFFER, "demo/flat"], CATALOG)
        submitting = asyncio.create_task(one.engine.submit(plan, LOCAL_OWNER))
        for _ in range(steps):
            await asyncio.sleep(0)
        submitting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submitting
        assert one.engine.running(LOCAL_OWNER) == 0
        await one.stop()
        one.close()
    ends = {view.run.state for view in await restarted(one, harness, fake)}
    assert ends <= {"cancelled", "unknown"}
    assert fake.posts <= 6


async def test_what_was_refused_as_perhaps_stored_is_ended_once_that_can_be_written(
    harness: Make, fake: FakeOpenAI
) -> None:
    one = harness(openai_url=fake.base_url)
    plan = make_plan(ImageRequest("a fox"), [OFFER, "demo/flat"], CATALOG)
    with going_away(one.services.store), pytest.raises(StoreBusy, match="may be saved"):
        await one.engine.submit(plan, LOCAL_OWNER)
    assert [view.run.state for view in await all_runs(one)] == ["queued"] * 2
    await one.stop()
    found = await restarted(one, harness, fake)
    assert {(view.run.state, view.ledger_state) for view in found} == {("cancelled", "released")}
    assert fake.posts == 0


async def test_a_stop_at_once_ends_the_run(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    group_id = await one.engine.submit(make_plan(ImageRequest("a fox"), [OFFER], CATALOG), LOCAL_OWNER)
    assert await one.engine.cancel_all(LOCAL_OWNER) == 1
    (view,) = await all_runs(one)
    assert view.run.state in ("cancelled", "unknown")
    async with asyncio.timeout(5):
        async for _ in one.engine.follow(group_id, LOCAL_OWNER):
            pass
    await one.stop()


@pytest.mark.parametrize("pauses", range(0, 40, 3))
async def test_a_stop_at_any_moment_never_loses_an_answer_that_came(
    pauses: int, harness: Make, fake: FakeOpenAI
) -> None:
    one = harness(openai_url=fake.base_url)
    await one.engine.submit(make_plan(ImageRequest("a fox", n=3, size="1024x1024"), [OFFER], CATALOG), LOCAL_OWNER)
    for _ in range(pauses):
        await asyncio.sleep(0.002)
    stops = await asyncio.gather(*(one.engine.cancel_all(LOCAL_OWNER) for _ in range(3)))
    (view,) = await all_runs(one)
    assert view.run.state not in ("queued", "sending"), "a stop returns when the end is stored"
    assert view.ledger_state != "reserved"
    if view.run.state == "succeeded":
        assert len(view.images) == 3
        assert view.cost_source == "computed"
    else:
        assert len(view.images) == 0
        assert view.run.state in ("cancelled", "unknown")
    await one.stop()
    assert verify(one.services.store) == []
    assert len(stops) == 3


async def test_a_shutdown_that_does_not_wait_still_stores_each_end(harness: Make, fake: FakeOpenAI) -> None:
    for pause in (0.0, 0.02, 0.05, 0.1):
        one = harness(openai_url=fake.base_url)
        plan = make_plan(ImageRequest("a fox", n=2), [OFFER, "demo/flat"], CATALOG)
        await one.engine.submit(plan, LOCAL_OWNER)
        await asyncio.sleep(pause)
        await one.engine.close(drain_s=0)
        states = {view.run.state for view in await all_runs(one)}
        assert "sending" not in states
        await one.services.client.close()
        one.close()


async def test_nothing_is_sent_after_the_engine_was_closed(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    plan = make_plan(ImageRequest("a fox"), [OFFER], CATALOG)
    submitting = asyncio.create_task(one.engine.submit(plan, LOCAL_OWNER))
    await asyncio.sleep(0)
    await one.engine.close(drain_s=0)
    sent = fake.posts
    await asyncio.gather(submitting, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert fake.posts == sent == 0
    await one.services.client.close()


@pytest.mark.parametrize("usage", ODD_USAGES)
async def test_odd_figures_of_a_provider_never_become_a_cost(usage: dict[str, object], harness: Make) -> None:
    from base64 import b64encode

    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    body = {"created": 1, "data": [{"b64_json": b64encode(out.getvalue()).decode()}], "usage": usage}
    async with answering(body) as server:
        one = harness(openai_url=server.url)
        view = await one.one(offer="openai/gpt-image-1.5", size="auto", quality="auto")
        await one.stop()
    assert view.run.state == "succeeded"
    assert (view.ledger_state, view.cost_microusd) == ("unknown", None)
    assert verify(one.services.store) == []


async def test_a_key_of_any_shape_that_a_provider_repeats_is_kept_nowhere(harness: Make, tmp_path: Path) -> None:
    said = f"{'x' * 590} {PLAIN_KEY} again {PLAIN_KEY}"
    bodies = [
        (500, {"error": {"message": said, "param": PLAIN_KEY, "code": PLAIN_KEY}}),
        (200, {"data": [], "error": {"message": said}}),
        (200, {"data": [{"b64_json": "iVBORw0KGgo="}], "size": PLAIN_KEY, "quality": PLAIN_KEY}),
    ]
    for status, body in bodies:
        async with answering(body, status=status, key=PLAIN_KEY) as server:
            one = harness(openai_url=server.url, key=PLAIN_KEY)
            view = await one.one()
            await one.stop()
        one.close()
        assert PLAIN_KEY[:12] not in str(view)
    assert files_with(tmp_path, PLAIN_KEY[:12]) == []


async def test_words_of_a_provider_are_cut_after_the_key_was_taken_out() -> None:
    assert len(provider_words("x" * 5000)) == 601
    assert PLAIN_KEY not in repr(Access(CATALOG.provider("openai"), "http://x", PLAIN_KEY))


async def test_a_run_whose_offer_left_the_catalogue_is_ended_and_keeps_nobody_from_starting(
    harness: Make, fake: FakeOpenAI
) -> None:
    fake.always(faults.Hang())
    first = harness(openai_url=fake.base_url, demo_pace=100.0)
    plan = make_plan(ImageRequest("[slow] a fox"), ["demo/flat", "demo/sketch", "demo/painterly"], CATALOG)
    for _ in range(2):
        await first.engine.submit(plan, LOCAL_OWNER)
    await asyncio.sleep(0.2)
    await first.engine.close(drain_s=0)
    _set_states(first, "sending", to=3)
    await first.services.client.close()
    first.close()
    found = await restarted(first, harness, fake, catalog=CATALOG.without("demo"))
    assert {view.run.state for view in found} <= {"cancelled", "unknown"}
    assert {view.ledger_state for view in found} == {"released"}
