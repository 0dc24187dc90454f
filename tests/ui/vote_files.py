"""Files of votes, and what `leaderboard` prints of them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.rows import CATALOG
from tests.ui.shell import Nobody
from ui import command_line

Run = Callable[..., tuple[int, Any, str]]


def write(path: Path, rows: list[tuple[str, ...]], header: str = "competitor_a,competitor_b,outcome") -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([header.split(","), *rows])
    return str(path)


def lines(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str, compose: Any = None) -> list[str]:
    code = command_line.main(list(arguments), CATALOG, {}, compose or Nobody(), lambda *_: 0)
    printed, _ = capfdbinary.readouterr()
    assert code == 0
    return printed.decode().splitlines()
