"""The command line: the same engine, plan and store as the page, without loading it.

`--json` prints one JSON document on stdout and nothing else there, however the command ends; messages go to stderr. Exit
codes: 0 all well, 1 something failed or is unknown, 2 the request is wrong and nothing was sent or stored, 130
interrupted. `main` is the one edge where an error becomes words, a document and a code.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from playground import library, limits
from playground.keys import KeyRing
from playground.local_files import copy_image, make_writable
from playground.offered import catalog_of
from playground.plan import Plan, make_plan
from playground.quotes import quotes_of
from playground.refusals import PlanRefused
from playground.services import LOCAL_OWNER, utc_now
from playground.settings import Settings
from playground.snapshotting import restore_at_start
from providers.catalog import Catalog
from providers.checks import Problem
from providers.errors import MissingKey
from providers.rows import DEFAULT_QUALITY
from storage.search import parse_search
from storage.sorts import sort_of
from ui import archive_commands, costs_command, leaderboard_command, reports_command, store_commands, votes_command
from ui.answering import Answer, NobodyReads, log_to_stderr, safe_stderr
from ui.app import App
from ui.arguments import parse, unreadable, wants_json
from ui.documents import Document, catalog_document, lifecycle_notice, plan_document, run_document
from ui.failures import (
    ALL_WELL,
    INTERRUPTED,
    SOMETHING_FAILED,
    WRONG_REQUEST,
    failure_of,
    interrupted,
    refused,
)
from ui.request_options import read_request
from ui.serving import refuse_missing

CATCH_UP_S = 60.0
"""So long a command that only looks waits for jobs that an ended process left."""
log = logging.getLogger(__name__)

Compose = Callable[[Settings], App]
Serve = Callable[[App, Callable[[str], None]], int]
"""Blocks until a signal ends the app, and returns its number. Calls the function with the page's address once it is up."""


def main(arguments: Sequence[str], catalog: Catalog, environ: dict[str, str], compose: Compose, serve: Serve) -> int:
    """Runs one command; returns the exit code."""
    arguments = arguments or ["serve"]
    answer = Answer(wants_json=wants_json(arguments))
    log_to_stderr(logging.WARNING)
    try:
        try:
            code = _run(arguments, answer, catalog, environ, compose, serve)
        except NobodyReads:
            raise
        except (Exception, KeyboardInterrupt) as error:  # the one edge of this door: nothing may pass it
            failure = failure_of(error)
            if failure.is_fault:
                log.error("a fault in this program", exc_info=error)
            code = answer.fail(failure)
        answer.finish()
    except NobodyReads as error:
        if error.words:
            answer.say(error.words)
        return SOMETHING_FAILED
    return code


def _run(
    arguments: Sequence[str],
    answer: Answer,
    catalog: Catalog,
    environ: dict[str, str],
    compose: Compose,
    serve: Serve,
) -> int:
    options = parse(arguments)
    answer.wants_json = options.json
    settings = _settings(options, catalog, environ)
    keys = [secret.reveal() for secret in settings.secrets]
    log_to_stderr(logging.INFO if options.command == "serve" else logging.WARNING, keys)
    catalog = catalog_of(settings, catalog)
    if options.command == "models":
        return _models(answer, catalog)
    if options.command == "estimate":
        return _estimate(options, answer, settings, catalog)
    if options.command == "serve":
        return _serve(answer, settings, compose, serve, keys)
    # Whoever sits at the shell is the operator, also where the pages are public.
    settings = replace(settings, mode="local")
    if options.command == "generate":
        return _generate(options, answer, settings, catalog, compose)
    if options.command == "leaderboard":
        return leaderboard_command.run(options, answer, partial(compose, settings))
    app = compose(settings)
    commands = {
        "costs": costs_command.run,
        "history": _history,
        "voters": votes_command.run,
        "reports": reports_command.run,
        "export": archive_commands.run_export,
        "import": archive_commands.run_import,
        "recall": archive_commands.run_recall,
        "verify": store_commands.run_verify,
        "backup": store_commands.run_backup,
    }
    try:
        return commands[options.command](options, answer, app)
    finally:
        app.worker.close()
        app.services.store.close()


def _serve(answer: Answer, settings: Settings, compose: Compose, serve: Serve, keys: Sequence[str]) -> int:
    refuse_missing(settings)
    restored = restore_at_start(settings)
    app = compose(settings)
    log_to_stderr(logging.INFO, keys, app.services.keys.in_memory)
    app.snapshots.go_on_from(restored)

    def tell(url: str) -> None:
        answer.say(f"Diptych is at {url}")
        answer.document({"url": url})

    try:
        with safe_stderr(keys, app.services.keys.in_memory):
            return INTERRUPTED if serve(app, tell) == signal.SIGINT else ALL_WELL
    finally:
        app.worker.close()
        app.services.store.close()


def _models(answer: Answer, catalog: Catalog) -> int:
    answer.document(catalog_document(catalog))
    for offer in catalog.offers:
        spec = catalog.spec(offer)
        ends = f"  ends {spec.retires_on}" if spec.retires_on else ""
        answer.line(f"{offer.offer_id:36} {spec.name}{ends}")
    return ALL_WELL


