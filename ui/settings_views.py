"""Settings as JSON that scripts draw: what somebody prefers, and what is kept of them. Pure."""

from __future__ import annotations

from dataclasses import asdict

from playground.preferences import FORMATS, MOST_IMAGES, QUALITIES, SIZES, Preferences
from playground.settings import Settings
from storage.footprint import Footprint
from ui import privacy_words, views
from ui.history_views import View

_SIZE_WORDS = {"1024x1024": "Square", "1536x1024": "Landscape", "1024x1536": "Portrait", "auto": "Auto"}
_METADATA = (
    ("none", "Files as they came"),
    ("embedded", "A copy with the settings inside"),
    ("sidecar", "The file and a text file with the settings, as a ZIP"),
)
_TIMEOUTS = ((60, "1 minute"), (120, "2 minutes"), (300, "5 minutes"), (600, "10 minutes"), (1800, "30 minutes"))


def defaults_view(liked: Preferences, *, is_saved: bool = False) -> View:
    """The choices with what is chosen."""
    chosen = asdict(liked)
    timeouts = [(str(seconds), words) for seconds, words in _TIMEOUTS]
    if all(seconds != liked.timeout_s for seconds, _ in _TIMEOUTS):
        timeouts.append((f"{liked.timeout_s:g}", f"{liked.timeout_s:g} seconds"))
    fields = (
        ("quality", "Quality", [(name, name.capitalize()) for name in QUALITIES]),
        ("size", "Size", [(name, _SIZE_WORDS[name]) for name in SIZES]),
        ("output_format", "Format", [(name, "WebP" if name == "webp" else name.upper()) for name in FORMATS]),
        ("n", "Images per run", [(str(n), str(n)) for n in range(1, MOST_IMAGES + 1)]),
        ("timeout_s", "Time limit of a run", timeouts),
        ("metadata", "Downloads", list(_METADATA)),
    )
    return {
        "fields": [
            {"name": name, "label": label, "value": _text(chosen[name]), "choices": [list(each) for each in choices]}
            for name, label, choices in fields
        ],
        "is_saved": is_saved,
    }


def privacy_view(
    kept: Footprint,
    settings: Settings,
    *,
    is_private: bool,
    account: str | None,
    is_operator: bool,
    has_token: bool,
) -> View:
    """What is kept of a visitor, and what they can do about it."""
    is_public = settings.mode == "public"
    most = settings.public.limits.storage_mb * 1_000_000 if is_public else 0
    used = views.bytes_text(kept.all_bytes)
    room = f"{used} of {views.bytes_text(most)}" if most else used
    return {
        "is_public": is_public,
        "is_private": is_private,
        "private_words": privacy_words.PRIVATE + (" It runs on your own keys and the Demo only." if is_public else ""),
        "cards": [
            {
                "label": "Images",
                "figure": f"{kept.images + kept.uploads:,}",
                "note": room,
            },
            {"label": "Runs", "figure": f"{kept.runs:,}", "note": "with prompts and settings"},
            {
                "label": "Votes",
                "figure": f"{kept.votes:,}",
                "note": "without your name" if is_public else "on your boards",
            },
        ],
        "consent": privacy_words.CONSENT if is_public else "",
        "stored": [list(each) for each in privacy_words.STORED],
        "account": account,
        "can_sign_in": settings.public.can_sign_in and is_public,
        "is_operator": is_operator and is_public,
        "has_token": has_token and is_public,
        "words": "delete everything",
    }


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
