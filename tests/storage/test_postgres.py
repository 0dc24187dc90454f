"""PostgreSQL beside SQLite: the same schema, the same answers, the same rows after a move, and several replicas at once.

The tests of each part of the store run on PostgreSQL too, with `--engine postgres`; here is what those cannot say.
"""

from __future__ import annotations

import random
import re
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from sqlite_utils import Database

from storage import history, ledger, limits, moving, restoring, tallies
from storage.database import Store
from storage.engines import postgres_pipeline, postgres_readers
from storage.engines.postgres_pipeline import PipelinedConnection
from storage.engines.postgres_sql import translated, with_words
from storage.errors import StoreDamaged, StoreNotWritable, StoreTooNew
from storage.limits import Standing
from storage.migrations import RELEASED, migrations
from storage.moving import FOLLOWING, KEYS, PASSING, NotEmpty
from storage.restoring import NotBackup
from storage.tallies import BoardFilter
from storage.verify import verify
from tests.postgres_server import PostgresServer, need_server, open_by_folder, running_server
from tests.storage.builders import insert, make_line, make_run, store_everything
from tests.storage.test_votes import Votes


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    need_server()
    with running_server() as one:
        yield one


def opened(server: PostgresServer, folder: Path) -> Store:
    """A store with its rows in a database of the folder's own; again with the same folder: another replica."""
    return open_by_folder(folder, database_url=server.url_of(folder))


# Statements


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("select * from a where x = :x and y = :x", "select * from a where x = %s and y = %s"),
        (
            "select a::text, ':no', 'it''s 5%?' from b where c = ?",
            "select a::text, ':no', 'it''s 5%%?' from b where c = %s",
        ),
        ("where :x is null or a = :x", "where %s::text is null or a = %s"),
        ("where a is :x and b is not :y", "where a is not distinct from %s and b is distinct from %s"),
        ("from a cross join b as c on c.x = a.x", "from a join b as c on c.x = a.x"),
        ("a in (select value from json_each(?))", "a = any (%s::text[])"),
        ("a not in (select cast(value as bigint) from json_each(:x))", "a <> all (%s::bigint[])"),
        ("from a cross join b as c where true", "from a cross join b as c where true"),
        ("from a as i indexed by a_by_x where 1 % 2 = 1", "from a as i where 1 %% 2 = 1"),
    ],
)
def test_a_statement_is_said_in_the_words_of_postgresql(said: str, understood: str) -> None:
    assert translated(said).sql == understood


def test_an_expression_of_the_text_index_becomes_conditions_on_words() -> None:
    expression = '("red fox" "ra"*) NOT "snow""y" NOT "x"'
    sql, values = with_words("where runs_fts match :m", {"m": expression, "o": 1})
    assert sql == (
        "where ((lexemes @@ query_of(:m_1, false) and words like phrase_of(:m_1, false))"
        " and (lexemes @@ query_of(:m_2, true))"
        " and not (lexemes @@ query_of(:m_5, false) and words like phrase_of(:m_5, false))"
        " and not (lexemes @@ query_of(:m_7, false)))"
    )
    assert values == {"m": expression, "o": 1, "m_1": "red fox", "m_2": "ra", "m_5": 'snow"y', "m_7": "x"}


# The schema


Index = tuple[str, str, tuple[str, ...]]
ONLY_THERE = {"images_by_number", "runs_fts_lexemes"}


def index_of(name: str, table: str, told: str) -> Index:
    """An index with its columns, of those before its condition."""
    columns = re.split(r"\bwhere\b", told, flags=re.IGNORECASE)[0].split("(", 1)[1]
    return name, table, tuple(re.findall(r"\w+", columns))


class Schema:
    """What there is, in words that both engines have."""

    columns: dict[tuple[str, str], tuple[str, bool]]
    """(table, column) -> kind and whether it may be null."""
    rules: dict[str, int]
    """Table -> how many checks."""
    references: set[tuple[str, str, str, str]]
    indexes: set[Index]


