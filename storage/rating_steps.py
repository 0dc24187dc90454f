"""Migration m015: what the blind votes say of a run's pictures, as one of the facts that lists of runs are sorted by.

A vote adds one to the run of the picture that won and takes one from the other's; where both are bad, one from both. It is
added as it comes, since a picture may have thousands of them; `run_facts_now` counts them all, and the audit compares.
"""

from __future__ import annotations

from storage import curation_steps
from storage.curation_steps import FACTS_FROM, FACTS_SAID, fact_triggers

# What one vote `{v}` in the battle `b` says of the picture `i`. Votes that were taken back do not count.
SAID_BY_VOTE = """(case when {v}.counted = 0 or {v}.outcome = 'tie' then 0 when {v}.outcome = 'both_bad' then -1
    when ({v}.outcome = 'a') = (b.image_a = i.image_id) then 1 else -1 end)"""
_IS_SHOWN = "i.deleted_at is null and (i.trashed_at is null or r.trashed_at is not null)"

FACTS = "".join(
    [
        FACTS_SAID,
        ",\n        coalesce((select sum(",
        SAID_BY_VOTE.format(v="v"),
        """) from images as i cross join battles as b cross join votes as v on v.battle_id = b.battle_id
            where i.run_id = r.run_id and (b.image_a = i.image_id or b.image_b = i.image_id) and """,
        _IS_SHOWN,
        "), 0) as rating",
        FACTS_FROM,
    ]
)
FACT_COLUMNS = f"{curation_steps.FACT_COLUMNS}, rating"
FILL_FACTS = " ".join(["insert into run_facts (", FACT_COLUMNS, ") select", FACT_COLUMNS, "from run_facts_now"])


def _adding(name: str, event: str, vote: str, signed: str) -> str:
    said = [
        *("select r.seq, sum(", signed, ") as points from battles as b"),
        "cross join images as i on i.image_id in (b.image_a, b.image_b) cross join runs as r on r.run_id = i.run_id",
        *("where b.battle_id =", f"{vote}.battle_id", "and", _IS_SHOWN, "group by r.seq"),
    ]
    return " ".join(
        [
            *("create trigger", f"facts_{name}", "after", event, "when not exists (select 1 from facts_hold) begin"),
            *(
                "update run_facts set rating = rating + p.points from (",
                *said,
                ") as p where p.seq = run_facts.seq; end",
            ),
        ]
    )


FACT_TRIGGERS = (
    *fact_triggers(FILL_FACTS),
    _adding("vote_added", "insert on votes", "new", SAID_BY_VOTE.format(v="new")),
    _adding(
        "vote_changed",
        "update of outcome, counted on votes",
        "new",
        f"{SAID_BY_VOTE.format(v='new')} - {SAID_BY_VOTE.format(v='old')}",
    ),
    _adding("vote_gone", "delete on votes", "old", f"0 - {SAID_BY_VOTE.format(v='old')}"),
)

RATINGS = (
    *(f"drop trigger {trigger.split()[2]}" for trigger in curation_steps.FACT_TRIGGERS),
    "drop view run_facts_now",
    "create index battles_by_image_a on battles (image_a)",
    "create index battles_by_image_b on battles (image_b)",
    "alter table run_facts add column rating integer not null default 0",
    FACTS,
    """update run_facts set rating = n.rating from run_facts_now as n where n.seq = run_facts.seq and n.rating != 0""",
    "create index run_facts_rating on run_facts (owner, is_trashed, rating, seq)",
    *FACT_TRIGGERS,
)
