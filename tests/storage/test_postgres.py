"""PostgreSQL beside SQLite: the same statements in its words, the same schema, and how its databases are opened.

The tests of each part of the store run on PostgreSQL too, with `--engine postgres`; here is what those cannot say.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage.database import Store
from storage.engines.postgres_sql import translated, with_words
from storage.errors import StoreDamaged, StoreNotWritable, StoreTooNew
from storage.migrations import RELEASED, migrations
from storage.moving import FOLLOWING, KEYS, PASSING
from tests.postgres_server import PostgresServer, open_by_folder

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
    store = server.store_of(tmp_path)
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
    server.store_of(tmp_path).close()
    server.sql("create database emptied")
    with pytest.raises(StoreDamaged, match="no tables of ours"):
        open_by_folder(tmp_path, database_url=server.url("emptied"))
    newer = server.store_of(tmp_path)
    newer.write(lambda db: db.conn.execute("insert into steps (name) values ('m999_later')"))
    newer.close()
    with pytest.raises(StoreTooNew, match="m999_later"):
        server.store_of(tmp_path)


def test_without_its_package_the_file_that_lists_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("storage.engines.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreNotWritable, match=r"pip install -r requirements-scale\.txt"):
        open_by_folder(tmp_path, database_url="postgresql://db/name")
