"""Whether the kept sums of money are those of the lines, and the lines those of their runs. For `verify`; reads every line."""

from __future__ import annotations

from collections.abc import Iterator

from storage.engine import Database
from storage.money_steps import EVERYBODY
from storage.rows import fetch

# By what stands in the runs, not by the copies of it in the lines: so a line that says otherwise is found too.
_TRUE_DAYS = """
    select r.owner as owner, l.day as day, r.offer as offer, coalesce(cast(r.asked ->> 'quality' as text), 'auto') as quality,
        l.payer as payer, l.state as state, count(*) as lines, sum(l.amount_microusd is null) as unpriced,
        sum(coalesce(l.amount_microusd, 0)) as amount_microusd,
        sum(case when l.reserved_microusd is not null then coalesce(l.amount_microusd, 0) else 0 end) as compared_microusd,
        sum(coalesce(l.reserved_microusd, 0)) as estimate_microusd, sum(l.images) as images
    from ledger as l join runs as r on r.run_id = l.run_id group by 1, 2, 3, 4, 5, 6"""

_OF_ALL = """
    select '' as owner, day, offer, quality, payer, state, sum(lines), sum(unpriced), sum(amount_microusd),
        sum(compared_microusd), sum(estimate_microusd), sum(images)
    from true_days group by 2, 3, 4, 5, 6"""


_NOTHING = (0, 0, 0)


def differences(db: Database) -> Iterator[tuple[str, str]]:
    """Each sum that is not what the lines come to: what it is of, and in words what is wrong with it."""
    true = {tuple(row)[:6]: tuple(row)[6:] for row in db.conn.execute(_days_sql())}
    kept = {tuple(row)[:6]: tuple(row)[6:] for row in db.conn.execute("select * from spend_days")}
    for key in sorted(true.keys() | kept.keys()):
        if true.get(key) != kept.get(key):
            yield _subject(key), f"the kept sum says {_told(kept.get(key))}, the lines {_told(true.get(key))}"
    spans = {
        (row["owner"], row["span"], row["state"]): (row["lines"], row["amount_microusd"], row["images"])
        for row in fetch(db, "select * from spend_spans")
    }
    lines = _spans_by_lines(db)
    for whose in sorted(spans.keys() | lines.keys()):
        if spans.get(whose, _NOTHING) != lines.get(whose, _NOTHING):
            words = f"lines, micro-dollars and images are kept as {spans.get(whose, _NOTHING)}"
            true_words = f"the lines come to {lines.get(whose, _NOTHING)}; limits are held against the sum"
            yield f"{whose[0] or 'everybody'}, {whose[1]}, {whose[2]}", f"{words}, {true_words}"


def _days_sql() -> str:
    return " ".join(["with true_days as (", _TRUE_DAYS, ") select * from true_days union all", _OF_ALL])


def _spans_by_lines(db: Database) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    sums: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    rows = db.conn.execute(
        """select owner, day, session, state, count(*), sum(coalesce(amount_microusd, 0)), sum(images) from ledger
        group by owner, day, session, state"""
    )
    for owner, day, session, state, *figures in rows:
        for whose in (owner, EVERYBODY):
            for span in (f"day {day}", f"month {day[:7]}", f"session {session}", "all"):
                before = sums.get((whose, span, state), _NOTHING)
                sums[whose, span, state] = (before[0] + figures[0], before[1] + figures[1], before[2] + figures[2])
    return sums


def _subject(key: tuple[str, ...]) -> str:
    owner, day, offer, quality, payer, state = key
    return f"{owner or 'everybody'}, {day}, {offer} at {quality}, billed by {payer}, {state}"


def _told(figures: tuple[int, ...] | None) -> str:
    return "nothing" if figures is None else f"{figures[0]} lines, {figures[2]} micro-dollars"
