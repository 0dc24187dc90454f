"""How much memory another process holds."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playground.memory import GIVE_BACK_S


async def settled_mb(pid: int) -> float:
    """Megabytes that a process of this app holds, once it had time to give back what is free."""
    await asyncio.sleep(GIVE_BACK_S + 2)
    return rss_mb(pid)


def rss_mb(pid: int) -> float:
    """Megabytes of memory that a process holds now; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
