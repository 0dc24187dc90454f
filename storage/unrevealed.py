"""Runs that may not be told of yet: those made for a battle that waits for its owner's vote, or is just being made.

A list of runs, a sum of costs or a count beside a battle would tell its makers.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# The plus keeps the planner on the index of the few open runs; left to choose, it reads all of the owner's.
UNREVEALED = """
    select i.run_id from battles as b join images as i on i.image_id in (b.image_a, b.image_b)
    where b.voter = :owner and b.state = 'open' and b.source = 'new' and b.expires_at > :blind_at
    union all
    select r.run_id from runs as o join groups as g on g.group_id = o.group_id join runs as r on r.group_id = o.group_id
    where o.state in ('queued', 'sending', 'waiting', 'downloading') and +o.owner = :owner and g.kind = 'battle'
    union all
    select r.run_id from (select * from runs where owner = :owner order by seq desc limit 20) as r
    join groups as g on g.group_id = r.group_id
    where g.kind = 'battle' and r.finished_at > :making_since
    and not exists (select 1 from runs as f where f.group_id = r.group_id and f.state != 'succeeded')
    and not exists (select 1 from battles as b join images as i on i.image_id in (b.image_a, b.image_b)
        where b.voter = :owner and b.created_at >= r.queued_at and i.run_id = r.run_id)"""
"""Ids of such runs; its parameters are `owner` and those of `blind_parameters`. A battle whose runs all succeeded begins
within `MAKING`; one with a run that failed never does.
"""

MAKING = timedelta(seconds=30)
"""From the last answer to the battle's row; making the copies takes a second."""


def blind_parameters(blind_at: str | None) -> dict[str, object]:
    """Parameters of `UNREVEALED` at that time, UTC text as stored; `None`: nothing is kept back."""
    if blind_at is None:
        return {"blind_at": None, "making_since": None}
    since = datetime.fromisoformat(blind_at) - MAKING
    return {"blind_at": blind_at, "making_since": f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}Z"}
