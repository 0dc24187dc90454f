"""Cells of CSV files, which people open in spreadsheets."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins like this is run."""


def as_text(words: str) -> str:
    """What somebody wrote, so that no spreadsheet takes it for a formula."""
    return f"'{words}" if words.startswith(_FORMULA) else words
