"""One voter's answers about one model at two qualities: what a choice of quality can be held against.

Whoever calls owns the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Database
from storage.rows import fetch


@dataclass(frozen=True, slots=True)
class QualityVotes:
    """How often one quality of a model was answered for against another of the same model."""

    model: str
    quality: str
    other: str
    outcome: str
    """`won`: the first was better; `lost`; `tie`; `both_bad`."""
    votes: int


def of_voter(db: Database, voter: str) -> list[QualityVotes]:
    """Counted votes of a voter between two qualities of one model, whoever sold it, the two in the order of the alphabet."""
    rows = fetch(
        db,
        """select substr(b.offer_a, instr(b.offer_a, '/') + 1) as model,
            min(b.quality_a, b.quality_b) as quality, max(b.quality_a, b.quality_b) as other,
            case when v.outcome in ('tie', 'both_bad') then v.outcome
                when (v.outcome = 'a') = (b.quality_a < b.quality_b) then 'won' else 'lost' end as outcome,
            count(*) as votes
        from votes as v join battles as b on b.battle_id = v.battle_id
        where v.voter = :voter and v.counted = 1 and b.is_demo = 0 and b.quality_a <> b.quality_b
        and substr(b.offer_a, instr(b.offer_a, '/') + 1) = substr(b.offer_b, instr(b.offer_b, '/') + 1)
        group by 1, 2, 3, 4 order by 1, 2, 3, 4""",
        {"voter": voter},
    )
    return [QualityVotes(**row) for row in rows]