def _estimate(options: argparse.Namespace, answer: Answer, settings: Settings, catalog: Catalog) -> int:
    plan = _plan(options, answer, catalog)
    quotes = asyncio.run(quotes_of(plan, settings, catalog)) if options.quote else None
    answer.document(plan_document(plan, settings, utc_now().date(), quotes))
    _tell_ends(plan, answer)
    for run in plan.runs:
        quote = (quotes or {}).get(run.offer.offer_id)
        told = (
            f"  the provider says {money_text(quote) if isinstance(quote, int) else quote}" if quote is not None else ""
        )
        answer.line(f"{run.offer.offer_id:36} {money_text(run.estimate.high_microusd)}{told}")
    for problem in plan.all_problems:
        answer.say(f"{problem.field}: {problem.message}")
    return WRONG_REQUEST if plan.all_problems else ALL_WELL


def _generate(
    options: argparse.Namespace, answer: Answer, settings: Settings, catalog: Catalog, compose: Compose
) -> int:
    plan = _plan(options, answer, catalog)
    if not plan.is_sendable:
        return answer.fail(refused(plan.all_problems))
    _refuse_missing_keys(plan, settings, catalog)
    out = Path(options.out).absolute() if options.out else None
    why = make_writable(out) if out else None
    if why:
        return answer.fail(refused([Problem("out", f"{why} Nothing was sent.")]))
    _tell_ends(plan, answer)
    for run in plan.runs:
        for field in run.fields:
            if field.handling == "refused":
                answer.say(f"{run.offer.offer_id}: {field.field} is not sent. {field.note}")
            elif field.note:
                answer.say(f"{run.offer.offer_id}: {field.field}: {field.note}")
    app = compose(settings)
    try:
        over = limits.verdict(app.services, plan, LOCAL_OWNER, app.engine.session)
        if over.words and not over.blocked:
            answer.say(over.words)
        was_interrupted = _carry_out_or_stop(plan, app, answer)
        if answer.group_id is None:
            return answer.fail(interrupted("Interrupted before anything was sent; `history` shows what was stored."))
        document, states = asyncio.run(_group_document(app, answer.group_id))
    finally:
        app.worker.close()
        app.services.store.close()
    is_copied = out is None or _copy_out(answer, document, out)
    _report(answer, document)
    if was_interrupted:
        return INTERRUPTED
    return ALL_WELL if is_copied and set(states) == {"succeeded"} else SOMETHING_FAILED


def _tell_ends(plan: Plan, answer: Answer) -> None:
    """Says which models end, or have ended."""
    for run in plan.runs:
        notice = lifecycle_notice(run, utc_now().date())
        if notice:
            answer.say(f"{run.offer.offer_id}: {notice}")


def _refuse_missing_keys(plan: Plan, settings: Settings, catalog: Catalog) -> None:
    """Before the application is composed, which makes the data folder. Raises: MissingKey."""
    ring = KeyRing(settings)
    for run in plan.runs:
        for provider in (run.provider, *(catalog.provider(name) for name in run.offer.needs_key_of)):
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


async def _catch_up(app: App) -> None:
    """What a crash left, jobs at providers included; those that take longer go on at the next start."""
    try:
        await app.engine.catch_up(CATCH_UP_S)
    finally:
        await app.engine.close(0)
        await app.services.client.close()


def _history(options: argparse.Namespace, answer: Answer, app: App) -> int:
    try:
        if options.before is not None:
            sort_of(options.sort).place(options.before)
    except ValueError as error:
        raise PlanRefused((Problem("before", f"{error} in this order"),)) from error
    asyncio.run(_catch_up(app))
    page, count = asyncio.run(
        library.history_page(
            app.services, None, search=options.search, sort=options.sort, limit=options.limit, before=options.before
        )
    )
    for words in parse_search(options.search).misread:
        answer.say(words)
    answer.document(
        {"runs": [run_document(view, app.services) for view in page.runs], "next": page.next, "count": count}
    )
    for view in page.runs:
        # What a visitor wrote must not steer the operator's terminal.
        first = "".join(letter if letter.isprintable() else " " for letter in view.run.prompt[:60])
        answer.line(
            f"{view.run.queued_at}  {view.run.state:10} {money_text(view.cost_microusd):>9}  {view.run.offer}  {first}"
        )
    return ALL_WELL


def _plan(options: argparse.Namespace, answer: Answer, catalog: Catalog) -> Plan:
    """What the options ask for, with all that stands in its way. Raises: PlanRefused, UploadRefused."""
    garbled = unreadable(options)
    if garbled:
        raise PlanRefused(garbled)
    request = read_request(options, answer.say)
    return make_plan(request, options.offer, catalog, default_quality=DEFAULT_QUALITY)


def _settings(options: argparse.Namespace, catalog: Catalog, environ: dict[str, str]) -> Settings:
    given = {
        "DIPTYCH_DATA_DIR": options.data_dir,
        "DIPTYCH_HOST": getattr(options, "host", None),
        "DIPTYCH_MCP": "on" if getattr(options, "mcp", False) else None,
        "DIPTYCH_PORT": None if getattr(options, "port", None) is None else str(options.port),
    }
    return Settings.from_env(
        {**environ, **{name: value for name, value in given.items() if value is not None}}, catalog
    )


def money_text(microusd: int | None) -> str:
    """Micro-dollars as text: `$0.0059`, `free`, `unknown`."""
    if microusd is None:
        return "unknown"
    return f"${microusd / 1_000_000:.4f}" if microusd else "free"


def _rows(document: Document, name: str) -> list[Document]:
    rows = document[name]
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
