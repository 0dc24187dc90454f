"""The schema of `storage.migrations` as it stands after `m017_vote_chain`, in PostgreSQL's words. Data only.

A test holds tables, columns and indexes of both engines against each other. Text is compared byte by byte, as SQLite does, so
it has the collation "C". `runs_fts` stands in the place of the full-text index, see `storage.engines.postgres_text`.
"""

from __future__ import annotations

TABLES = (
    """create table groups (
        group_id text collate "C" primary key,
        owner text collate "C" not null,
        kind text collate "C" not null check (kind in ('run', 'compare', 'parity', 'sweep', 'battle')),
        operation text collate "C" not null check (operation in ('generate', 'edit')),
        template text collate "C" not null,
        created_at text collate "C" not null,
        layout text collate "C" check (layout is null or json_valid(layout))
    )""",
    """create table runs (
        seq bigint primary key default next_run(),
        run_id text collate "C" not null unique,
        group_id text collate "C" not null references groups (group_id),
        owner text collate "C" not null,
        position bigint not null check (position >= 0),
        offer text collate "C" not null,
        operation text collate "C" not null check (operation in ('generate', 'edit')),
        prompt text collate "C" not null,
        asked text collate "C" not null check (json_valid(asked)),
        sent text collate "C" check (sent is null or json_valid(sent)),
        got text collate "C" check (got is null or json_valid(got)),
        state text collate "C" not null
            check (state in ('queued', 'sending', 'waiting', 'downloading', 'succeeded', 'failed', 'cancelled', 'unknown')),
        worker text collate "C",
        key_source text collate "C" check (key_source is null or key_source in ('server', 'session', 'none')),
        queued_at text collate "C" not null,
        sent_at text collate "C",
        finished_at text collate "C",
        latency_ms bigint,
        first_preview_ms bigint,
        request_id text collate "C",
        remote_id text collate "C",
        unreadable_sha256 text collate "C",
        error text collate "C" check (error is null or json_valid(error)),
        estimate_microusd bigint check (estimate_microusd is null or estimate_microusd >= 0),
        trashed_at text collate "C",
        deleted_at text collate "C",
        note text collate "C" not null default '',
        tags text collate "C" not null default '',
        spaced text collate "C" not null default '',
        brought_at text collate "C",
        first_byte_ms bigint check (first_byte_ms is null or first_byte_ms >= 0)
    )""",
    """create table inputs (
        run_id text collate "C" not null references runs (run_id),
        role text collate "C" not null check (role in ('image', 'mask')),
        position bigint not null check (position >= 0),
        sha256 text collate "C" not null check (length(sha256) = 64),
        media_type text collate "C" not null,
        width bigint not null check (width > 0),
        height bigint not null check (height > 0),
        primary key (run_id, role, position)
    )""",
    """create table images (
        image_id text collate "C" primary key,
        run_id text collate "C" not null references runs (run_id),
        position bigint not null check (position >= 0),
        sha256 text collate "C" not null check (length(sha256) = 64),
        media_type text collate "C" not null,
        width bigint not null check (width > 0),
        height bigint not null check (height > 0),
        size_bytes bigint not null check (size_bytes > 0),
        seed bigint,
        revised_prompt text collate "C",
        checks text collate "C" not null check (json_valid(checks)),
        created_at text collate "C" not null,
        converted_sha256 text collate "C" check (converted_sha256 is null or length(converted_sha256) = 64),
        converted_type text collate "C" check ((converted_type is null) = (converted_sha256 is null)),
        phash text collate "C" check (phash is null or length(phash) = 16),
        favourite bigint not null default 0 check (favourite in (0, 1)),
        stars bigint not null default 0 check (stars between 0 and 5),
        trashed_at text collate "C",
        deleted_at text collate "C",
        unique (run_id, position)
    )""",
    """create table partials (
        run_id text collate "C" not null references runs (run_id),
        image_position bigint not null check (image_position >= 0),
        partial_position bigint not null check (partial_position >= 0),
        sha256 text collate "C" not null check (length(sha256) = 64),
        media_type text collate "C" not null,
        at text collate "C" not null,
        primary key (run_id, image_position, partial_position)
    )""",
    """create table uploads (
        owner text collate "C" not null,
        sha256 text collate "C" not null check (length(sha256) = 64),
        media_type text collate "C" not null,
        width bigint not null check (width > 0),
        height bigint not null check (height > 0),
        size_bytes bigint not null check (size_bytes > 0),
        name text collate "C" not null,
        created_at text collate "C" not null,
        primary key (owner, sha256)
    )""",
    """create table jobs (
        run_id text collate "C" not null references runs (run_id),
        position bigint not null check (position >= 0),
        provider text collate "C" not null,
        remote_id text collate "C" not null,
        tracking text collate "C" not null check (json_valid(tracking)),
        images bigint not null check (images > 0),
        first_position bigint not null check (first_position >= 0),
        claimed_at text collate "C" not null,
        ended text collate "C" check (ended is null or json_valid(ended)),
        primary key (run_id, position)
    )""",
    """create table battles (
        battle_id text collate "C" primary key,
        voter text collate "C" not null,
        operation text collate "C" not null check (operation in ('generate', 'edit')),
        prompt text collate "C" not null,
        image_a text collate "C" not null references images (image_id),
        image_b text collate "C" not null references images (image_id),
        offer_a text collate "C" not null,
        offer_b text collate "C" not null,
        source text collate "C" not null check (source in ('history', 'new', 'chosen')),
        is_demo bigint not null check (is_demo in (0, 1)),
        probability double precision not null check (probability > 0 and probability <= 1),
        state text collate "C" not null check (state in ('open', 'voted', 'skipped', 'expired', 'reported')),
        created_at text collate "C" not null,
        expires_at text collate "C" not null,
        shown_at text collate "C",
        board text collate "C" not null check (board in ('generate', 'edit-single', 'edit-multi')),
        category text collate "C" not null,
        prompt_id text collate "C",
        quality_a text collate "C" not null,
        quality_b text collate "C" not null,
        check (image_a != image_b)
    )""",
    """create table votes (
        seq bigint primary key default next_vote(),
        battle_id text collate "C" not null unique references battles (battle_id),
        voter text collate "C" not null,
        outcome text collate "C" not null check (outcome in ('a', 'b', 'tie', 'both_bad')),
        decided_ms bigint check (decided_ms is null or decided_ms >= 0),
        counted bigint not null check (counted in (0, 1)),
        reason text collate "C",
        voted_at text collate "C" not null,
        follows text collate "C" check (follows is null or follows in ('a', 'b', 'tie')),
        looks text collate "C" check (looks is null or looks in ('a', 'b', 'tie')),
        undone_at text collate "C"
    )""",
    """create table reports (
        battle_id text collate "C" not null references battles (battle_id),
        voter text collate "C" not null,
        reason text collate "C" not null check (reason in ('broken', 'offensive', 'maker_shown', 'other')),
        words text collate "C" not null,
        at text collate "C" not null,
        primary key (battle_id, voter)
    )""",
    """create table exclusions (
        exclusion_id bigint primary key default next_exclusion(),
        voter text collate "C" not null,
        kind text collate "C" not null check (kind in ('favourite', 'side', 'agreement', 'too_fast', 'by_hand')),
        reason text collate "C" not null,
        at text collate "C" not null,
        lifted_at text collate "C"
    )""",
    """create table tallies (
        board text collate "C" not null,
        is_demo bigint not null check (is_demo in (0, 1)),
        question text collate "C" not null check (question in ('better', 'follows', 'looks')),
        category text collate "C" not null,
        offer_a text collate "C" not null,
        quality_a text collate "C" not null,
        offer_b text collate "C" not null,
        quality_b text collate "C" not null,
        outcome text collate "C" not null check (outcome in ('a', 'b', 'tie', 'both_bad')),
        votes bigint not null check (votes > 0),
        primary key (board, is_demo, question, category, offer_a, quality_a, offer_b, quality_b, outcome)
    )""",
    """create table tally_totals (
        board text collate "C" not null,
        is_demo bigint not null check (is_demo in (0, 1)),
        question text collate "C" not null check (question in ('better', 'follows', 'looks')),
        category text collate "C" not null,
        votes bigint not null check (votes > 0),
        primary key (board, is_demo, question, category)
    )""",
    """create table elo_days (
        board text collate "C" not null,
        is_demo bigint not null check (is_demo in (0, 1)),
        level text collate "C" not null,
        day text collate "C" not null,
        method text collate "C" not null,
        last_seq bigint not null,
        votes bigint not null,
        ratings text collate "C" not null check (json_valid(ratings)),
        primary key (board, is_demo, level, day)
    )""",
    """create table install (
        name text collate "C" primary key,
        value text collate "C" not null
    )""",
    """create table derived_images (
        image_id text collate "C" not null references images (image_id),
        kind text collate "C" not null check (kind in ('locked', 'drift')),
        sha256 text collate "C" not null check (length(sha256) = 64),
        media_type text collate "C" not null,
        width bigint not null check (width > 0),
        height bigint not null check (height > 0),
        size_bytes bigint not null check (size_bytes > 0),
        figures text collate "C" not null check (json_valid(figures)),
        created_at text collate "C" not null,
        primary key (image_id, kind)
    )""",
    """create table locks (
        image_id text collate "C" primary key references images (image_id),
        state text collate "C" not null check (state in ('due', 'made', 'refused')),
        note text collate "C" not null,
        tries bigint not null check (tries >= 0),
        at text collate "C" not null
    )""",
    """create table masks (
        owner text collate "C" not null,
        base_sha256 text collate "C" not null check (length(base_sha256) = 64),
        mask_sha256 text collate "C" not null check (length(mask_sha256) = 64),
        updated_at text collate "C" not null,
        primary key (owner, base_sha256)
    )""",
    """create table tags (
        run_id text collate "C" not null references runs (run_id),
        tag text collate "C" not null check (tag != '' and length(tag) <= 40),
        primary key (run_id, tag)
    )""",
    """create table searches (
        owner text collate "C" not null,
        name text collate "C" not null check (name != '' and length(name) <= 60),
        query text collate "C" not null,
        sort text collate "C" not null,
        created_at text collate "C" not null,
        primary key (owner, name)
    )""",
    """create table freed (
        sha256 text collate "C" primary key check (length(sha256) = 64),
        at text collate "C" not null
    )""",
    """create table run_facts (
        seq bigint primary key,
        owner text collate "C" not null,
        is_trashed bigint not null check (is_trashed in (0, 1)),
        has_trash bigint not null check (has_trash in (0, 1)),
        offer text collate "C" not null,
        operation text collate "C" not null,
        state text collate "C" not null,
        queued_at text collate "C" not null,
        latency_ms bigint,
        cost_microusd bigint,
        size text collate "C" not null,
        quality text collate "C" not null,
        images bigint not null,
        stars bigint not null,
        favourite bigint not null,
        sources bigint not null,
        has_mask bigint not null,
        dearest bigint generated always as (coalesce(cost_microusd, -1)) stored,
        slowest bigint generated always as (coalesce(latency_ms, -1)) stored,
        rating bigint not null default 0
    )""",
    """create table facts_hold (
        held bigint primary key check (held = 1)
    )""",
    """create table ledger (
        ledger_id text collate "C" primary key,
        run_id text collate "C" not null references runs (run_id),
        owner text collate "C" not null check (owner != ''),
        offer text collate "C" not null,
        quality text collate "C" not null,
        payer text collate "C" not null,
        state text collate "C" not null check (state in ('reserved', 'settled', 'released', 'unknown')),
        amount_microusd bigint check (amount_microusd is null or amount_microusd >= 0),
        reserved_microusd bigint check (reserved_microusd is null or reserved_microusd >= 0),
        source text collate "C" not null check (source in ('reported', 'computed', 'estimated', 'by_hand', 'unknown')),
        price_id text collate "C",
        images bigint not null check (images >= 0),
        session text collate "C" not null,
        day text collate "C" not null check (day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
        reserved_at text collate "C" not null,
        at text collate "C" not null,
        settled_by text collate "C",
        note text collate "C" not null,
        check (state != 'released' or amount_microusd = 0),
        check (state != 'settled' or amount_microusd is not null),
        check ((settled_by is null) = (source != 'by_hand'))
    )""",
    """create table spend_days (
        owner text collate "C" not null,
        day text collate "C" not null,
        offer text collate "C" not null,
        quality text collate "C" not null,
        payer text collate "C" not null,
        state text collate "C" not null,
        lines bigint not null,
        unpriced bigint not null,
        amount_microusd bigint not null,
        compared_microusd bigint not null,
        estimate_microusd bigint not null,
        images bigint not null,
        primary key (owner, day, offer, quality, payer, state)
    )""",
    """create table spend_spans (
        owner text collate "C" not null,
        span text collate "C" not null,
        state text collate "C" not null,
        lines bigint not null,
        amount_microusd bigint not null,
        images bigint not null,
        primary key (owner, span, state)
    )""",
    """create table limits (
        span text collate "C" primary key
            check (span in ('run', 'session', 'day', 'month', 'visitor_day', 'visitor_month')),
        amount_microusd bigint not null check (amount_microusd >= 0),
        action text collate "C" not null check (action in ('block', 'warn')),
        set_by text collate "C" not null,
        set_at text collate "C" not null
    )""",
    """create table prices (
        price_id text collate "C" primary key,
        offer text collate "C" not null,
        valid_from text collate "C" not null check (valid_from ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
        source text collate "C" not null,
        figures text collate "C" not null check (json_valid(figures)),
        set_by text collate "C" not null,
        set_at text collate "C" not null,
        removed_at text collate "C"
    )""",
    """create table templates (
        template_id text collate "C" primary key,
        owner text collate "C" not null,
        name text collate "C" not null check (length(name) between 1 and 80),
        prompt text collate "C" not null,
        settings text collate "C" check (settings is null or json_valid(settings)),
        updated_at text collate "C" not null,
        unique (owner, name)
    )""",
    """create table preferences (
        owner text collate "C" not null,
        name text collate "C" not null check (name != ''),
        value text collate "C" not null check (json_valid(value)),
        updated_at text collate "C" not null,
        primary key (owner, name)
    )""",
    """create table vote_links (
        link bigint primary key,
        seq bigint not null,
        kind text collate "C" not null check (kind in ('cast', 'undone', 'erased')),
        votes bigint not null check (votes >= 0),
        counted bigint not null check (counted in (0, 1)),
        reason text collate "C",
        undone_at text collate "C",
        nonce text collate "C" check (nonce is null or length(nonce) = 32),
        digest text collate "C" not null check (length(digest) = 64),
        head text collate "C" not null check (length(head) = 64)
    )""",
    # The words of each run, those of its prompt, tags, note and the spaced form of all of them apart by a line.
    """create table runs_fts (
        rowid bigint primary key references runs (seq) on delete cascade,
        words text collate "C" not null,
        lexemes tsvector not null
    )""",
)
