"""What was freed leaves the process."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from playground import memory

IS_GLIBC = platform.libc_ver()[0] == "glibc"


def resident_mb() -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def test_holes_between_what_is_kept_go_back_to_the_system_where_the_c_library_can() -> None:
    blocks: list[bytearray | None] = [bytearray(b"x") * 60_000 for _ in range(1500)]
    # One of fifty stays, so that no end of the heap is free.
    blocks = [block if number % 50 == 0 else None for number, block in enumerate(blocks)]
    before = resident_mb() if IS_GLIBC else 0.0
    assert memory.give_back() == IS_GLIBC
    if IS_GLIBC:
        assert before - resident_mb() > 60
    assert blocks[0] is not None
