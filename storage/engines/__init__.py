"""Where rows can be: what only one engine can do, in files of its own behind `storage.engine`."""

from __future__ import annotations

import importlib
from pathlib import Path

from storage.engine import Engine
from storage.engines.sqlite import SqliteEngine
from storage.errors import StoreNotWritable

REQUIREMENTS = "requirements-scale.txt"


def engine_of(data_dir: Path, database_url: str | None) -> Engine:
    """The rows of a folder, checked and brought to the newest schema: those of its own file, or of a PostgreSQL database.

    Raises:
        StoreError: they cannot be used; where it takes packages that are not installed, the message names them.
    """
    if database_url is None:
        return SqliteEngine(data_dir)
    try:
        # Not installed with the app, and not loaded where nobody asks for it.
        postgres = importlib.import_module("storage.engines.postgres")
    except ModuleNotFoundError as error:
        raise StoreNotWritable(
            f"DIPTYCH_DATABASE_URL names a PostgreSQL database, but the package {error.name!r} is not installed. "
            f"Run `pip install -r {REQUIREMENTS}`, or unset it to keep the rows in a file of the data folder."
        ) from error
    made: Engine = postgres.PostgresEngine(database_url, data_dir)
    return made
