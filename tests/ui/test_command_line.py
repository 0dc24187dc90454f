"""The command line as a shell sees it: exit codes, one JSON document, and Gradio left alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground.engine import Engine
from playground.plan import Plan
from playground.settings import Settings
from providers.rows import CATALOG
from storage.errors import StoreBusy
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness
from ui import command_line
from ui.app import App
from ui.serving import _Server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


class Shell:
    def __init__(self, data_dir: Path, fake: FakeOpenAI) -> None:
        ours = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": fake.base_url, "DIPTYCH_DATA_DIR": str(data_dir)}
        self.env = {**os.environ, **ours, "NO_PROXY": "127.0.0.1"}
        self.data_dir = data_dir

    def __call__(self, *arguments: str) -> tuple[int, Any, str]:
        done = subprocess.run(
            [sys.executable, "app.py", *arguments], cwd=ROOT, env=self.env, capture_output=True, timeout=60, text=True
        )
        assert "Traceback" not in done.stderr
        assert KEY not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout) if "--json" in arguments else done.stdout, done.stderr


@pytest.fixture
def shell(tmp_path: Path, fake: FakeOpenAI) -> Shell:
    return Shell(tmp_path / "data", fake)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def photo(folder: Path, name: str, colour: str) -> str:
    path = folder / name
    Image.new("RGB", (320, 240), colour).save(path)
    return str(path)


def test_generate_edit_and_look_back(shell: Shell, fake: FakeOpenAI, tmp_path: Path) -> None:
    code, made, _ = shell(
        "generate", "--offer", OFFER, "--prompt", "A red fox", "--n", "2", "--json", "--partials", "1"
    )
    assert code == 0
    (run,) = made["runs"]
    assert run["state"] == "succeeded"
    assert run["partials"] == fake.partials_sent == 2
    assert run["cost_source"] == "computed"
    assert run["cost_microusd"] > 0
    for image, data in zip(run["images"], fake.served, strict=True):
        assert Path(image["path"]).read_bytes() == data
        assert image["sha256"] == hashlib.sha256(data).hexdigest()
        assert image["bytes"] == len(data)
    photos = [photo(tmp_path, "one.jpg", "red"), photo(tmp_path, "two.png", "blue")]
    out = tmp_path / "out"
    code, edited, _ = shell(
        *("generate", "--offer", OFFER, "--prompt", "Put 1 beside 2", "--image", photos[0], "--image", photos[1]),
        *("--out", str(out), "--json"),
    )
    assert code == 0
    assert Path(edited["runs"][0]["images"][0]["path"]).parent == out
    assert len(edited["runs"][0]["asked"]["images"]) == 2
    assert fake.violations == []
    code, history, _ = shell("history", "--search", "beside", "--json")
    assert [row["run_id"] for row in history["runs"]] == [edited["runs"][0]["run_id"]]
    code, history, _ = shell("history", "--limit", "1", "--json")
    code, older, _ = shell("history", "--limit", "1", "--before", history["next"], "--json")
    assert [history["runs"][0]["run_id"], older["runs"][0]["run_id"]] == [
        edited["runs"][0]["run_id"],
        run["run_id"],
    ]
    assert shell("verify", "--json")[:2] == (0, {"ok": True, "problems": []})
    backup = tmp_path / "copy.sqlite"
    assert shell("backup", str(backup), "--json")[:2] == (0, {"path": str(backup)})
    assert backup.stat().st_size > 0
    blob = Path(edited["runs"][0]["asked"]["images"][0])
    next((shell.data_dir / "blobs").glob(f"*/{blob}.*")).unlink()
    code, found, _ = shell("verify")
    assert code == 1
    assert f"blob_missing {blob}: the bytes of image 0 of run" in found


WRONG = [
    (("--prompt", ""), "prompt"),
    (("--prompt", "x" * 32_001), "prompt"),
    (("--prompt", "x", "--size", "1920x1080"), "size"),
    (("--prompt", "x", "--background", "transparent", "--format", "jpeg"), "background"),
    (("--prompt", "x", "--n", "11"), "n"),
    (("--prompt", "x", "--offer", "nobody/model"), "offers"),
]


@pytest.mark.parametrize(("arguments", "field"), WRONG)
def test_a_wrong_request_is_refused_before_anything_is_sent_or_stored(
    arguments: tuple[str, ...], field: str, shell: Shell, fake: FakeOpenAI
) -> None:
    code, document, said = shell("generate", "--offer", OFFER, *arguments, "--json")
    assert code == 2
    assert [problem["field"] for problem in document["problems"]] == [field]
    assert said.strip()
    assert fake.posts == 0
    assert not shell.data_dir.exists()


def test_files_that_cannot_be_used_are_refused_in_words(shell: Shell, fake: FakeOpenAI, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("not an image")
    many = [item for _ in range(17) for item in ("--image", photo(tmp_path, "p.png", "red"))]
    for arguments in (["--image", str(text)], ["--image", str(tmp_path / "missing.png")], many):
        code, _, said = shell("generate", "--offer", OFFER, "--prompt", "x", *arguments)
        assert code == 2
        assert said.strip().endswith(".")
    assert fake.posts == 0


def test_a_failed_run_is_exit_code_1_with_its_error(shell: Shell, fake: FakeOpenAI) -> None:
    fake.always(faults.MODERATION_BLOCKED)
    code, document, said = shell("generate", "--offer", OFFER, "--prompt", "x", "--json")
    assert code == 1
    error = document["runs"][0]["error"]
    assert (error["kind"], error["status"], error["may_have_been_billed"]) == ("moderation", 400, False)
    assert "violence" in error["message"]
    assert error["message"] in said


def test_estimate_sends_and_stores_nothing(shell: Shell, fake: FakeOpenAI) -> None:
    code, document, _ = shell("estimate", "--offer", OFFER, "--offer", "demo/flat", "--prompt", "A red fox", "--json")
    assert code == 0
    paid, free = document["runs"]
    assert paid["estimate_microusd"] == 196 * 30 + 3 * 5
    assert free["estimate_microusd"] == 0
    assert document["total_microusd"] == paid["estimate_microusd"]
    assert paid["request"]["url"] == f"{fake.base_url}/images/generations"
    assert paid["request"]["headers"]["Authorization"] == "Bearer $OPENAI_API_KEY"
    assert {row["handling"] for row in paid["fields"]} == {"passthrough"}
    assert fake.calls == []
    assert not shell.data_dir.exists()


def test_what_estimate_shows_is_what_generate_sends(shell: Shell, fake: FakeOpenAI) -> None:
    arguments = ("--offer", OFFER, "--prompt", "A red fox", "--partials", "2", "--format", "webp", "--json")
    _, planned, _ = shell("estimate", *arguments)
    _, made, _ = shell("generate", *arguments)
    assert fake.calls[0].fields == planned["runs"][0]["request"]["body"] == made["runs"][0]["sent"]


def test_models_lists_lifecycle_limits_and_prices(shell: Shell) -> None:
    code, document, _ = shell("models", "--json")
    assert code == 0
    offers = {row["offer"]: row for row in document["offers"]}
    assert offers["openai/gpt-image-2"]["price"]["image_out"] == "30.00"
    models = {row["model"]: row for row in document["models"]}
    assert models["gpt-image-1-mini"]["retires_on"] == "2026-12-01"


def test_interrupting_says_what_may_have_been_billed(shell: Shell, fake: FakeOpenAI) -> None:
    fake.always(faults.Hang())
    running = subprocess.Popen(
        [sys.executable, "app.py", "generate", "--offer", OFFER, "--prompt", "x", "--json"],
        cwd=ROOT,
        env=shell.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(lambda: fake.posts > 0)
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=30)
    assert running.returncode == 130
    (run,) = json.loads(out)["runs"]
    assert (run["state"], run["error"]["kind"]) == ("unknown", "cancelled")
    assert b"may still bill" in said
    assert b"Traceback" not in said


def test_no_key_is_exit_code_2_and_nothing_is_sent_or_stored(shell: Shell, fake: FakeOpenAI, tmp_path: Path) -> None:
    shell.env["OPENAI_API_KEY"] = ""
    out = tmp_path / "out"
    code, document, said = shell("generate", "--offer", OFFER, "--prompt", "x", "--out", str(out), "--json")
    assert code == 2
    assert "OPENAI_API_KEY" in said
    assert (document["error"]["kind"], document["problems"][0]["field"]) == ("auth", "key")
    assert fake.posts == 0
    assert not shell.data_dir.exists()
    assert not out.exists()


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_folder_for_copies_that_cannot_be_used_is_refused_before_anything_is_sent(
    below: str, shell: Shell, fake: FakeOpenAI, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    out = f"{tmp_path / 'taken'}{below}"
    code, document, said = shell("generate", "--offer", OFFER, "--prompt", "x", "--out", out, "--json")
    assert code == 2
    assert [problem["field"] for problem in document["problems"]] == ["out"]
    assert "taken" in said
    assert fake.posts == 0
    assert not shell.data_dir.exists()


def test_a_copy_that_fails_leaves_the_document_with_the_images_that_were_paid(
    shell: Shell, fake: FakeOpenAI, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["generate", "--offer", OFFER, "--prompt", "x", "--n", "2", "--out", str(out), "--json"]
    # While the call is under way a file takes the place of the folder.
    fake.always(faults.Slow(1.5))
    with subprocess.Popen(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env=shell.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        wait_for(lambda: fake.posts > 0)
        out.rmdir()
        out.write_text("in the way")
        printed, said = running.communicate(timeout=30)
    assert running.returncode == 1
    (run,) = json.loads(printed)["runs"]
    assert run["state"] == "succeeded"
    for image, data in zip(run["images"], fake.served, strict=True):
        assert Path(image["path"]).read_bytes() == data
    assert "could not be copied" in said
    assert "Traceback" not in said


def test_only_serving_loads_gradio() -> None:
    code = "import sys, app; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    for name in ("serve", "generate", "estimate", "models", "history", "verify", "backup"):
        assert name in done.stdout


class Nobody:
    """In the place of the application, where none may be made."""

    def __call__(self, _settings: Settings) -> App:
        raise AssertionError("a wrong request opened the store")


def serve_nothing(*_: object) -> int:
    raise AssertionError("nothing is to be served")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Callable[..., Any]]:
    """Runs the command line in this process; gives exit code, document and what was said."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, env: dict[str, str] | None = None, **parts: Any) -> tuple[int, Any, str]:
        environ = {"OPENAI_API_KEY": KEY} | (env or {})
        compose, serve = parts.get("compose", Nobody()), parts.get("serve", serve_nothing)
        code = command_line.main(list(arguments), CATALOG, environ, compose, serve)
        printed, said = capfdbinary.readouterr()
        return code, json.loads(printed), said.decode()

    root.handlers = []
    yield run
    root.handlers = handlers
    root.setLevel(level)


