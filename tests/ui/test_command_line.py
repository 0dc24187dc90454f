"""The command line as a shell sees it: exit codes, one JSON document, and Gradio left alone."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER

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
    assert shell("backup", str(backup))[0] == 0
    assert backup.stat().st_size > 0


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
    deadline = time.monotonic() + 30
    while not fake.posts and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=30)
    assert running.returncode == 130
    (run,) = json.loads(out)["runs"]
    assert (run["state"], run["error"]["kind"]) == ("unknown", "cancelled")
    assert b"may still bill" in said
    assert b"Traceback" not in said


def test_no_key_is_exit_code_2(shell: Shell, fake: FakeOpenAI) -> None:
    shell.env["OPENAI_API_KEY"] = ""
    code, _, said = shell("generate", "--offer", OFFER, "--prompt", "x", "--json")
    assert code == 2
    assert "OPENAI_API_KEY" in said
    assert fake.posts == 0


def test_only_serving_loads_gradio() -> None:
    code = "import sys, app; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    for name in ("serve", "generate", "estimate", "models", "history", "verify", "backup"):
        assert name in done.stdout
