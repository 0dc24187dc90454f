"""Who calls from outside the page, with which keys for this one call and up to what price."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from playground.addresses import SettingsError
from playground.keys import CallKeys
from playground.services import Services
from playground.settings import Secret, clean_key
from ui.app import App, owner_of

if TYPE_CHECKING:
    import gradio as gr  # takes seconds to load, which commands other than `serve` do without

KEY_HEADER = "x-diptych-key-"
"""Then the provider's id, as `X-Diptych-Key-openai`."""
MOST_HEADER = "x-diptych-max-usd"
_USD = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    owner: str
    keys: CallKeys
    max_microusd: int | None = None
    """Most that one call may be expected to cost."""


def caller_of(app: App, request: HTTPConnection | gr.Request) -> Caller:
    """Whoever sent these headers.

    Raises: UnknownVisitor in public mode without a token; SettingsError when a key or an amount cannot be one.
    """
    headers = {name.lower(): str(value) for name, value in dict(request.headers).items()}
    owner = owner_of(app, request)
    return Caller(owner, CallKeys(app.services.keys, _keys(app.services, headers)), read_usd(headers.get(MOST_HEADER)))


def read_usd(text: str | None) -> int | None:
    """US dollars as micro-dollars. Raises: SettingsError when the text is no amount."""
    if text is None or not text.strip():
        return None
    if not _USD.fullmatch(text.strip()):
        raise SettingsError("The most that a call may cost must be US dollars, as 0.50.", "max_usd")
    whole, _, rest = text.strip().partition(".")
    return int(whole) * 1_000_000 + int(rest.ljust(6, "0"))


def _keys(services: Services, headers: Mapping[str, str]) -> dict[str, Secret]:
    known = {row.provider_id.lower(): row.provider_id for row in services.catalog.providers if row.key_variable}
    found = {}
    for name, text in headers.items():
        if not name.startswith(KEY_HEADER):
            continue
        provider_id = known.get(name.removeprefix(KEY_HEADER))
        if provider_id is None:
            raise SettingsError(f"There is no provider of the header {name[:60]}: {', '.join(known)}.", "key")
        try:
            found[provider_id] = Secret(clean_key(text))
        except SettingsError as error:
            raise SettingsError(f"{name}: {error}", "key") from None
    return found
