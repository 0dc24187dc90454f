"""What a test needs that may not be installed."""

from __future__ import annotations

import os

import pytest


def need(why_not: str | None) -> None:
    """Skips with the reason where there is one; in CI, which installs all that tests need, it is a failure."""
    if why_not and os.environ.get("CI"):
        pytest.fail(why_not)
    if why_not:
        pytest.skip(why_not)
