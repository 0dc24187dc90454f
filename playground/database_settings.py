"""Where the rows are, as the operator decides it: a file of the data folder, or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from playground.addresses import SettingsError
from playground.plain_settings import whole_number
from playground.secrets import Secret
from storage.workers import LEASE_S

DATABASE_URL = "DIPTYCH_DATABASE_URL"
VARIABLE = (
    DATABASE_URL,
    "none",
    "`postgresql://user:password@host/name`: the rows stand in that PostgreSQL database (15 or newer) and not in a "
    "file of the folder. Needs `requirements-scale.txt`.",
)
"""Name, default and meaning."""
LEASE = "DIPTYCH_LEASE_S"
LEASE_VARIABLE = (
    LEASE,
    f"`{LEASE_S:g}`",
    "Seconds, 5 to 600, after which a replica that is not seen counts as dead and others take up its runs; only with "
    "`DIPTYCH_DATABASE_URL`, and the same for all replicas.",
)
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


def read_lease_s(environ: Mapping[str, str]) -> float:
    """After so many seconds a replica that is not seen counts as dead. Raises: SettingsError."""
    return float(whole_number(environ, LEASE, round(LEASE_S), low=5, high=600))
