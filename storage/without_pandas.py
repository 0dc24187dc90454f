"""Loads sqlite-utils without pandas, which costs a command that opens the store half of its start.

sqlite-utils loads pandas wherever it is installed, only to name the column types of `Series` and the like. None of our
values is one; pandas is here because Gradio needs it, and Gradio loads it itself, later, where it is needed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Refusing(MetaPathFinder):
    """Answers for one module, before those who would find it, that it is not installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Finds nothing. Raises: ModuleNotFoundError for that module, else the others would be asked for it."""
        if fullname == self._name:
            raise ModuleNotFoundError(f"{fullname} is kept out here", name=fullname)
        return None


@contextmanager
def without(name: str) -> Iterator[None]:
    """While inside, a module that is not loaded yet looks as if it were not installed, to all threads."""
    refusing = _Refusing(name)
    sys.meta_path.insert(0, refusing)
    try:
        yield
    finally:
        sys.meta_path.remove(refusing)


def load_sqlite_utils() -> None:
    """Loads it, where neither it nor pandas is loaded yet. Must come before anything that imports it; for a process's start,
    while it has one thread.
    """
    if "pandas" in sys.modules or "sqlite_utils" in sys.modules:
        return
    with without("pandas"):
        importlib.import_module("sqlite_utils")
