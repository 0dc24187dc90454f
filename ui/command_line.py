"""The command line: the same engine, plan and store as the page, without loading it.

`--json` prints one JSON document on stdout and nothing else there; messages go to stderr. Exit codes: 0 all well, 1
something failed or is unknown, 2 the request is wrong and nothing was sent or stored, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from playground import library
from playground.engine import PlanRefused
from playground.image_hygiene import UploadRefused
from playground.local_files import read_image, read_mask
from playground.plan import Plan, make_plan
from playground.recovery import take_up
from playground.services import LOCAL_OWNER
from playground.settings import Settings, SettingsError
from providers.catalog import Catalog
from providers.errors import ProviderError
from providers.redact import without_keys
from providers.rows import DEFAULT_QUALITY
from providers.types import (
    BACKGROUNDS,
    DEFAULT_TIMEOUT_S,
    FIDELITIES,
    FORMATS,
    MODERATIONS,
    QUALITIES,
    ImageRequest,
)
from storage.errors import StoreError
from storage.verify import verify
from ui.app import App
from ui.documents import Document, catalog_document, plan_document, run_document
from ui.serving import CannotListen

ALL_WELL, SOMETHING_FAILED, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130

Compose = Callable[[Settings], App]
Serve = Callable[[App], None]


def main(arguments: Sequence[str], catalog: Catalog, environ: dict[str, str], compose: Compose, serve: Serve) -> int:
    """Runs one command; returns the exit code. `serve` blocks until the app is stopped."""
    options = _parser().parse_args(arguments or ["serve"])
    try:
        settings = _settings(options, catalog, environ)
    except SettingsError as error:
        return _fail(str(error), WRONG_REQUEST)
    _log_to_stderr(logging.INFO if options.command == "serve" else logging.WARNING)
    try:
        return _run(options, settings, catalog, compose, serve)
    except (UploadRefused, PlanRefused) as error:
        return _refuse(options, str(error), [{"field": "images", "message": str(error)}])
    except ProviderError as error:
        return _refuse(options, error.message, [{"field": "key", "message": error.message}])
    except (StoreError, CannotListen) as error:
        return _fail(str(error), SOMETHING_FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace, settings: Settings, catalog: Catalog, compose: Compose, serve: Serve) -> int:
    if options.command == "models":
        return _models(options, catalog)
    if options.command == "estimate":
        return _estimate(options, settings, catalog)
    if options.command == "serve":
        serve(compose(settings))
        return ALL_WELL
    commands = {"history": _history, "verify": _verify, "backup": _backup}
    if options.command == "generate":
        return _generate(options, settings, catalog, compose)
    app = _compose_for_operator(settings, compose)
    try:
        return commands[options.command](options, app)
    finally:
        app.worker.close()
        app.services.store.close()


def _compose_for_operator(settings: Settings, compose: Compose) -> App:
    """Whoever sits at the shell is the operator, also where the pages are public."""
    return compose(replace(settings, mode="local"))


def _models(options: argparse.Namespace, catalog: Catalog) -> int:
    if options.json:
        _print_json(catalog_document(catalog))
        return ALL_WELL
    for offer in catalog.offers:
        spec = catalog.spec(offer)
        ends = f"  ends {spec.retires_on}" if spec.retires_on else ""
        _print(f"{offer.offer_id:36} {spec.name}{ends}")
    return ALL_WELL


def _estimate(options: argparse.Namespace, settings: Settings, catalog: Catalog) -> int:
    plan = make_plan(read_request(options), options.offer, catalog)
    document = plan_document(plan, settings.base_urls)
    if options.json:
        _print_json(document)
    for run in plan.runs:
        if not options.json:
            _print(f"{run.offer.offer_id:36} {money_text(run.estimate.high_microusd)}")
    for problem in plan.all_problems:
        _say(f"{problem.field}: {problem.message}")
    return WRONG_REQUEST if plan.all_problems else ALL_WELL


def _generate(options: argparse.Namespace, settings: Settings, catalog: Catalog, compose: Compose) -> int:
    plan = make_plan(read_request(options), options.offer, catalog)
    if not plan.is_sendable:
        found = [{"field": problem.field, "message": problem.message} for problem in plan.all_problems]
        return _refuse(options, " ".join(row["message"] for row in found), found)
    for run in plan.runs:
        for field in run.fields:
            if field.handling == "refused":
                _say(f"{run.offer.offer_id}: {field.field} is not sent. {field.note}")
    app = _compose_for_operator(settings, compose)
    try:
        return asyncio.run(_carry_out(options, plan, app))
    finally:
        app.services.store.close()


async def _carry_out(options: argparse.Namespace, plan: Plan, app: App) -> int:
    was_interrupted = False
    try:
        await asyncio.to_thread(take_up, app.services, app.worker, claim_queued=False)
        group_id = await app.engine.submit(plan, LOCAL_OWNER)
        try:
            async for event in app.engine.follow(group_id, LOCAL_OWNER):
                _say(f"{event.run_id} {event.what}")
        except asyncio.CancelledError:
            was_interrupted = True
            await app.engine.cancel_all(LOCAL_OWNER, group_id)
        document, states = await _group_document(app, group_id)
    finally:
        await app.engine.close(0)
        await app.services.client.close()
    if options.out:
        _copy_out(document, Path(options.out))
    _report(options, document)
    if was_interrupted:
        return INTERRUPTED
    return ALL_WELL if set(states) == {"succeeded"} else SOMETHING_FAILED


async def _group_document(app: App, group_id: str) -> tuple[Document, list[str]]:
    view = await library.group(app.services, group_id, LOCAL_OWNER)
    found = view.runs if view else ()
    document: Document = {"group_id": group_id, "runs": [run_document(run, app.services) for run in found]}
    return document, [run.run.state for run in found]


def _copy_out(document: Document, folder: Path) -> None:
    """Copies the images into the folder and points `path` at the copies."""
    folder.mkdir(parents=True, exist_ok=True)
    for run in _rows(document, "runs"):
        for number, image in enumerate(_rows(run, "images"), start=1):
            source = Path(str(image["path"]))
            target = folder / f"{run['run_id']}-{number}{source.suffix}"
            shutil.copyfile(source, target)
            image["path"] = str(target.resolve())


def _report(options: argparse.Namespace, document: Document) -> None:
    if options.json:
        _print_json(document)
    for run in _rows(document, "runs"):
        error = run["error"]
        if isinstance(error, dict):
            _say(f"{run['offer']}: {error['message']}")
        if not options.json:
            for image in _rows(run, "images"):
                _print(str(image["path"]))


def _history(options: argparse.Namespace, app: App) -> int:
    take_up(app.services, app.worker, claim_queued=False)
    page, count = asyncio.run(
        library.history_page(app.services, None, search=options.search, limit=options.limit, before=options.before)
    )
    if options.json:
        _print_json(
            {"runs": [run_document(view, app.services) for view in page.runs], "next": page.next, "count": count}
        )
        return ALL_WELL
    for view in page.runs:
        first = view.run.prompt.replace("\n", " ")[:60]
        _print(
            f"{view.run.queued_at}  {view.run.state:10} {money_text(view.cost_microusd):>9}  {view.run.offer}  {first}"
        )
    return ALL_WELL


def _verify(options: argparse.Namespace, app: App) -> int:
    problems = verify(app.services.store)
    if options.json:
        rows = [{"kind": row.kind, "subject": row.subject, "message": row.message} for row in problems]
        _print_json({"ok": not problems, "problems": rows})
    else:
        for row in problems:
            _print(f"{row.kind}: {row.message}")
    _say("Every row has its bytes and every byte its row." if not problems else f"{len(problems)} problems found.")
    return SOMETHING_FAILED if problems else ALL_WELL


def _backup(options: argparse.Namespace, app: App) -> int:
    app.services.store.backup(Path(options.file))
    _say(f"Written: {options.file}. It holds the database; the images lie in {app.services.store.data_dir / 'blobs'}.")
    return ALL_WELL


def read_request(options: argparse.Namespace) -> ImageRequest:
    """The request that the options describe; image files are read and cleaned, and nothing is stored.

    Raises: UploadRefused when a file cannot be used.
    """
    images = [read_image(Path(name)) for name in options.image]
    notes = [note for taken in images for note in taken.notes]
    mask = None
    if options.mask and images:
        taken = read_mask(Path(options.mask), images[0].input)
        mask, notes = taken.input, [*notes, *taken.notes]
    elif options.mask:
        raise UploadRefused("A mask needs an image to edit. Add it with --image.")
    for note in notes:
        _say(note)
    return ImageRequest(
        prompt=options.prompt,
        n=options.n,
        size=options.size or ("auto" if images else "1024x1024"),
        quality=options.quality,
        background=options.background,
        output_format=options.format,
        output_compression=options.compression,
        moderation=options.moderation,
        input_fidelity=options.fidelity,
        partial_images=options.partials,
        user=options.user,
        timeout_s=options.timeout,
        images=tuple(taken.input for taken in images),
        mask=mask,
    )


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data-dir", metavar="DIR", help="folder of the database and the images")
    shared.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    request = argparse.ArgumentParser(add_help=False, parents=[shared])
    _add_request_options(request)
    parser = argparse.ArgumentParser(
        prog="app.py", description="Diptych: a playground and blind arena for image models."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", parents=[shared], help="open the page (what no command at all does)")
    serve.add_argument("--host", help="address to listen on")
    serve.add_argument("--port", type=int, help="port to listen on")
    generate = commands.add_parser("generate", parents=[request], help="make images, or edit some")
    generate.add_argument("--out", metavar="DIR", help="copy the images there")
    commands.add_parser("estimate", parents=[request], help="what that would send and cost; sends nothing")
    commands.add_parser("models", parents=[shared], help="models, providers, limits and prices")
    history = commands.add_parser("history", parents=[shared], help="runs so far, newest first")
    history.add_argument("--search", default="", metavar="TEXT", help="words of the prompt")
    history.add_argument("--limit", type=int, default=24, metavar="N")
    history.add_argument("--before", metavar="CURSOR", help="`next` of the page before")
    commands.add_parser("verify", parents=[shared], help="check that every row has its bytes and every byte its row")
    backup = commands.add_parser("backup", parents=[shared], help="copy the database; safe while the app runs")
    backup.add_argument("file", metavar="FILE")
    return parser


def _add_request_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offer", action="append", required=True, metavar="PROVIDER/MODEL", help="once or several times"
    )
    parser.add_argument("--prompt", required=True, metavar="TEXT")
    parser.add_argument(
        "--image", action="append", default=[], metavar="FILE", help="reference image; makes it an edit"
    )
    parser.add_argument("--mask", metavar="FILE", help="PNG; what is transparent in it is repainted")
    parser.add_argument("--n", type=int, default=1, help="images per run")
    parser.add_argument("--size", metavar="WxH|auto")
    parser.add_argument("--quality", choices=QUALITIES, default=DEFAULT_QUALITY)
    parser.add_argument("--background", choices=BACKGROUNDS)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--compression", type=int, metavar="0-100", help="JPEG and WebP; 100 is the best quality")
    parser.add_argument("--moderation", choices=MODERATIONS)
    parser.add_argument("--fidelity", choices=FIDELITIES, help="how closely an edit keeps to its inputs")
    parser.add_argument("--partials", type=int, metavar="0-3", help="previews on the way; without it a plain answer")
    parser.add_argument("--user", metavar="ID", help="pseudonymous id of the end user")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="S")


def _settings(options: argparse.Namespace, catalog: Catalog, environ: dict[str, str]) -> Settings:
    given = {
        "DIPTYCH_DATA_DIR": options.data_dir,
        "DIPTYCH_HOST": getattr(options, "host", None),
        "DIPTYCH_PORT": None if getattr(options, "port", None) is None else str(options.port),
    }
    return Settings.from_env(
        {**environ, **{name: value for name, value in given.items() if value is not None}}, catalog
    )


class _SafeFormatter(logging.Formatter):
    """Takes keys out of whole log entries, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))


def _log_to_stderr(level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It logs whole addresses at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def money_text(microusd: int | None) -> str:
    """Micro-dollars as text: `$0.0059`, `free`, `unknown`."""
    if microusd is None:
        return "unknown"
    return f"${microusd / 1_000_000:.4f}" if microusd else "free"


def _rows(document: Document, name: str) -> list[Document]:
    rows = document[name]
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _refuse(options: argparse.Namespace, message: str, problems: list[dict[str, str]]) -> int:
    if getattr(options, "json", False):
        _print_json({"group_id": None, "runs": [], "problems": problems})
    return _fail(message, WRONG_REQUEST)


def _fail(message: str, code: int) -> int:
    _say(message)
    return code


def _print_json(document: Document) -> None:
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