def of_sqlite() -> Schema:
    kinds = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision"}
    found = Schema()
    with closing(sqlite3.connect(":memory:")) as conn:
        db = Database(conn, execute_plugins=False)
        migrations.apply(db)
        tables = [db.table(name) for name in db.table_names() if not name.startswith(("_", "runs_fts"))]
        found.columns = {
            (table.name, name): (kinds[kind.upper()], not (is_not_null or key))
            for table in tables
            for name, kind, is_not_null, key in conn.execute(
                f"select name, type, [notnull], pk from pragma_table_xinfo('{table.name}')"
            )
        }
        found.rules = {table.name: len(re.findall(r"\bcheck\s*\(", table.schema)) for table in tables}
        found.references = {
            (table.name, key.column, key.other_table, key.other_column)
            for table in tables
            for key in table.foreign_keys
        }
        found.indexes = {
            index_of(*row)
            for row in conn.execute(
                "select name, tbl_name, sql from sqlite_master where type = 'index' and sql is not null"
            )
            if not row[1].startswith("_")
        }
    return found


def of_postgres(store: Store) -> Schema:
    def asked(sql: str) -> list[tuple[str, ...]]:
        return store.read(lambda db: db.conn.execute(sql).fetchall())

    found = Schema()
    found.columns = {
        (table, column): (kind, may_be_null == "YES")
        for table, column, kind, may_be_null in asked(
            """select table_name::text, column_name::text, data_type::text, is_nullable::text from information_schema.columns
            where table_schema = 'diptych' and table_name not in ('steps', 'run_facts_now', 'runs_fts')"""
        )
    }
    constraints = asked(
        """select c.contype::text, c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text, k.attname::text
        from pg_constraint as c left join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        left join pg_attribute as k on k.attrelid = c.confrelid and k.attnum = c.confkey[1]
        where c.connamespace = 'diptych'::regnamespace and c.conrelid not in (0, 'runs_fts'::regclass)"""
    )
    checks = [table for kind, table, *_ in constraints if kind == "c"]
    found.rules = {table: checks.count(table) for table, _ in found.columns}
    found.references = {tuple(row) for kind, *row in constraints if kind == "f"}
    found.indexes = {
        index_of(*row)
        for row in asked(
            """select indexname::text, tablename::text, indexdef::text from pg_indexes
            where schemaname = 'diptych' and indexname not in (select conname from pg_constraint)"""
        )
    }
    return found


def test_both_engines_have_the_same_tables_columns_rules_and_indexes(server: PostgresServer, tmp_path: Path) -> None:
    store = opened(server, tmp_path)
    here, there = of_sqlite(), of_postgres(store)
    assert there.columns == here.columns
    assert there.rules == here.rules
    assert there.references == here.references
    assert {one for one in there.indexes if one[0] not in ONLY_THERE} == here.indexes
    assert {table for table, _ in here.columns} == KEYS.keys() | PASSING | FOLLOWING - {"runs_fts"}
    steps = [
        name for (name,) in store.read(lambda db: db.conn.execute("select name from steps order by name").fetchall())
    ]
    assert steps == list(RELEASED[RELEASED.index(steps[0]) :]), "whoever adds a step adds it to postgres_steps too"
    store.close()


# Opening


def test_a_database_is_made_once_however_many_open_it(server: PostgresServer, tmp_path: Path) -> None:
    server.sql("create database many")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_by_folder(tmp_path, database_url=server.url("many")), range(4)))
    salts = {store.read(lambda db: db.conn.execute("select value from install").fetchall())[0] for store in stores}
    assert len(salts) == 1
    for store in stores:
        store.close()


def test_a_server_that_does_not_answer_is_named_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreNotWritable, match="DIPTYCH_DATABASE_URL cannot be used") as caught:
        open_by_folder(tmp_path, database_url="postgresql://me:opensesame@127.0.0.1:1/none")
    assert "opensesame" not in str(caught.value)


def test_a_lost_or_a_newer_database_is_refused_as_it_stands(server: PostgresServer, tmp_path: Path) -> None:
    opened(server, tmp_path).close()
    server.sql("create database emptied")
    with pytest.raises(StoreDamaged, match="no tables of ours"):
        open_by_folder(tmp_path, database_url=server.url("emptied"))
    newer = opened(server, tmp_path)
    newer.write(lambda db: db.conn.execute("insert into steps (name) values ('m999_later')"))
    newer.close()
    with pytest.raises(StoreTooNew, match="m999_later"):
        opened(server, tmp_path)


