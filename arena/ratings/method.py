"""How a board is made: the choices a reader can make, a version for what they mean, and a hash of what they are made of.

The same votes in the same order under the same method and version give the same numbers. Pure, and
without numpy: whoever only reads the choices waits for no maths to load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

METHOD_VERSION = "2"
"""Goes up whenever the same votes under the same method would give other numbers."""

SEED = 20_260_801
"""Of draws, where none is named."""
Ties = Literal["half", "drop"]
"""What a tie is worth: half a win to each, or nothing at all."""
BothBad = Literal["tie", "drop"]
"""What "both bad" is: a tie, or left out."""
Kind = Literal["elo", "bradley-terry", "davidson"]
Interval = Literal["sandwich", "bootstrap", "none"]
VOTES_AT_ONCE = 10_000
PRIORS = (1.0, 0.0)
"""Games of the prior that can be chosen: the board's, and none."""


@dataclass(frozen=True, slots=True)
class Method:
    """The choices behind a board.

    Raises:
        ValueError: a choice is none of those listed.
    """

    kind: Kind = "bradley-terry"
    ties: Ties = "half"
    """"half": a tie is half a win to each (in Davidson's model an outcome of its own); "drop": ties are left out."""
    both_bad: BothBad = "tie"
    """"tie": both bad is a tie, whatever becomes of ties; "drop": it is left out."""
    prior: float = 1.0
    """Games, half won, of each competitor against one at the mean. Elo has none and does not look at it."""
    interval: Interval = "sandwich"
    """Elo has no interval of its own and does not look at it."""
    seed: int = SEED
    """Of the draws behind the bootstrap and P(best)."""

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("method", self.kind, get_args(Kind)),
            ("ties", self.ties, get_args(Ties)),
            ("both bad", self.both_bad, get_args(BothBad)),
            ("prior", self.prior, PRIORS),
            ("interval", self.interval, get_args(Interval)),
        ):
            if value not in allowed:
                raise ValueError(f"{name} {value!r} is unknown; expected one of {', '.join(map(str, allowed))}")
        if self.seed < 0:
            raise ValueError(f"seed {self.seed} is below 0")

    @property
    def has_interval(self) -> bool:
        """Whether ratings come with bounds."""
        return self.kind != "elo" and self.interval != "none"


def votes_digest(votes: Iterable[tuple[str, ...]]) -> str:
    """SHA-256, as hex, of the votes in their order: each a line of JSON `["side a", "side b", "outcome"]` in UTF-8.

    The votes of a board that leans on other categories are those of all of them, with the category as a fourth field.
    """
    lines, digest, ahead = _Lines(), hashlib.sha256(), iter(votes)
    while some := list(islice(ahead, VOTES_AT_ONCE)):
        digest.update(b"".join([lines[vote] for vote in some]))
    return digest.hexdigest()


class _Lines(dict[tuple[str, ...], bytes]):
    """Votes as lines. Few votes are distinct, so each is written once."""

    def __missing__(self, vote: tuple[str, ...]) -> bytes:
        line = json.dumps(vote, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self[vote] = line
        return line
