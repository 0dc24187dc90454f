"""What the step `m009_money` of `storage.migrations` runs, statement by statement. Data only.

Each line of the ledger says whose it is, who bills it and on which day it counts, so that limits and the Costs page need no
other table; the sums over the lines are kept by triggers, in the transaction of each change.
"""

from __future__ import annotations

from collections.abc import Iterator

from storage.curation_steps import FACT_TRIGGERS, FACTS

EVERYBODY = ""
"""The owner under which the sums over all owners stand."""

_KEY = "owner, day, offer, quality, payer, state"
_SPAN_FIGURES = "lines, amount_microusd, images"
_FIGURES = "lines, unpriced, amount_microusd, compared_microusd, estimate_microusd, images"

_LEDGER = """create table ledger (
        ledger_id text primary key,
        run_id text not null references runs (run_id),
        owner text not null check (owner != ''),
        offer text not null,
        quality text not null,
        payer text not null,
        state text not null check (state in ('reserved', 'settled', 'released', 'unknown')),
        amount_microusd integer check (amount_microusd is null or amount_microusd >= 0),
        reserved_microusd integer check (reserved_microusd is null or reserved_microusd >= 0),
        source text not null check (source in ('reported', 'computed', 'estimated', 'by_hand', 'unknown')),
        price_id text,
        images integer not null check (images >= 0),
        session text not null,
        day text not null check (day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
        reserved_at text not null,
        at text not null,
        settled_by text,
        note text not null,
        check (state != 'released' or amount_microusd = 0),
        check (state != 'settled' or amount_microusd is not null),
        check ((settled_by is null) = (source != 'by_hand'))
    ) strict"""

# The estimate and the images of a run stand on the first of its lines; before this step a run had one.
_BACKFILL = """insert into ledger
    select l.ledger_id, l.run_id, r.owner, r.offer, coalesce(cast(r.asked ->> 'quality' as text), 'auto'),
        substr(r.offer, 1, max(instr(r.offer, '/') - 1, 0)), l.state, l.amount_microusd,
        case when l.ledger_id = f.first_id then r.estimate_microusd end, l.source, l.price_id,
        case when l.ledger_id = f.first_id and l.state in ('settled', 'unknown')
            then (select count(*) from images as i where i.run_id = l.run_id) else 0 end,
        '', substr(r.queued_at, 1, 10), r.queued_at, l.at, null, ''
    from ledger_before as l join runs as r on r.run_id = l.run_id
    join (select run_id, min(ledger_id) as first_id from ledger_before group by run_id) as f on f.run_id = l.run_id"""

_TABLES = (
    """create table spend_days (
        owner text not null,
        day text not null,
        offer text not null,
        quality text not null,
        payer text not null,
        state text not null,
        lines integer not null,
        unpriced integer not null,
        amount_microusd integer not null,
        compared_microusd integer not null,
        estimate_microusd integer not null,
        images integer not null,
        primary key (owner, day, offer, quality, payer, state)
    ) strict, without rowid""",
    """create table spend_spans (
        owner text not null,
        span text not null,
        state text not null,
        lines integer not null,
        amount_microusd integer not null,
        images integer not null,
        primary key (owner, span, state)
    ) strict, without rowid""",
    """create table limits (
        span text primary key check (span in ('run', 'session', 'day', 'month', 'visitor_day', 'visitor_month')),
        amount_microusd integer not null check (amount_microusd >= 0),
        action text not null check (action in ('block', 'warn')),
        set_by text not null,
        set_at text not null
    ) strict, without rowid""",
    """create table prices (
        price_id text primary key,
        offer text not null,
        valid_from text not null check (valid_from glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
        source text not null,
        figures text not null check (json_valid(figures)),
        set_by text not null,
        set_at text not null,
        removed_at text
    ) strict, without rowid""",
    "create index prices_by_offer on prices (offer, valid_from) where removed_at is null",
)

MONEY_INDEXES = (
    "create index ledger_by_run on ledger (run_id)",
    "create index ledger_by_day on ledger (owner, day, ledger_id)",
    "create index ledger_by_state on ledger (owner, state, day, ledger_id)",
    "create index ledger_by_offer on ledger (owner, offer, day, ledger_id)",
    "create index images_favourite on images (run_id) where favourite = 1",
    "create index ledger_open on ledger (owner) where state = 'reserved'",
)


def _more(row: str, owner: str) -> str:
    """Counts a line in the sums of its day."""
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in _FIGURES.split(", "))
    key = f"{owner}, {row}.day, {row}.offer, {row}.quality, {row}.payer, {row}.state"
    return " ".join(
        [
            *("insert into spend_days (", _KEY, ",", _FIGURES, ") values (", key, ",", ", ".join(_split(row)), ")"),
            *("on conflict (", _KEY, ") do update set", added, ";"),
        ]
    )


