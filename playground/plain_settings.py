"""Numbers, switches and amounts as the environment gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playground.addresses import SettingsError


def whole_number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    """A number within these bounds. Raises: SettingsError."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    # Bounded before it is read: Python refuses numbers of thousands of digits with an error of its own.
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text[:40]!r}; it must be a whole number from {low} to {high}.", name)
    return int(text)


def switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    """On or off. Raises: SettingsError."""
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("on", "1", "true", "yes"):
        return True
    if text in ("off", "0", "false", "no"):
        return False
    raise SettingsError(f"{name} is {text[:40]!r}; it must be on or off.", name)


def usd(environ: Mapping[str, str], name: str, *, default: int) -> int | None:
    """Micro-dollars; 0 is no limit. Raises: SettingsError."""
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", text, re.ASCII):
        raise SettingsError(f"{name} is {text[:40]!r}; it must be US dollars, as 0.50.", name)
    whole, _, rest = text.partition(".")
    return int(whole) * 1_000_000 + int(rest.ljust(6, "0")) or None
