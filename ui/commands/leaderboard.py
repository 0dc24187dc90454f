"""`leaderboard`: a board of the store or of a file of votes, and the store's votes as such a file."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from arena.board import BoardQuery
from arena.ratings.method import Method
from arena.stated_board import StatedBoard, of_file, of_store
from arena.votes_file import VotesFileError
from providers.checks import Problem
from ui import vote_export
from ui.answering import Answer
from ui.app import App
from ui.board_documents import board_document, board_lines
from ui.board_queries import WrongQuery, board_query, check_command
from ui.commands.parts import Parts
from ui.failures import ALL_WELL, refused
from ui.views import counted

_OF_THE_STORE = ("board", "level", "question", "demo", "since", "until", "export", "all")
"""Options that choose among the store's votes; a file is taken as it is."""


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Prints the board, or writes the file; returns the exit code. A file of votes needs no store."""
    method = Method(
        options.method, options.ties, options.both_bad, float(options.prior), options.interval, options.seed
    )
    if options.votes is not None:
        return _of_file(options, answer, method)
    try:
        query = board_query(_told(options), method)
    except WrongQuery as error:
        return answer.fail(refused([Problem(error.field, str(error))]))
    if options.all and options.export is None:
        return answer.fail(refused([Problem("all", "--all belongs to --export.")]))
    if options.export is not None and vote_export.kind_of(options.export) is None:
        return answer.fail(refused([Problem("export", "Name the file to write as FILE.csv or FILE.jsonl.")]))
    with parts.app() as app:
        if options.export is not None:
            return _export(options, answer, app, query)
        return _told_board(answer, asyncio.run(of_store(app.services, query)))


def _of_file(options: argparse.Namespace, answer: Answer, method: Method) -> int:
    given = [name for name in _OF_THE_STORE if getattr(options, name) not in (None, False)]
    if given:
        words = "chooses among the store's votes; a file of votes is taken as it is. Leave it out."
        return answer.fail(refused([Problem(name, f"--{name} {words}") for name in given]))
    try:
        return _told_board(answer, of_file(Path(options.votes), method, options.category))
    except VotesFileError as error:
        return answer.fail(refused([Problem("votes", str(error))]))


def _told_board(answer: Answer, stated: StatedBoard) -> int:
    answer.document(board_document(stated))
    for line in board_lines(stated):
        answer.line(line)
    return ALL_WELL


def _export(options: argparse.Namespace, answer: Answer, app: App, query: BoardQuery) -> int:
    path = Path(options.export).absolute()
    try:
        written = vote_export.write_file(app.services, query.of_all_votes, path, everything=options.all)
    except OSError as error:
        return answer.fail(refused([Problem("export", f"{path} cannot be written: {error.strerror}.")]))
    command = check_command(options.export, query.method, query.category)
    answer.document(
        {
            "path": str(path),
            "votes": written.votes,
            "counted": written.counted,
            "reported": written.reported,
            "command": command,
        }
    )
    more = f", and {counted(written.reported, 'reported battle')} without one" if written.reported else ""
    of_all = f" They are of all categories: the ratings of {query.category!r} lean on them." if query.leans else ""
    answer.say(
        f"Written: {path}, {counted(written.votes, 'vote')}, {written.counted:,} of them counted{more}.{of_all} "
        f"`{command}` makes the board anew."
    )
    return ALL_WELL


def _told(options: argparse.Namespace) -> dict[str, str | None]:
    demo = None if options.demo is None else str(int(options.demo))
    names = ("board", "level", "question", "category", "since", "until")
    return {name: getattr(options, name) for name in names} | {"demo": demo}