ASK = ("generate", "--offer", OFFER, "--prompt", "x", "--json")
REFUSED = [
    (("nonsense", "--json"), {}, "command"),
    (("--json",), {}, "command"),
    (("generate", "--json"), {}, "offers prompt"),
    ((*ASK, "--n", "many"), {}, "n"),
    ((*ASK, "--format", "bmp"), {}, "output_format"),
    ((*ASK, "--nonsense"), {}, "arguments"),
    ((*ASK, "--out", ""), {}, "out"),
    ((*ASK, "--aspect-ratio", "1:1"), {}, "aspect_ratio"),
    ((*ASK, "--resolution", "2K", "--lock-outside-mask"), {}, "resolution lock_outside_mask"),
    ((*ASK, "--prompt", "\udcff fox"), {}, "prompt"),
    ((*ASK, "--user", "\udcff"), {}, "user"),
    ((*ASK, "--offer", "openai/\udcff"), {}, "offers"),
    ((*ASK, "--mask", "mask.png"), {}, "mask"),
    ((*ASK, "--image", "\udcff.png"), {}, "images"),
    ((*ASK, "--offer", "demo/flat"), {"DIPTYCH_DEMO": "off"}, "offers"),
    (("history", "--limit", "0", "--json"), {}, "limit"),
    (("history", "--limit", "-3", "--json"), {}, "limit"),
    (("history", "--limit", "9" * 5000, "--json"), {}, "limit"),
    (("history", "--before", "nonsense", "--json"), {}, "before"),
    (("history", "--before", "9" * 19, "--json"), {}, "before"),
    (("backup", "--json"), {}, "file"),
    (("serve", "--port", "99999", "--json"), {}, "port"),
    (("serve", "--json"), {"DIPTYCH_PORT": "99999"}, "DIPTYCH_PORT"),
    (("models", "--json"), {"OPENAI_BASE_URL": "http://[::1/v1"}, "OPENAI_BASE_URL"),
]


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


