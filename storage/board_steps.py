"""What the steps `m004_boards` and `m005_install` of `storage.migrations` run, statement by statement. Data only."""

from __future__ import annotations

# SQLite widens no check, so battles and votes are made anew, the votes with them because they point at battles. Of the
# battles that are there: the board follows from the source images, the qualities from what was asked.
BOARDS = (
    "alter table votes rename to votes_before",
    "alter table battles rename to battles_before",
    """create table battles (
        battle_id text primary key,
        voter text not null,
        operation text not null check (operation in ('generate', 'edit')),
        prompt text not null,
        image_a text not null references images (image_id),
        image_b text not null references images (image_id),
        offer_a text not null,
        offer_b text not null,
        source text not null check (source in ('history', 'new', 'chosen')),
        is_demo integer not null check (is_demo in (0, 1)),
        probability real not null check (probability > 0 and probability <= 1),
        state text not null check (state in ('open', 'voted', 'skipped', 'expired', 'reported')),
        created_at text not null,
        expires_at text not null,
        shown_at text,
        board text not null check (board in ('generate', 'edit-single', 'edit-multi')),
        category text not null,
        prompt_id text,
        quality_a text not null,
        quality_b text not null,
        check (image_a != image_b)
    ) strict""",
    """insert into battles
        select battle_id, voter, operation, prompt, image_a, image_b, offer_a, offer_b, source, is_demo, probability, state,
            created_at, expires_at, created_at,
            case when operation = 'generate' then 'generate' when (
                select count(*) from inputs as i join images as m on m.run_id = i.run_id
                where m.image_id = b.image_a and i.role = 'image') > 1 then 'edit-multi' else 'edit-single' end,
            'own', null,
            coalesce((select r.asked ->> 'quality' from runs as r join images as m on m.run_id = r.run_id
                where m.image_id = b.image_a), 'auto'),
            coalesce((select r.asked ->> 'quality' from runs as r join images as m on m.run_id = r.run_id
                where m.image_id = b.image_b), 'auto')
        from battles_before as b""",
    """create table votes (
        seq integer primary key,
        battle_id text not null unique references battles (battle_id),
        voter text not null,
        outcome text not null check (outcome in ('a', 'b', 'tie', 'both_bad')),
        decided_ms integer check (decided_ms is null or decided_ms >= 0),
        counted integer not null check (counted in (0, 1)),
        reason text,
        voted_at text not null,
        follows text check (follows is null or follows in ('a', 'b', 'tie')),
        looks text check (looks is null or looks in ('a', 'b', 'tie')),
        undone_at text
    ) strict""",
    "insert into votes select *, null, null, null from votes_before",
    "drop table votes_before",
    "drop table battles_before",
    "create index battles_by_voter on battles (voter, created_at)",
    "create index battles_by_shown on battles (voter, shown_at)",
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
    "create index reports_by_time on reports (at)",
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

INSTALL = (
    "create table install (name text primary key, value text not null) strict, without rowid",
    "insert into install (name, value) values ('voter_salt', lower(hex(randomblob(32))))",
    "create index votes_left_out on votes (reason) where reason is not null",
)
