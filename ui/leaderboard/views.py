"""The Leaderboard as the page's script draws it. Pure: a board, choices and times in, plain JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from arena.board import Board
from arena.category_board import leans
from providers.catalog import Catalog
from storage.performance import OfferTimes
from ui import views
from ui.board_queries import check_command
from ui.leaderboard import charts, figures
from ui.leaderboard.choices import (
    BOARD_WORDS,
    LEVEL_WORDS,
    METHODS,
    MODEL_WORDS,
    QUESTION_WORDS,
    TIES_WORDS,
    VOTER_WORDS,
    WHEN_WORDS,
    Choices,
    address,
    as_told,
    category_name,
    votes_address,
)
from ui.leaderboard.performance import performance_view
from ui.leaderboard.table import View, names, short_names, table_view

T = TypeVar("T", bound=str)

_EMPTY = {
    "generate": "No votes on generated images yet",
    "edit-single": "No votes on edits of one image yet",
    "edit-multi": "No votes on edits of several images yet",
}
_BEGIN = "Two images of one prompt, five answers, a few seconds, and nobody knows the makers before. The first vote begins it."


def page_view(
    board: Board,
    choices: Choices,
    times: Sequence[OfferTimes],
    catalog: Catalog,
    *,
    now: datetime,
    alarms: Sequence[str] = (),
) -> View:
    """All of the tab; `alarms`: what of the voters only a person can judge."""
    view: View = {
        "choices": as_told(choices),
        "is_demo": board.is_demo,
        "options": options(board, choices),
        "address": address(choices),
        "performance": performance_view(times, catalog),
    }
    if not board.rows:
        return view | empty_view(board, choices)
    return (
        view
        | board_view(board, choices, catalog, now)
        | {"notices": figures.notices(board, short_names(names(board, catalog)), alarms)}
    )


def board_view(board: Board, choices: Choices, catalog: Catalog, now: datetime) -> View:
    """A board that has votes, without what is said above it."""
    named = short_names(names(board, catalog))
    return {
        "state": "board",
        "table": table_view(board, catalog),
        "by_cost": charts.by_cost(board, named),
        "by_time": charts.by_time(board, named),
        "matrix": charts.matrix(board, named),
        "over_time": charts.over_time(board, named),
        "cards": figures.cards(board, named),
        "undecided": figures.undecided(board, named),
        "left_out": figures.left_out(board),
        "gap": figures.gap_sentence(board),
        "method": figures.method_sentences(board),
        "method_line": figures.method_line(board),
        "exports": exports(choices, now),
        "check": check(choices),
    }


def empty_view(board: Board, choices: Choices) -> View:
    """A board without votes, or without those that were asked for."""
    there = sum(board.categories.values())
    if board.same_competitor:
        finer = "Models with their quality" if choices.level == "offer" else "Models at providers"
        return {
            "state": "empty",
            "title": "Nobody met another one here",
            "text": f"All {views.counted(board.same_competitor, 'vote')} are between two images of one model, which say "
            f"nothing at this level. {finer} are told apart.",
            "action": "quality" if choices.level == "offer" else "level",
        }
    if there and choices.is_narrowed:
        return {
            "state": "empty",
            "title": "No votes match",
            "text": f"This board has {views.counted(there, 'vote')}, but none {_narrowed(choices)}.",
            "action": "reset",
        }
    return {"state": "empty", "title": _EMPTY[board.query.board], "text": _BEGIN, "action": "arena"}


def _narrowed(choices: Choices) -> str:
    parts = [
        f"in {category_name(choices.category)}" if choices.category else "",
        "of yours" if choices.voters == "me" else "",
        f"in the {WHEN_WORDS[choices.when].lower()}" if choices.when != "all" else "",
        "that answers this question" if choices.question != "better" else "",
    ]
    return " ".join(part for part in parts if part)


def failed_view(told: Mapping[str, object], message: str) -> View:
    """A board that could not be shown; `told`: what was asked for."""
    return {
        "state": "failed",
        "title": "This board cannot be shown",
        "text": message,
        "choices": dict(told),
        "address": "",
    }


def options(board: Board, choices: Choices) -> View:
    """What each control offers, as [value, words]. A control with one choice is not shown."""
    counted = board.categories
    if choices.category and choices.category not in counted:
        counted = {**counted, choices.category: 0}
    by_votes = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    everything = sum(board.categories.values())
    return {
        "board": _listed(BOARD_WORDS),
        "category": [
            ["", f"All · {everything:,}" if everything else "All"],
            *([slug, f"{category_name(slug)} · {votes:,}"] for slug, votes in by_votes),
        ],
        "level": _listed(LEVEL_WORDS),
        "voters": _listed(VOTER_WORDS),
        "when": _listed(WHEN_WORDS),
        "ties": _listed(TIES_WORDS),
        "question": [
            [name, f"{words} · {board.questions[name]:,}" if name in board.questions else words]
            for name, words in QUESTION_WORDS.items()
            if name == "better" or name in board.questions or name == choices.question
        ],
        "models": _listed(MODEL_WORDS) if board.has_demo and board.has_real else [],
    }


def _listed(words: Mapping[T, str]) -> list[list[str]]:
    return [[value, name] for value, name in words.items()]


def exports(choices: Choices, now: datetime) -> list[View]:
    """Addresses of the files to be had, relative to the page."""
    votes = urlencode(
        {
            name: value
            for name, value in votes_address(choices, now).items()
            if name != "category" or not _leans(choices)
        }
    )
    table = address(choices)
    of_all = choices.voters == "everyone"
    return [
        *(
            [
                _export("Votes, CSV", f"votes.csv?{votes}", "One line a vote, for checking every number"),
                _export("Votes, JSON lines", f"votes.jsonl?{votes}", "The same, one object a line"),
            ]
            if of_all
            else []
        ),
        _export(
            "Table, JSON", f"leaderboard.json{'?' if table else ''}{table}", "Ratings with bounds, method and hash"
        ),
        _export("Table, Markdown", f"leaderboard.md{'?' if table else ''}{table}", "To paste into a text"),
    ]


def check(choices: Choices) -> str:
    """The command that makes the board anew from an export; empty where there is none, of one voter's votes."""
    if choices.voters == "me":
        return ""
    return f"python app.py {check_command('FILE', METHODS[choices.ties], choices.category or None)}"


def _leans(choices: Choices) -> bool:
    """Whether the board is made of other categories' votes too, so that its file has to hold them."""
    return bool(choices.category) and leans(METHODS[choices.ties])


def _export(name: str, href: str, about: str) -> View:
    return {"name": name, "href": href, "about": about}