def _less(row: str, owner: str) -> str:
    """Takes a line out of them; a sum of no lines is no row."""
    key = f"{owner}, {row}.day, {row}.offer, {row}.quality, {row}.payer, {row}.state"
    figures = zip(_FIGURES.split(", "), _split(row), strict=True)
    taken = ", ".join(f"{name} = {name} - {figure}" for name, figure in figures)
    where = " ".join(["where (", _KEY, ") = (", key, ")"])
    return " ".join(["update spend_days set", taken, where, ";", "delete from spend_days", where, "and lines = 0;"])


def _split(row: str) -> Iterator[str]:
    """What a line adds to each of `_FIGURES`."""
    yield "1"
    yield f"({row}.amount_microusd is null)"
    yield f"coalesce({row}.amount_microusd, 0)"
    yield f"case when {row}.reserved_microusd is not null then coalesce({row}.amount_microusd, 0) else 0 end"
    yield f"coalesce({row}.reserved_microusd, 0)"
    yield f"{row}.images"


def _spans(row: str) -> tuple[str, ...]:
    """What a line counts towards: its day, its month, the session that reserved it, and all time."""
    return (f"'day ' || {row}.day", f"'month ' || substr({row}.day, 1, 7)", f"'session ' || {row}.session", "'all'")


def _span(row: str, owner: str, sign: str) -> str:
    """Counts a line in the sums that limits are held against, or takes it out."""
    figures = (f"{sign}1", f"{sign}coalesce({row}.amount_microusd, 0)", f"{sign}{row}.images")
    values = ", ".join(f"({owner}, {span}, {row}.state, {', '.join(figures)})" for span in _spans(row))
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in _SPAN_FIGURES.split(", "))
    return " ".join(
        [
            *("insert into spend_spans (owner, span, state,", _SPAN_FIGURES, ") values", values),
            *("on conflict (owner, span, state) do update set", added, ";"),
        ]
    )


def _trigger(name: str, when: str, *, before: bool, after: bool) -> str:
    row = "new" if after else "old"
    steps = []
    for owner in (f"{row}.owner", f"'{EVERYBODY}'"):
        steps += [_less("old", owner), _span("old", owner, "-")] if before else []
        steps += [_more("new", owner), _span("new", owner, "+")] if after else []
    return f"create trigger {name} {when} begin {' '.join(steps)} end"


# Not after a change of `day`: when the time zone changes, all lines are gone over and the sums made anew.
_TRIGGERS = (
    _trigger("ledger_ai", "after insert on ledger", before=False, after=True),
    _trigger("ledger_ad", "after delete on ledger", before=True, after=False),
    _trigger(
        "ledger_au",
        "after update of state, amount_microusd, reserved_microusd, images on ledger",
        before=True,
        after=True,
    ),
)

_OWNERS = ("l.owner", f"'{EVERYBODY}'")
_SUMMED = ", ".join(["count(*)", *(f"sum({figure})" for figure in list(_split("l"))[1:])])
SUMS = (
    *(
        " ".join(
            [
                *(
                    "insert into spend_days (",
                    _KEY,
                    ",",
                    _FIGURES,
                    ") select",
                    owner,
                    ", l.day, l.offer, l.quality, l.payer,",
                ),
                *("l.state,", _SUMMED, "from ledger as l group by 1, 2, 3, 4, 5, 6"),
            ]
        )
        for owner in _OWNERS
    ),
    *(
        " ".join(
            [
                *(
                    "insert into spend_spans (owner, span, state,",
                    _SPAN_FIGURES,
                    ") select",
                    owner,
                    ",",
                    span,
                    ", l.state,",
                ),
                "count(*), sum(coalesce(l.amount_microusd, 0)), sum(l.images) from ledger as l group by 1, 2, 3",
            ]
        )
        for owner in _OWNERS
        for span in _spans("l")
    ),
)
"""Fill the empty tables of sums from the lines."""

# What was said of the old table would follow it into its new name and be dropped with it.
_ABOUT_RUNS = tuple(f"drop trigger {trigger.split()[2]}" for trigger in FACT_TRIGGERS)

MONEY = (
    *_ABOUT_RUNS,
    "drop view run_facts_now",
    "alter table ledger rename to ledger_before",
    _LEDGER,
    _BACKFILL,
    "drop table ledger_before",
    *_TABLES,
    *MONEY_INDEXES,
    *SUMS,
    *_TRIGGERS,
    FACTS,
    *FACT_TRIGGERS,
)
