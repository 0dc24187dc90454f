"""What may stand in a setting that names an address. Pure; a value is never quoted, for it may be a key by mistake."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """A value cannot be used; the message names its variable, where it has one, and what is expected."""

    def __init__(self, message: str, variable: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable


def address_fault(url: str) -> str | None:
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
