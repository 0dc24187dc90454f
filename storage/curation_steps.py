"""Migration m008: what people say of their history, and the facts that lists of runs are found and sorted by."""

from __future__ import annotations

from sqlite_utils import Database

from storage.spacing import spaced

COLUMNS = (
    "alter table images add column favourite integer not null default 0 check (favourite in (0, 1))",
    "alter table images add column stars integer not null default 0 check (stars between 0 and 5)",
    "alter table images add column trashed_at text",
    "alter table images add column deleted_at text",
    "alter table runs add column trashed_at text",
    "alter table runs add column deleted_at text",
    "alter table runs add column note text not null default ''",
    "alter table runs add column tags text not null default ''",
    "alter table runs add column spaced text not null default ''",
    "create index images_in_trash on images (trashed_at) where trashed_at is not null and deleted_at is null",
    "create index runs_in_trash on runs (trashed_at) where trashed_at is not null and deleted_at is null",
)

TABLES = (
    """create table tags (
        run_id text not null references runs (run_id),
        tag text not null check (tag != '' and length(tag) <= 40),
        primary key (run_id, tag)
    ) strict, without rowid""",
    "create index tags_by_tag on tags (tag, run_id)",
    """create table searches (
        owner text not null,
        name text not null check (name != '' and length(name) <= 60),
        query text not null,
        sort text not null,
        created_at text not null,
        primary key (owner, name)
    ) strict, without rowid""",
    """create table freed (
        sha256 text primary key check (length(sha256) = 64),
        at text not null
    ) strict, without rowid""",
    """create table run_facts (
        seq integer primary key,
        owner text not null,
        is_trashed integer not null check (is_trashed in (0, 1)),
        has_trash integer not null check (has_trash in (0, 1)),
        offer text not null,
        operation text not null,
        state text not null,
        queued_at text not null,
        latency_ms integer,
        cost_microusd integer,
        size text not null,
        quality text not null,
        images integer not null,
        stars integer not null,
        favourite integer not null,
        sources integer not null,
        has_mask integer not null,
        dearest integer generated always as (coalesce(cost_microusd, -1)) stored,
        slowest integer generated always as (coalesce(latency_ms, -1)) stored
    ) strict""",
    "create table facts_hold (held integer primary key check (held = 1)) strict",
)

# A run whose images are all in the trash is judged by those, any other by what is left of it.
FACTS_OF_PARTS = """
        coalesce((select i.width || 'x' || i.height from images as i where i.run_id = r.run_id and i.deleted_at is null
            order by i.trashed_at is not null, i.position limit 1), r.asked ->> 'size', 'auto') as size,
        coalesce(r.asked ->> 'quality', 'auto') as quality,
        (select count(*) from images as i where i.run_id = r.run_id and i.deleted_at is null
            and (i.trashed_at is null or r.trashed_at is not null)) as images,
        coalesce((select max(i.stars) from images as i where i.run_id = r.run_id and i.deleted_at is null
            and (i.trashed_at is null or r.trashed_at is not null)), 0) as stars,
        coalesce((select max(i.favourite) from images as i where i.run_id = r.run_id and i.deleted_at is null
            and (i.trashed_at is null or r.trashed_at is not null)), 0) as favourite,
        (select count(*) from inputs as n where n.run_id = r.run_id and n.role = 'image') as sources,"""
"""What the images and inputs of the run `r` say, in the words of every engine."""

# What the table must hold, said once: the triggers copy from here, and the audit compares with it.
FACTS_SAID = """create view run_facts_now as
    select r.seq, r.owner, r.trashed_at is not null as is_trashed,
        r.trashed_at is not null or exists (select 1 from images as i where i.run_id = r.run_id
            and i.trashed_at is not null and i.deleted_at is null) as has_trash,
        r.offer, r.operation, r.state, r.queued_at, r.latency_ms,
        (select case when sum(l.state in ('reserved', 'unknown')) = 0 then sum(l.amount_microusd) end
            from ledger as l where l.run_id = r.run_id) as cost_microusd,{of_parts}
        exists (select 1 from inputs as n where n.run_id = r.run_id and n.role = 'mask') as has_mask""".replace(
    "{of_parts}", FACTS_OF_PARTS
)
FACTS_FROM = """
    from runs as r where r.deleted_at is null"""
FACTS = FACTS_SAID + FACTS_FROM

