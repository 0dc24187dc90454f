"""What somebody prefers: with which settings the form begins, and what is written into files they download."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from playground.services import Services
from providers.types import DEFAULT_TIMEOUT_S
from storage import preferences
from storage.engine import Database

Metadata = Literal["none", "embedded", "sidecar"]
"""Beside the bytes as they came: nothing, a copy with the settings inside, or a text file with them."""

QUALITIES = ("low", "medium", "high", "auto")
SIZES = ("1024x1024", "1536x1024", "1024x1536", "auto")
FORMATS = ("png", "jpeg", "webp")
MOST_IMAGES = 4
TIMEOUTS_S = (30.0, 1800.0)

_NAME = "form"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person set; what they did not has its default."""

    quality: str = "low"
    size: str = "1024x1024"
    output_format: str = "png"
    n: int = 1
    timeout_s: float = DEFAULT_TIMEOUT_S
    metadata: Metadata = "none"


def read(value: object, start: Preferences | None = None) -> Preferences:
    """The preferences of a JSON value from outside; what is none in it stays as at the start, or has its default."""
    given = value if isinstance(value, Mapping) else {}
    start = start or Preferences()
    n, timeout_s = given.get("n"), given.get("timeout_s")
    metadata = {name: name for name in get_args(Metadata)}
    return Preferences(
        quality=_among(given.get("quality"), QUALITIES, start.quality),
        size=_among(given.get("size"), SIZES, start.size),
        output_format=_among(given.get("output_format"), FORMATS, start.output_format),
        n=n if type(n) is int and 1 <= n <= MOST_IMAGES else start.n,
        timeout_s=_bounded(timeout_s, start.timeout_s),
        metadata=metadata.get(str(given.get("metadata")), start.metadata),
    )


async def of_owner(services: Services, owner: str) -> Preferences:
    """What the owner prefers."""

    def look(db: Database) -> object:
        return preferences.get(db, owner, _NAME)

    return read(await asyncio.to_thread(services.store.read, look))


async def keep(services: Services, owner: str, changed: object) -> None:
    """Keeps from now on what the owner preferred, with the fields of a JSON value from outside in place of theirs.

    Raises: StoreError.
    """

    def write(db: Database) -> None:
        # Read here, so that of two changes at once neither takes the other back.
        wanted = read(changed, read(preferences.get(db, owner, _NAME)))
        preferences.put(db, owner, _NAME, asdict(wanted), services.now())

    await asyncio.to_thread(services.store.write, write)


def _among(value: object, choices: tuple[str, ...], default: str) -> str:
    return value if isinstance(value, str) and value in choices else default


def _bounded(value: object, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return float(value) if TIMEOUTS_S[0] <= value <= TIMEOUTS_S[1] else default
