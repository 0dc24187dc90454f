"""What a command loads before it answers, counted in a process of its own: times would tell of the machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app_process import ROOT
from ui.arguments import parse
from ui.command_line import COMMANDS

HEAVY = {"gradio", "pandas", "numpy", "sqlite_utils", "httpx", "PIL", "starlette", "asyncio", "rich"}


def loaded_by(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "app.py"), *arguments],
        env={**os.environ, "DIPTYCH_DATA_DIR": str(folder / "data")},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout
    return {name.partition(".")[0] for name in re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.M)}


@pytest.mark.parametrize("arguments", [("models",), ("--help",)])
def test_what_needs_no_store_loads_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(tmp_path, *arguments)
    assert "providers" in loaded
    assert not loaded & HEAVY
    assert not (tmp_path / "data").exists()


def test_a_command_with_a_store_loads_neither_gradio_nor_pandas(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "history", "--json")
    assert "sqlite_utils" in loaded
    assert not loaded & {"gradio", "pandas"}


def test_every_command_that_can_be_said_can_be_carried_out() -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            parse([name, "--help"])
        assert ended.value.code == 0