FACT_COLUMNS = (
    "seq, owner, is_trashed, has_trash, offer, operation, state, queued_at, latency_ms, cost_microusd, size, quality, "
    "images, stars, favourite, sources, has_mask"
)
FILL_FACTS = " ".join(["insert into run_facts (", FACT_COLUMNS, ") select", FACT_COLUMNS, "from run_facts_now"])

FACT_INDEXES = (
    # With all that filters look at, so that any of them reads one owner's facts in one go.
    "create index run_facts_newest on run_facts (owner, is_trashed, seq, offer, operation, state, queued_at, latency_ms, "
    "cost_microusd, size, quality, images, stars, favourite, sources, has_mask)",
    "create index run_facts_dearest on run_facts (owner, is_trashed, dearest, seq)",
    "create index run_facts_slowest on run_facts (owner, is_trashed, slowest, seq)",
    "create index run_facts_stars on run_facts (owner, is_trashed, stars, seq)",
    "create index run_facts_trash on run_facts (owner, seq) where has_trash = 1",
)


def _renewing(fill: str, name: str, event: str, seq: str) -> str:
    # Held back while many runs change at once: `storage.facts` then renews them all in one statement.
    steps = ["delete from run_facts where seq =", seq, ";", fill, "where seq =", seq, "; end"]
    free = "when not exists (select 1 from facts_hold)"
    return " ".join(["create trigger", f"facts_{name}", "after", event, free, "begin", *steps])


_SEQ = "(select seq from runs where run_id = {}.run_id)"


def fact_triggers(fill: str) -> tuple[str, ...]:
    """Triggers that renew the facts of a run by that statement, after each change of what they are made of."""
    return (
        _renewing(fill, "run_added", "insert on runs", "new.seq"),
        _renewing(fill, "run_changed", "update of state, latency_ms, asked, trashed_at, deleted_at on runs", "new.seq"),
        "create trigger facts_run_gone after delete on runs begin delete from run_facts where seq = old.seq; end",
        _renewing(fill, "image_added", "insert on images", _SEQ.format("new")),
        _renewing(
            fill, "image_changed", "update of favourite, stars, trashed_at, deleted_at on images", _SEQ.format("new")
        ),
        _renewing(fill, "image_gone", "delete on images", _SEQ.format("old")),
        _renewing(fill, "input_added", "insert on inputs", _SEQ.format("new")),
        _renewing(fill, "input_gone", "delete on inputs", _SEQ.format("old")),
        _renewing(fill, "line_added", "insert on ledger", _SEQ.format("new")),
        _renewing(fill, "line_changed", "update of state, amount_microusd on ledger", _SEQ.format("new")),
        _renewing(fill, "line_gone", "delete on ledger", _SEQ.format("old")),
    )


FACT_TRIGGERS = fact_triggers(FILL_FACTS)

_TEXT = "prompt, tags, note, spaced"
_NEW, _OLD = ("new.prompt, new.tags, new.note, new.spaced", "old.prompt, old.tags, old.note, old.spaced")
_FORGET = " ".join(["insert into runs_fts (runs_fts, rowid,", _TEXT, ") values ('delete', old.seq,", _OLD, ");"])
_LEARN = " ".join(["insert into runs_fts (rowid,", _TEXT, ") values (new.seq,", _NEW, ");"])
TEXT_INDEX = (
    "drop trigger runs_ai",
    "drop trigger runs_ad",
    "drop trigger runs_au",
    "drop table runs_fts",
    f"create virtual table runs_fts using fts5 ({_TEXT}, content='runs', content_rowid='seq', "
    "tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* Co So'\")",
    f"create trigger runs_ai after insert on runs begin {_LEARN} end",
    f"create trigger runs_ad after delete on runs begin {_FORGET} end",
    f"create trigger runs_au after update of {_TEXT} on runs begin {_FORGET} {_LEARN} end",
    "insert into runs_fts (runs_fts) values ('rebuild')",
)


def curate(db: Database) -> None:
    """Favourites, stars, trash, tags, notes and saved searches; the text index over all words; the facts lists go by."""
    for statement in (*COLUMNS, *TABLES):
        db.execute(statement)
    rows = db.conn.execute("select seq, prompt from runs").fetchall()
    db.conn.executemany(
        "update runs set spaced = ? where seq = ?",
        [(text, seq) for seq, prompt in rows if (text := spaced(prompt))],
    )
    for statement in (*TEXT_INDEX, FACTS, FILL_FACTS, *FACT_INDEXES, *FACT_TRIGGERS):
        db.execute(statement)
