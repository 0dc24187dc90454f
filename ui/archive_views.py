"""Archives and recalled pictures in words, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from playground.bringing import Report
from playground.recall import Found, Recalled
from ui import views
from ui.history_views import when

View = dict[str, object]

_CERTAIN = 0.1


def report_document(report: Report, *, dry_run: bool) -> View:
    """What an archive brings, as every door tells it."""
    return {
        "dry_run": dry_run,
        "new": dict(report.new),
        "here": dict(report.here),
        "stay_deleted": report.stay_deleted,
        "new_files": report.new_files,
        "new_bytes": report.new_bytes,
        "exported_at": report.exported_at,
        "product_version": report.product_version,
    }


def report_sentences(report: Report, *, dry_run: bool) -> list[str]:
    """The same for people."""
    said = []
    if report.brings_nothing:
        said.append("Everything in it is here already. Nothing was changed.")
    else:
        verb = "would come" if dry_run else "came"
        said.append(f"{counted_words(report.new)} {verb} in, with {views.bytes_text(report.new_bytes)} of files.")
        if any(report.here.values()):
            stays = "would stay as they are" if dry_run else "stay as they are"
            said.append(f"{counted_words(report.here)} are here already and {stays}.")
    if report.stay_deleted:
        were = "was" if report.stay_deleted == 1 else "were"
        said.append(
            f"{views.counted(report.stay_deleted, 'run')} of it {were} deleted for ever here and will not return."
        )
    return said


def counted_words(counts: Mapping[str, int]) -> str:
    """`3 runs, 4 images and 1 vote`."""
    parts = [views.counted(counts[name], name[:-1]) for name in ("runs", "images", "votes") if counts[name]]
    *first, last = parts or ["Nothing else"]
    return f"{', '.join(first)} and {last}" if first else last


def found_words(found: Found) -> str:
    """How sure it is, in words."""
    if found.how == "bytes":
        made = {"image": "The very file", "converted": "A copy made of it here", "locked": "Made of it here: locked"}
        return made.get(found.made, "Made of it here: map of changes")
    if found.how == "settings":
        return "By the settings in the file"
    if found.apart <= _CERTAIN:
        return "Looks the same"
    return "Very likely this one" if found.is_match else "Looks similar"


def recalled_view(recalled: Recalled) -> View:
    """The best images as the page shows them."""
    rows = [
        {
            "run_id": one.look.run.run_id,
            "position": one.look.image.position,
            "thumb": views.thumb_url(one.look.image.sha256),
            "prompt": one.look.run.prompt,
            "offer": one.look.run.offer,
            "when": when(one.look.image.created_at),
            "words": found_words(one),
            "distance": f"distance {one.apart:.2f}" if one.how == "look" else "",
            "is_match": one.is_match,
        }
        for one in recalled.found
    ]
    said = recalled.settings
    return {
        "state": "found" if rows else "none",
        "rows": rows,
        "has_match": any(one.is_match for one in recalled.found),
        "settings": {"offer": said.offer, "prompt": said.prompt[:600]} if said and not rows else None,
        "unseen": recalled.unseen,
    }
