"""The schema as numbered steps. A released step is never edited; a new one is appended.

All tables are STRICT, so a fraction cannot slip into a money column. `seq` is an integer primary key where the
full-text index or paging needs a row number that survives `vacuum`.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from storage import vote_chain
from storage.board_steps import BOARDS, INSTALL
from storage.chain_steps import VOTE_CHAIN
from storage.curation_steps import curate
from storage.money_steps import MONEY
from storage.rating_steps import RATINGS
from storage.replica_steps import REPLICAS

migrations = Migrations("diptych")

RELEASED: tuple[str, ...] = (
    "m001_runs",
    "m002_battles",
    "m003_jobs",
    "m004_boards",
    "m005_install",
    "m006_locks",
    "m007_sweeps",
    "m008_curation",
    "m009_money",
    "m010_templates",
    "m011_brought",
    "m012_first_byte",
    "m013_preferences",
    "m014_pairs",
    "m015_ratings",
    "m017_vote_chain",
    "m018_replicas",
)
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
    for statement in BOARDS:
        db.execute(statement)


@migrations()
def m005_install(db: Database) -> None:
    """What is made once for each store: the salt under which voters are shown. And an index of the votes that do not count."""
    for statement in INSTALL:
        db.execute(statement)


@migrations()
def m006_locks(db: Database) -> None:
    """Locks outside the mask with what is made of them, masks kept by their image, and how images look."""
    for statement in _LOCKS:
        db.execute(statement)


@migrations()
def m007_sweeps(db: Database) -> None:
    """How the runs of a sweep lie in its grid."""
    for statement in _SWEEPS:
        db.execute(statement)


@migrations()
def m008_curation(db: Database) -> None:
    """Favourites, stars, tags, notes, trash and saved searches, and the facts that lists of runs are found and sorted by."""
    curate(db)


@migrations()
def m009_money(db: Database) -> None:
    """Who is billed for what and on which day, the sums of it, limits, and prices of the operator's own."""
    for statement in MONEY:
        db.execute(statement)


@migrations()
def m010_templates(db: Database) -> None:
    """Prompts kept under a name, with or without their settings."""
    for statement in _TEMPLATES:
        db.execute(statement)


@migrations()
def m011_brought(db: Database) -> None:
    """Which runs came in an archive: in public mode nobody knows whether they are what they say."""
    db.execute("alter table runs add column brought_at text")


@migrations()
def m012_first_byte(db: Database) -> None:
    """How long a run waited for the first byte of its answer; nobody knows it of older ones."""
    db.execute("alter table runs add column first_byte_ms integer check (first_byte_ms is null or first_byte_ms >= 0)")


@migrations()
def m013_preferences(db: Database) -> None:
    """What somebody prefers, for each of them."""
    db.execute(_PREFERENCES)


@migrations()
def m014_pairs(db: Database) -> None:
    """Finds the battles in which two images met, and those that wait for their vote, without reading all of a voter."""
    for statement in _PAIRS:
        db.execute(statement)


@migrations()
def m015_ratings(db: Database) -> None:
    """What the blind votes say of a run's pictures, for an order of the history."""
    for statement in RATINGS:
        db.execute(statement)


@migrations()
def m017_vote_chain(db: Database) -> None:
    """Each vote is a link in a chain of hashes, those that are there already in their order."""
    for statement in VOTE_CHAIN:
        db.execute(statement)
    vote_chain.append_new(db)


@migrations()
def m018_replicas(db: Database) -> None:
    """What several processes over one database tell each other: who is there, what they hold, and what they are asked for."""
    for statement in REPLICAS:
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

_LOCKS = (
    """create table derived_images (
        image_id text not null references images (image_id),
        kind text not null check (kind in ('locked', 'drift')),
        sha256 text not null check (length(sha256) = 64),
        media_type text not null,
        width integer not null check (width > 0),
        height integer not null check (height > 0),
        size_bytes integer not null check (size_bytes > 0),
        figures text not null check (json_valid(figures)),
        created_at text not null,
        primary key (image_id, kind)
    ) strict, without rowid""",
    "create index derived_images_by_sha256 on derived_images (sha256)",
    """create table locks (
        image_id text primary key references images (image_id),
        state text not null check (state in ('due', 'made', 'refused')),
        note text not null,
        tries integer not null check (tries >= 0),
        at text not null
    ) strict, without rowid""",
    "create index locks_due on locks (image_id) where state = 'due'",
    """create table masks (
        owner text not null,
        base_sha256 text not null check (length(base_sha256) = 64),
        mask_sha256 text not null check (length(mask_sha256) = 64),
        updated_at text not null,
        primary key (owner, base_sha256)
    ) strict, without rowid""",
    "create index masks_by_mask on masks (mask_sha256)",
    "alter table images add column phash text check (phash is null or length(phash) = 16)",
)

_SWEEPS = ("alter table groups add column layout text check (layout is null or json_valid(layout))",)

_TEMPLATES = (
    """create table templates (
        template_id text primary key,
        owner text not null,
        name text not null check (length(name) between 1 and 80),
        prompt text not null,
        settings text check (settings is null or json_valid(settings)),
        updated_at text not null,
        unique (owner, name)
    ) strict, without rowid""",
)

_PREFERENCES = """create table preferences (
        owner text not null,
        name text not null check (name != ''),
        value text not null check (json_valid(value)),
        updated_at text not null,
        primary key (owner, name)
    ) strict, without rowid"""

_PAIRS = (
    "create index battles_by_pair on battles (voter, image_a, image_b)",
    "create index battles_open on battles (voter, created_at) where state = 'open'",
)
