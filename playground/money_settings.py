"""What the environment says about money: limits in US dollars, and the zone in which days begin."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from playground.addresses import SettingsError
from storage.records import LimitAction, LimitSpan

MOST_USD = Decimal(1_000_000)
_PLACES = 6
_MOST_CHARS = 20


def read_limits(environ: Mapping[str, str]) -> dict[LimitSpan, int]:
    """The limits that are set, in micro-dollars. Raises: SettingsError."""
    found: dict[LimitSpan, int] = {}
    for span in get_args(LimitSpan):
        name = f"DIPTYCH_LIMIT_{span.upper()}"
        text = environ.get(name, "").strip()
        if text:
            amount = microusd_of(text)
            if amount is None:
                raise SettingsError(
                    f"{name} is {text[:40]!r}; it must be an amount in US dollars, as 5 or 0.50, below 1,000,000.", name
                )
            found[span] = amount
    return found


def microusd_of(text: str) -> int | None:
    """Micro-dollars of US dollars as `5`, `$0.50` or `1,200.00`; `None` when it is no amount, or finer than that."""
    plain = text.strip().removeprefix("$").replace(",", "")
    if not plain or len(plain) > _MOST_CHARS or not set(plain) <= set("0123456789."):
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    micro = amount.scaleb(_PLACES)
    return int(micro) if amount < MOST_USD and micro == micro.to_integral_value() else None


def read_limit_action(environ: Mapping[str, str]) -> LimitAction:
    """What becomes of a press that would pass a limit of the environment. Raises: SettingsError."""
    name = "DIPTYCH_LIMIT_ACTION"
    text = environ.get(name, "").strip().lower() or "block"
    if text not in ("block", "warn"):
        raise SettingsError(f"{name} is {text[:40]!r}; it must be block or warn.", name)
    return "warn" if text == "warn" else "block"


def read_time_zone(environ: Mapping[str, str]) -> str | None:
    """The zone that is set; `None`: none is. Raises: SettingsError when there is no such zone."""
    name = "DIPTYCH_TIME_ZONE"
    text = environ.get(name, "").strip()
    if text and not _is_zone(text):
        raise SettingsError(
            f"{name} is {text[:40]!r}; it must be the name of a time zone, as Europe/Berlin or UTC.", name
        )
    return text or None


def machine_zone(environ: Mapping[str, str]) -> str:
    """The name of this machine's time zone; UTC where it has none that is known."""
    target = str(Path("/etc/localtime").resolve())
    for name in (environ.get("TZ", "").lstrip(":"), target.partition("zoneinfo/")[2]):
        if name and _is_zone(name):
            return name
    return "UTC"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True
