"""What the shell says as values: the options of every command, each wrong one named by its field."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn, get_args

from arena.board_choices import BOARDS, LEVELS, QUESTIONS
from arena.ratings.method import BothBad, Interval, Kind, Method, Ties
from playground.settings import PORTS
from providers.checks import Problem
from providers.rows import DEFAULT_QUALITY
from providers.types import (
    BACKGROUNDS,
    DEFAULT_TIMEOUT_S,
    FIDELITIES,
    FORMATS,
    MODERATIONS,
    OTHER_QUALITIES,
    QUALITIES,
)
from storage.records import LimitSpan
from storage.sorts import MAX_PAGE, NEWEST, SORTS

DEFAULT_SIZE = "1024x1024"
"""Asked for when no size is named; it is never the dearest one."""
DEFAULT_EDIT_SIZE = "auto"

FIELDS = {
    "offer": "offers",
    "image": "images",
    "format": "output_format",
    "compression": "output_compression",
    "fidelity": "input_fidelity",
    "partials": "partial_images",
    "timeout": "timeout_s",
}
"""Option -> field of the request, where the names differ."""

_MAX_SEED = 999_999_999
_CURSOR_DIGITS = 18
"""`next` of a page of history is a row number, behind a figure where the order goes by one."""


class WrongArguments(ValueError):
    """The arguments cannot be understood; `usage` says how they are written."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.usage = usage

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The message for each field it is about."""
        message = str(self)
        blamed = re.match(r"argument (\S+?): |the following arguments are required: (.+)", message)
        names = re.split(r"[,/] ?", blamed[1] or blamed[2]) if blamed else ["arguments"]
        return tuple(Problem(_field(name), message) for name in names)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one command. Raises: WrongArguments."""
    return _parser().parse_args(arguments)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a document is wanted, also where the arguments cannot be parsed."""
    options = list(arguments)
    return "--json" in (options[: options.index("--")] if "--" in options else options)


def unreadable(options: argparse.Namespace) -> tuple[Problem, ...]:
    """Text that came as bytes which are none; it cannot be sent, stored or shown."""
    texts = {
        "prompt": [options.prompt],
        "offer": options.offer,
        "size": [options.size],
        "aspect-ratio": [options.aspect_ratio],
        "resolution": [options.resolution],
        "user": [options.user],
    }
    return tuple(
        Problem(_field(name), f"--{name} holds bytes that are no text. Type or paste it once more.")
        for name, values in texts.items()
        if any("\ud800" <= character <= "\udfff" for value in values for character in value or "")
    )


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the process, so that there is one way to fail."""

    def error(self, message: str) -> NoReturn:
        raise WrongArguments(message, f"{self.format_usage()}{self.prog}: error: ")


_Add = Callable[[str, _Parser, str], _Parser]
"""Adds a command: its name, the options it shares, and what it does."""


