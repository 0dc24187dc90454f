"""What PostgreSQL keeps by itself: indexes, the facts of runs, sums over the ledger, words to search. Data only.

The same as the triggers of `storage.curation_steps`, `storage.money_steps` and `storage.rating_steps`.
"""

from __future__ import annotations

from storage.curation_steps import FACT_INDEXES, FACTS_OF_PARTS
from storage.money_steps import MONEY_INDEXES
from storage.rating_steps import FACT_COLUMNS, SAID_BY_VOTE

INDEXES = (
    "create index groups_by_owner on groups (owner, group_id)",
    "create index runs_by_group on runs (group_id, position)",
    "create index runs_by_owner on runs (owner, seq)",
    "create index runs_by_unreadable on runs (unreadable_sha256) where unreadable_sha256 is not null",
    "create index runs_open on runs (state) where state in ('queued', 'sending', 'waiting', 'downloading')",
    "create index inputs_by_sha256 on inputs (sha256)",
    "create index images_by_sha256 on images (sha256)",
    "create index partials_by_sha256 on partials (sha256)",
    "create index uploads_by_sha256 on uploads (sha256)",
    "create unique index jobs_by_remote_id on jobs (provider, remote_id)",
    "create index images_by_converted on images (converted_sha256) where converted_sha256 is not null",
    "create index battles_by_voter on battles (voter, created_at)",
    "create index battles_by_shown on battles (voter, shown_at)",
    "create index votes_by_voter on votes (voter, seq)",
    "create index votes_by_time on votes (voted_at)",
    "create index reports_by_time on reports (at)",
    "create unique index exclusions_in_force on exclusions (voter) where lifted_at is null",
    "create index votes_left_out on votes (reason) where reason is not null",
    "create index derived_images_by_sha256 on derived_images (sha256)",
    "create index locks_due on locks (image_id) where state = 'due'",
    "create index masks_by_mask on masks (mask_sha256)",
    "create index images_in_trash on images (trashed_at) where trashed_at is not null and deleted_at is null",
    "create index runs_in_trash on runs (trashed_at) where trashed_at is not null and deleted_at is null",
    "create index tags_by_tag on tags (tag, run_id)",
    *FACT_INDEXES,
    "create index prices_by_offer on prices (offer, valid_from) where removed_at is null",
    *MONEY_INDEXES,
    "create index battles_by_pair on battles (voter, image_a, image_b)",
    "create index battles_open on battles (voter, created_at) where state = 'open'",
    "create index battles_by_image_a on battles (image_a)",
    "create index battles_by_image_b on battles (image_b)",
    "create index run_facts_rating on run_facts (owner, is_trashed, rating, seq)",
    "create index vote_links_by_vote on vote_links (seq)",
    "create index images_by_number on images ((hashtextextended(image_id, 0) & 9223372036854775807))",
    "create index runs_fts_lexemes on runs_fts using gin (lexemes)",
)

_SAID = SAID_BY_VOTE.format(v="v")
# Adds it to the run of one picture, which is looked up by its id. One run may have both, so there are two statements.
_RATE = """update run_facts set rating = rating + ({signed}) from battles as b
            join images as i on i.image_id = b.{image} join runs as r on r.run_id = i.run_id
            where b.battle_id = {vote}.battle_id and i.deleted_at is null
            and (i.trashed_at is null or r.trashed_at is not null) and run_facts.seq = r.seq;"""


def _rating(name: str, event: str, vote: str, signed: str) -> tuple[str, str]:
    """The function and the trigger of one event. A vote that says nothing takes neither."""
    of_one = _RATE.replace("{signed}", signed).replace("{vote}", vote)
    body = [
        *("begin if exists (select 1 from facts_hold) then return null; end if;", of_one.replace("{image}", "image_a")),
        *(of_one.replace("{image}", "image_b"), "return null; end"),
    ]
    return (
        f"create function rate_{name}() returns trigger language plpgsql as $$ {' '.join(body)} $$",
        f"create trigger facts_vote_{name} after {event} execute function rate_{name}()",
    )


