"""Hostile images at every door: refused in a sentence or cleaned, each within two seconds and 200 MB, and the app goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MOST_S = 2.0
MOST_MB = 200.0
LOUD = ("Traceback", "Error(", "<class", "0x", "PIL", "/tmp")


def tried(folder: Path, corpus: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.doors", str(folder), corpus], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("corpus", ["SMALL", "LARGE"])
def test_each_image_is_refused_or_cleaned_at_every_door(corpus: str, tmp_path: Path) -> None:
    found = tried(tmp_path, corpus)
    assert len({one["name"] for one in found}) > 25
    for one in found:
        what = f"{one['name']} at {one['door']}"
        assert not one["odd"], f"{what}: {one['odd']}"
        assert one["cpu_s"] < MOST_S, f"{what} took {one['cpu_s']:.1f} s"
        assert one["mb"] < MOST_MB, f"{what} took {one['mb']:.0f} MB"
        assert not one["said"] or one["said"].endswith((".", "…")), what
        assert not any(word in one["said"] for word in LOUD), one["said"]
