"""What the lock outside a mask made of an image, as a tile shows it. Pure."""

from __future__ import annotations

from playground.lock_keeping import drift_of
from playground.locking import Drift
from storage.records import ImageLock
from ui import views

Json = dict[str, object]

_STILL = 0.05
"""Percent of difference outside the mask below which nothing is to be seen."""


def lock_view(lock: ImageLock | None) -> Json | None:
    """The locked picture, the map of where the answer was off, and both in words; `None` where no lock was asked."""
    if lock is None:
        return None
    if lock.state == "due":
        return {"state": "due", "words": "Putting the original back outside the mask…"}
    if lock.locked is None:
        return {"state": "refused", "words": f"Not locked. {lock.note}".strip()}
    made, heat = lock.locked, lock.drift
    drift = drift_of(heat) if heat else None
    return {
        "state": "made",
        "thumb": views.thumb_url(made.sha256),
        "original": views.media_url(made.sha256, made.media_type),
        "size": views.size(made.width, made.height),
        "words": _drift_words(drift) if drift else "Locked outside the mask.",
        "note": lock.note,
        "heat": views.media_url(heat.sha256, heat.media_type) if heat and drift and _has_drifted(drift) else None,
    }


def _has_drifted(drift: Drift) -> bool:
    return drift.percent is not None and drift.percent >= _STILL


def _drift_words(drift: Drift) -> str:
    """How far the model went outside the mask, before the original was put back."""
    if drift.percent is None or drift.visible_share is None:
        return "Nothing lies outside the mask."
    if not _has_drifted(drift):
        return "The model left everything outside the mask alone."
    share = drift.visible_share
    told = "under 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")
    return f"Outside the mask the model changed {told} visibly ({drift.percent:.1f} % on average); the original was put back."
