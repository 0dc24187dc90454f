"""Parts that are loaded by name when somebody needs them: what loading them takes, or needs to be there, others are spared."""

from __future__ import annotations

import importlib


def late(module: str, name: str) -> object:
    """What the module has under this name. Raises: ImportError, also where a package is not there that the module needs."""
    return getattr(importlib.import_module(module), name)
