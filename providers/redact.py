"""Takes keys out of any text that leaves the provider layer: errors, logs, stored documents."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

# Without a letter before it: `task-oriented` and `risk-averse` hold no key.
_KEY_LIKE = re.compile(
    r"((?<![A-Za-z0-9])sk-[A-Za-z0-9_*\-]{6,}|r8_[A-Za-z0-9]{8,}|hf_[A-Za-z0-9]{8,}"
    r"|(?<=Bearer )[^\s'\",;]{6,}|(?<=[?&]key=)[^&\s]+|(?<=[?&]api_key=)[^&\s]+|(?<=[?&]token=)[^&\s]+)"
)

_MAX_WORDS = 600
_SHORTEST_HALF = 6
"""Characters of a key's half that are worth hiding; fewer stand in words by chance."""


def without_keys(text: str, *keys: str | None) -> str:
    """The text with the given keys, and whatever looks like a key, replaced."""
    for key in keys:
        if key:
            text = text.replace(key, HIDDEN)
    return _KEY_LIKE.sub(HIDDEN, text)


def with_halves(key: str | None) -> tuple[str, ...]:
    """The key, and of one that is written `id:secret`, as fal's, its secret alone too."""
    if not key:
        return ()
    secret = key.partition(":")[2]
    return (key, secret) if len(secret) >= _SHORTEST_HALF else (key,)


def bytes_without_key(data: bytes, key: str | None) -> bytes:
    """The data with the key replaced, also where JSON writes it with escapes, before anybody reads or shortens it."""
    if not key:
        return data
    data = data.replace(key.encode(), HIDDEN.encode())
    return _in_json(key).sub(HIDDEN.encode(), data) if b"\\" in data else data


def _in_json(key: str) -> re.Pattern[bytes]:
    """The key in every way in which a JSON text can write it."""
    return re.compile(b"".join(_any_form(char) for char in key))


def _any_form(char: str) -> bytes:
    units = char.encode("utf-16-be").hex()
    codes = "".join(rf"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
    forms = [re.escape(char).encode(), f"(?i:{codes})".encode()]
    if char in '"\\/':
        forms.insert(0, re.escape(f"\\{char}").encode())
    return b"(?:" + b"|".join(forms) + b")"


def provider_words(text: object) -> str:
    """What a provider said, fit to be shown: one line, bounded, without what looks like a key or a control character."""
    words = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    words = without_keys(words)
    return words if len(words) <= _MAX_WORDS else f"{words[:_MAX_WORDS]}…"
