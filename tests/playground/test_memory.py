"""What was freed leaves the process."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from playground import memory


def resident_mb() -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Only glibc can be told to give memory back.")
def test_holes_between_what_is_kept_go_back_to_the_system() -> None:
    blocks: list[bytearray | None] = [bytearray(b"x") * 60_000 for _ in range(1500)]
    # One of fifty stays, so that no end of the heap is free.
    blocks = [block if number % 50 == 0 else None for number, block in enumerate(blocks)]
    before = resident_mb()
    assert memory.give_back()
    assert before - resident_mb() > 60
    assert blocks[0] is not None
