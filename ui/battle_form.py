"""The form of a new battle: what a browser says of it, and what is shown for that. Pure but for the bank's own files.

What the form holds is a `Draft`, which travels with the page and comes from the browser: nothing in it is taken on trust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from arena import bank, bank_battles
from arena.bank import BankPrompt
from arena.contenders import Field, field_of, price_range
from providers.catalog import Catalog
from providers.types import ImageRequest, InputImage
from storage.performance import OfferTimes
from ui import arena_views, drafts, forms, views
from ui.forms import LANDSCAPE, PORTRAIT, SQUARE, Reference

Kind = Literal["bank", "own"]
Task = Literal["generate", "edit"]
View = dict[str, object]

SIZES = {SQUARE: "Square", LANDSCAPE: "Landscape", PORTRAIT: "Portrait"}
QUALITIES = {"low": "Low", "medium": "Medium", "high": "High"}
MAX_IMAGES = 16
MAX_PROMPT = 32_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What the form holds."""

    kind: Kind = "bank"
    task: Task = "generate"
    """Of prompts from the bank; with a prompt of one's own, images make it an edit."""
    category: str = ""
    """Of the bank; empty: any."""
    prompt_id: str = ""
    """In the bank; empty: one is drawn."""
    prompt: str = ""
    """One's own."""
    images: tuple[Reference, ...] = ()
    """One's own."""
    size: str = ""
    """Empty: square, or for an edit what comes nearest to the first source image."""
    quality: str = "low"
    first: str = ""
    """An offer; empty leaves it to chance."""
    second: str = ""
    turn: int = 0
    """Counts what was changed on the page, so that it knows to which state an answer belongs."""

    def document(self) -> View:
        """As JSON for the page."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {"images": [one.document() for one in self.images]}


def read_draft(value: object, *, bank_only: bool) -> Draft:
    """The draft as the page told it; what is odd in it becomes what a fresh form holds."""
    told = value if isinstance(value, Mapping) else {}
    kind: Kind = "own" if told.get("kind") == "own" and not bank_only else "bank"
    task: Task = "edit" if told.get("task") == "edit" else "generate"
    turn = told.get("turn")
    return Draft(
        kind=kind,
        task=task,
        category=_text(told, "category"),
        prompt_id=_text(told, "prompt_id"),
        prompt=_text(told, "prompt", MAX_PROMPT),
        images=drafts.references_of(told.get("images"))[:MAX_IMAGES],
        size=_among(_text(told, "size"), SIZES, ""),
        quality=_among(_text(told, "quality"), QUALITIES, "low"),
        first=_text(told, "first"),
        second=_text(told, "second"),
        turn=turn if isinstance(turn, int) and 0 <= turn < 2**53 else 0,
    )


def _text(told: Mapping[object, object], name: str, most: int = 200) -> str:
    value = told.get(name)
    return value[:most] if isinstance(value, str) else ""


def _among(text: str, allowed: Mapping[str, str], otherwise: str) -> str:
    return text if text in allowed else otherwise


def categories_of(task: str) -> list[bank.Category]:
    """The bank's categories with prompts of the task; `any`: all."""
    wanted = {one.category for one in bank.prompts() if task in ("any", one.operation)}
    return [one for one in bank.categories() if one.slug in wanted]


def fitting(draft: Draft) -> Draft:
    """The draft with only such a category and prompt as belong to its task."""
    category = draft.category if draft.category in {one.slug for one in categories_of(draft.task)} else ""
    found = prompt_of(replace(draft, category=category))
    return replace(draft, category=category, prompt_id=found.prompt_id if found else "")


def prompt_of(draft: Draft) -> BankPrompt | None:
    """The bank's prompt that is chosen; `None` when none is, or it is not of this task and category."""
    try:
        found = bank.prompt(draft.prompt_id)
    except bank.UnknownPrompt:
        return None
    is_fit = found.operation == draft.task and draft.category in ("", found.category)
    return found if is_fit else None


def request_of(draft: Draft, images: Sequence[InputImage]) -> ImageRequest:
    """What both models are asked; `images` with their bytes, or stand-ins where only a price is wanted."""
    found = prompt_of(draft) if draft.kind == "bank" else None
    words = found.prompt if found else draft.prompt
    return ImageRequest(
        words if draft.kind == "own" or found else "",
        size=draft.size or shape_of(images),
        quality=draft.quality,
        images=tuple(images),
    )


