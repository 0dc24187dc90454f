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


class SettingsError(ValueError):
    """A variable has a value that cannot be used; the message names it and what is expected."""


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
            raise SettingsError(f"DIPTYCH_MODE is {mode!r}; it must be local or public.")
        hosts = [name.strip() for name in environ.get("DIPTYCH_ALLOWED_HOSTS", "").split(",")]
        hosts += [name.strip() for name in environ.get("SPACE_HOST", "").split(",")]
        return cls(
            data_dir=Path(environ.get("DIPTYCH_DATA_DIR", "").strip() or "data"),
            mode="public" if mode == "public" else "local",
            host=environ.get("DIPTYCH_HOST", "").strip() or ("0.0.0.0" if on_space else "127.0.0.1"),  # noqa: S104 - a Space's container is reached only through its proxy
            port=_whole_number(environ, "DIPTYCH_PORT", 7860, low=0, high=65535),
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
                raise SettingsError(f"{provider.key_variable}: {error}") from None
    return found


def _base_urls(environ: Mapping[str, str], catalog: Catalog) -> dict[str, str]:
    found = {}
    for provider in catalog.providers:
        url = environ.get(provider.base_url_variable or "", "").strip().rstrip("/")
        if url:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise SettingsError(f"{provider.base_url_variable} is {url!r}; it must be an http or https address.")
            if parts.username or parts.password:
                raise SettingsError(f"{provider.base_url_variable} holds a user name or password; leave them out.")
            found[provider.provider_id] = url
    return found


def _whole_number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text!r}; it must be a whole number from {low} to {high}.")
    return int(text)


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("on", "1", "true", "yes"):
        return True
    if text in ("off", "0", "false", "no"):
        return False
    raise SettingsError(f"{name} is {text!r}; it must be on or off.")


def environment() -> Mapping[str, str]:
    """The process environment; the one place that touches it."""
    return os.environ


def preset_environment(values: Mapping[str, str]) -> None:
    """Sets variables that libraries read when they are imported, where the operator has not set them."""
    for name, value in values.items():
        os.environ.setdefault(name, value)
