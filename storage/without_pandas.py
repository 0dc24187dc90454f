"""Loads sqlite-utils without pandas, which costs a command that opens the store half of its start.

sqlite-utils loads pandas wherever it is installed, only to name the column types of `Series` and the like. None of our
values is one; pandas is here because Gradio needs it, and Gradio loads it itself, later, where it is needed.
"""

from __future__ import annotations

import importlib
import sys


def load_sqlite_utils() -> None:
    """Loads it, where neither it nor pandas is loaded yet. Must come before anything that imports it; for a process's start,
    while it has one thread.
    """
    if "pandas" in sys.modules or "sqlite_utils" in sys.modules:
        return
    # What stands in this table as None cannot be imported (Python's reference, "The module cache"): it looks as not installed.
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    modules["pandas"] = None
    try:
        importlib.import_module("sqlite_utils")
    finally:
        del modules["pandas"]
