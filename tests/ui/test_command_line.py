"""The command line as a shell sees it: exit codes, one JSON document, and Gradio left alone."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.app_process import ROOT
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import OFFER
from tests.ui.shell import WRONG, Shell, photo, wait_for


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
    code, written, _ = shell("backup", str(backup), "--json")
    anchor = written["anchor"]["path"]
    assert (code, written["path"], written["anchor"]["votes"]) == (0, str(backup), 0)
    assert backup.stat().st_size > 0
    assert shell("verify", "--anchor", anchor, "--json")[:2] == (0, {"ok": True, "problems": []})
    assert shell("verify", "--anchor", str(backup), "--json")[0] == 2
    code, refused, _ = shell("restore", str(backup), "--json")
    assert (code, "holds rows already" in refused["error"]["message"]) == (2, True)
    other = ("--data-dir", str(tmp_path / "other"))
    code, restored, _ = shell("restore", str(backup), *other, "--json")
    assert (code, restored["rows"]["runs"]) == (0, 2)
    assert [row["run_id"] for row in shell("history", *other, "--json")[1]["runs"]] == [
        row["run_id"] for row in shell("history", "--json")[1]["runs"]
    ]
    blob = Path(edited["runs"][0]["asked"]["images"][0])
    next((shell.data_dir / "blobs").glob(f"*/{blob}.*")).unlink()
    code, found, _ = shell("verify")
    assert code == 1
    assert f"blob_missing {blob}: the bytes of image 0 of run" in found


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
    running = shell.start("generate", "--offer", OFFER, "--prompt", "x", "--json")
    wait_for(lambda: fake.posts > 0)
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    (run,) = json.loads(running.printed)["runs"]
    assert (run["state"], run["error"]["kind"]) == ("unknown", "cancelled")
    assert "may still bill" in running.said
    assert "Traceback" not in running.said


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
    released = threading.Event()
    fake.always(faults.Held(released))
    running = shell.start("generate", "--offer", OFFER, "--prompt", "x", "--n", "2", "--out", str(out), "--json")
    # While the call is under way a file takes the place of the folder.
    wait_for(lambda: fake.posts > 0)
    out.rmdir()
    out.write_text("in the way")
    released.set()
    assert running.wait() == 1
    (run,) = json.loads(running.printed)["runs"]
    assert run["state"] == "succeeded"
    for image, data in zip(run["images"], fake.served, strict=True):
        assert Path(image["path"]).read_bytes() == data
    assert "could not be copied" in running.said
    assert "Traceback" not in running.said


def test_only_serving_loads_gradio() -> None:
    code = "import sys, app; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_the_hub_s_client_is_loaded_by_whoever_speaks_to_the_hub() -> None:
    code = (
        "import sys, playground.image_home, playground.snapshotting; sys.exit('huggingface_hub.hf_api' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
