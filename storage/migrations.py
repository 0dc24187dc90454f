"""The schema as numbered steps. A released step is never edited; a new one is appended.

All tables are STRICT, so a fraction cannot slip into a money column. `seq` is an integer primary key where the
full-text index or paging needs a row number that survives `vacuum`.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

migrations = Migrations("diptych")

RELEASED: tuple[str, ...] = ("m001_runs", "m002_battles", "m003_jobs", "m004_boards", "m005_install")
"""Names of all steps in order; a test holds the list against the decorated functions, and it only grows."""


@migrations()
def m001_runs(db: Database) -> None:
    """Groups, runs, inputs, images, previews and the ledger, with the text index over prompts."""
    for statement in _RUNS:
        db.execute(statement)
    db.table("runs").enable_fts(["prompt"], tokenize="unicode61 remove_diacritics 2")
    for statement in _TEXT_INDEX_TRIGGERS:
        db.execute(statement)


@migrations()
def m002_battles(db: Database) -> None:
    """Blind battles and their votes."""
    for statement in _BATTLES:
        db.execute(statement)


@migrations()
def m003_jobs(db: Database) -> None:
    """Jobs at providers, one for each call of a run, and converted copies of images."""
    for statement in _JOBS:
        db.execute(statement)


@migrations()
def m004_boards(db: Database) -> None:
    """Boards apart by task and category, counted votes summed up, votes taken back, reports, and voters left out."""
    for statement in _BOARDS:
        db.execute(statement)


@migrations()
def m005_install(db: Database) -> None:
    """What is made once for each store: the salt under which voters are shown. And an index of the votes that do not count."""
    for statement in _INSTALL:
        db.execute(statement)


_RUNS = (
    """create table groups (
        group_id text primary key,
        owner text not null,
        kind text not null check (kind in ('run', 'compare', 'parity', 'sweep', 'battle')),
        operation text not null check (operation in ('generate', 'edit')),
        template text not null,
        created_at text not null
    ) strict""",
    "create index groups_by_owner on groups (owner, group_id)",
    """create table runs (
        seq integer primary key,
        run_id text not null unique,
        group_id text not null references groups (group_id),
        owner text not null,
        position integer not null check (position >= 0),
        offer text not null,
        operation text not null check (operation in ('generate', 'edit')),
        prompt text not null,
        asked text not null check (json_valid(asked)),
        sent text check (sent is null or json_valid(sent)),
        got text check (got is null or json_valid(got)),
        state text not null check (state in
            ('queued', 'sending', 'waiting', 'downloading', 'succeeded', 'failed', 'cancelled', 'unknown')),
        worker text,
        key_source text check (key_source is null or key_source in ('server', 'session', 'none')),
        queued_at text not null,
        sent_at text,
        finished_at text,
        latency_ms integer,
        first_preview_ms integer,
        request_id text,
        remote_id text,
        unreadable_sha256 text,
        error text check (error is null or json_valid(error)),
        estimate_microusd integer check (estimate_microusd is null or estimate_microusd >= 0)
    ) strict""",
    "create index runs_by_group on runs (group_id, position)",
    "create index runs_by_owner on runs (owner, seq)",
    "create index runs_by_unreadable on runs (unreadable_sha256) where unreadable_sha256 is not null",
    "create index runs_open on runs (state) where state in ('queued', 'sending', 'waiting', 'downloading')",
    """create table inputs (
        run_id text not null references runs (run_id),
        role text not null check (role in ('image', 'mask')),
        position integer not null check (position >= 0),
        sha256 text not null check (length(sha256) = 64),
        media_type text not null,
        width integer not null check (width > 0),
        height integer not null check (height > 0),
        primary key (run_id, role, position)
    ) strict""",
    "create index inputs_by_sha256 on inputs (sha256)",
    """create table images (
        image_id text primary key,
        run_id text not null references runs (run_id),
        position integer not null check (position >= 0),
        sha256 text not null check (length(sha256) = 64),
        media_type text not null,
        width integer not null check (width > 0),
        height integer not null check (height > 0),
        size_bytes integer not null check (size_bytes > 0),
        seed integer,
        revised_prompt text,
        checks text not null check (json_valid(checks)),
        created_at text not null,
        unique (run_id, position)
    ) strict""",
    "create index images_by_sha256 on images (sha256)",
    """create table partials (
        run_id text not null references runs (run_id),
        image_position integer not null check (image_position >= 0),
        partial_position integer not null check (partial_position >= 0),
        sha256 text not null check (length(sha256) = 64),
        media_type text not null,
        at text not null,
        primary key (run_id, image_position, partial_position)
    ) strict""",
    "create index partials_by_sha256 on partials (sha256)",
    """create table ledger (
        ledger_id text primary key,
        run_id text not null references runs (run_id),
        state text not null check (state in ('reserved', 'settled', 'released', 'unknown')),
        amount_microusd integer check (amount_microusd is null or amount_microusd >= 0),
        source text not null check (source in ('reported', 'computed', 'estimated', 'unknown')),
        price_id text,
        at text not null,
        check (state != 'released' or amount_microusd = 0),
        check (state != 'settled' or amount_microusd is not null)
    ) strict""",
    "create index ledger_by_run on ledger (run_id)",
    "create index ledger_by_time on ledger (at, state)",
    """create table uploads (
        owner text not null,
        sha256 text not null check (length(sha256) = 64),
        media_type text not null,
        width integer not null check (width > 0),
        height integer not null check (height > 0),
        size_bytes integer not null check (size_bytes > 0),
        name text not null,
        created_at text not null,
        primary key (owner, sha256)
    ) strict""",
    "create index uploads_by_sha256 on uploads (sha256)",
)

# Not the library's own triggers: its update trigger fires on every change of state and would index the prompt anew
# each time. A prompt never changes after its row is written; the third trigger is for the day one does.
_TEXT_INDEX_TRIGGERS = (
    "create trigger runs_ai after insert on runs begin "
    "insert into runs_fts (rowid, prompt) values (new.seq, new.prompt); end",
    "create trigger runs_ad after delete on runs begin "
    "insert into runs_fts (runs_fts, rowid, prompt) values ('delete', old.seq, old.prompt); end",
    "create trigger runs_au after update of prompt on runs begin "
    "insert into runs_fts (runs_fts, rowid, prompt) values ('delete', old.seq, old.prompt); "
    "insert into runs_fts (rowid, prompt) values (new.seq, new.prompt); end",
)

_BATTLES = (
    """create table battles (
        battle_id text primary key,
        voter text not null,
        operation text not null check (operation in ('generate', 'edit')),
        prompt text not null,
        image_a text not null references images (image_id),
        image_b text not null references images (image_id),
        offer_a text not null,
        offer_b text not null,
        source text not null check (source in ('history', 'new')),
        is_demo integer not null check (is_demo in (0, 1)),
        probability real not null check (probability > 0 and probability <= 1),
        state text not null check (state in ('open', 'voted', 'skipped', 'expired')),
        created_at text not null,
        expires_at text not null,
        check (image_a != image_b)
    ) strict""",
    "create index battles_by_voter on battles (voter, created_at)",
    """create table votes (
        seq integer primary key,
        battle_id text not null unique references battles (battle_id),
        voter text not null,
        outcome text not null check (outcome in ('a', 'b', 'tie', 'both_bad')),
        decided_ms integer check (decided_ms is null or decided_ms >= 0),
        counted integer not null check (counted in (0, 1)),
        reason text,
        voted_at text not null
    ) strict""",
)

_JOBS = (
    """create table jobs (
        run_id text not null references runs (run_id),
        position integer not null check (position >= 0),
        provider text not null,
        remote_id text not null,
        tracking text not null check (json_valid(tracking)),
        images integer not null check (images > 0),
        first_position integer not null check (first_position >= 0),
        claimed_at text not null,
        ended text check (ended is null or json_valid(ended)),
        primary key (run_id, position)
    ) strict""",
    "create unique index jobs_by_remote_id on jobs (provider, remote_id)",
    """alter table images add column
        converted_sha256 text check (converted_sha256 is null or length(converted_sha256) = 64)""",
    """alter table images add column
        converted_type text check ((converted_type is null) = (converted_sha256 is null))""",
    "create index images_by_converted on images (converted_sha256) where converted_sha256 is not null",
)

# Of the battles that are there: the board follows from the source images, the qualities from what was asked.
_BOARDS = (
    """alter table battles add column board text not null default 'generate'
        check (board in ('generate', 'edit-single', 'edit-multi'))""",
    "alter table battles add column category text not null default 'own'",
    "alter table battles add column prompt_id text",
    "alter table battles add column quality_a text not null default 'auto'",
    "alter table battles add column quality_b text not null default 'auto'",
    """update battles set
        board = case when operation = 'generate' then 'generate' when (
            select count(*) from inputs as i join images as m on m.run_id = i.run_id
            where m.image_id = battles.image_a and i.role = 'image') > 1 then 'edit-multi' else 'edit-single' end,
        quality_a = coalesce((select r.asked ->> 'quality' from runs as r join images as m on m.run_id = r.run_id
            where m.image_id = battles.image_a), 'auto'),
        quality_b = coalesce((select r.asked ->> 'quality' from runs as r join images as m on m.run_id = r.run_id
            where m.image_id = battles.image_b), 'auto')""",
    "alter table votes add column follows text check (follows is null or follows in ('a', 'b', 'tie'))",
    "alter table votes add column looks text check (looks is null or looks in ('a', 'b', 'tie'))",
    "alter table votes add column undone_at text",
    "create index votes_by_voter on votes (voter, seq)",
    "create index votes_by_time on votes (voted_at)",
    """create table reports (
        battle_id text not null references battles (battle_id),
        voter text not null,
        reason text not null check (reason in ('broken', 'offensive', 'maker_shown', 'other')),
        words text not null,
        at text not null,
        primary key (battle_id, voter)
    ) strict, without rowid""",
    """create table exclusions (
        exclusion_id integer primary key,
        voter text not null,
        kind text not null check (kind in ('favourite', 'side', 'agreement', 'too_fast', 'by_hand')),
        reason text not null,
        at text not null,
        lifted_at text
    ) strict""",
    "create unique index exclusions_in_force on exclusions (voter) where lifted_at is null",
    """create table tallies (
        board text not null,
        is_demo integer not null check (is_demo in (0, 1)),
        question text not null check (question in ('better', 'follows', 'looks')),
        category text not null,
        offer_a text not null,
        quality_a text not null,
        offer_b text not null,
        quality_b text not null,
        outcome text not null check (outcome in ('a', 'b', 'tie', 'both_bad')),
        votes integer not null check (votes > 0),
        primary key (board, is_demo, question, category, offer_a, quality_a, offer_b, quality_b, outcome)
    ) strict, without rowid""",
    """insert into tallies
        select b.board, b.is_demo, 'better', b.category, b.offer_a, b.quality_a, b.offer_b, b.quality_b, v.outcome, count(*)
        from votes as v join battles as b on b.battle_id = v.battle_id where v.counted = 1
        group by 1, 2, 4, 5, 6, 7, 8, 9""",
    """insert into tallies
        select board, is_demo, question, '', offer_a, quality_a, offer_b, quality_b, outcome, sum(votes) from tallies
        group by 1, 2, 3, 5, 6, 7, 8, 9""",
    """create table tally_totals (
        board text not null,
        is_demo integer not null check (is_demo in (0, 1)),
        question text not null check (question in ('better', 'follows', 'looks')),
        category text not null,
        votes integer not null check (votes > 0),
        primary key (board, is_demo, question, category)
    ) strict, without rowid""",
    """insert into tally_totals
        select board, is_demo, question, category, sum(votes) from tallies group by 1, 2, 3, 4""",
    """create table elo_days (
        board text not null,
        is_demo integer not null check (is_demo in (0, 1)),
        level text not null,
        day text not null,
        method text not null,
        last_seq integer not null,
        votes integer not null,
        ratings text not null check (json_valid(ratings)),
        primary key (board, is_demo, level, day)
    ) strict, without rowid""",
)

_INSTALL = (
    "create table install (name text primary key, value text not null) strict, without rowid",
    "insert into install (name, value) values ('voter_salt', lower(hex(randomblob(32))))",
    "create index votes_left_out on votes (reason) where counted = 0",
)