def test_without_its_package_the_file_that_lists_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("storage.engines.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreNotWritable, match=r"pip install -r requirements-scale\.txt"):
        open_by_folder(tmp_path, database_url="postgresql://db/name")


def test_a_connection_that_cannot_begin_to_read_is_closed(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(server, tmp_path)
    made: list[PipelinedConnection] = []

    def refuse(conn: PipelinedConnection) -> None:
        made.append(conn)
        raise sqlite3.OperationalError("a new connection, and no transaction")

    with monkeypatch.context() as patches:
        patches.setattr(PipelinedConnection, "begin_reading", refuse)
        for _ in range(2):
            with pytest.raises(sqlite3.OperationalError, match="no transaction"):
                store.read(lambda db: db.conn.execute("select 1").fetchall())
    assert [conn.is_broken for conn in made] == [True, True]
    assert store.read(lambda db: db.conn.execute("select 1").fetchall()) == [(1,)]
    store.close()


def test_a_connection_that_was_idle_for_long_is_asked_before_it_is_lent(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(server, tmp_path)
    asked: list[bool] = []

    class Watched(PipelinedConnection):
        def begin_reading(self) -> None:
            super().begin_reading()
            asked.append(not self._unanswered)

    monkeypatch.setattr(postgres_readers, "PipelinedConnection", Watched)
    for heard_s in (60, 60, 0):
        monkeypatch.setattr(postgres_pipeline, "HEARD_S", heard_s)
        store.read(lambda db: db.conn.execute("select 1").fetchall())
    assert asked == [False, False, True]
    store.close()


def test_what_nobody_waited_for_is_told_by_the_job_it_was_in(server: PostgresServer, tmp_path: Path) -> None:
    store = opened(server, tmp_path)
    barrier = Barrier(3)

    def write(number: int, statement: str) -> str:
        def job(db: Database) -> str:
            insert(db, make_run(f"r{number}", group_id=f"g{number}"))
            db.conn.execute(statement)
            return "done"

        barrier.wait()
        try:
            return store.write(job)
        except sqlite3.IntegrityError as error:
            return str(error)

    bad = "insert into tags (run_id, tag) values ('nobody', 'x')"
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(write, range(3), ["select 1", bad, "select 1"]))
    assert [said[0], said[2]] == ["done", "done"]
    assert "FOREIGN KEY" in said[1]
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store.write(lambda db: db.conn.execute(bad) and None)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.read(lambda db: db.conn.execute(bad) and None)
    assert sorted(store.read(lambda db: db.conn.execute("select run_id from runs").fetchall())) == [("r0",), ("r2",)]
    many = [(f"r{number % 2 * 2}", f"t{number}") for number in range(1000)]
    sql = "insert into tags (run_id, tag) values (?, ?)"
    assert store.write(lambda db: db.conn.executemany(sql, many).rowcount) == 1000
    store.close()


# Several replicas


def test_a_cap_holds_to_the_last_call_over_two_replicas(server: PostgresServer, tmp_path: Path) -> None:
    replicas = [opened(server, tmp_path), opened(server, tmp_path)]
    cap, each = 45 * 31_000, 31_000
    now = "2026-11-21T10:15:30.123Z"

    def press(number: int) -> bool:
        def job(db: Database) -> bool:
            standing: Standing = limits.standing(db, "local", "s", now)
            if standing.day_microusd + each > cap:
                return False
            insert(db, make_run(f"r{number}", group_id=f"g{number}"))
            return True

        return replicas[number % 2].write(job, timeout_s=60)

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(press, range(128))) == 45
    assert replicas[0].read(lambda db: ledger.totals(db, "local")).reserved_microusd == cap
    assert verify(replicas[1]) == []
    for one in replicas:
        one.close()


def test_a_read_sees_one_moment_and_the_next_one_what_another_replica_wrote(
    server: PostgresServer, tmp_path: Path
) -> None:
    one, other = opened(server, tmp_path), opened(server, tmp_path)
    seqs = "select count(*) from runs"

    def twice(db: Database) -> list[int]:
        before = db.conn.execute(seqs).fetchall()[0][0]
        other.write(lambda there: insert(there, make_run()))
        inside = one.read(lambda again: again.conn.execute(seqs).fetchall()[0][0])
        return [before, db.conn.execute(seqs).fetchall()[0][0], inside]

    assert one.read(twice) == [0, 0, 0]
    assert one.read(lambda db: db.conn.execute(seqs).fetchall()) == [(1,)]
    one.close()
    other.close()


def test_a_step_that_raises_is_undone_and_the_job_goes_on(server: PostgresServer, tmp_path: Path) -> None:
    store = opened(server, tmp_path)

    def job(db: Database) -> None:
        insert(db, make_run())
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), db.atomic():
            insert(db, make_run("r2", group_id="g2"), make_run())
        insert(db, make_run("r3", group_id="g3"))

    store.write(job)
    assert [row for (row,) in store.read(lambda db: db.conn.execute("select run_id from runs").fetchall())] == [
        "r1",
        "r3",
    ]
    store.close()


