"""The command line: the same engine, plan and store as the page, without loading it.

Each command is a module of `ui.commands`, loaded by its name in the table, so that one that needs no store answers at
once. `--json` prints one JSON document on stdout and nothing else there, however the command ends; messages go to stderr.
Exit codes: 0 all well, 1 something failed or is unknown, 2 the request is wrong and nothing was sent or stored, 130
interrupted. `main` is the one edge where an error becomes words, a document and a code.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, cast

from playground.offering import catalog_of
from playground.settings import QUIET_HUB, Settings, preset_environment
from providers.catalog import Catalog
from storage.without_pandas import load_sqlite_utils
from ui.answering import Answer, NobodyReads, log_to_stderr
from ui.arguments import parse, wants_json
from ui.commands.parts import Compose, Parts, Serve
from ui.failures import SOMETHING_FAILED, Failure
from ui.late import late

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("ui.commands.serve", "run"),
    "generate": ("ui.commands.generate", "run"),
    "estimate": ("ui.commands.estimate", "run"),
    "models": ("ui.commands.models", "run"),
    "history": ("ui.commands.history", "run"),
    "leaderboard": ("ui.commands.leaderboard", "run"),
    "voters": ("ui.commands.voters", "run"),
    "reports": ("ui.commands.reports", "run"),
    "export": ("ui.commands.archives", "run_export"),
    "import": ("ui.commands.archives", "run_import"),
    "recall": ("ui.commands.archives", "run_recall"),
    "costs": ("ui.commands.costs", "run"),
    "verify": ("ui.commands.upkeep", "run_verify"),
    "backup": ("ui.commands.upkeep", "run_backup"),
    "restore": ("ui.commands.upkeep", "run_restore"),
}
"""Module and function of each."""
_NEED_NO_STORE = frozenset({"models"})
FailureOf = Callable[[BaseException], Failure]
log = logging.getLogger(__name__)


class Command(Protocol):
    """Carries one command out and returns the exit code."""

    def __call__(self, options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
        """What it raises is told by `main`."""


def main(
    arguments: Sequence[str], catalog: Catalog, environ: dict[str, str], compose: Compose, serve: Serve | None = None
) -> int:
    """Runs one command; returns the exit code. `serve`: in the place of the web server."""
    arguments = arguments or ["serve"]
    # Here, because any part may be the first that loads the Hub's client: the copy elsewhere, the images, Gradio.
    preset_environment(QUIET_HUB)
    answer = Answer(wants_json=wants_json(arguments))
    log_to_stderr(logging.WARNING)
    try:
        try:
            code = _run(arguments, answer, catalog, environ, compose, serve)
        except NobodyReads:
            raise
        except (Exception, KeyboardInterrupt) as error:  # the one edge of this door: nothing may pass it
            failure = _failure_of(error)
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
    serve: Serve | None,
) -> int:
    options = parse(arguments)
    answer.wants_json = options.json
    settings = _settings(options, catalog, environ)
    keys = [secret.reveal() for secret in settings.secrets]
    log_to_stderr(logging.INFO if options.command == "serve" else logging.WARNING, keys)
    if options.command not in ("serve", "models", "estimate"):
        # Whoever sits at the shell is the operator, also where the pages are public.
        settings = replace(settings, mode="local")
    return _command(options.command)(
        options, answer, Parts(settings, catalog_of(settings, catalog), compose, serve, keys)
    )


def _command(name: str) -> Command:
    module, function = COMMANDS[name]
    if name not in _NEED_NO_STORE:
        load_sqlite_utils()
    return cast(Command, late(module, function))


def _failure_of(error: BaseException) -> Failure:
    # It knows the errors of all parts and so loads them all, in 0.8 s of the processor where `models` takes 0.3 s from start
    # to end: only whoever met an error waits for it.
    return cast(FailureOf, late("ui.told_errors", "failure_of"))(error)


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
