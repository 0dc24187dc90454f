"""How commands fail and stop: in words, with one document, and every part of a stop by itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from playground.engine import Engine
from playground.plan import Plan
from playground.settings import Settings
from tests.app_process import ROOT
from tests.harness import KEY, Harness
from tests.ui.browser import free_port
from tests.ui.shell import ASK, FAULTS, REFUSED, Shell, StuckEngine, wait_for
from ui.app import App
from ui.serving import _Server


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    for name in (
        "serve",
        "generate",
        "estimate",
        "models",
        "history",
        "leaderboard",
        "voters",
        "costs",
        "verify",
        "backup",
    ):
        assert name in done.stdout


@pytest.mark.parametrize(("arguments", "env", "fields"), REFUSED)
def test_every_wrong_request_is_one_document_with_its_problems_and_exit_code_2(
    arguments: tuple[str, ...], env: dict[str, str], fields: str, here: Callable[..., Any]
) -> None:
    code, document, said = here(*arguments, env=env)
    assert code == 2
    assert (document["group_id"], document["runs"]) == (None, [])
    assert [problem["field"] for problem in document["problems"]] == fields.split()
    assert document["error"]["kind"] == "validation"
    assert not document["error"]["may_have_been_billed"]
    assert said.strip()
    assert "Traceback" not in said


def test_an_estimate_shows_the_plan_beside_what_stands_in_its_way(here: Callable[..., Any]) -> None:
    code, document, said = here("estimate", *ASK[1:], "--lock-outside-mask")
    assert code == 2
    (run,) = document["runs"]
    assert [problem["field"] for problem in run["problems"]] == ["lock_outside_mask"]
    assert run["estimate_microusd"] > 0
    assert "There is no mask" in said


def test_an_option_that_is_wrong_is_named_and_not_the_variable_behind_it(here: Callable[..., Any]) -> None:
    _, _, said = here("serve", "--port", "99999", "--json")
    assert "--port" in said
    assert "DIPTYCH_PORT" not in said


def test_without_a_mask_no_lock_is_nothing_to_refuse(here: Callable[..., Any]) -> None:
    assert here("estimate", *ASK[1:], "--no-lock-outside-mask")[0] == 0


@pytest.mark.parametrize(("fault", "expected", "kind", "words"), FAULTS)
@pytest.mark.parametrize("command", [("history", "--json"), ("backup", "copy.sqlite", "--json"), ASK])
def test_whatever_goes_wrong_is_one_document_and_no_key(
    fault: BaseException, expected: int, kind: str, words: str, command: tuple[str, ...], here: Callable[..., Any]
) -> None:
    def compose(_settings: Settings) -> App:
        raise fault

    code, document, said = here(*command, compose=compose)
    assert code == expected
    assert (document["group_id"], document["runs"], document["problems"]) == (None, [], [])
    assert document["error"]["kind"] == kind
    assert words in document["error"]["message"]
    assert words in said
    assert KEY not in said
    assert KEY not in str(document)


def test_an_interrupt_while_the_runs_are_stored_is_told_in_one_document(
    here: Callable[..., Any], tmp_path: Path
) -> None:
    harness = Harness(tmp_path / "data")

    class Interrupted(Engine):
        async def submit(self, plan: Plan, owner: str, **_: object) -> str:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(30)
            raise AssertionError("the interrupt did not arrive")

    engine = Interrupted(harness.services, harness.worker)
    code, document, said = here(*ASK, compose=lambda _: App(harness.services, engine, harness.worker))
    assert code == 130
    assert (document["group_id"], document["runs"], document["error"]["kind"]) == (None, [], "cancelled")
    assert "Interrupted" in said


def test_a_second_interrupt_still_tells_what_was_sent(here: Callable[..., Any], tmp_path: Path) -> None:
    harness = Harness(tmp_path / "data", demo_pace=100.0)

    class Impatient(Engine):
        async def submit(self, plan: Plan, owner: str, **_: Any) -> str:
            group_id = await super().submit(plan, owner)
            asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGINT)
            return group_id

        async def cancel_all(self, owner: str, group_id: str | None = None) -> int:
            os.kill(os.getpid(), signal.SIGINT)
            return await super().cancel_all(owner, group_id)

    engine = Impatient(harness.services, harness.worker)
    code, document, _ = here(
        *("generate", "--offer", "demo/painterly", "--prompt", "x", "--json"),
        compose=lambda _: App(harness.services, engine, harness.worker),
    )
    assert code == 130
    assert document["group_id"]
    assert [run["offer"] for run in document["runs"]] == ["demo/painterly"]


@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"]])
def test_a_reader_that_leaves_early_ends_it_quietly(arguments: list[str], shell: Shell) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env=shell.env,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("closed", [">&-", "> /dev/full", "2>&-"])
def test_streams_that_take_nothing_end_in_a_code_and_no_traceback(closed: str, shell: Shell) -> None:
    script = f"exec {sys.executable} app.py models --json {closed}"
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, env=shell.env, capture_output=True, timeout=60)
    assert done.returncode == (0 if closed == "2>&-" else 1)
    assert b"Traceback" not in done.stderr
    assert bool(done.stderr) == (closed != "2>&-")


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_serving_says_where_and_ends_with_the_code_of_its_signal(
    number: signal.Signals, expected: int, shell: Shell
) -> None:
    port = free_port()
    running = shell.start("serve", "--port", str(port), "--json")
    wait_for(lambda: "Diptych is at" in running.said)
    if number == signal.SIGINT:
        code, document, words = shell("serve", "--port", str(port), "--json")
        assert (code, document["error"]["kind"]) == (1, "network")
        assert str(port) in words
    running.send_signal(number)
    assert running.wait() == expected
    assert json.loads(running.printed) == {"url": f"http://127.0.0.1:{port}"}
    assert "Traceback" not in running.said


def test_started_by_its_name_it_serves_until_it_is_told_to_stop(shell: Shell) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**shell.env, "DIPTYCH_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        said = iter(running.stderr.readline, "")
        assert any(f"Diptych is at http://127.0.0.1:{port}" in line for line in said)
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
        running.terminate()
        printed, rest = running.communicate(timeout=40)
    assert (running.returncode, printed) == (0, "")
    assert "Traceback" not in rest


def test_each_part_of_a_stop_happens_whatever_the_others_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    harness = Harness(tmp_path / "data")
    app = App(harness.services, StuckEngine(harness.services, harness.worker), harness.worker)
    ended = []

    class Page:
        def close(self, *, verbose: bool) -> None:
            ended.append("page")
            raise OSError("the page did not close")

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = _Server(app)
    server.on_loop(loop)
    server.stop(Page())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert ended == ["page"]
    assert "stuck" in caplog.text
    assert "the page did not close" in caplog.text
    assert list((tmp_path / "data" / "workers").iterdir()) == []
    with pytest.raises(Exception, match="is closed"):
        harness.services.store.read(lambda db: db.table_names())


def test_a_stop_ends_where_the_servers_loop_is_gone(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "data")
    loop = asyncio.new_event_loop()
    server = _Server(harness.app)
    server.on_loop(loop)
    loop.close()
    server.stop(None)
    assert list((tmp_path / "data" / "workers").iterdir()) == []


def test_the_help_says_which_size_is_asked_for_when_none_is_named(shell: Shell) -> None:
    _, printed, _ = shell("generate", "--help")
    assert "default 1024x1024; an edit: auto" in " ".join(printed.split())
