from __future__ import annotations

import ast
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from storage.describe import data_model_markdown
from storage.meanings import COLUMNS, TABLES
from storage.migrations import migrations

ROOT = Path(__file__).parents[2]


def columns_of_a_fresh_database() -> dict[str, set[str]]:
    with closing(sqlite3.connect(":memory:")) as conn:
        db = Database(conn, execute_plugins=False)
        migrations.apply(db)
        own = [name for name in db.table_names() if not name.startswith(("sqlite_", "runs_fts_"))]
        listed = {name: conn.execute(f"pragma table_xinfo({name})").fetchall() for name in own}
        return {name: {row[1] for row in rows if row[6] != 1} for name, rows in listed.items()}


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8") == data_model_markdown()


def test_every_table_and_column_has_a_meaning_and_a_line() -> None:
    tables = columns_of_a_fresh_database()
    assert {table: set(columns) for table, columns in COLUMNS.items()} == tables
    assert set(TABLES) == set(tables)
    page = data_model_markdown()
    for table, columns in tables.items():
        section = page.split(f"\n## {table}\n")[1].split("\n## ")[0]
        assert all(f"\n| `{column}` | " in section for column in columns)


def test_storage_imports_nothing_from_above() -> None:
    imported = set()
    for path in (ROOT / "storage").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    assert not imported & {"providers", "playground", "arena", "ui", "gradio", "httpx", "pandas"}
