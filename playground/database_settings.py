"""Where the rows are, as the operator decides it: a file of the data folder, or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from playground.addresses import SettingsError
from playground.secrets import Secret

DATABASE_URL = "DIPTYCH_DATABASE_URL"
VARIABLE = (
    DATABASE_URL,
    "none",
    "`postgresql://user:password@host/name`: the rows stand in that PostgreSQL database (15 or newer) and not in a "
    "file of the folder. Needs `requirements-scale.txt`.",
)
"""Name, default and meaning."""
_SCHEMES = ("postgresql", "postgres")


def read_database_url(environ: Mapping[str, str]) -> Secret | None:
    """The address of the database, a secret as it may hold a password; `None`: the data folder's own file holds the rows.

    Raises: SettingsError when it is no such address; never quotes it.
    """
    text = environ.get(DATABASE_URL, "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in _SCHEMES or not parts.path.strip("/"):
        raise SettingsError(
            f"{DATABASE_URL} is not the address of a PostgreSQL database; "
            "expected postgresql://user:password@host:5432/name. Unset it to keep the rows in the data folder.",
            DATABASE_URL,
        )
    return Secret(text)
