"""Words that several commands print."""

from __future__ import annotations


def money_text(microusd: int | None) -> str:
    """Micro-dollars as text: `$0.0059`, `free`, `unknown`."""
    if microusd is None:
        return "unknown"
    return f"${microusd / 1_000_000:.4f}" if microusd else "free"


def printable(text: str) -> str:
    """The text in one line: what a visitor wrote must not steer the operator's terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
