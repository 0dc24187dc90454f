"""What the environment says about visitors of a public server: what each may use, who pays, and who the operator is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from typing import Literal

from playground.addresses import SettingsError
from playground.secrets import Secret
from storage.records import LimitAction, LimitSpan

ServerKeys = Literal["off", "signed-in", "everyone"]
"""Who may run on the server's own keys in public mode."""

_MOST = 1_000_000
_CAPS: tuple[LimitSpan, ...] = ("day", "visitor_day")
"""Must be set before visitors may spend on the server's keys."""
_SHORTEST_TOKEN = 16
"""Characters of the operator's token, and of the secret that signs the sessions of those who signed in."""


@dataclass(frozen=True, slots=True)
class VisitorLimits:
    """What one visitor may use of a public server. 0: no limit."""

    runs: int = 240
    """In any hour, Demo included."""
    running: int = 8
    """At the same time, waiting ones included."""
    votes: int = 400
    """In any hour."""
    uploads: int = 120
    """Files in any hour."""
    upload_mb: int = 500
    """In any hour."""
    storage_mb: int = 2000
    """Of images made and brought along."""
    key_tries: int = 30
    """Keys typed or tested in any hour."""
    address: int = 4
    """An address may use so many times what a visitor may: several people can share one."""


@dataclass(frozen=True, slots=True)
class PublicSettings:
    """What the operator decided about visitors; none of it holds in local mode."""

    limits: VisitorLimits = VisitorLimits()
    server_keys: ServerKeys = "off"
    server_offers: frozenset[str] = frozenset()
    """Offers that run on the server's keys; empty: all whose price is known."""
    operators: frozenset[str] = frozenset()
    """Hugging Face names, lower case, that run this server."""
    operator_token: Secret | None = None
    """Whoever types it in Settings runs this server."""
    trusted_proxies: int = 0
    """Proxies in front that say in `X-Forwarded-For` who asked."""
    can_sign_in: bool = False
    """Whether Hugging Face signs visitors in."""


def read_public(environ: Mapping[str, str]) -> PublicSettings:
    """The settings about visitors. Raises: SettingsError when a value cannot be used."""
    names = environ.get("DIPTYCH_OPERATORS", "").lower().split(",")
    offers = [name.strip() for name in environ.get("DIPTYCH_SERVER_OFFERS", "").split(",")]
    return PublicSettings(
        limits=read_visitor_limits(environ.get("DIPTYCH_VISITOR_LIMITS", "")),
        server_keys=_server_keys(environ),
        server_offers=frozenset(name for name in offers if name),
        operators=frozenset(name.strip() for name in names if name.strip()),
        operator_token=_operator_token(environ),
        trusted_proxies=_trusted_proxies(environ),
        can_sign_in=_can_sign_in(environ),
    )


def refuse_uncapped(public: PublicSettings, limits: Mapping[LimitSpan, int], action: LimitAction) -> None:
    """Raises: SettingsError where visitors may spend on the server's keys and nothing would stop them."""
    missing = [f"DIPTYCH_LIMIT_{span.upper()}" for span in _CAPS if span not in limits]
    if public.server_keys != "off" and missing:
        raise SettingsError(
            f"DIPTYCH_SERVER_KEYS lets visitors spend on your keys, and {' and '.join(missing)} says no limit. Set an amount "
            "in US dollars, as 2.",
            missing[0],
        )
    if public.server_keys != "off" and action != "block":
        raise SettingsError(
            "DIPTYCH_LIMIT_ACTION is warn, and DIPTYCH_SERVER_KEYS lets visitors spend on your keys. It must be block.",
            "DIPTYCH_LIMIT_ACTION",
        )


def read_visitor_limits(text: str) -> VisitorLimits:
    """The limits of a text as `runs=60, running=4`; what is not named keeps its default. Raises: SettingsError."""
    known = {field.name for field in fields(VisitorLimits)}
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (side.strip() for side in part.partition("="))
        if name not in known or not re.fullmatch(r"[0-9]{1,7}", number) or int(number) > _MOST:
            raise SettingsError(
                f"DIPTYCH_VISITOR_LIMITS holds {part[:40]!r}; it must be a name of {', '.join(sorted(known))}, then = and a "
                "whole number up to 1,000,000, as runs=60.",
                "DIPTYCH_VISITOR_LIMITS",
            )
        found[name] = int(number)
    return replace(VisitorLimits(), **found)


def _server_keys(environ: Mapping[str, str]) -> ServerKeys:
    match environ.get("DIPTYCH_SERVER_KEYS", "").strip().lower():
        case "" | "off":
            return "off"
        case "signed-in":
            return "signed-in"
        case "everyone":
            return "everyone"
        case other:
            raise SettingsError(
                f"DIPTYCH_SERVER_KEYS is {other[:40]!r}; it must be off, signed-in or everyone.", "DIPTYCH_SERVER_KEYS"
            )


def _operator_token(environ: Mapping[str, str]) -> Secret | None:
    token = environ.get("DIPTYCH_OPERATOR_TOKEN", "").strip()
    if token and len(token) < _SHORTEST_TOKEN:
        raise SettingsError(
            f"DIPTYCH_OPERATOR_TOKEN is too short; it must have {_SHORTEST_TOKEN} characters or more, or it can be guessed.",
            "DIPTYCH_OPERATOR_TOKEN",
        )
    return Secret(token) if token else None


def _trusted_proxies(environ: Mapping[str, str]) -> int:
    text = environ.get("DIPTYCH_TRUSTED_PROXIES", "").strip()
    if not text:
        # A Space is reached through its host's proxy only.
        return 1 if environ.get("SPACE_ID") else 0
    if not re.fullmatch(r"[0-9]", text):
        raise SettingsError(
            f"DIPTYCH_TRUSTED_PROXIES is {text[:40]!r}; it must be how many proxies stand in front, from 0 to 9.",
            "DIPTYCH_TRUSTED_PROXIES",
        )
    return int(text)


def _can_sign_in(environ: Mapping[str, str]) -> bool:
    """Only where Gradio signs people in for real: elsewhere it takes everybody for whoever owns the machine's token, and
    without a secret anybody could sign a session of their own.
    """
    is_space = environ.get("SYSTEM") == "spaces" and bool(environ.get("SPACE_ID"))
    is_told = all(environ.get(name, "").strip() for name in ("OAUTH_CLIENT_ID", "OAUTH_SCOPES", "OPENID_PROVIDER_URL"))
    is_secret = len(environ.get("OAUTH_CLIENT_SECRET", "").strip()) >= _SHORTEST_TOKEN
    # A Space installs these by itself; without one of them Gradio would not start.
    can_check = all(find_spec(name) is not None for name in ("authlib", "itsdangerous"))
    return is_space and is_told and is_secret and can_check
