"""What the History page asks for: a page of runs, the details of one, its code, copies of an image, and packs."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground import curation, downloads, library, uploads
from playground.asked import request_of
from playground.offered import told_access
from playground.plan import Plan, make_plan
from playground.samples import samples_of, subject_of
from storage.blobs import EXTENSIONS
from storage.errors import ImageDamaged, ImagesAway
from storage.history import HistoryPage
from storage.sorts import NEWEST, SORTS
from ui import guard, history_details, history_views, views
from ui.app import App, own
from ui.edges import Told, edged
from ui.history_answers import nothing, whose
from ui.route_answers import answer, refused
from ui.told_errors import failure_of
from ui.trouble import why_not_had

MAX_PAGE_NUMBER = 1_000_000
_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_COPIES: dict[str, downloads.Copy] = {"bare": "bare", "settings": "settings"}


def history_routes(app: App) -> list[Route]:
    """The routes, relative to where the app is mounted."""
    return [
        Route("/history/page.json", own(page, app)),
        Route("/history/runs/{run_id}.json", own(details, app)),
        Route("/history/runs/{run_id}/code.json", own(edged(code, _in_the_way), app)),
        Route("/history/runs/{run_id}/again.json", own(edged(again, _in_the_way), app), methods=["GET", "POST"]),
        Route("/history/runs/{run_id}/{position:int}/{copy}", own(copied, app)),
    ]


async def page(app: App, request: Request) -> Response:
    """A page of `?search=…&sort=…&page=3`, or the one behind `before`; with how many match, and with what stands `around`.

    With `groups` also what of the groups on it stands on other pages, in words.
    """
    asked = request.query_params
    search, sort, number = asked.get("search", ""), asked.get("sort", NEWEST), _number(asked.get("page", "1"))
    try:
        owner = whose(app, request)
        if sort not in SORTS or not number:
            return refused("There is no such page.", 400)
        found, total, number = await _page(app, owner, search, sort, before=asked.get("before") or None, number=number)
        view = history_views.page_view(
            found,
            total,
            kept=total if not search.strip() else await library.count_runs(app.services, owner),
            search=search,
            number=number,
            size=library.PAGE_SIZE,
            catalog=app.services.catalog,
        )
        if "groups" in asked:
            rest = await library.rest_of_groups(app.services, owner, found, search=search, sort=sort)
            view |= {"rest": {group_id: history_views.rest_words(one) for group_id, one in rest.items()}}
        if "around" in asked:
            view |= await _around(app, owner)
    except guard.UnknownVisitor as error:
        return refused(str(error), 403)
    except ValueError as error:
        return refused(str(error), 400)
    return answer(view)


async def _page(
    app: App, owner: str, search: str, sort: str, *, before: str | None, number: int
) -> tuple[HistoryPage, int, int]:
    """The page, how many runs match on all of them, and the page's number: the last one, where there are fewer by now.

    Raises: ValueError when `before` is no place in this order.
    """
    skip = 0 if before else (number - 1) * library.PAGE_SIZE
    found, total = await library.history_page(app.services, owner, search=search, sort=sort, before=before, skip=skip)
    last = max(1, -(-total // library.PAGE_SIZE))
    if found.runs or number <= last:
        return found, total, number
    # What was on it went to the trash, or the box asked for more than there is.
    skip = (last - 1) * library.PAGE_SIZE
    return *await library.history_page(app.services, owner, search=search, sort=sort, skip=skip), last


async def _around(app: App, owner: str) -> dict[str, object]:
    """What stands around the list: what the trash holds, searches and tags to choose from, and the orders."""
    (images, runs, size_bytes), saved, tags = await asyncio.gather(
        curation.trash_size(app.services, owner),
        curation.searches_of(app.services, owner),
        curation.tags_of(app.services, owner),
    )
    return {
        "around": {
            "trash": {"things": images + runs, "words": views.bytes_text(size_bytes) if size_bytes else ""},
            "searches": [{"name": one.name, "query": one.query, "sort": one.sort} for one in saved],
            "tags": [tag for tag, _ in tags],
            "sorts": [[name, one.label] for name, one in SORTS.items()],
        }
    }


async def details(app: App, request: Request) -> Response:
    """All that is known of a run, shown by its image at `?image=`."""
    try:
        owner = whose(app, request)
    except guard.UnknownVisitor:
        return nothing()
    run_id = request.path_params["run_id"]
    found = await library.details(app.services, run_id, owner) if _ID.fullmatch(run_id) else None
    if found is None:
        return nothing()
    position = _number(request.query_params.get("image", "")) or 0
    return answer(history_details.full_view(found, position, app.services.catalog))


async def code(app: App, request: Request) -> Response:
    """Code that makes the same call in several languages. No key in it."""
    planned = await _plan(app, whose(app, request), request.path_params["run_id"])
    if planned is None or not planned.runs:
        return nothing()
    run = planned.runs[0]
    # Without the key: what is not there cannot be shown.
    access = told_access(run.provider, app.services.settings)
    made = samples_of(subject_of(run, access, has_key=not run.provider.key_is_optional))
    return answer([{"id": one.sample_id, "name": one.name, "code": one.code, "notes": one.notes} for one in made])


async def again(app: App, request: Request) -> Response:
    """GET: what the same run would cost now, in words. POST: runs it again, exactly as it was asked; the new group."""
    run_id = request.path_params["run_id"]
    owner = whose(app, request, is_change=request.method == "POST")
    planned = await _plan(app, owner, run_id)
    if planned is None:
        return nothing()
    if request.method == "POST":
        return answer({"group": await app.engine.submit(planned, owner)})
    cost = views.total([(run.estimate.low_microusd, run.estimate.high_microusd) for run in planned.runs])
    problems = [problem.message for problem in planned.problems]
    return answer({"price": cost.about(), "problem": " ".join(problems)})


async def copied(app: App, request: Request) -> Response:
    """A copy of an image to take along: `bare` of metadata, or with its `settings` inside."""
    run_id, position = request.path_params["run_id"], request.path_params["position"]
    copy = _COPIES.get(request.path_params["copy"])
    try:
        owner = whose(app, request)
    except guard.UnknownVisitor:
        return nothing()
    view = await library.run(app.services, run_id, owner) if copy and _ID.fullmatch(run_id) else None
    image = next((one for one in view.all_images if one.position == position), None) if view else None
    try:
        path = await asyncio.to_thread(library.owned_file, app.services, image.sha256, owner) if image else None
    except (ImagesAway, ImageDamaged) as error:
        return refused(why_not_had(error), 503)
    if not copy or view is None or image is None or path is None:
        return nothing()
    try:
        data = await asyncio.to_thread(path.read_bytes)
        made, media_type = await asyncio.to_thread(downloads.copy_of, data, view.run, image, copy)
    except (OSError, ValueError) as error:
        return refused(str(error), 409)
    name = downloads.file_name(view.run, image, f".{EXTENSIONS[media_type]}").encode("ascii", "ignore").decode()
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(made, media_type=media_type, headers=headers)


async def _plan(app: App, owner: str, run_id: str) -> Plan | None:
    """What the run asked, for the same offer, by today's rules and prices; `None` when it is not the owner's.

    Raises: PlanRefused, UploadRefused when an input is gone.
    """
    found = await library.details(app.services, run_id, owner) if _ID.fullmatch(run_id) else None
    if found is None:
        return None
    run = found.view.run
    hashes = run.asked.get("images")
    images = [
        await uploads.load_input(app.services, owner, str(sha256))
        for sha256 in (hashes if isinstance(hashes, list) else [])
    ]
    mask = run.asked.get("mask")
    loaded = await uploads.load_input(app.services, owner, str(mask)) if mask else None
    return make_plan(request_of(run.asked, images, loaded), [run.offer], app.services.catalog)


def _in_the_way(error: Exception) -> Told[Response]:
    """What stands in the way, by the words of the other doors."""
    if isinstance(error, guard.UnknownVisitor):
        return Told(refused(str(error), 403))
    failure = failure_of(error)
    return Told(refused(failure.error.message, 409), failure.is_fault)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MAX_PAGE_NUMBER else None
