"""Takes keys out of any text that leaves the provider layer: errors, logs, stored documents."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_KEY_LIKE = re.compile(
    r"(sk-[A-Za-z0-9_*\-]{6,}|r8_[A-Za-z0-9]{8,}|hf_[A-Za-z0-9]{8,}"
    r"|(?<=Bearer )[^\s'\",;]{6,}|(?<=[?&]key=)[^&\s]+|(?<=[?&]api_key=)[^&\s]+|(?<=[?&]token=)[^&\s]+)"
)

_MAX_WORDS = 600


def without_keys(text: str, *keys: str | None) -> str:
    """The text with the given keys, and whatever looks like a key, replaced."""
    for key in keys:
        if key:
            text = text.replace(key, HIDDEN)
    return _KEY_LIKE.sub(HIDDEN, text)


def bytes_without_key(data: bytes, key: str | None) -> bytes:
    """The data with the key replaced, before anybody reads or shortens it."""
    return data.replace(key.encode(), HIDDEN.encode()) if key else data


def provider_words(text: object) -> str:
    """What a provider said, fit to be shown: one line, bounded, without what looks like a key or a control character."""
    words = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    words = without_keys(words)
    return words if len(words) <= _MAX_WORDS else f"{words[:_MAX_WORDS]}…"