_NEW, _OLD = SAID_BY_VOTE.format(v="new"), SAID_BY_VOTE.format(v="old")

FACTS = (
    """create view run_facts_now as
    select r.seq, r.owner, (r.trashed_at is not null)::int::bigint as is_trashed,
        (r.trashed_at is not null or exists (select 1 from images as i where i.run_id = r.run_id
            and i.trashed_at is not null and i.deleted_at is null))::int::bigint as has_trash,
        r.offer, r.operation, r.state, r.queued_at, r.latency_ms,
        (select case when count(*) filter (where l.state in ('reserved', 'unknown')) = 0 then sum(l.amount_microusd) end
            from ledger as l where l.run_id = r.run_id) as cost_microusd,{of_parts}
        (exists (select 1 from inputs as n where n.run_id = r.run_id and n.role = 'mask'))::int::bigint as has_mask,
        coalesce((select sum(s.said::bigint) from images as i cross join lateral (
            select {said} as said from battles as b join votes as v on v.battle_id = b.battle_id where b.image_a = i.image_id
            union all
            select {said} from battles as b join votes as v on v.battle_id = b.battle_id where b.image_b = i.image_id) as s
            where i.run_id = r.run_id and i.deleted_at is null
            and (i.trashed_at is null or r.trashed_at is not null)), 0) as rating
    from runs as r where r.deleted_at is null""".replace("{said}", _SAID).replace("{of_parts}", FACTS_OF_PARTS),
    """create function renew_facts(which bigint) returns void language plpgsql as $$ begin
        if exists (select 1 from facts_hold) then return; end if;
        delete from run_facts where seq = which;
        insert into run_facts ({columns}) select {columns} from run_facts_now where seq = which;
    end $$""".replace("{columns}", FACT_COLUMNS),
    """create function facts_of_run() returns trigger language plpgsql as $$ begin
        perform renew_facts(new.seq); return null;
    end $$""",
    """create function facts_of_part() returns trigger language plpgsql as $$ declare whose text; begin
        if tg_op = 'DELETE' then whose := old.run_id; else whose := new.run_id; end if;
        perform renew_facts(r.seq) from runs as r where r.run_id = whose; return null;
    end $$""",
    """create function facts_gone() returns trigger language plpgsql as $$ begin
        delete from run_facts where seq = old.seq; return null;
    end $$""",
    "create trigger facts_run_added after insert on runs for each row execute function facts_of_run()",
    """create trigger facts_run_changed after update of state, latency_ms, asked, trashed_at, deleted_at on runs
        for each row execute function facts_of_run()""",
    "create trigger facts_run_gone after delete on runs for each row execute function facts_gone()",
    "create trigger facts_image_added after insert or delete on images for each row execute function facts_of_part()",
    """create trigger facts_image_changed after update of favourite, stars, trashed_at, deleted_at on images
        for each row execute function facts_of_part()""",
    "create trigger facts_input_added after insert or delete on inputs for each row execute function facts_of_part()",
    "create trigger facts_line_added after insert or delete on ledger for each row execute function facts_of_part()",
    """create trigger facts_line_changed after update of state, amount_microusd on ledger
        for each row execute function facts_of_part()""",
    *_rating("added", "insert on votes for each row when (new.counted = 1 and new.outcome <> 'tie')", "new", _NEW),
    *_rating("changed", "update of outcome, counted on votes for each row", "new", f"{_NEW} - {_OLD}"),
    *_rating("gone", "delete on votes for each row", "old", f"0 - {_OLD}"),
)

