"""`generate`: sends a request, follows its runs to their ends and hands over the images."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from playground import library, limits
from playground.keys import KeyRing
from playground.local_files import copy_image, make_writable
from playground.plan import Plan
from playground.services import LOCAL_OWNER
from providers.checks import Problem
from providers.errors import MissingKey
from ui.answering import Answer
from ui.app import App
from ui.commands.parts import Parts
from ui.commands.planning import planned, tell_ends
from ui.documents import run_document
from ui.failures import ALL_WELL, INTERRUPTED, SOMETHING_FAILED, interrupted, refused
from ui.plain_documents import Document


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Sends the request and follows it to its end; returns the exit code. Raises: PlanRefused, UploadRefused, MissingKey."""
    plan = planned(options, answer, parts.catalog)
    if not plan.is_sendable:
        return answer.fail(refused(plan.all_problems))
    _refuse_missing_keys(plan, parts)
    out = Path(options.out).absolute() if options.out else None
    why = make_writable(out) if out else None
    if why:
        return answer.fail(refused([Problem("out", f"{why} Nothing was sent.")]))
    tell_ends(plan, answer)
    for row in plan.runs:
        for field in row.fields:
            if field.handling == "refused":
                answer.say(f"{row.offer.offer_id}: {field.field} is not sent. {field.note}")
            elif field.note:
                answer.say(f"{row.offer.offer_id}: {field.field}: {field.note}")
    with parts.app() as app:
        over = limits.verdict(app.services, plan, LOCAL_OWNER, app.engine.session)
        if over.words and not over.blocked:
            answer.say(over.words)
        was_interrupted = _carry_out_or_stop(plan, app, answer)
        if answer.group_id is None:
            return answer.fail(interrupted("Interrupted before anything was sent; `history` shows what was stored."))
        document, states = asyncio.run(_group_document(app, answer.group_id))
    is_copied = out is None or _copy_out(answer, document, out)
    _report(answer, document)
    if was_interrupted:
        return INTERRUPTED
    return ALL_WELL if is_copied and set(states) == {"succeeded"} else SOMETHING_FAILED


def _refuse_missing_keys(plan: Plan, parts: Parts) -> None:
    """Before the application is composed, which makes the data folder. Raises: MissingKey."""
    ring = KeyRing(parts.settings)
    for run in plan.runs:
        for provider in (run.provider, *(parts.catalog.provider(name) for name in run.offer.needs_key_of)):
            if ring.find(provider, LOCAL_OWNER) is None:
                whose = "" if provider is run.provider else f", which this model at {run.provider.name} runs on"
                raise MissingKey(
                    f"There is no key for {provider.name}{whose}. Set {provider.key_variable} in the environment. "
                    "Nothing was sent.",
                    provider=provider.name,
                )


def _carry_out_or_stop(plan: Plan, app: App, answer: Answer) -> bool:
    """Whether it was interrupted. A second Ctrl-C does not wait until the stop is in order, and is told all the same."""
    try:
        return asyncio.run(_carry_out(plan, app, answer))
    except KeyboardInterrupt:
        return True


async def _carry_out(plan: Plan, app: App, answer: Answer) -> bool:
    """Submits the plan and follows it to its end; whether Ctrl-C stopped it."""
    try:
        await app.engine.catch_up(0)
        answer.group_id = await app.engine.submit(plan, LOCAL_OWNER)
        async for event in app.engine.follow(answer.group_id, LOCAL_OWNER):
            live = app.engine.live(event.run_id)
            why = f": {live.note}" if event.what == "waiting" and live and live.note else ""
            answer.say(f"{event.run_id} {event.what}{why}")
    except asyncio.CancelledError:
        if answer.group_id is not None:
            await app.engine.cancel_all(LOCAL_OWNER, answer.group_id)
        return True
    finally:
        await app.engine.close(0)
        await app.services.client.close()
    return False


async def _group_document(app: App, group_id: str) -> tuple[Document, list[str]]:
    view = await library.group(app.services, group_id, LOCAL_OWNER)
    found = view.runs if view else ()
    document: Document = {"group_id": group_id, "runs": [run_document(run, app.services) for run in found]}
    return document, [run.run.state for run in found]


def _copy_out(answer: Answer, document: Document, folder: Path) -> bool:
    """Copies the images into the folder, each locked one beside the image it is made of, and points `path` and `locked_path` at
    the copies that were made; whether all were.
    """
    is_whole = True
    for run in _rows(document, "runs"):
        for number, image in enumerate(_rows(run, "images"), start=1):
            for name, ending in (("path", ""), ("locked_path", "-locked")):
                if image[name] is not None:
                    stem = folder / f"{run['run_id']}-{number}{ending}"
                    is_whole &= _copied(answer, image, name, stem)
    return is_whole


def _copied(answer: Answer, image: Document, name: str, stem: Path) -> bool:
    """Copies one file of the image to `stem` with its own ending; whether it was."""
    source = Path(str(image[name]))
    target = stem.with_name(f"{stem.name}{source.suffix}")
    why = copy_image(source, target)
    if why is None:
        image[name] = str(target.resolve())
        return True
    answer.say(f"{source} could not be copied to {target}: {why}. The image is kept; copy it yourself.")
    return False


def _report(answer: Answer, document: Document) -> None:
    answer.document(document)
    for run in _rows(document, "runs"):
        error = run["error"]
        if isinstance(error, dict):
            answer.say(f"{run['offer']}: {error['message']}")
        for image in _rows(run, "images"):
            answer.line(str(image["path"]))
            if image["locked_path"] is not None:
                answer.line(str(image["locked_path"]))
            if image["lock_note"]:
                answer.say(f"{run['offer']}: {image['lock_note']}")


def _rows(document: Document, name: str) -> list[Document]:
    rows = document[name]
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