def _parser() -> argparse.ArgumentParser:
    shared = _Parser(add_help=False)
    shared.add_argument("--data-dir", type=_name, metavar="DIR", help="folder of the database and the images")
    shared.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    # Abbreviated options would mean something else as soon as another option begins alike.
    parser = _Parser(
        prog="app.py", description="Diptych: a playground and blind arena for image models.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, options: _Parser, words: str) -> _Parser:
        return commands.add_parser(name, parents=[options], help=words, allow_abbrev=False)

    _add_run_commands(command, shared)
    _add_vote_commands(command, shared)
    _add_store_commands(command, shared)
    return parser


def _add_run_commands(command: _Add, shared: _Parser) -> None:
    request = _Parser(add_help=False, parents=[shared])
    _add_request_options(request)
    serve = command("serve", shared, "open the page (what no command at all does)")
    serve.add_argument("--host", type=_name, help="address to listen on")
    serve.add_argument("--port", type=_whole_number(*PORTS), help="port to listen on")
    serve.add_argument("--mcp", action="store_true", help="serve agents too, at /mcp (needs requirements-mcp.txt)")
    generate = command("generate", request, "make images, or edit some")
    generate.add_argument("--out", type=_name, metavar="DIR", help="copy the images there, locked ones as …-locked.png")
    priced = command("estimate", request, "what that would send and cost; sends nothing")
    priced.add_argument("--quote", action="store_true", help="ask providers that tell a price for free (Lumenfall)")
    command("models", shared, "models, providers, limits and prices")
    history = command("history", shared, "runs so far")
    history.add_argument("--search", default="", metavar="TEXT", help="words and filters, as in the page")
    history.add_argument("--sort", default=NEWEST, choices=tuple(SORTS), help="order; newest first without it")
    history.add_argument(
        "--limit", type=_whole_number(1, MAX_PAGE), default=24, metavar="N", help=f"runs to show, 1 to {MAX_PAGE}"
    )
    history.add_argument("--before", type=_cursor, metavar="CURSOR", help="`next` of the page before")


def _add_vote_commands(command: _Add, shared: _Parser) -> None:
    _add_board_options(command("leaderboard", shared, "ratings by votes, the store's or a file's; and votes as a file"))
    voters = command("voters", shared, "who voted, what is odd about them, and whose votes are left out")
    _add_voter_options(voters)
    reports = command("reports", shared, "what voters say is wrong with battles, newest first")
    reports.add_argument(
        "--limit", type=_whole_number(1, MAX_PAGE), default=100, metavar="N", help=f"reports to show, 1 to {MAX_PAGE}"
    )


def _add_store_commands(command: _Add, shared: _Parser) -> None:
    export = command("export", shared, "take runs, pictures and votes along in one file")
    export.add_argument("file", type=_name, metavar="FILE.zip")
    export.add_argument("--group", action="append", type=_name, metavar="ID", help="only this group; may be repeated")
    bring = command("import", shared, "bring back what `export` wrote; what is here already stays as it is")
    bring.add_argument("file", type=_name, metavar="FILE.zip")
    bring.add_argument("--dry-run", action="store_true", help="say what it would bring and change nothing")
    recall = command("recall", shared, "find the run that a picture came from")
    recall.add_argument("file", type=_name, metavar="FILE")
    _add_cost_options(command("costs", shared, "what was spent, the limits, and costs that nobody knows"))
    verify = command(
        "verify", shared, "check that every row has its bytes, every byte its row, and that no vote is gone"
    )
    verify.add_argument(
        "--anchor",
        type=_name,
        metavar="FILE",
        help="say what is missing of the votes that were there when FILE was written",
    )
    verify.add_argument("--objects", action="store_true", help="of images in an object store, read every byte")
    backup = command(
        "backup", shared, "copy the database, with an anchor of its votes beside it; safe while the app runs"
    )
    backup.add_argument("file", type=_name, metavar="FILE")
    restore = command("restore", shared, "put the rows of a backup into a store that has none yet")
    restore.add_argument("file", type=_name, metavar="FILE")


def _add_board_options(parser: argparse.ArgumentParser) -> None:
    first = Method()
    parser.add_argument(
        "--votes", type=_name, metavar="FILE", help="rate the votes of FILE.csv or FILE.jsonl, not the store's"
    )
    parser.add_argument("--method", choices=get_args(Kind), default=first.kind)
    parser.add_argument("--ties", choices=get_args(Ties), default=first.ties, help="half a win to each, or left out")
    parser.add_argument("--both-bad", choices=get_args(BothBad), default=first.both_bad, help="a tie, or left out")
    parser.add_argument("--prior", choices=("1", "0"), default="1", help="games, half won, against one at the mean")
    parser.add_argument("--interval", choices=get_args(Interval), default=first.interval)
    parser.add_argument(
        "--seed", type=_whole_number(0, _MAX_SEED), default=first.seed, metavar="S", help="of the draws"
    )
    parser.add_argument("--board", choices=tuple(BOARDS), help="what was compared; default generate")
    parser.add_argument("--category", metavar="SLUG", help="of the prompt bank, or own; a file needs the column")
    parser.add_argument("--level", choices=tuple(LEVELS), help="who competes; default offer")
    parser.add_argument("--question", choices=tuple(QUESTIONS), help="default better")
    parser.add_argument(
        "--demo", action=argparse.BooleanOptionalAction, help="drawn models; default real ones where they have votes"
    )
    parser.add_argument("--since", metavar="DAY", help="first day or time, UTC, as 2026-11-01")
    parser.add_argument("--until", metavar="DAY", help="day or time before which the last vote was cast")
    parser.add_argument("--export", type=_name, metavar="FILE", help="write the votes to FILE.csv or FILE.jsonl")
    parser.add_argument(
        "--all", action="store_true", help="export votes too that do not count, and reported battles, with the reason"
    )


def _add_voter_options(parser: argparse.ArgumentParser) -> None:
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--exclude", type=_name, metavar="ID", help="leave this voter's votes out; needs --reason")
    doing.add_argument("--readmit", type=_name, metavar="ID", help="count this voter's votes again")
    doing.add_argument("--check", action="store_true", help="look for odd voters now and leave those found out")
    parser.add_argument("--reason", type=_name, metavar="TEXT", help="why, as the board shows it")


def _add_cost_options(parser: argparse.ArgumentParser) -> None:
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument(
        "--set", nargs=2, metavar=("SPAN", "USD"), help=f"set a limit; SPAN is one of {', '.join(get_args(LimitSpan))}"
    )
    doing.add_argument(
        "--unset", choices=get_args(LimitSpan), help="take a limit away that was set here or on the page"
    )
    doing.add_argument(
        "--settle", nargs=2, metavar=("LINE", "USD"), help="write what a line without a known cost came to"
    )
    parser.add_argument("--warn", action="store_true", help="with --set: what would pass it is sent all the same")
    parser.add_argument("--note", type=_name, metavar="TEXT", help="with --settle: kept beside the line")


def _add_request_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--offer",
        action="append",
        required=True,
        metavar="PROVIDER/MODEL",
        help="once or several times; a server of your own: its name in DIPTYCH_SERVERS (options: see README), then the id",
    )
    parser.add_argument("--prompt", required=True, metavar="TEXT")
    parser.add_argument(
        "--image", action="append", default=[], metavar="FILE", help="reference image; makes it an edit"
    )
    parser.add_argument(
        "--mask", metavar="FILE", help="what is transparent in it is repainted; black and white is read as a mask too"
    )
    parser.add_argument("--n", type=int, default=1, help="images per run")
    parser.add_argument(
        "--size", metavar="WxH|auto", help=f"default {DEFAULT_SIZE}; an edit: {DEFAULT_EDIT_SIZE}; in pixels"
    )
    parser.add_argument("--aspect-ratio", metavar="W:H", help="shape, as 16:9; a size in pixels goes before it")
    parser.add_argument("--resolution", metavar="TIER", help="scale: 1K, 2K or 4K; a size in pixels goes before it")
    parser.add_argument(
        "--quality",
        choices=(*QUALITIES, *OTHER_QUALITIES),
        help=f"default {DEFAULT_QUALITY}, where the model has qualities; standard and hd are Lumenfall's",
    )
    parser.add_argument("--background", choices=BACKGROUNDS)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--compression", type=int, metavar="0-100", help="JPEG and WebP; 100 is the best quality")
    parser.add_argument("--moderation", choices=MODERATIONS)
    parser.add_argument("--fidelity", choices=FIDELITIES, help="how closely an edit keeps to its inputs")
    parser.add_argument("--partials", type=int, metavar="0-3", help="previews on the way; without it a plain answer")
    parser.add_argument("--user", metavar="ID", help="pseudonymous id of the end user")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="S")
    parser.add_argument(
        "--lock-outside-mask",
        action=argparse.BooleanOptionalAction,
        help="put image 1 back outside the mask, in a file beside the provider's own; done by default where there is a mask",
    )


def _field(name: str) -> str:
    name = name.removeprefix("--").lower().replace("-", "_")
    return FIELDS.get(name, name)


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        # Bounded before it is read: Python refuses numbers of thousands of digits with an error of its own.
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {low} to {high}")
        return int(text)

    return read


def _cursor(text: str) -> str:
    if not re.fullmatch(rf"(-?\d{{1,{_CURSOR_DIGITS}}}\.)?\d{{1,{_CURSOR_DIGITS}}}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no place in the history; take `next` of the page before")
    return text
