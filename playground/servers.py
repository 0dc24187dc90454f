"""OpenAI-compatible servers that the operator names: each becomes a provider of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from playground.addresses import SettingsError, address_fault
from providers.catalog import Catalog
from providers.rows.compatible import server as server_row

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""What a server may be called; it is the first part of its offers' names."""

LIST_VARIABLE = "DIPTYCH_SERVERS"
_SINGLE_URL, _SINGLE_KEY = "DIPTYCH_OPENAI_BASE_URL", "DIPTYCH_OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Server:
    """A server under the name its operator gave it."""

    server_id: str
    name: str
    base_url: str
    """Without a trailing slash."""
    key_variable: str
    """Environment variable of its key, which it may do without."""


def read_servers(environ: Mapping[str, str]) -> tuple[Server, ...]:
    """The servers of the environment. Raises: SettingsError for a name or address that cannot be used."""
    found = tuple(_servers(environ))
    names = [server.server_id for server in found]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{LIST_VARIABLE} names {name!r} twice.", LIST_VARIABLE)
    return found


def _servers(environ: Mapping[str, str]) -> Iterator[Server]:
    url = environ.get(_SINGLE_URL, "").strip()
    if url:
        yield Server("compatible", "Compatible server", _address(url, _SINGLE_URL), _SINGLE_KEY)
    for entry in environ.get(LIST_VARIABLE, "").split(","):
        if not entry.strip():
            continue
        name, _, url = (part.strip() for part in entry.partition("="))
        if not NAME.fullmatch(name):
            raise SettingsError(
                f"{LIST_VARIABLE} is written name=address, separated by commas; a name has small letters, digits, - and _, "
                "as in sd=http://127.0.0.1:1234/v1.",
                LIST_VARIABLE,
            )
        yield Server(name, name, _address(url, LIST_VARIABLE), f"DIPTYCH_SERVER_{name.upper().replace('-', '_')}_KEY")


def _address(url: str, variable: str) -> str:
    fault = address_fault(url.rstrip("/"))
    if fault:
        raise SettingsError(f"{variable} {fault}", variable)
    return url.rstrip("/")


def with_servers(catalog: Catalog, servers: Iterable[Server]) -> Catalog:
    """The catalogue with the servers as providers. Raises: SettingsError when a name is taken."""
    for server in servers:
        if any(row.provider_id == server.server_id for row in catalog.providers):
            raise SettingsError(
                f"{LIST_VARIABLE} names {server.server_id!r}, which is the name of a provider. Choose another.",
                LIST_VARIABLE,
            )
        row = server_row(server.server_id, server.name, server.base_url, key_variable=server.key_variable)
        catalog = catalog.with_provider(row)
    return catalog
