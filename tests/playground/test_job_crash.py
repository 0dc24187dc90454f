"""`kill -9` for real: the command that waited for a job dies, and the next command has its image."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from tests.app_process import Command
from tests.playground.job_world import FOX, VARIABLES, World


def environment(world: World) -> dict[str, str]:
    key, url = VARIABLES[world.provider]
    ours = {key: world.fake.key, url: world.fake.base_url, "DIPTYCH_DATA_DIR": str(world.data_dir)}
    return {**os.environ, **ours, "NO_PROXY": "127.0.0.1"}


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_job_outlives_the_process_that_asked_for_it(world: World, tmp_path: Path) -> None:
    world.fake.polls = 10_000
    env = environment(world)
    asked = ["generate", "--offer", world.offer, "--prompt", FOX, "--n", "2", "--quality", "low"]
    victim = Command(asked, env, tmp_path)
    wait_until(lambda: world.polls)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    world.lets_jobs_end()
    looked = Command(["history", "--json"], env, tmp_path)
    assert looked.wait() == 0
    (run,) = orjson.loads(looked.printed)["runs"]
    assert (run["state"], run["error"]) == ("succeeded", None)
    assert sorted(image["sha256"] for image in run["images"]) == world.served()
    assert len(run["images"]) == 2
    for image in run["images"]:
        assert Path(image["path"]).read_bytes() in world.fake.served
    assert (world.creates, world.fake.posts, world.cancels) == (1, 1, 0)
    for key in world.secrets:
        assert key not in looked.printed + looked.said