MONEY = (
    """create function count_line(l ledger, sign bigint) returns void language plpgsql as $$ begin
        insert into spend_days as d (owner, day, offer, quality, payer, state, lines, unpriced, amount_microusd,
            compared_microusd, estimate_microusd, images)
        select whose, l.day, l.offer, l.quality, l.payer, l.state, sign, sign * (l.amount_microusd is null)::int,
            sign * coalesce(l.amount_microusd, 0),
            sign * case when l.reserved_microusd is not null then coalesce(l.amount_microusd, 0) else 0 end,
            sign * coalesce(l.reserved_microusd, 0), sign * l.images
        from unnest(array[l.owner, '']) as whose
        on conflict (owner, day, offer, quality, payer, state) do update set lines = d.lines + excluded.lines,
            unpriced = d.unpriced + excluded.unpriced, amount_microusd = d.amount_microusd + excluded.amount_microusd,
            compared_microusd = d.compared_microusd + excluded.compared_microusd,
            estimate_microusd = d.estimate_microusd + excluded.estimate_microusd, images = d.images + excluded.images;
        insert into spend_spans as s (owner, span, state, lines, amount_microusd, images)
        select whose, span, l.state, sign, sign * coalesce(l.amount_microusd, 0), sign * l.images
        from unnest(array[l.owner, '']) as whose, unnest(array['day ' || l.day, 'month ' || substr(l.day, 1, 7),
            'session ' || l.session, 'all']) as span
        on conflict (owner, span, state) do update set lines = s.lines + excluded.lines,
            amount_microusd = s.amount_microusd + excluded.amount_microusd, images = s.images + excluded.images;
        if sign < 0 then
            delete from spend_days as d where d.owner in (l.owner, '') and d.lines = 0
            and (d.day, d.offer, d.quality, d.payer, d.state) = (l.day, l.offer, l.quality, l.payer, l.state);
        end if;
    end $$""",
    """create function count_lines() returns trigger language plpgsql as $$ begin
        if tg_op <> 'INSERT' then perform count_line(old, -1); end if;
        if tg_op <> 'DELETE' then perform count_line(new, 1); end if;
        return null;
    end $$""",
    # Not after a change of `day`: when the time zone changes, all lines are gone over and the sums made anew.
    """create trigger ledger_counted after insert or delete or update of state, amount_microusd, reserved_microusd, images
        on ledger for each row execute function count_lines()""",
)

WORDS = (
    """create function words_of_run(r runs) returns text language sql immutable as $$
        select concat_ws(E'\\n', words_of(r.prompt), words_of(r.tags), words_of(r.note), words_of(r.spaced)) $$""",
    """create function learn_words() returns trigger language plpgsql as $$ begin
        insert into runs_fts (rowid, words, lexemes)
        select new.seq, w.words, lexemes_of(w.words) from (select words_of_run(new) as words offset 0) as w
        on conflict (rowid) do update set words = excluded.words, lexemes = excluded.lexemes;
        return null;
    end $$""",
    """create trigger words_learnt after insert or update of prompt, tags, note, spaced on runs
        for each row execute function learn_words()""",
)

INSTALL = (
    """insert into install (name, value)
        values ('voter_salt', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))""",
)

REPLICAS = (
    """create function next_ticket() returns bigint language plpgsql volatile as $$
        begin return (select coalesce(max(ticket), 0) + 1 from seats); end $$""",
    """create function next_use() returns bigint language plpgsql volatile as $$
        begin return (select coalesce(max(use_id), 0) + 1 from uses); end $$""",
    """create function now_ms() returns bigint language sql volatile
        as 'select (extract(epoch from clock_timestamp()) * 1000)::bigint'""",
    'create table workers (worker_id text collate "C" primary key, seen_ms bigint not null)',
    """create table seats (
        ticket bigint primary key default next_ticket(),
        seat_id text collate "C" not null unique,
        worker_id text collate "C" not null,
        provider text collate "C" not null
    )""",
    "create index seats_by_provider on seats (provider, ticket)",
    """create table stops (
        run_id text collate "C" primary key,
        why text collate "C" not null,
        asked_at text collate "C" not null
    )""",
    """create table uses (
        use_id bigint primary key default next_use(),
        subject text collate "C" not null,
        kind text collate "C" not null,
        at_ms bigint not null,
        amount bigint not null check (amount > 0)
    )""",
    "create index uses_by_subject on uses (subject, kind, at_ms)",
    "create index uses_by_time on uses (at_ms)",
)
