"""Handlers of the Playground called as functions: values of the form in, and what they answer by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ui.pages.playground import form

START = {
    "prompt": "A red fox",
    "variables": {"rows": []},
    "offers": {"ticked": ["demo/flat"]},
    "size": "1024x1024",
    "other_size": "auto",
    "width": 1024,
    "height": 1024,
    "ratio": "1:1",
    "ratio_text": "5:4",
    "resolution": "1K",
    "quality": "low",
    "references": {"items": [], "mask": None, "notes": []},
    "n": 1,
    "background": "auto",
    "output_format": "png",
    "output_compression": 90,
    "moderation": "auto",
    "input_fidelity": "model",
    "partial_images": "2",
    "user": "",
    "timeout_s": 300,
    "sweep": {},
}


def values(**changes: object) -> list[object]:
    return list((START | changes).values())


def event(**data: object) -> Any:
    return SimpleNamespace(**data)


def shown(answer: list[Any]) -> dict[str, Any]:
    """The answer of a handler by name: outlook, draft, each field's update, and the words on Run."""
    return dict(zip(("outlook", "draft", *form.NAMES, "run"), answer, strict=True))


def states(results: dict[str, Any]) -> list[str]:
    return [tile["state"] for group in results["groups"] for tile in group["tiles"]]