def shape_of(images: Sequence[InputImage]) -> str:
    """Square, or what comes nearest to the first source image."""
    if not images:
        return SQUARE
    ratio = images[0].width / images[0].height
    return LANDSCAPE if ratio > 1.2 else PORTRAIT if ratio < 1 / 1.2 else SQUARE


def stand_ins(draft: Draft) -> list[InputImage]:
    """The draft's source images as far as a price needs them."""
    if draft.kind == "own":
        return [forms.stand_in(one) for one in draft.images]
    found = prompt_of(draft)
    return list(bank_battles.images_of(found)) if found else []


def form_view(
    draft: Draft, ready: Sequence[str], catalog: Catalog, *, bank_only: bool, notes: Sequence[tuple[str, bool]] = ()
) -> View:
    """The form as it is drawn. `notes`: what is to be said of uploads, and whether it is a refusal."""
    images = stand_ins(draft)
    request = request_of(draft, images)
    # An empty prompt is said where it is typed; it keeps no offer out.
    field = field_of(replace(request, prompt=request.prompt.strip() or "x"), ready, catalog)
    first, second = draft.first or None, draft.second or None
    price = price_range(field, first, second)
    why_not = "" if price else _why_not(field, ready)
    return {
        "state": "form",
        "form": {
            "draft": draft.document(),
            "size": request.size,
            "bank_only": bank_only,
            "categories": [{"slug": one.slug, "name": one.name} for one in categories_of(draft.task)],
            "bank": _bank_prompt(prompt_of(draft)),
            "max_images": MAX_IMAGES,
            "notes": [{"text": text, "is_refusal": refused} for text, refused in notes],
            "sizes": [[size, name, views.size_text(size)] for size, name in SIZES.items()],
            "qualities": _qualities(request, ready, catalog, first, second),
            "offers": [[name, arena_views.offer_words(catalog, name)] for name in field.offers],
            "left_out": [f"{arena_views.offer_words(catalog, one.offer)}: {one.why}" for one in field.left_out],
            "start": arena_views.start_label(*price) if price else "Start battle",
            "why_not": why_not,
        },
    }


def with_time(view: View, draft: Draft, known: Mapping[str, OfferTimes]) -> View:
    """The form with how long such a battle is likely to take, by own runs. `known`: offers that were timed."""
    form = view.get("form")
    if not isinstance(form, dict):
        return view
    offers = [str(offer) for offer, _ in form["offers"]]
    return view | {"form": form | {"time": arena_views.time_words(offers, draft.first, draft.second, known)}}


def _why_not(field: Field, ready: Sequence[str]) -> str:
    if not ready:
        return "No model is ready. Add a key in Settings."
    if len(field.offers) < 2:
        return "No two ready models can make this. Add a key in Settings, or choose another task."
    return "These two cannot meet: choose two different ones, both real or both drawn."


def _bank_prompt(found: BankPrompt | None) -> View | None:
    if found is None:
        return None
    kind = next(one for one in bank.categories() if one.slug == found.category)
    return {
        "id": found.prompt_id,
        "prompt": found.prompt,
        "category": kind.name,
        "about": kind.about,
        "sources": [source_view(name) for name in found.sources],
    }


def source_view(source_id: str) -> View:
    """A source image of the bank as it is shown."""
    one = bank.source(source_id)
    return {"url": f"bank/{one.source_id}.jpg", "name": one.name, "alt": one.alt}


def shown_sources(draft: Draft) -> list[str]:
    """Addresses of the draft's source images, in their order."""
    if draft.kind == "own":
        return [views.thumb_url(one.sha256) for one in draft.images]
    found = prompt_of(draft)
    return [f"bank/{name}.jpg" for name in found.sources] if found else []


def _qualities(
    request: ImageRequest, ready: Sequence[str], catalog: Catalog, first: str | None, second: str | None
) -> list[list[str]]:
    """Value, name and price of each quality."""
    found = []
    for value, name in QUALITIES.items():
        asked = replace(request, prompt=request.prompt.strip() or "x", quality=value)
        price = price_range(field_of(asked, ready, catalog), first, second)
        found.append([value, name, views.price(*price) if price else "no pair"])
    return found
