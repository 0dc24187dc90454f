"""Markup and formulas in what is saved: pages hold nobody else's elements, and no cell of a table is a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from storage import ledger_pages
from storage.ledger_pages import LedgerFilter
from tests.arena.world import add_run, make_services
from tests.hostile.texts import files
from ui.costs.ledger_views import csv_lines


def test_saved_pages_hold_no_element_of_anybody_else(tmp_path: Path) -> None:
    services = make_services(tmp_path / "own")
    for name, text in files(services).items():
        assert "<script" not in text, name
        assert "<img src=x" not in text, name
        assert "<svg" not in text, name
        assert text.count("</title>") == text.count("</style>") == 1, name
    services.store.close()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")'])
def test_no_cell_of_the_ledger_is_a_formula(start: str, tmp_path: Path) -> None:
    services = make_services(tmp_path / "own")
    add_run(services, prompt=f"{start}1")
    entries = services.store.read(lambda db: ledger_pages.page(db, LedgerFilter(owner="local"), limit=9))
    for row in csv.reader(io.StringIO(csv_lines(entries, "local"))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    services.store.close()
