"""The only reader of the environment. `Settings.from_env` is called once, by `app.py`; everything else is handed values.

Each field names its variable and default in `VARIABLES`, from which the table in the README is made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from providers.catalog import Catalog

Mode = Literal["local", "public"]

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
PORTS = (0, 65535)
"""The lowest and the highest port to listen on."""


class SettingsError(ValueError):
    """A value cannot be used; the message names its variable, where it has one, and what is expected."""

    def __init__(self, message: str, variable: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable


class Secret:
    """A key that never prints. `reveal` is called where a request's headers are made and nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, as the README shows it."""

    name: str
    default: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("DIPTYCH_DATA_DIR", "`./data`", "Folder of the database and the images; always a local disk."),
    Variable(
        "DIPTYCH_MODE",
        "`local`",
        "`local`: one owner. `public`: each visitor sees only what is theirs, and the server's keys are not used. "
        "A Hugging Face Space is public by itself.",
    ),
    Variable("DIPTYCH_HOST", "`127.0.0.1`", "Address to listen on (`0.0.0.0` on a Space)."),
    Variable("DIPTYCH_PORT", "`7860`", "Port to listen on."),
    Variable(
        "DIPTYCH_ALLOWED_HOSTS", "none", "Further host names, separated by commas, that the page may be opened under."
    ),
    Variable("DIPTYCH_DEMO", "`on`", "`off` hides the Demo provider."),
    Variable("DIPTYCH_DRAIN_S", "`20`", "Seconds that a stop waits for calls under way."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided, read once."""

    data_dir: Path = Path("data")
    mode: Mode = "local"
    host: str = "127.0.0.1"
    port: int = 7860
    allowed_hosts: tuple[str, ...] = ()
    demo: bool = True
    drain_s: float = 20.0
    keys: Mapping[str, Secret] = field(default_factory=dict)
    """provider_id -> key from the environment."""
    base_urls: Mapping[str, str] = field(default_factory=dict)
    """provider_id -> base URL without a trailing slash, where the environment moves it."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], catalog: Catalog) -> Settings:
        """Settings from environment variables.

        Raises: SettingsError when a value cannot be used.
        """
        on_space = bool(environ.get("SPACE_ID"))
        mode = environ.get("DIPTYCH_MODE", "").strip() or ("public" if on_space else "local")
        if mode not in ("local", "public"):
            raise SettingsError(f"DIPTYCH_MODE is {mode!r}; it must be local or public.", "DIPTYCH_MODE")
        hosts = [name.strip() for name in environ.get("DIPTYCH_ALLOWED_HOSTS", "").split(",")]
        hosts += [name.strip() for name in environ.get("SPACE_HOST", "").split(",")]
        return cls(
            data_dir=Path(environ.get("DIPTYCH_DATA_DIR", "").strip() or "data"),
            mode="public" if mode == "public" else "local",
            host=environ.get("DIPTYCH_HOST", "").strip() or ("0.0.0.0" if on_space else "127.0.0.1"),  # noqa: S104 - a Space's container is reached only through its proxy
            port=_whole_number(environ, "DIPTYCH_PORT", 7860, low=PORTS[0], high=PORTS[1]),
            allowed_hosts=tuple(name for name in hosts if name),
            demo=_switch(environ, "DIPTYCH_DEMO", default=True),
            drain_s=float(_whole_number(environ, "DIPTYCH_DRAIN_S", 20, low=0, high=3600)),
            keys=_keys(environ, catalog),
            base_urls=_base_urls(environ, catalog),
        )


KEY_SHAPE = re.compile(r"[\x21-\x7e]{8,512}")
"""What can stand in a header: a stray space or line break would make the HTTP library print the whole key."""


def clean_key(text: str) -> str:
    """The key without the white space around it. Raises: SettingsError when it cannot be a key; never quotes it."""
    key = text.strip()
    if not KEY_SHAPE.fullmatch(key):
        raise SettingsError(
            "This is not a key: a key has 8 to 512 visible characters and no spaces. Copy it once more."
        )
    return key


def _keys(environ: Mapping[str, str], catalog: Catalog) -> dict[str, Secret]:
    found = {}
    for provider in catalog.providers:
        text = environ.get(provider.key_variable or "", "")
        if text.strip():
            try:
                found[provider.provider_id] = Secret(clean_key(text))
            except SettingsError as error:
                raise SettingsError(f"{provider.key_variable}: {error}", provider.key_variable) from None
    return found


def _base_urls(environ: Mapping[str, str], catalog: Catalog) -> dict[str, str]:
    found = {}
    for provider in catalog.providers:
        name = provider.base_url_variable or ""
        url = environ.get(name, "").strip().rstrip("/")
        if url:
            fault = _address_fault(url)
            if fault:
                raise SettingsError(f"{name} {fault}", name)
            found[provider.provider_id] = url
    return found


def _address_fault(url: str) -> str | None:
    """What is wrong with a base URL, without a word of it: what stands there by mistake may be a key."""
    address = (
        "is not an address. Write http or https, the host and the path, as https://host/v1 (its value is not shown)."
    )
    if not re.fullmatch(r"https?://[\x21-\x7e]+", url, re.IGNORECASE):
        return address
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return address
    if "@" in parts.netloc:
        return "holds a user name or password; leave them out."
    if "?" in url or "#" in url:
        return "holds a query or a fragment (what follows ? or #); leave it out. A key has a variable of its own."
    return None if _is_host(host, parts.netloc) and port != 0 else address


def _is_host(host: str, netloc: str) -> bool:
    """Whether a name or a number can be looked up; a name with an empty or too long part breaks the look-up itself."""
    if "[" in netloc:  # `urlsplit` has checked what is in the brackets, and not what follows them
        return re.fullmatch(r"\[[^]]+\](:[0-9]*)?", netloc) is not None
    return all(re.fullmatch(r"[A-Za-z0-9_-]{1,63}", label) for label in host.removesuffix(".").split("."))


def _whole_number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    # Bounded before it is read: Python refuses numbers of thousands of digits with an error of its own.
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text[:40]!r}; it must be a whole number from {low} to {high}.", name)
    return int(text)


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("on", "1", "true", "yes"):
        return True
    if text in ("off", "0", "false", "no"):
        return False
    raise SettingsError(f"{name} is {text[:40]!r}; it must be on or off.", name)


def environment() -> Mapping[str, str]:
    """The process environment; the one place that touches it."""
    return os.environ


def preset_environment(values: Mapping[str, str]) -> None:
    """Sets variables that libraries read when they are imported, where the operator has not set them."""
    for name, value in values.items():
        os.environ.setdefault(name, value)
