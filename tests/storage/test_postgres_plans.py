"""How PostgreSQL finds the rows of pages in a long history: by indexes, as SQLite does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from benchmarks.history_pages import NOW, OWNER, SEARCHES
from storage import battles, curation, history, looks, votes
from storage.database import Store
from storage.engine import Cursor, Database, Parameters
from storage.engines.postgres_pipeline import PipelinedConnection
from storage.rating_steps import FACT_COLUMNS
from storage.tallies import BoardFilter
from tests.postgres_server import PostgresServer

RUNS = 10_000
BIG = ("runs", "images", "ledger", "run_facts", "runs_fts", "battles", "votes")
_OF_ALL = ("select count(*) as runs from run_facts", "select coalesce(group_concat(i.phash")
"""They count all of them, or ask for all."""
# Without triggers, and what they keep made at once: ten thousand runs in seconds.
_FILL = f"""
    set session_replication_role = replica; set search_path = diptych, pg_catalog, public;
    insert into groups select 'g' || n, '{OWNER}', 'run', 'generate', 'a', '{NOW}' from generate_series(1, {RUNS}) as n;
    insert into runs (seq, run_id, group_id, owner, position, offer, operation, prompt, asked, state, queued_at, latency_ms)
        select n, 'r' || n, 'g' || n, '{OWNER}', 0, 'fal/m' || n % 5, 'generate', 'fox ' || case n % 97 when 0 then 'triennale'
        else 'dusk' end, '{{"quality":"high"}}', 'succeeded', '2025-01-01T00:00:00.000Z', n % 900
        from generate_series(1, {RUNS}) as n;
    insert into images (image_id, run_id, position, sha256, media_type, width, height, size_bytes, checks, created_at, phash)
        select 'i' || n, 'r' || n, 0, lpad(to_hex(n), 64, '0'), 'image/png', 8, 8, 1, '[]', '{NOW}', lpad(to_hex(n), 16, '0')
        from generate_series(1, {RUNS}) as n;
    insert into ledger select 'l' || n, 'r' || n, '{OWNER}', 'fal/m' || n % 5, 'high', 'key', 'settled', 1, 1, 'computed', null,
        1, 's', '2026-11-21', '{NOW}', '{NOW}', null, '' from generate_series(1, {RUNS}) as n;
    insert into battles select 'b' || n, 'v' || n % 50, 'generate', 'a', 'i' || n, 'i' || n % 9 + 1, 'a', 'b', 'history', 0,
        0.5, case n % 3 when 0 then 'open' else 'voted' end, '{NOW}', '{NOW}', null, 'generate', 'own', null, 'low', 'low'
        from generate_series(10, {RUNS}) as n;
    insert into votes (seq, battle_id, voter, outcome, counted, voted_at)
        select n, 'b' || n, 'v' || n % 50, 'a', 1, '{NOW}' from generate_series(10, {RUNS}) as n where n % 3 > 0;
    insert into elo_days values ('generate', 0, 'offer', '2026-01-01', 'elo', {RUNS} - 100, 1000, '{{}}');
    insert into run_facts ({FACT_COLUMNS}) select {FACT_COLUMNS} from run_facts_now;
    insert into runs_fts (rowid, words, lexemes)
        select seq, words_of(prompt), lexemes_of(words_of(prompt)) from runs;
    analyze
"""


@pytest.fixture(scope="module")
def store(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("plans")
    one = server.store_of(folder)
    server.sql(_FILL, server.name_of(folder))
    yield one
    one.close()


def page(db: Database, search: str = "", sort: str = "newest", skip: int = 0) -> None:
    history.page(db, OWNER, search=search, sort=sort, limit=24, skip=skip, blind_at=NOW)
    history.count(db, OWNER, search, blind_at=NOW)


def everything(db: Database) -> None:
    """What pages ask of a long history, image by image and page by page."""
    for sort in ("newest", "dearest", "slowest", "stars", "rating"):
        page(db, sort=sort)
    page(db, skip=5_000)
    history.page(db, OWNER, search=SEARCHES[0], limit=24, blind_at=NOW)
    numbers = [int(number) for number in looks.packed(db, OWNER, blind_at=NOW).rows.split(b",")[:24]]
    assert len(looks.at_rows(db, numbers)) == 24
    looks.with_bytes(db, f"{77:064x}", OWNER, blind_at=NOW)
    looks.named(db, "i77", OWNER, blind_at=NOW)
    history.owns_blob(db, f"{77:064x}", OWNER)
    history.find_image(db, f"{77:064x}", OWNER)
    battles.newest_open(db, "v3", NOW)
    battles.met(db, "v3", [f"i{number}" for number in range(50)])
    battles.side(db, "i77", None)
    curation.tags_of(db, OWNER)


def a_vote(db: Database) -> None:
    """What a vote asks of many battles and votes."""
    makers = battles.ask_makers(db, "b77")
    assert battles.end_by_vote(db, "b78", "v28", now="2026-11-20T10:15:30.123Z")[1]
    assert {maker.cost_microusd for maker in makers().values()} == {1}
    day, behind = votes.behind_kept(db, BoardFilter(), "offer", "elo", most=2_000)
    assert day is not None
    assert len(behind) == 67


def test_lists_of_a_long_history_are_read_from_indexes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Parameters]] = []
    execute = PipelinedConnection.execute

    def listen(conn: PipelinedConnection, sql: str, parameters: Parameters = (), /) -> Cursor:
        asked.append((sql, parameters))
        return execute(conn, sql, parameters)

    with monkeypatch.context() as patches:
        patches.setattr(PipelinedConnection, "execute", listen)
        store.read(everything)
        store.write(a_vote)
    assert len(asked) > 50
    walked: dict[str, set[str]] = {}
    for sql, parameters in asked:
        plan = store.read(lambda db, s=sql, p=parameters: db.conn.execute(f"explain {s}", p).fetchall())
        tables = {table for (line,) in plan for table in re.findall(r"Seq Scan on (\w+)", line) if table in BIG}
        if tables and not sql.startswith(_OF_ALL):
            walked[" ".join(sql.split())] = tables
    assert walked == {}


def test_a_search_is_planned_for_its_words_however_often_it_was_asked(store: Store) -> None:
    kept = "select count(*) from pg_catalog.pg_prepared_statements where statement like '%query_of%'"

    def search(db: Database) -> object:
        for _ in range(8):
            page(db, search="triennale")
        return db.conn.execute(kept).fetchone()

    # Kept, its plan would be one for rare words: three to six times as slow where most runs have them.
    assert store.read(search) == (0,)
