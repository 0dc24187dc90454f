"""The copy that is kept elsewhere, as the app sees to it: at the start, on the timer, at the end, and when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from playground import snapshotting
from playground.addresses import SettingsError
from playground.settings import Secret, Settings, SnapshotPlace
from playground.snapshotting import SnapshotKeeper, Standing, is_lost_at_restart, restore_at_start
from providers.rows import CATALOG
from storage.manifest import MANIFEST
from storage.snapshots import KNOWN_NAME
from tests.generated_docs import ROOT
from tests.harness import Harness
from tests.storage.shelves import DictShelf
from ui.snapshot_views import UNKEPT, snapshot_view

PLACE = SnapshotPlace("hf://datasets/owner/copies", Secret("hf_secret_token"), every_s=3600)


@pytest.fixture
def kept(harness: Callable[..., Harness]) -> Harness:
    return harness(settings=replace(Settings(), snapshot=PLACE))


def test_the_last_one_is_taken_at_the_end_and_put_back_at_the_start(kept: Harness, tmp_path: Path) -> None:
    shelf = DictShelf()
    keeper = SnapshotKeeper(kept.services, lambda _: shelf)
    keeper.start()
    keeper.finish(10)
    assert keeper.standing.state == "kept"
    there = restore_at_start(replace(kept.settings, data_dir=tmp_path / "new"), lambda _: shelf)
    assert (there.state, there.kept_at) == ("begun", keeper.standing.kept_at)
    again = restore_at_start(replace(kept.settings, data_dir=tmp_path / "new"), lambda _: shelf)
    assert again == Standing("begun", PLACE.place)


def test_it_is_taken_on_a_timer(kept: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = DictShelf()
    monkeypatch.setattr(snapshotting, "FIRST_AFTER_S", 0.01)
    keeper = SnapshotKeeper(kept.services, lambda _: shelf)
    keeper.start()
    deadline = time.monotonic() + 10
    while keeper.standing.state != "kept":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert MANIFEST in shelf.files
    keeper.finish(10)


def test_a_failure_is_told_and_mended_by_the_next(kept: Harness, caplog: pytest.LogCaptureFixture) -> None:
    shelf = DictShelf()
    keeper = SnapshotKeeper(kept.services, lambda _: shelf)
    shelf.refuses = "database"
    keeper.take()
    assert keeper.standing == Standing("failed", PLACE.place, None, "refused")
    assert "No snapshot could be taken: refused" in caplog.text
    shelf.refuses = "nothing"
    keeper.take()
    assert keeper.standing.state == "kept"


def test_what_could_not_be_put_back_is_never_written_over(kept: Harness, tmp_path: Path) -> None:
    shelf = DictShelf()
    SnapshotKeeper(kept.services, lambda _: shelf).take()
    rows = next(name for name in shelf.files if name.startswith("database/"))
    shelf.files[rows] = b"damaged"
    # The store that writes from now on is another one, which began empty.
    (kept.settings.data_dir / KNOWN_NAME).unlink()
    there = dict(shelf.files)
    standing = restore_at_start(replace(kept.settings, data_dir=tmp_path / "new"), lambda _: shelf)
    assert standing.state == "blocked"
    keeper = SnapshotKeeper(kept.services, lambda _: shelf)
    keeper.go_on_from(standing)
    keeper.start()
    keeper.finish(10)
    assert shelf.files == there


def test_a_shelf_that_hangs_holds_up_nothing(kept: Harness, caplog: pytest.LogCaptureFixture) -> None:
    class Slow(DictShelf):
        def read(self, name: str) -> bytes | None:
            time.sleep(0.2)
            return None

    keeper = SnapshotKeeper(kept.services, lambda _: Slow())
    keeper.start()
    keeper.finish(0.01)
    assert "was not done within" in caplog.text
    keeper.finish(10)


@pytest.mark.parametrize(
    ("standing", "host", "visitor"),
    [
        (Standing("kept", PLACE.place, "2026-11-21T10:15:30.123Z"), "kept at hf://", "2026-11-21 10:15 UTC"),
        (Standing("begun", PLACE.place), "none yet", "none yet"),
        (Standing("failed", PLACE.place, None, "The Hub refused."), "The Hub refused.", "tried again"),
        (Standing("blocked", PLACE.place, None, "It is damaged."), "It is damaged.", "gone at its end"),
    ],
)
def test_it_is_said_in_settings_and_details_to_the_host_alone(standing: Standing, host: str, visitor: str) -> None:
    told = snapshot_view(standing, is_host=True, is_lost=False)
    assert told is not None
    assert host in str(told["text"])
    told = snapshot_view(standing, is_host=False, is_lost=False)
    assert told is not None
    assert visitor in str(told["text"])
    assert "hf://" not in str(told["text"])
    assert not standing.words or standing.words not in str(told["text"])


def test_a_space_without_one_says_that_it_keeps_nothing(tmp_path: Path) -> None:
    space = Settings.from_env({"SPACE_ID": "owner/diptych", "DIPTYCH_DATA_DIR": str(tmp_path)}, CATALOG)
    assert (space.mode, space.host, space.port, space.on_space) == ("public", "0.0.0.0", 7860, True)
    assert is_lost_at_restart(space)
    told = snapshot_view(Standing("off"), is_host=False, is_lost=True)
    assert told is not None
    assert told["text"] == UNKEPT
    assert not is_lost_at_restart(replace(space, snapshot=PLACE))
    assert not is_lost_at_restart(Settings())
    assert snapshot_view(Standing("off"), is_host=True, is_lost=False) is None


@pytest.mark.parametrize(
    "given",
    [
        {"DIPTYCH_SNAPSHOT": "s3://bucket/x"},
        {"DIPTYCH_SNAPSHOT": "hf://datasets/owner"},
        {"DIPTYCH_SNAPSHOT": "hf://datasets/owner/../x"},
        {"DIPTYCH_SNAPSHOT_EVERY_S": "1"},
        {"DIPTYCH_ROOT_PATH": "diptych"},
        {"DIPTYCH_MCP_MAX_USD": "-1"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(given, CATALOG)
    assert refused.value.variable == next(iter(given))


def test_the_token_is_among_what_is_never_logged() -> None:
    given = {"DIPTYCH_SNAPSHOT": PLACE.place, "HF_TOKEN": "hf_secret_token", "OPENAI_API_KEY": "sk-12345678"}
    settings = Settings.from_env(given, CATALOG)
    assert {secret.reveal() for secret in settings.secrets} == {"hf_secret_token", "sk-12345678"}
    assert "hf_secret_token" not in repr(settings)


@pytest.mark.parametrize("variable", ["DIPTYCH_SNAPSHOT", "DIPTYCH_BLOBS_URL"])
def test_the_hubs_client_is_loaded_without_its_telemetry(variable: str) -> None:
    """In a process of its own: the client reads its variable once, when it is loaded, by whatever loads it first."""
    script = """
import sys
from providers.rows import CATALOG
from ui import command_line

def compose(settings):
    from playground.image_home import elsewhere_of
    from playground.snapshotting import open_hub

    elsewhere_of(settings.images) or open_hub(settings.snapshot)
    from huggingface_hub import constants

    print(constants.HF_HUB_DISABLE_TELEMETRY)
    sys.exit(0)

command_line.main(["history"], CATALOG, {sys.argv[1]: "hf://buckets/owner/copies"}, compose)
"""
    env = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    command = [sys.executable, "-c", script, variable]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")
