"""What the History page does with picked runs: marks, tags, notes, the trash, and packs to take along. Each says what it did,
and how it is undone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playground import curation, downloads, library
from playground.downloads import PackedImage
from storage import curation as kept
from storage.blobs import EXTENSIONS
from storage.curation import Changed, Deleted, NotCurated, Picked
from storage.engine import Database
from storage.errors import ImageDamaged, ImagesAway, StoreError
from storage.records import RunView
from storage.searches import SavedSearch
from ui import guard, views
from ui.app import App, own
from ui.history_answers import nothing, whose
from ui.history_report import report_page
from ui.route_answers import answer, refused
from ui.trouble import why_not_had

MAX_BODY_BYTES = 16_000_000
"""Undoing names every image it is about."""
MAX_PACKS = 64
"""Asked for and not yet fetched."""
MAX_REPORTED = 200
"""Runs in a report, which holds its pictures."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Meant:
    """What an action is about: these, or all that a search finds."""

    picked: Picked
    search: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One action, by whom, on what."""

    app: App
    owner: str
    meant: Meant
    told: Mapping[str, object]
    """All that was sent: each action reads from it what is its own, unchecked."""


Do = Callable[[Asked], Awaitable[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class _Pack:
    owner: str
    meant: Meant


def history_actions(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    packs: OrderedDict[str, _Pack] = OrderedDict()
    return [
        Route("/history/do", own(do, app), methods=["POST"]),
        Route("/history/pack", own(pack, app, packs), methods=["POST"]),
        Route("/history/pack/{token}.zip", own(zipped, app, packs)),
        Route("/history/pack/{token}.html", own(reported, app, packs)),
    ]


async def do(app: App, request: Request) -> Response:
    """Carries out one action: `{"do": "trash", "images": […], "runs": […], "search": null, …}`."""
    try:
        owner = whose(app, request, is_change=True)
        told = await _body(request)
        act = ACTIONS.get(str(told.get("do")))
        if act is None:
            return refused("There is no such action.", 400)
        return answer(await act(Asked(app, owner, _meant(told), told)))
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except (NotCurated, ValueError) as error:
        return refused(str(error), 400)
    except (StoreError, ClientDisconnect) as error:
        return refused(str(error), 503)


async def pack(app: App, packs: OrderedDict[str, _Pack], request: Request) -> Response:
    """Keeps for a moment what is to be taken along; the address to fetch it from is a link a browser can follow."""
    try:
        owner = whose(app, request, is_change=True)
        meant = _meant(await _body(request))
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except (ValueError, ClientDisconnect) as error:
        return refused(str(error), 400)
    token = secrets.token_hex(16)
    packs[token] = _Pack(owner, meant)
    while len(packs) > MAX_PACKS:
        packs.popitem(last=False)
    return answer({"zip": f"history/pack/{token}.zip", "report": f"history/pack/{token}.html"})


async def zipped(app: App, packs: OrderedDict[str, _Pack], request: Request) -> Response:
    """The originals of a pack in one ZIP, piece by piece."""
    found = await _runs_of(app, packs, request, downloads.MAX_PACKED)
    if not found:
        return nothing()
    headers = {"Content-Disposition": 'attachment; filename="diptych-images.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(downloads.packed(_files(app, found)), media_type="application/zip", headers=headers)


async def reported(app: App, packs: OrderedDict[str, _Pack], request: Request) -> Response:
    """The runs of a pack as one HTML page, pictures inside."""
    found = await _runs_of(app, packs, request, MAX_REPORTED)
    if not found:
        return nothing()
    try:
        text = await asyncio.to_thread(_report, app, found)
    except (ImagesAway, ImageDamaged) as error:
        return refused(why_not_had(error), 503)
    headers = {"Content-Disposition": 'attachment; filename="diptych-report.html"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def _report(app: App, found: Sequence[RunView]) -> str:
    hashes = [image.sha256 for view in found for image in view.images]
    pictures = library.thumbnails(app.services, hashes, found[0].run.owner)
    return report_page(found, pictures, app.services.catalog, made_at=app.services.now())


def _files(app: App, found: Sequence[RunView]) -> Iterator[PackedImage]:
    for view in found:
        for image in view.images:
            # One by one while the archive goes out: where they are kept elsewhere, each is fetched when its turn comes.
            path = app.services.store.blobs.held(image.sha256, image.media_type)
            yield PackedImage(downloads.file_name(view.run, image, f".{EXTENSIONS[image.media_type]}"), path)


async def _runs_of(app: App, packs: Mapping[str, _Pack], request: Request, limit: int) -> list[RunView]:
    wanted = packs.get(request.path_params["token"])
    try:
        if wanted is None or wanted.owner != whose(app, request):
            return []
    except guard.UnknownVisitor:
        return []
    return await library.picked(
        app.services, wanted.owner, wanted.meant.picked, search=wanted.meant.search, limit=limit
    )


# Actions


async def _favourite(asked: Asked) -> dict[str, object]:
    wanted = asked.told.get("on") is not False
    changed = await _on(asked, lambda db, picked: kept.set_favourite(db, asked.owner, picked, favourite=wanted))
    words = "is a favourite" if wanted else "is no favourite any more"
    many = "are favourites" if wanted else "are no favourites any more"
    return _told(f"{_things(changed)} {words if _count(changed) == 1 else many}.", changed, "favourite", on=not wanted)


async def _stars(asked: Asked) -> dict[str, object]:
    stars = asked.told.get("stars")
    if not isinstance(stars, int):
        raise NotCurated("Stars go from 0 to 5.")
    changed = await _on(asked, lambda db, picked: kept.set_stars(db, asked.owner, picked, stars))
    return {
        "words": f"{_things(changed)}: {views.counted(stars, 'star')}." if changed else "",
        "changed": _count(changed),
    }


async def _tag(asked: Asked) -> dict[str, object]:
    return await _tagging(asked, is_adding=True)


async def _untag(asked: Asked) -> dict[str, object]:
    return await _tagging(asked, is_adding=False)


async def _tagging(asked: Asked, *, is_adding: bool) -> dict[str, object]:
    tags = [kept.clean_tag(one) for one in _texts(asked.told.get("tags"))]
    if not tags:
        raise NotCurated("A tag needs at least one letter.")
    change = kept.add_tags if is_adding else kept.remove_tags
    done = await _on(asked, lambda db, picked: change(db, asked.owner, picked, tags))
    changed = Changed(runs=tuple(sorted({run for runs in done.values() for run in runs})))
    words = f"{views.counted(len(changed.runs), 'run')} {'tagged' if is_adding else 'untagged'}: {', '.join(tags)}."
    # Only where one tag was meant is one action its opposite: of several, a run may have had some before.
    return _told(words, changed if len(tags) == 1 else Changed(), "untag" if is_adding else "tag", tags=tags) | {
        "changed": len(changed.runs),
        "words": words,
    }


async def _note(asked: Asked) -> dict[str, object]:
    text = asked.told.get("note")
    run_id = next(iter(asked.meant.picked.runs), "")
    if not isinstance(text, str) or not await curation.set_note(asked.app.services, asked.owner, run_id, text):
        raise NotCurated("This run is not there any more.")
    return {"words": "Note kept." if text.strip() else "Note removed.", "changed": 1}


async def _trash(asked: Asked) -> dict[str, object]:
    changed = await _on(asked, lambda db, picked: kept.trash(db, asked.owner, picked, asked.app.services.now()))
    if not changed:
        return {"words": "Nothing went to the trash: runs that are still going stay.", "changed": 0}
    return _told(f"{_things(changed)} in the trash.", changed, "restore")


async def _restore(asked: Asked) -> dict[str, object]:
    changed = await _on(asked, lambda db, picked: kept.restore(db, asked.owner, picked))
    return _told(f"{_things(changed)} out of the trash.", changed, "trash")


async def _delete(asked: Asked) -> dict[str, object]:
    return _gone(await curation.delete_for_ever(asked.app.services, asked.owner, asked.meant.picked))


async def _empty(asked: Asked) -> dict[str, object]:
    return _gone(await curation.empty_trash(asked.app.services, asked.owner))


async def _save(asked: Asked) -> dict[str, object]:
    search = SavedSearch(
        str(asked.told.get("name", "")), str(asked.told.get("query", "")), str(asked.told.get("sort", ""))
    )
    await curation.save_search(asked.app.services, asked.owner, search)
    return {"words": "Search kept.", "changed": 1}


async def _forget(asked: Asked) -> dict[str, object]:
    was_there = await curation.forget_search(asked.app.services, asked.owner, str(asked.told.get("name", "")))
    return {"words": "Search forgotten." if was_there else "", "changed": int(was_there)}


ACTIONS: Mapping[str, Do] = {
    "favourite": _favourite,
    "stars": _stars,
    "tag": _tag,
    "untag": _untag,
    "note": _note,
    "trash": _trash,
    "restore": _restore,
    "delete": _delete,
    "empty": _empty,
    "save_search": _save,
    "forget_search": _forget,
}


async def _on(asked: Asked, job: Callable[[Database, Picked], T]) -> T:
    return await curation.on_meant(asked.app.services, asked.owner, asked.meant.picked, asked.meant.search, job)


def _told(words: str, changed: Changed, undo: str, **more: object) -> dict[str, object]:
    if not changed:
        return {"words": "Nothing changed: it was so already.", "changed": 0}
    back = {"do": undo, "images": list(changed.images), "runs": list(changed.runs)} | more
    return {"words": words, "changed": _count(changed), "undo": back}


def _gone(deleted: Deleted) -> dict[str, object]:
    gone = Changed(images=("",) * deleted.images, runs=("",) * deleted.without_image)
    freed = f" {views.bytes_text(deleted.freed_bytes)} are freed." if deleted.freed_bytes else ""
    words = f"{_things(gone)} deleted for ever.{freed}" if gone else "Nothing was deleted: it is not in the trash."
    return {"words": words, "changed": _count(gone)}


def _things(changed: Changed) -> str:
    parts = [(len(changed.images), "image"), (len(changed.runs), "run")]
    return " and ".join(views.counted(number, noun) for number, noun in parts if number)


def _count(changed: Changed) -> int:
    return len(changed.images) + len(changed.runs)


def _meant(told: Mapping[str, object]) -> Meant:
    search = told.get("search")
    picked = Picked(images=_texts(told.get("images")), runs=_texts(told.get("runs")))
    return Meant(picked, search if isinstance(search, str) else None)


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


async def _body(request: Request) -> Mapping[str, object]:
    """Raises: ValueError when it is no JSON object or too long."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BODY_BYTES:
            raise ValueError("Too much at once. Pick fewer.")
    told = orjson.loads(bytes(data))
    if not isinstance(told, dict):
        raise ValueError("Expected a JSON object.")
    return told
