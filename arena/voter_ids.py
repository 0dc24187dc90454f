"""Under which ids voters are shown: by them nobody can be found elsewhere, nor in another store. Pure."""

from __future__ import annotations

import hashlib

SHOWN_DIGITS = 16
"""64 bits: among a million voters two alike are one chance in tens of millions."""


def shown_voter(salt: str, voter: str) -> str:
    """The id that exports and commands show for a voter of the store with this salt."""
    return hashlib.sha256(f"{salt}:{voter}".encode()).hexdigest()[:SHOWN_DIGITS]
