"""What the details beside the grid say of a run besides its fields: times, money, where it came from, words put on it. Pure."""

from __future__ import annotations

from datetime import datetime

from playground.library import Details
from providers.catalog import Catalog
from storage.lineage import Branch
from storage.records import OPEN_STATES, LedgerLine, RunView
from storage.votes import Said
from ui import views
from ui.arena_views import maker
from ui.history_views import View, details_view, when

_LEDGER_WORDS = {"reserved": "Reserved", "settled": "Paid", "released": "Let go", "unknown": "Unknown"}


def full_view(details: Details, position: int, catalog: Catalog) -> View:
    """All of it, shown by the image at `position`, or the first where there is no such one."""
    view, run = details.view, details.view.run
    shown = details_view(view, position, catalog)
    image = shown["image"]
    place = image["position"] if isinstance(image, dict) else None
    model, provider = maker(catalog, run.offer)
    facts = shown["facts"]
    return shown | {
        "model": model,
        "provider": provider,
        # Said above the image, and with the times.
        "facts": _votes(details.said)
        + ([one for one in facts if one["label"] not in ("Offer", "Time", "Made")] if isinstance(facts, list) else []),
        "group_id": run.group_id,
        "is_open": run.state in OPEN_STATES,
        "is_trashed": run.trashed_at is not None,
        "template": details.template if details.template != run.prompt and details.kind != "sweep" else None,
        "note": run.note,
        "tags": list(run.tags),
        "times": _times(view),
        "lines": [_line(line) for line in details.lines],
        "partials": [
            {"thumb": views.thumb_url(one.sha256), "url": views.media_url(one.sha256, one.media_type)}
            for one in view.partials
            if one.image_position == place
        ],
        "came_from": _branch(details.came_from, catalog),
        "led_to": _branch(details.led_to, catalog),
        "branch": _branch_words(details),
        "same": list(details.same),
        "link": f"#history/run/{run.run_id}",
    }


def _votes(said: Said) -> list[View]:
    parts = ((said.won, "won"), (said.lost, "lost"), (said.even, "even"), (said.both_bad, "both bad"))
    words = views.sentence([f"{count} {word}" for count, word in parts if count])
    return [{"label": "Blind votes", "text": words, "mono": False}] if words else []


def _times(view: RunView) -> list[View]:
    """When it was queued, and from there on how long after."""
    run = view.run
    times: list[tuple[str, str]] = [("Queued", when(run.queued_at))]
    if run.sent_at:
        times.append(("Sent", _after(run.queued_at, run.sent_at, "after that")))
    if run.first_byte_ms is not None:
        times.append(("First byte", f"{views.seconds(run.first_byte_ms)} after sending"))
    if run.first_preview_ms is not None:
        times.append(("First preview", f"{views.seconds(run.first_preview_ms)} after sending"))
    if run.latency_ms is not None:
        times.append(("Done", f"{views.seconds(run.latency_ms)} after sending"))
    elif run.finished_at:
        times.append(("Ended", _after(run.sent_at or run.queued_at, run.finished_at, "later")))
    return [{"label": label, "text": text} for label, text in times]


def _after(start: str, end: str, words: str) -> str:
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return f"{views.seconds(max(0, round(passed.total_seconds() * 1000)))} {words}"


def _line(line: LedgerLine) -> View:
    amount = "unknown" if line.amount_microusd is None else views.cost(line.amount_microusd)
    return {
        "label": _LEDGER_WORDS[line.state],
        "text": views.sentence(
            [amount, "" if line.state == "released" else line.source.replace("_", " "), line.price_id or ""]
        ),
    }


def _branch(branch: Branch, catalog: Catalog) -> View | None:
    if not branch.count:
        return None
    more = branch.count - len(branch.runs)
    return {"runs": [_relative(view, catalog) for view in branch.runs], "more": f"and {more} more" if more else ""}


def _relative(view: RunView, catalog: Catalog) -> View:
    model, _ = maker(catalog, view.run.offer)
    image = next(iter(view.all_images), None)
    return {
        "run_id": view.run.run_id,
        "thumb": views.thumb_url(image.sha256) if image else None,
        "words": f"{model}, {when(view.run.queued_at)}",
    }


def _branch_words(details: Details) -> str:
    """What the run came to together with all before and after it in its line."""
    both = (details.came_from, details.led_to)
    count = 1 + sum(branch.count for branch in both)
    if count == 1:
        return ""
    own = details.view.cost_microusd
    known = (own or 0) + sum(branch.cost_microusd for branch in both)
    unknown = (own is None) + sum(branch.unknown for branch in both)
    cost = views.cost(known) + (f" and {unknown} unknown" if unknown else "")
    return f"{views.counted(count, 'run')}, {cost}"
