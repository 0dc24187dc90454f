"""What an audit of a store can find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ProblemKind = Literal[
    "database",
    "foreign_key",
    "blob_missing",
    "blob_damaged",
    "size_differs",
    "blob_unknown",
    "stray_file",
    "temporary_file",
    "thumbnail_unknown",
    "ledger_missing",
    "ledger_unsettled",
    "ledger_unreserved",
    "ledger_sum_differs",
    "tally_differs",
    "elo_day_differs",
    "facts_differ",
    "vote_chain_broken",
    "vote_missing",
    "vote_changed",
    "vote_unlinked",
    "anchor_differs",
    "place_away",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be."""

    kind: ProblemKind
    subject: str
    """What it is about: a hash, a run, a file below the data folder, or a table."""
    message: str
    """What was found, and what it means."""
