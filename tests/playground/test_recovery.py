"""A process that dies: what it was doing is told by the next one, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from playground import library
from playground.plan import make_plan
from playground.services import LOCAL_OWNER
from providers.types import ImageRequest
from storage.coming import Coming, announce
from storage.verify import verify
from tests.app_process import Command
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness
from tests.playground.job_world import noise, until
from tests.playground.left_runs import left, state_of

Make = Callable[..., Harness]


def environment(fake: FakeOpenAI | None, data_dir: Path) -> dict[str, str]:
    ours = {"OPENAI_API_KEY": KEY, "DIPTYCH_DATA_DIR": str(data_dir), "NO_PROXY": "127.0.0.1"}
    return {**os.environ, **ours, **({"OPENAI_BASE_URL": fake.base_url} if fake else {})}


def command(*arguments: str, env: dict[str, str], folder: Path) -> tuple[int, dict[str, object]]:
    done = Command(arguments, env, folder)
    code = done.wait()
    return code, json.loads(done.printed or "{}")


def test_a_call_under_way_when_the_process_is_killed_is_told_and_never_sent_again(tmp_path: Path) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        env = environment(fake, tmp_path / "data")
        victim = Command(["generate", "--offer", OFFER, "--prompt", "A red fox"], env, tmp_path)
        deadline = time.monotonic() + 30
        while not fake.posts and time.monotonic() < deadline:
            time.sleep(0.02)
        _, while_alive = command("history", "--json", env=env, folder=tmp_path)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        code, document = command("history", "--json", env=env, folder=tmp_path)
        verified, _ = command("verify", "--json", env=env, folder=tmp_path)
        assert fake.posts == 1
    runs = document["runs"]
    assert isinstance(runs, list)
    assert isinstance(while_alive["runs"], list)
    assert while_alive["runs"][0]["state"] == "sending", "a living process keeps its run"
    assert (code, verified) == (0, 0)
    assert runs[0]["state"] == "unknown"
    assert runs[0]["ledger_state"] == "unknown"
    assert runs[0]["cost_microusd"] is None
    assert runs[0]["error"]["may_have_been_billed"] is True
    assert "may have billed" in runs[0]["error"]["message"]


@pytest.mark.asyncio
async def test_queued_runs_go_on_at_the_next_start(harness: Make) -> None:
    first = harness(demo_pace=100.0)
    offers = ["demo/flat", "demo/sketch", "demo/painterly"]
    plan = make_plan(ImageRequest("[slow] a fox"), offers, first.services.catalog)
    for _ in range(2):
        await first.engine.submit(plan, LOCAL_OWNER)
    await asyncio.sleep(0.3)
    await first.engine.close(drain_s=0)
    await first.services.client.close()

    second = harness()
    await second.engine.start()
    async for _ in second.engine.follow_owner(LOCAL_OWNER):
        pass
    groups = await library.recent_groups(second.services, LOCAL_OWNER, limit=5)
    states = sorted(run.run.state for group in groups for run in group.runs)
    await second.stop()
    assert states == ["cancelled"] * 3 + ["succeeded"] * 3
    assert verify(second.services.store) == []


@pytest.mark.asyncio
async def test_a_fault_in_one_look_at_what_others_left_does_not_end_the_looking(harness: Make) -> None:
    one = harness()
    one.worker.look_every_s = 0.01
    await one.engine.start()
    is_alive, asked = one.worker.is_alive, threading.Event()

    def broken(_worker_id: str | None) -> bool:
        asked.set()
        raise ZeroDivisionError("nobody foresaw this")

    one.worker.is_alive = broken
    run_id = left(one)
    await until(asked.is_set)
    one.worker.is_alive = is_alive
    await until(lambda: state_of(one, run_id) == "succeeded")
    await one.stop()


@pytest.mark.asyncio
async def test_a_run_whose_end_could_not_be_stored_is_ended_by_the_process_that_had_it(harness: Make) -> None:
    one = harness(key=None)
    run_id = left(one, one.worker.worker_id, make_plan(ImageRequest("a fox"), [OFFER], one.services.catalog))
    one.services.store.write(lambda db: db.execute("update runs set state = 'sending'").rowcount)
    blobs = one.services.store.blobs
    announce(blobs, Coming(run_id, 0, blobs.put(noise(1).data, "image/png")))
    one.worker.look_every_s = 0.02
    await one.engine.start()
    await until(lambda: state_of(one, run_id) != "sending")
    view = await library.run(one.services, run_id, LOCAL_OWNER)
    await one.stop()
    assert view is not None
    assert view.run.error is not None
    assert (view.run.state, view.ledger_state, len(view.images)) == ("unknown", "unknown", 1)
    assert view.run.error.message.startswith("How this run ended could not be stored. The request had been sent")
    assert verify(one.services.store) == []


@pytest.mark.asyncio
async def test_a_queued_run_whose_key_is_gone_waits_for_it_and_can_be_stopped(harness: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        fake.always(faults.Hang())
        first = harness(openai_url=fake.base_url)
        plan = make_plan(ImageRequest("a fox"), [OFFER], first.services.catalog)
        for _ in range(6):
            await first.engine.submit(plan, LOCAL_OWNER)
        while fake.posts < 5:
            await asyncio.sleep(0.01)
        await first.engine.close(drain_s=0)
        await first.services.client.close()
        second = harness(openai_url=fake.base_url, key=None)
        await second.engine.start()
        groups = await library.recent_groups(second.services, LOCAL_OWNER, limit=9)
        assert sorted(group.runs[0].run.state for group in groups) == ["queued"] + ["unknown"] * 5
        assert await second.engine.cancel_all(LOCAL_OWNER) == 1
        groups = await library.recent_groups(second.services, LOCAL_OWNER, limit=9)
        await second.stop()
        assert fake.posts == 5
    ended = sorted((group.runs[0].run.state, group.runs[0].ledger_state) for group in groups)
    assert ended == [("cancelled", "released")] + [("unknown", "unknown")] * 5


@pytest.mark.asyncio
async def test_a_stop_waits_for_calls_under_way_and_leaves_queued_ones(harness: Make) -> None:
    with FakeOpenAI(key=KEY) as fake:
        released = threading.Event()
        fake.always(faults.Held(released))
        first = harness(openai_url=fake.base_url)
        plan = make_plan(ImageRequest("a fox"), [OFFER], first.services.catalog)
        for _ in range(7):
            await first.engine.submit(plan, LOCAL_OWNER)
        while fake.posts < 5:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(first.engine.close(drain_s=20))
        await asyncio.sleep(0.2)
        assert not closing.done()
        released.set()
        await closing
        groups = await library.recent_groups(first.services, LOCAL_OWNER, limit=9)
        await first.services.client.close()
    states = sorted(group.runs[0].run.state for group in groups)
    assert states == ["queued"] * 2 + ["succeeded"] * 5