# From one engine to the other


def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for the words to search, which each engine keeps in its own way."""
    names = sorted(KEYS.keys() | FOLLOWING - {"runs_fts"})
    return {
        name: sorted(store.read(lambda db, name=name: db.conn.execute(f"select * from {name}").fetchall()), key=repr)
        for name in names
    }


def test_rows_go_over_and_come_back_to_the_last_digit(server: PostgresServer, tmp_path: Path) -> None:
    world = Votes(tmp_path / "first")
    for outcome, voter in (("a", "ann"), ("b", "bob"), ("tie", "ann"), ("both_bad", "local")):
        world.vote(outcome, voter=voter, follows="a")
    first = world.store
    store_everything(first)
    first.write(lambda db: insert(db, make_run("open", group_id="g9", prompt="Ünï \0 🐱")))
    first.write(lambda db: ledger.insert(db, [make_line("open", ledger_id="l2", amount_microusd=None, payer="host")]))
    first.backup(tmp_path / "there.sqlite3")
    second = opened(server, tmp_path / "second")
    counts = restoring.restore(second, tmp_path / "there.sqlite3")
    assert counts["votes"] == 4
    assert rows_of(second) == rows_of(first)
    second.backup(tmp_path / "back.sqlite3")
    third = open_by_folder(tmp_path / "third")
    restoring.restore(third, tmp_path / "back.sqlite3")
    assert rows_of(third) == rows_of(first)
    for board in (BoardFilter(), BoardFilter(question="follows"), BoardFilter(voter="ann")):
        sums = [store.read(lambda db, b=board: tallies.grouped(db, b)) for store in (first, second, third)]
        assert sums[0] == sums[1] == sums[2], "in one order too, so that ratings come out alike to the last digit"
    rows_only = {"blob_missing"}
    assert {one.kind for store in (second, third) for one in verify(store)} <= rows_only
    second.backup(tmp_path / "again.sqlite3")
    assert (tmp_path / "again.sqlite3").read_bytes() == (tmp_path / "back.sqlite3").read_bytes(), (
        "a copy of the same rows"
    )
    with pytest.raises(NotEmpty, match="holds rows already"):
        restoring.restore(second, tmp_path / "there.sqlite3")
    (tmp_path / "notes.txt").write_text("no backup")
    with pytest.raises(NotBackup, match="is no backup"):
        restoring.restore(third, tmp_path / "notes.txt")
    for store in (first, second, third):
        store.close()


def test_pages_of_a_table_are_copied_whole(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_PAGE", 3)
    first, second = open_by_folder(tmp_path / "first"), opened(server, tmp_path / "second")
    first.write(lambda db: insert(db, *(make_run(f"r{n}", group_id=f"g{n}") for n in range(10))))
    first.backup(tmp_path / "copy.sqlite3")
    restoring.restore(second, tmp_path / "copy.sqlite3")
    assert rows_of(second) == rows_of(first)
    first.close()
    second.close()


# The same search


WORDS = [
    "fox",
    "Fox",
    "füchse",
    "FÜCHSE",
    "fo",
    "x",
    "a.b",
    "日本",
    "日本語",
    "🦊",
    "naïve",
    "naive",
    "1024x1536",
    "ça",
    "été!",
    "й",
    "и",
]


def found_by(store: Store, search: str) -> list[str]:
    page = store.read(lambda db: history.page(db, "local", search=search, limit=500))
    return [view.run.run_id for view in page.runs]


def test_both_engines_find_the_same_runs(server: PostgresServer, tmp_path: Path) -> None:
    rng = random.Random(7)
    one, other = open_by_folder(tmp_path / "one"), opened(server, tmp_path / "other")
    prompts = [" ".join(rng.choices([*WORDS, "-", '"', "(", "*"], k=rng.randint(1, 6))) for _ in range(120)]
    runs = [make_run(f"r{number}", group_id="g", prompt=prompt) for number, prompt in enumerate(prompts)]
    for store in (one, other):
        store.write(lambda db: insert(db, *runs))
    signs = ["", "-", '"', "is:done ", "note:", "-is:fav "]
    for _ in range(120):
        search = " ".join(rng.choice(signs) + word for word in rng.choices(WORDS, k=rng.randint(1, 4)))
        assert found_by(one, search) == found_by(other, search), search
    one.close()
    other.close()
