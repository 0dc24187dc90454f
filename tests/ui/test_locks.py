"""What a tile says of a lock: while it is due, when it could not be made, and how far the model had gone."""

from __future__ import annotations

from typing import Any

import pytest

from storage.records import DerivedImage, ImageLock
from ui.locks import lock_view

AT = "2026-11-21T10:15:30.123Z"


def derived(kind: Any, **figures: object) -> DerivedImage:
    return DerivedImage("i", kind, ("a" if kind == "locked" else "b") * 64, "image/png", 30, 20, 9, figures, AT)


def made(percent: float | None, share: float | None) -> dict[str, Any]:
    drift = derived("drift", percent=percent, visible_share=share, largest_steps=9, pixels=600)
    found = lock_view(ImageLock("i", "made", "", 1, AT, derived("locked"), drift))
    assert found is not None
    return found


def test_no_lock_says_nothing_and_one_that_is_due_says_so() -> None:
    assert lock_view(None) is None
    due = lock_view(ImageLock("i", "due", "", 0, AT))
    assert due is not None
    assert due["state"] == "due"
    refused = lock_view(ImageLock("i", "refused", "It has another shape.", 1, AT))
    assert refused == {"state": "refused", "words": "Not locked. It has another shape."}


@pytest.mark.parametrize(
    ("percent", "share", "words"),
    [
        (None, None, "Nothing lies outside the mask."),
        (0.01, 0.0, "The model left everything outside the mask alone."),
        (
            0.4,
            0.004,
            "Outside the mask the model changed under 1 % visibly (0.4 % on average); the original was put back.",
        ),
        (7.31, 0.42, "Outside the mask the model changed 42 % visibly (7.3 % on average); the original was put back."),
    ],
)
def test_the_drift_is_said_in_words(percent: float | None, share: float | None, words: str) -> None:
    assert made(percent, share)["words"] == words


def test_the_map_is_shown_only_where_there_is_something_on_it() -> None:
    assert made(0.01, 0.0)["heat"] is None
    far = made(7.3, 0.4)
    assert far["heat"] == f"media/{'b' * 64}.png"
    assert (far["original"], far["size"]) == (f"media/{'a' * 64}.png", "30 × 20")
