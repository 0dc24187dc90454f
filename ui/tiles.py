"""Groups and runs as the JSON that the results draw: tiles with a state, words, money and actions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena import choosing
from playground import delivery
from playground.asked import request_of
from playground.library import GroupView
from providers.catalog import Catalog, UnknownOffer
from providers.sizes import parse_size, resolve_size
from storage.records import OPEN_STATES, RunView, StoredImage, StoredPartial
from ui import views
from ui.failed_tiles import failure_view
from ui.locks import lock_view
from ui.naming import format_word, offer_names
from ui.parity import parity_view
from ui.sweep_views import grid_view

Json = dict[str, object]

DRIFTED = "Drifted"
"""Badge of an image whose model changed what lies outside the mask."""


@dataclass(frozen=True, slots=True)
class Live:
    """What only this process knows of a run under way."""

    note: str | None = None
    place_in_line: int | None = None
    is_parked: bool = False
    """Whether it waits for its owner to come back with a key."""


LiveOf = Callable[[str], Live]


def group_view(group: GroupView, catalog: Catalog, live_of: LiveOf) -> Json:
    """One group with all its tiles."""
    return {
        "id": group.group.group_id,
        "at": group.group.created_at,
        "prompt": group.group.template,
        "caption": caption(group.runs),
        # Images of two models that can be told apart only by looking.
        "vote": f"#arena/group/{group.group.group_id}" if choosing.pairs_of(group.runs) else None,
        "parity": parity_view(group.runs, catalog),
        "grid": grid_view(group),
        "again": views.sentence(["Again", views.estimated(group.runs)]),
        "tiles": [
            tile | {"prompt": run.run.prompt if run.run.prompt != group.group.template else ""}
            for run in group.runs
            for tile in tiles_of(run, catalog, live_of(run.run.run_id))
        ],
    }


def caption(runs: Sequence[RunView]) -> str:
    """What stands under the prompt after the time: `2 runs · $0.092 so far, $0.041 reserved · 1 refused`."""
    return views.sentence([views.counted(len(runs), "run"), _money_so_far(runs), _exceptions(runs)])


def _money_so_far(runs: Sequence[RunView]) -> str:
    settled = [run.cost_microusd or 0 for run in runs if run.ledger_state == "settled"]
    reserved = [run.run.estimate_microusd for run in runs if run.ledger_state == "reserved"]
    held = sum(amount for amount in reserved if amount is not None)
    is_open = any(run.run.state in OPEN_STATES for run in runs)
    # A run that ended as unknown is named among the exceptions.
    unknown = sum(run.ledger_state == "unknown" and end_of(run) != "unknown" for run in runs)
    spent = sum(settled)
    if not spent and not held and not unknown and None not in reserved:
        if all(run.run.estimate_microusd == 0 for run in runs):
            return "free"
        return "" if is_open or any(run.ledger_state == "unknown" for run in runs) else "nothing billed"
    parts = [f"{views.dollars(spent)} so far" if is_open else views.dollars(spent)]
    if held:
        parts.append(f"{views.dollars(held)} reserved")
    if unknown:
        parts.append(f"cost of {unknown} unknown")
    return ", ".join(parts)


def _exceptions(runs: Sequence[RunView]) -> str:
    counts: dict[str, int] = {}
    for run in runs:
        word = "incomplete" if _is_incomplete(run) else end_of(run)
        if word in ("failed", "refused", "unknown", "stopped", "incomplete"):
            counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _is_incomplete(run: RunView) -> bool:
    return run.run.state == "succeeded" and len(run.all_images) < (_number(run.run.asked.get("n")) or 1)


# Tiles


def tiles_of(run: RunView, catalog: Catalog, live: Live) -> list[Json]:
    """One tile for each image asked for that is not in the trash; a run that gave none is one tile, which says why."""
    asked = max(_number(run.run.asked.get("n")) or 1, len(run.all_images))
    if run.run.state not in (*OPEN_STATES, "succeeded") and not run.all_images:
        return [_tile(run, 0, 1, catalog, live)]
    in_trash = {image.position for image in run.trashed}
    return [_tile(run, position, asked, catalog, live) for position in range(asked) if position not in in_trash]


def _tile(run: RunView, position: int, of: int, catalog: Catalog, live: Live) -> Json:
    model, provider = offer_names(run.run.offer, catalog)
    image = next((item for item in run.images if item.position == position), None)
    state = "done" if image else "parked" if live.is_parked else _state(run)
    partials = [item for item in run.partials if item.image_position == position]
    asked = asked_size(run, catalog)
    width, height = asked or (_first_size(run) if state == "done" else None) or (1, 1)
    newest = max(partials, key=lambda item: item.partial_position, default=None)
    return {
        "id": f"{run.run.run_id}:{position}",
        "run": run.run.run_id,
        "position": position,
        "state": state,
        "model": model,
        "provider": provider,
        "alt": run.run.prompt,
        "ratio": f"{width} / {height}",
        "image": _image(image) if image else None,
        "lock": lock_view(run.lock_of(image.image_id)) if image else None,
        "preview": views.media_url(newest.sha256, newest.media_type) if newest and not image else None,
        "previews": previews_of(run, partials) if image else [],
        "badges": badges_of(run, image) if image else [],
        "favourite": image.favourite if image else False,
        "tags": list(run.run.tags),
        "progress": [len(partials), _number(run.run.asked.get("partial_images")) or 0],
        "waits": _waits(run, live, provider or model) if state == "queued" or live.note else "",
        "waits_for": f"#settings/{run.run.offer.partition('/')[0]}" if state == "parked" else None,
        "failure": failure_view(run, end_of(run), provider or model) if state in _ENDS else None,
        "chips": _chips(run, state, position, of, image, len(partials)),
        "figures": _figures(run, image, asked),
        "since": run.run.sent_at if state == "running" else run.run.queued_at if state == "queued" else None,
        "first": views.seconds(run.run.first_preview_ms) if state == "running" else "",
    }


def previews_of(run: RunView, partials: Sequence[StoredPartial]) -> list[Json]:
    """The previews that came before an image, in order, for the strip under it."""
    return [
        {
            "thumb": views.thumb_url(one.sha256),
            "src": views.media_url(one.sha256, one.media_type),
            "words": f"Preview {number}{_when_seen(run, one)}",
        }
        for number, one in enumerate(sorted(partials, key=lambda one: one.partial_position), start=1)
    ]


def _when_seen(run: RunView, partial: StoredPartial) -> str:
    if (partial.image_position, partial.partial_position) == (0, 0) and run.run.first_preview_ms is not None:
        return f" at {views.seconds(run.run.first_preview_ms)}"
    return views.after(run.run.sent_at, partial.at)


def badges_of(run: RunView, image: StoredImage) -> list[str]:
    """What the filter over the results knows the image by: whatever was noticed on its arrival, and a drift."""
    noticed = [check.label for check in delivery.checks_of(run.run.asked, image)]
    lock = lock_view(run.lock_of(image.image_id))
    return [*noticed, DRIFTED] if lock and lock.get("heat") else noticed


_ENDS = ("failed", "refused", "unknown", "stopped", "missing")


def _state(run: RunView) -> str:
    if run.run.state == "queued":
        return "queued"
    if run.run.state in OPEN_STATES:
        return "running"
    return end_of(run)


def end_of(run: RunView) -> str:
    """How a run without (all) its images ended, as a word."""
    kind = run.run.error.kind if run.run.error else ""
    if run.run.state == "succeeded":
        return "missing"
    if run.run.state in OPEN_STATES:
        return "running"
    if run.run.state == "cancelled" or (run.run.state == "unknown" and kind == "cancelled"):
        return "stopped"
    if kind == "moderation":
        return "refused"
    return "unknown" if run.run.state == "unknown" else "failed"


def asked_size(run: RunView, catalog: Catalog) -> tuple[int, int] | None:
    """The size asked for, or what ratio and resolution came to; for `auto`, that of the image being edited, which models
    keep; else `None`.
    """
    text = run.run.asked.get("size")
    size = parse_size(text) if isinstance(text, str) else None
    size = size or _size_of_ratio(run, catalog)
    base = next((item for item in run.inputs if item.role == "image" and item.position == 0), None)
    return size or ((base.width, base.height) if base else None)


def _size_of_ratio(run: RunView, catalog: Catalog) -> tuple[int, int] | None:
    ratio, resolution = (run.run.asked.get(name) for name in ("aspect_ratio", "resolution"))
    if not (isinstance(ratio, str) or isinstance(resolution, str)):
        return None
    asked = request_of({"prompt": run.run.prompt, "aspect_ratio": ratio, "resolution": resolution}, (), None)
    try:
        rule = catalog.spec(catalog.offer(run.run.offer)).sizes
    except UnknownOffer:
        return None
    return parse_size(resolve_size(asked, rule).size or "")


def _first_size(run: RunView) -> tuple[int, int] | None:
    return (run.images[0].width, run.images[0].height) if run.images else None


def _image(image: StoredImage) -> Json:
    """`downloads` begins with the file in the format that was asked for; the original follows where it is another."""
    original = views.media_url(image.sha256, image.media_type)
    downloads = [{"url": original, "label": "Download original", "word": format_word(image.media_type)}]
    if image.converted_sha256 and image.converted_type:
        word = format_word(image.converted_type)
        made = views.media_url(image.converted_sha256, image.converted_type)
        downloads[0]["label"] = f"Download original {format_word(image.media_type)}"
        downloads.insert(0, {"url": made, "label": f"Download {word}", "word": word})
    return {
        "thumb": views.thumb_url(image.sha256),
        "original": original,
        "width": image.width,
        "height": image.height,
        "size": views.size(image.width, image.height),
        "downloads": downloads,
    }


def _waits(run: RunView, live: Live, provider: str) -> str:
    if live.note and (live.note.endswith(".") or not live.note[0].islower()):
        return live.note
    if live.note:
        # A state in the provider's words: `in line, place 3`.
        what, comma, rest = live.note.partition(",")
        return f"{what[:1].upper()}{what[1:]} at {provider}{comma}{rest}"
    if run.run.state == "queued" and live.place_in_line:
        return f"{views.ordinal(live.place_in_line)} in line at {provider}"
    return f"Waiting for {provider}"


# Chips and figures


def _chips(
    run: RunView,
    state: str,
    position: int,
    of: int,
    image: StoredImage | None,
    seen: int,
) -> list[Json]:
    chips = [*_state_chips(run, state, seen)]
    if position == 0 or state in _ENDS:
        chips.append(_cost_chip(run, state))
    elif state == "done":
        chips.append(_chip("check", "ok", "", f"{position + 1} of {of}"))
    if image:
        chips += _check_chips(run, image)
    return chips[:3]


def _state_chips(run: RunView, state: str, seen: int) -> list[Json]:
    asked = _number(run.run.asked.get("partial_images")) or 0
    words = {
        "queued": ("clock", "", "Queued"),
        "parked": ("key", "warn", "Waits for a key"),
        "running": ("spin", "busy", f"Preview {seen} of {asked}" if seen else "Running"),
        "failed": ("warn", "bad", "Failed"),
        "refused": ("ban", "warn", "Refused"),
        "unknown": ("warn", "warn", "Unknown"),
        "stopped": ("stop", "", "Stopped"),
        "missing": ("warn", "warn", "Missing"),
    }
    return [_chip(words[state][0], words[state][1], "", words[state][2])] if state in words else []


def _cost_chip(run: RunView, state: str) -> Json:
    tick = ("check", "ok") if state == "done" else ("", "")
    many = f" for {len(run.images)} images" if len(run.images) > 1 and state == "done" else ""
    if run.ledger_state == "reserved":
        estimate = run.run.estimate_microusd
        if estimate == 0:
            return _chip("", "", "", "free")
        return _chip("", "", views.dollars(estimate), "reserved") if estimate else _chip("", "", "", "price unknown")
    if run.ledger_state == "released":
        return _chip(*tick, "$0", "not billed")
    if run.ledger_state == "unknown" or run.cost_microusd is None:
        return _chip(*tick, "", "cost unknown")
    if run.cost_microusd == 0:
        return _chip(*tick, "", "free")
    chip = _chip(*tick, views.cost(run.cost_microusd), f"{run.cost_source}{many}")
    return chip | {"title": ". ".join(cost_lines(run))}


def cost_lines(run: RunView) -> list[str]:
    """The parts of what the run cost, as `Fee of the provider: $0.001`; empty where there is but one."""
    lines = (run.run.got or {}).get("cost_lines")
    return [
        f"{line['label']}: {views.cost(amount)}"
        for line in (lines if isinstance(lines, list) else ())
        if isinstance(line, dict) and isinstance(amount := line.get("amount_microusd"), int)
    ]


def _check_chips(run: RunView, image: StoredImage) -> list[Json]:
    found = delivery.checks_of(run.run.asked, image)
    return [_chip("warn", "warn", "", check.label) | {"title": check.words} for check in found]


def _chip(icon: str, tone: str, figure: str, text: str) -> Json:
    return {"icon": icon, "tone": tone, "figure": figure, "text": text, "title": ""}


def _figures(run: RunView, image: StoredImage | None, asked: tuple[int, int] | None) -> str:
    """`24.8 s, preview at 6.1 s · 1536 × 1024`, once there is something to measure."""
    took = views.seconds(run.run.latency_ms)
    if took and run.run.first_preview_ms is not None:
        took += f", preview at {views.seconds(run.run.first_preview_ms)}"
    size = ""
    if image:
        size = views.size(image.width, image.height)
        if asked and run.run.asked.get("size") != "auto" and asked != (image.width, image.height):
            size += f", asked {views.size(*asked)}"
    made_here = f"{format_word(image.converted_type)} made here" if image and image.converted_type else ""
    return views.sentence([took, size, made_here, maker_word(run)])


def maker_word(run: RunView) -> str:
    """Who made it, where a gateway tells: `made by OpenAI`."""
    name = (run.run.got or {}).get("provider_name") or (run.run.got or {}).get("route")
    return f"made by {name}" if isinstance(name, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