def test_an_estimate_shows_the_plan_beside_what_this_version_cannot_do(here: Callable[..., Any]) -> None:
    code, document, said = here("estimate", *ASK[1:], "--aspect-ratio", "1:1")
    assert code == 2
    assert [problem["field"] for problem in document["problems"]] == ["aspect_ratio"]
    assert document["runs"][0]["estimate_microusd"] > 0
    assert "choose --size" in said


def test_an_option_that_is_wrong_is_named_and_not_the_variable_behind_it(here: Callable[..., Any]) -> None:
    _, _, said = here("serve", "--port", "99999", "--json")
    assert "--port" in said
    assert "DIPTYCH_PORT" not in said


def test_leaving_what_is_outside_the_mask_to_the_provider_is_what_happens_today(here: Callable[..., Any]) -> None:
    assert here("estimate", *ASK[1:], "--no-lock-outside-mask")[0] == 0


FAULTS = [
    (StoreBusy("Another program holds the database."), 1, "unknown", "holds the database"),
    (KeyboardInterrupt(), 130, "cancelled", "Interrupted"),
    (RuntimeError(f"Bearer {KEY}"), 1, "unknown", "fault in this program"),
]


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
    number: signal.Signals, expected: int, shell: Shell, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "app.py", "serve", "--port", str(port), "--json"],
        cwd=ROOT,
        env=shell.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        said = iter(running.stderr.readline, "")
        assert any("Diptych is at" in line for line in said)
        if number == signal.SIGINT:
            code, document, words = shell("serve", "--port", str(port), "--json")
            assert (code, document["error"]["kind"]) == (1, "network")
            assert str(port) in words
        running.send_signal(number)
        printed, rest = running.communicate(timeout=40)
    assert running.returncode == expected
    assert json.loads(printed) == {"url": f"http://127.0.0.1:{port}"}
    assert "Traceback" not in rest


class StuckEngine(Engine):
    async def close(self, drain_s: float) -> None:
        raise RuntimeError("stuck")


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


def test_the_help_says_which_size_is_asked_for_when_none_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "generate", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "default 1024x1024; an edit: auto" in " ".join(done.stdout.split())
