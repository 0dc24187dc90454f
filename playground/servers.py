"""OpenAI-compatible servers that the operator names: each becomes a provider of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from playground.addresses import SettingsError, address_fault
from providers.adapters.compatible import REFERENCES, AnswerForm, CompatibleFacts, ImagesField
from providers.catalog import Catalog
from providers.rows.compatible import MAX_N, USUAL_FACTS, USUAL_N
from providers.rows.compatible import server as server_row

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""What a server may be called; it is the first part of its offers' names."""

LIST_VARIABLE = "DIPTYCH_SERVERS"
_SINGLE_URL, _SINGLE_KEY = "DIPTYCH_OPENAI_BASE_URL", "DIPTYCH_OPENAI_API_KEY"

_OPTIONS = (
    "Options follow the address, each after a semicolon: edits=no, images=image, images=image[], images=ref_images, "
    f"mask=FIELD, max_n=1 to {MAX_N}, response_format=b64_json, response_format=url, response_format=no."
)
_IMAGES_FIELDS: Mapping[str, ImagesField] = {"image": "image", "image[]": "image[]", "ref_images": "ref_images"}
_ANSWER_FORMS: Mapping[str, AnswerForm | None] = {"b64_json": "b64_json", "url": "url", "no": None}
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}(\[\])?")
_SAID_ELSEWHERE = {
    *("model", "prompt", "n", "size", "quality", "background", "moderation", "user", "stream", "partial_images"),
    *(
        "output_format",
        "output_compression",
        "input_fidelity",
        "response_format",
        "image",
        "image[]",
        "mask",
        REFERENCES,
    ),
}
"""Fields that a request or an option decides."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under the name its operator gave it."""

    server_id: str
    name: str
    base_url: str
    """Without a trailing slash."""
    key_variable: str
    """Environment variable of its key, which it may do without."""
    facts: CompatibleFacts = USUAL_FACTS
    """How it wants its calls."""
    has_edits: bool = True
    max_n: int = USUAL_N
    """Images of one call."""


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
        address, options = _split(url)
        named = Server("compatible", "Compatible server", _address(address, _SINGLE_URL), _SINGLE_KEY)
        yield _with_options(named, options, _SINGLE_URL, environ)
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
        address, options = _split(url)
        named = Server(name, name, _address(address, LIST_VARIABLE), f"{_prefix(name)}_KEY")
        yield _with_options(named, options, LIST_VARIABLE, environ)


def _prefix(server_id: str) -> str:
    """What the names of the server's own variables begin with."""
    return f"DIPTYCH_SERVER_{server_id.upper().replace('-', '_')}"


def _split(text: str) -> tuple[str, list[str]]:
    """The address, and the options behind it."""
    address, *options = (part.strip() for part in text.split(";"))
    return address, [option for option in options if option]


def _with_options(server: Server, options: Iterable[str], variable: str, environ: Mapping[str, str]) -> Server:
    """The server as its options and its further fields have it. Raises: SettingsError, which never quotes a value."""
    seen: set[str] = set()
    for option in options:
        name, _, value = (part.strip() for part in option.partition("="))
        changed = _with_option(server, name, value)
        if changed is None or name in seen:
            raise SettingsError(f"{variable}: an option of {server.server_id!r} cannot be read. {_OPTIONS}", variable)
        seen.add(name)
        server = changed
    extra_variable = f"{_prefix(server.server_id)}_EXTRA"
    extra = _extra(environ.get(extra_variable, ""), extra_variable)
    facts = replace(server.facts, extra=extra)
    if facts.mask_field in extra:
        raise SettingsError(f"{extra_variable} names the field of the mask.", extra_variable)
    if facts.mask_field is not None and (facts.images_field == REFERENCES or not server.has_edits):
        raise SettingsError(
            f"{variable}: {server.server_id!r} has a mask and no edits. Leave one of the two out.", variable
        )
    return replace(server, facts=facts)


def _with_option(server: Server, name: str, value: str) -> Server | None:
    """The server with the option; `None` when it is none."""
    facts = server.facts
    match name, value:
        case "edits", "yes" | "no":
            return replace(server, has_edits=value == "yes")
        case "images", _ if value in _IMAGES_FIELDS:
            return replace(server, facts=replace(facts, images_field=_IMAGES_FIELDS[value]))
        case "mask", "no":
            return server
        case "mask", _ if _FIELD.fullmatch(value) and value not in _SAID_ELSEWHERE - {"mask"}:
            return replace(server, facts=replace(facts, mask_field=value))
        case "max_n", _ if re.fullmatch(r"\d{1,2}", value, re.ASCII) and 1 <= int(value) <= MAX_N:
            return replace(server, max_n=int(value))
        case "response_format", _ if value in _ANSWER_FORMS:
            return replace(server, facts=replace(facts, answer_form=_ANSWER_FORMS[value]))
    return None


def _extra(text: str, variable: str) -> dict[str, object]:
    """Further fields of each call. Raises: SettingsError."""
    if not text.strip():
        return {}
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict) or any(value is None for value in fields.values()):
        raise SettingsError(
            f'{variable} is no JSON object of fields, as {{"seed": 7, "negative_prompt": "text"}}; null is no value.',
            variable,
        )
    for name in fields:
        if name in _SAID_ELSEWHERE:
            raise SettingsError(f"{variable} names {name!r}, which each request decides for itself.", variable)
        if not _FIELD.fullmatch(name):
            raise SettingsError(f"{variable} holds a name that is no field's: letters, digits and _.", variable)
    return fields


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
        row = server_row(
            server.server_id,
            server.name,
            server.base_url,
            key_variable=server.key_variable,
            facts=server.facts,
            has_edits=server.has_edits,
            max_n=server.max_n,
        )
        catalog = catalog.with_provider(row)
    return catalog
