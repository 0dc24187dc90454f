"""What History and Settings show, as plain JSON. Pure: records in, words and figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from playground import delivery
from providers.catalog import Catalog
from storage.history import HistoryPage, RestOfGroup
from storage.records import CostSource, RunState, RunView, StoredImage
from storage.search import parse_search
from storage.verify import Problem
from ui import tiles, views
from ui.arena_views import maker

View = dict[str, object]

STATES: Mapping[RunState, tuple[str, str, str]] = {
    "queued": ("clock", "", "Waiting"),
    "sending": ("spin", "busy", "Running"),
    "waiting": ("spin", "busy", "Running"),
    "downloading": ("spin", "busy", "Running"),
    "succeeded": ("check", "ok", "Done"),
    "failed": ("warn", "bad", "Failed"),
    "cancelled": ("ban", "", "Stopped"),
    "unknown": ("warn", "warn", "Unknown"),
}
"""Icon, its colour and the word for each state."""

FIELDS = (
    ("size", "Size"),
    ("aspect_ratio", "Aspect ratio"),
    ("resolution", "Resolution"),
    ("quality", "Quality"),
    ("output_format", "Format"),
    ("background", "Background"),
    ("n", "Images"),
    ("output_compression", "Compression"),
    ("moderation", "Moderation"),
    ("input_fidelity", "Fidelity"),
    ("partial_images", "Previews"),
)
FORMAT_OF = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif"}
NOT_SAID = "–"
OUR_NAMES: Mapping[str, str] = {
    "image_size": "size",
    "num_images": "n",
    "number_of_images": "n",
    "numberResults": "n",
    "outputFormat": "output_format",
    "outputQuality": "output_compression",
    "positivePrompt": "prompt",
}
"""Names of fields at providers that call them otherwise."""
VERIFY_SHOWN = 20


def page_view(
    page: HistoryPage,
    total: int,
    *,
    kept: int,
    search: str,
    number: int,
    size: int,
    catalog: Catalog,
) -> View:
    """One page. `total` runs match, `kept` are there in all, `number` is the page's own from 1, of `size` runs each."""
    wanted = parse_search(search)
    told: View = {"misread": list(wanted.misread), "in_trash": wanted.in_trash, "kept": kept}
    if not page.runs:
        return told | _nothing(search, kept, in_trash=wanted.in_trash)
    return told | {
        "state": "page",
        "runs": [run_view(view, catalog, in_trash=wanted.in_trash) for view in page.runs],
        "total": total,
        "count": views.counted(total, "run"),
        "page": number,
        "pages": max(1, -(-total // size)),
        "next": page.next,
    }


def rest_words(rest: RestOfGroup) -> str:
    """What of a group is on other pages, as `More of this group: 3 runs on later pages.`."""
    parts = [(rest.earlier, "earlier pages"), (rest.later, "later pages")]
    told = [f"{views.counted(number, 'run')} on {where}" for number, where in parts if number > 0]
    return f"More of this group: {', '.join(told)}."


def _nothing(search: str, kept: int, *, in_trash: bool) -> View:
    if in_trash and search.split() == ["is:trashed"]:
        return {"state": "no_match", "title": "The trash is empty", "text": "What you trash stays here for 30 days."}
    if search.strip() and kept:
        return {
            "state": "no_match",
            "title": f"Nothing matches “{search.strip()[:80]}”",
            "text": f"{views.counted(kept, 'run')} {'is' if kept == 1 else 'are'} kept. "
            "Loosen the search, or look in the trash.",
        }
    return {
        "state": "empty",
        "title": "Nothing made yet",
        "text": "Every run is kept here with its images, its cost and what was asked, sent and got.",
    }


def run_view(view: RunView, catalog: Catalog, *, in_trash: bool = False) -> View:
    """A run in a list, with a tile for each image of it, or one that says why there is none."""
    run = view.run
    model, provider = maker(catalog, run.offer)
    icon, colour, word = STATES[run.state]
    images = view.trashed if in_trash else view.images
    return {
        "run_id": run.run_id,
        "group_id": run.group_id,
        "prompt": run.prompt,
        "model": model,
        "provider": provider,
        "cost": _cost(view),
        "seconds": views.seconds(run.latency_ms),
        "size": views.size(images[0].width, images[0].height) if images else "",
        "quality": _text(run.asked.get("quality")),
        "at": run.queued_at,
        "day": when(run.queued_at),
        "tags": list(run.tags),
        "has_note": bool(run.note),
        "icon": icon,
        "colour": colour,
        "word": word,
        "images": [
            {
                "id": image.image_id,
                "position": image.position,
                "thumb": views.thumb_url(image.sha256),
                "favourite": image.favourite,
                "stars": image.stars,
                "width": image.width,
                "height": image.height,
                "url": views.media_url(image.sha256, image.media_type),
            }
            for image in images
        ],
    }


def _cost(view: RunView) -> str:
    if view.cost_microusd is None:
        return "running" if view.ledger_state == "reserved" else "cost unknown"
    return views.money(view.cost_microusd) if view.images else views.dollars(view.cost_microusd)


def details_view(view: RunView, position: int, catalog: Catalog) -> View:
    """All that is known of a run, shown by its image at `position`, or the first where there is no such one."""
    run = view.run
    # An image in the trash is shown when it is asked for, or when there is no other.
    is_in_trash = any(one.position == position for one in view.trashed)
    images = view.all_images if is_in_trash or not view.images else view.images
    image = next((one for one in images if one.position == position), next(iter(images), None))
    rows = field_rows(view, image)
    differences = sum(bool(row["differs"]) for row in rows)
    return {
        "state": "details",
        "run_id": run.run_id,
        "image": _image(image) if image else None,
        "others": [
            {"position": one.position, "thumb": views.thumb_url(one.sha256)} for one in images if one is not image
        ],
        "prompt": run.prompt,
        "revised": image.revised_prompt if image and image.revised_prompt != run.prompt else None,
        "chips": _chips(view, image, differences),
        "fields": rows,
        "facts": _facts(view, image, catalog),
        "inputs": [
            {
                "thumb": views.thumb_url(given.sha256),
                "url": views.media_url(given.sha256, given.media_type),
                "role": given.role,
            }
            for given in view.inputs
        ],
        "error": {"message": run.error.message, "billed": run.error.may_have_been_billed} if run.error else None,
        "remix": f"#playground/remix/{run.run_id}",
        "use_as_base": f"#playground/base/{run.run_id}/{image.position}" if image else None,
    }


def _image(image: StoredImage) -> View:
    url = views.media_url(image.sha256, image.media_type)
    made_here = image.converted_sha256 and image.converted_type
    return {
        "id": image.image_id,
        "favourite": image.favourite,
        "stars": image.stars,
        "is_trashed": image.trashed_at is not None,
        "position": image.position,
        "sha256": image.sha256,
        "url": url,
        "download": f"{url}?download",
        "converted": f"{views.media_url(image.converted_sha256 or '', image.converted_type or '')}?download"
        if made_here
        else None,
        "converted_label": f"Download {_format(image.converted_type or '')}",
        "width": image.width,
        "height": image.height,
    }


def _chips(view: RunView, image: StoredImage | None, differences: int) -> list[View]:
    icon, colour, word = STATES[view.run.state]
    chips: list[View] = [{"icon": icon, "colour": colour, "figure": "", "word": word}]
    if view.cost_microusd is not None:
        is_free = view.cost_microusd == 0 and bool(view.images)
        label = "free" if is_free else _source_word(view.cost_source, view.cost_microusd)
        figure = "" if is_free else views.cost(view.cost_microusd)
        chips.append({"icon": "", "colour": "", "figure": figure, "word": label})
    elif view.ledger_state == "unknown":
        chips.append({"icon": "", "colour": "", "figure": "", "word": "cost unknown"})
    if differences:
        chips.append({"icon": "warn", "colour": "warn", "figure": "", "word": views.counted(differences, "difference")})
    # Another size and format are among the differences.
    noticed = [
        check.label
        for check in (delivery.checks_of(view.run.asked, image) if image else ())
        if check.kind not in ("size_differs", "format_differs")
    ]
    return chips + [{"icon": "warn", "colour": "warn", "figure": "", "word": word} for word in noticed]


def _source_word(source: CostSource, microusd: int) -> str:
    return "" if microusd == 0 and source != "reported" else source


def field_rows(view: RunView, image: StoredImage | None) -> list[View]:
    """Asked, sent and got, field by field; a field nobody spoke of has no row."""
    run = view.run
    sent, got = sent_fields(run.sent or {}), dict(run.got or {})
    if image is not None:
        got["size"] = f"{image.width}x{image.height}"
        media_type = image.converted_type or image.media_type
        got["output_format"] = FORMAT_OF.get(media_type, media_type)
    if view.all_images:
        got["n"] = len(view.all_images)
    rows = []
    for name, label in FIELDS:
        asked_value, sent_value, got_value = run.asked.get(name), sent.get(name), got.get(name)
        if asked_value is not None or sent_value is not None:
            rows.append(_field_row(label, asked_value, sent_value, got_value))
    return [*rows, _prompt_row(run.prompt, sent.get("prompt"), image)]


def sent_fields(sent: Mapping[str, object]) -> dict[str, object]:
    """The fields of a request by our names, however the provider wraps and calls them."""
    parts = sent.get("multipart")
    if isinstance(parts, list):
        fields = {str(part["name"]): part["value"] for part in parts if isinstance(part, dict) and "value" in part}
    else:
        inner = sent.get("input")
        fields = {**sent, **inner} if isinstance(inner, dict) else dict(sent)
    if "width" in fields and "height" in fields:
        fields["size"] = f"{fields['width']}x{fields['height']}"
    for theirs, ours in OUR_NAMES.items():
        if theirs in fields:
            fields.setdefault(ours, fields[theirs])
    size = fields.get("size")
    if isinstance(size, dict) and "width" in size and "height" in size:
        fields["size"] = f"{size['width']}x{size['height']}"
    return fields


def _field_row(label: str, asked: object, sent: object, got: object) -> View:
    differs = got is not None and asked not in (None, "auto") and _text(asked) != _text(got)
    return {"label": label, "asked": _text(asked), "sent": _text(sent), "got": _text(got), "differs": differs}


def _prompt_row(prompt: str, sent: object, image: StoredImage | None) -> View:
    revised = image.revised_prompt if image else None
    rewritten = revised is not None and revised != prompt
    return {
        "label": "Prompt",
        "asked": views.counted(len(prompt.split()), "word"),
        "sent": NOT_SAID if sent is None else "the same" if sent == prompt else "changed",
        "got": "rewritten" if rewritten else NOT_SAID,
        "differs": rewritten or (sent is not None and sent != prompt),
    }


def _text(value: object) -> str:
    if value is None:
        return NOT_SAID
    if isinstance(value, bool):
        return "yes" if value else "no"
    return views.size_text(str(value))[:60]


def _facts(view: RunView, image: StoredImage | None, catalog: Catalog) -> list[View]:
    run = view.run
    model, provider = maker(catalog, run.offer)
    times = [("first preview", run.first_preview_ms), ("done", run.latency_ms)]
    spoken = views.sentence([f"{word} {views.seconds(ms)}" for word, ms in times if ms is not None])
    facts = [
        ("Offer", f"{model} at {provider}" if provider else model),
        ("Made", when(run.finished_at or run.queued_at)),
        ("Time", spoken),
        (
            "File",
            f"{_format(image.media_type)}, {views.bytes_text(image.size_bytes)}"
            + (f", and a {_format(image.converted_type)} made of it here" if image.converted_type else "")
            if image
            else "",
        ),
        ("Made by", _made_by(view)),
        ("Cost", ", ".join(tiles.cost_lines(view))),
        ("Seed", str(image.seed) if image and image.seed is not None else ""),
        ("Key", {"server": "from the server", "session": "typed in this session"}.get(run.key_source or "", "")),
        ("Request id", run.request_id or ""),
        ("Provider’s job id", run.remote_id or ""),
        ("Run", run.run_id),
    ]
    mono = ("Request id", "Provider’s job id", "Run")
    return [{"label": label, "text": text, "mono": label in mono} for label, text in facts if text]


def _format(media_type: str) -> str:
    return FORMAT_OF.get(media_type, media_type).upper()


def _made_by(view: RunView) -> str:
    """Who made it and by which route, where a gateway tells."""
    got = view.run.got or {}
    told = [got.get("provider_name"), got.get("route")]
    return ", ".join(dict.fromkeys(text for text in told if isinstance(text, str)))


def when(at: str) -> str:
    """`21 Nov 2026, 10:15 UTC`."""
    moment = datetime.fromisoformat(at)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An object store that images are kept in, and the part of them that is on this disk."""

    url: str
    """Without any key."""
    files_here: int
    bytes_here: int
    waiting: int
    """Files that have not gone there yet."""


def storage_view(
    *, images: tuple[int, int], database_bytes: int, folder: str, elsewhere: Elsewhere | None = None
) -> View:
    """Figures of the data folder, and of where images are kept. `images`: files and bytes."""
    files, image_bytes = images
    cards = [
        {"label": "Images", "figure": views.bytes_text(image_bytes), "note": views.counted(files, "file")},
        {"label": "Database", "figure": views.bytes_text(database_bytes), "note": "runs, votes and costs"},
    ]
    if elsewhere:
        copies = views.counted(elsewhere.files_here, "file")
        note = f"{copies}, {elsewhere.waiting:,} not there yet" if elsewhere.waiting else copies
        cards.insert(
            1, {"label": "Of them on this disk", "figure": views.bytes_text(elsewhere.bytes_here), "note": note}
        )
    return {
        "cards": cards,
        "folder": folder,
        "images_at": elsewhere.url if elsewhere else None,
        "verified": None,
    }


def verified_view(problems: Sequence[Problem]) -> View:
    """The result of an audit."""
    if not problems:
        return {
            "ok": True,
            "text": "Every row has its bytes, every file its row, and the ledger agrees.",
            "problems": [],
        }
    more = len(problems) - VERIFY_SHOWN
    lines = [f"{problem.subject}: {problem.message}" for problem in problems[:VERIFY_SHOWN]]
    return {
        "ok": False,
        "text": f"{views.counted(len(problems), 'problem')} found. Nothing was changed.",
        "problems": lines + ([f"and {more:,} more"] if more > 0 else []),
    }
