"""Groups and runs as the JSON that the results draw: tiles with a state, words, money and actions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from arena import opening
from playground.library import GroupView
from providers.catalog import Catalog, UnknownOffer
from providers.sizes import parse_size
from storage.records import OPEN_STATES, RunError, RunView, StoredImage
from ui import views

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Live:
    """What only this process knows of a run under way."""

    note: str | None = None
    place_in_line: int | None = None


LiveOf = Callable[[str], Live]


def group_view(group: GroupView, catalog: Catalog, live_of: LiveOf) -> Json:
    """One group with all its tiles."""
    return {
        "id": group.group.group_id,
        "at": group.group.created_at,
        "prompt": group.group.template,
        "caption": caption(group.runs),
        # Images of two models that can be told apart only by looking.
        "vote": f"#arena/group/{group.group.group_id}" if opening.pairs_of(group.runs) else None,
        "again": views.sentence(["Again", _estimated(group.runs)]),
        "tiles": [tile for run in group.runs for tile in tiles_of(run, catalog, live_of(run.run.run_id))],
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
    unknown = sum(run.ledger_state == "unknown" and _end_of(run) != "unknown" for run in runs)
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
        word = _end_of(run)
        if word in ("failed", "refused", "unknown", "stopped"):
            counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _estimated(runs: Sequence[RunView]) -> str:
    amounts = [run.run.estimate_microusd for run in runs]
    known = [amount for amount in amounts if amount is not None]
    total = sum(known) if len(known) == len(amounts) else None
    return views.about(total, total)


# Tiles


def tiles_of(run: RunView, catalog: Catalog, live: Live) -> list[Json]:
    """One tile for each image asked for; a run that gave none is one tile, which says why."""
    asked = max(_number(run.run.asked.get("n")) or 1, len(run.images))
    if run.run.state not in (*OPEN_STATES, "succeeded") and not run.images:
        return [_tile(run, 0, 1, catalog, live)]
    return [_tile(run, position, asked, catalog, live) for position in range(asked)]


def _tile(run: RunView, position: int, of: int, catalog: Catalog, live: Live) -> Json:
    model, provider = offer_names(run.run.offer, catalog)
    image = next((item for item in run.images if item.position == position), None)
    state = "done" if image else _state(run)
    partials = [item for item in run.partials if item.image_position == position]
    asked = asked_size(run)
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
        "preview": views.media_url(newest.sha256, newest.media_type) if newest and not image else None,
        "progress": [len(partials), _number(run.run.asked.get("partial_images")) or 0],
        "waits": _waits(run, live, provider or model) if state == "queued" or live.note else "",
        "failure": _failure(run, provider or model) if state in _ENDS else None,
        "chips": _chips(run, state, position, of, image, asked, len(partials)),
        "figures": _figures(run, image, asked),
        "since": run.run.sent_at if state == "running" else run.run.queued_at if state == "queued" else None,
        "first": views.seconds(run.run.first_preview_ms) if state == "running" else "",
    }


_ENDS = ("failed", "refused", "unknown", "stopped", "missing")


def _state(run: RunView) -> str:
    if run.run.state == "queued":
        return "queued"
    if run.run.state in OPEN_STATES:
        return "running"
    return _end_of(run)


def _end_of(run: RunView) -> str:
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


def offer_names(offer_id: str, catalog: Catalog) -> tuple[str, str]:
    """Names of the model and its provider; an offer nobody sells any more keeps its ids."""
    provider_id, _, model_id = offer_id.partition("/")
    try:
        offer = catalog.offer(offer_id)
    except UnknownOffer:
        return model_id or offer_id, provider_id
    model, provider = catalog.spec(offer).name, catalog.provider(offer.provider_id).name
    return model, "" if model.startswith(provider) else provider


def asked_size(run: RunView) -> tuple[int, int] | None:
    """The size asked for; for `auto`, that of the image being edited, which models keep; else `None`."""
    text = run.run.asked.get("size")
    size = parse_size(text) if isinstance(text, str) else None
    base = next((item for item in run.inputs if item.role == "image" and item.position == 0), None)
    return size or ((base.width, base.height) if base else None)


def _first_size(run: RunView) -> tuple[int, int] | None:
    return (run.images[0].width, run.images[0].height) if run.images else None


def _image(image: StoredImage) -> Json:
    return {
        "thumb": views.thumb_url(image.sha256),
        "original": views.media_url(image.sha256, image.media_type),
        "width": image.width,
        "height": image.height,
        "size": views.size(image.width, image.height),
    }


def _waits(run: RunView, live: Live, provider: str) -> str:
    if live.note:
        return live.note
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
    asked: tuple[int, int] | None,
    seen: int,
) -> list[Json]:
    chips = [*_state_chips(run, state, seen)]
    if position == 0 or state in _ENDS:
        chips.append(_cost_chip(run, state, of))
    elif state == "done":
        chips.append(_chip("check", "ok", "", f"{position + 1} of {of}"))
    if image:
        chips += _check_chips(run, image, asked)
    return chips[:3]


def _state_chips(run: RunView, state: str, seen: int) -> list[Json]:
    asked = _number(run.run.asked.get("partial_images")) or 0
    words = {
        "queued": ("clock", "", "Queued"),
        "running": ("spin", "busy", f"Preview {seen} of {asked}" if seen else "Running"),
        "failed": ("warn", "bad", "Failed"),
        "refused": ("ban", "warn", "Refused"),
        "unknown": ("warn", "warn", "Unknown"),
        "stopped": ("stop", "", "Stopped"),
        "missing": ("warn", "warn", "Missing"),
    }
    return [_chip(words[state][0], words[state][1], "", words[state][2])] if state in words else []


def _cost_chip(run: RunView, state: str, of: int) -> Json:
    tick = ("check", "ok") if state == "done" else ("", "")
    many = f" for {of} images" if of > 1 and state == "done" else ""
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
    return _chip(*tick, views.cost(run.cost_microusd), f"{run.cost_source}{many}")


def _check_chips(run: RunView, image: StoredImage, asked: tuple[int, int] | None) -> list[Json]:
    words = {"no_alpha": "No alpha", "duplicate": "Duplicate", "blank": "Blank", "damaged": "Damaged"}
    size_said = isinstance(run.run.asked.get("size"), str) and run.run.asked.get("size") != "auto"
    differs = "size_differs" in image.checks or (size_said and asked not in (None, (image.width, image.height)))
    found = [_chip("warn", "warn", "", "Size differs")] if differs else []
    return found + [_chip("warn", "warn", "", word) for check, word in words.items() if check in image.checks]


def _chip(icon: str, tone: str, figure: str, text: str) -> Json:
    return {"icon": icon, "tone": tone, "figure": figure, "text": text}


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
    return views.sentence([took, size])


# Failures: who did what, why, what to do next, and what that may cost

_TITLES: Mapping[str, str] = {
    "permission": "{provider} does not allow this",
    "validation": "{provider} refused a setting",
    "moderation": "{provider} refused this prompt",
    "quota": "No credit left at {provider}",
    "rate_limit": "{provider} asks to slow down",
    "not_found": "{provider} does not have this model",
    "timeout": "No answer from {provider}{after}",
    "server": "{provider} had an error",
    "network": "{provider} could not be reached",
    "malformed": "The answer could not be read",
    "cancelled": "Stopped",
}


def _failure(run: RunView, provider: str) -> Json:
    error = run.run.error or RunError("unknown", "Nobody knows how this run ended.", retryable=True)
    end = _end_of(run)
    if end == "missing":
        title = f"{views.counted(len(run.images), 'image')} came, {run.run.asked.get('n')} were asked for"
        text = run.run.error.message if run.run.error else "The rest was not sent."
        return {"icon": "warn", "tone": "warn", "title": title, "text": text, "action": "", "label": "", "aside": ""}
    action, label = _next_step(error)
    title = _title(run, error, provider)
    return {
        "icon": "ban"
        if end == "refused"
        else "stop"
        if end == "stopped"
        else "key"
        if error.kind == "auth"
        else "warn",
        "tone": "" if end == "stopped" else "warn" if end in ("refused", "unknown") else "bad",
        "title": title,
        "text": error.message.removeprefix(f"{title}. "),
        "action": action,
        "label": label,
        "aside": _aside(run, error) if action == "retry" else "",
        "key_link": f"#settings/{run.run.offer.partition('/')[0]}",
    }


def _title(run: RunView, error: RunError, provider: str) -> str:
    if error.kind == "auth":
        return f"{provider} refused the key" if error.status else f"No key for {provider}"
    if run.run.state == "unknown" and error.kind in ("network", "unknown"):
        return "The answer was lost"
    after = f" in {views.seconds(run.run.latency_ms)}" if run.run.latency_ms else ""
    return _TITLES.get(error.kind, "{provider} gave no image").format(provider=provider, after=after)


def _next_step(error: RunError) -> tuple[str, str]:
    if error.kind == "moderation":
        return "edit_prompt", "Edit the prompt"
    if error.kind in ("auth", "quota", "permission"):
        return "key", "Check the key"
    if error.kind in ("validation", "not_found"):
        return "remix", "Change the settings"
    return "retry", "Run again" if error.kind == "cancelled" else "Retry"


def _aside(run: RunView, error: RunError) -> str:
    if error.may_have_been_billed:
        return "A new charge is possible"
    return views.about(run.run.estimate_microusd, run.run.estimate_microusd)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
