"""Which board a visitor chose: values of controls, links and addresses in, a `BoardQuery` out. Pure.

All of them come from a browser. An unknown value is an error that names it, never some other board.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from arena import bank
from arena.bank import OWN
from arena.board import BoardQuery
from arena.board_choices import BOARDS, LEVELS, QUESTIONS
from arena.levels import Level
from arena.ratings.method import Method
from storage.records import BoardName, Question
from ui.board_queries import board_query, chosen

Voters = Literal["everyone", "me"]
When = Literal["all", "7", "30", "90"]
TiesChoice = Literal["half", "davidson", "drop"]
Models = Literal["auto", "real", "demo"]

BOARD_WORDS: dict[BoardName, str] = {"generate": "Generate", "edit-single": "Edit one", "edit-multi": "Edit many"}
LEVEL_WORDS: dict[Level, str] = {"offer": "Model at a provider", "model": "Model", "model-quality": "Model and quality"}
VOTER_WORDS: dict[Voters, str] = {"everyone": "Everyone", "me": "Me"}
WHEN_WORDS: dict[When, str] = {"all": "All time", "7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days"}
TIES_WORDS: dict[TiesChoice, str] = {"half": "Count half", "davidson": "Davidson", "drop": "Left out"}
QUESTION_WORDS: dict[Question, str] = {
    "better": "Better",
    "follows": "Follows the prompt",
    "looks": "Looks better",
}
MODEL_WORDS: dict[Models, str] = {"real": "Real models", "demo": "Demo models"}
METHODS: dict[TiesChoice, Method] = {
    "half": Method(),
    "davidson": Method(kind="davidson"),
    "drop": Method(ties="drop"),
}
_DEMO: dict[Models, str] = {"auto": "", "real": "0", "demo": "1"}


@dataclass(frozen=True, slots=True)
class Choices:
    """The controls of the page. What is not chosen is as on a first visit."""

    board: BoardName = "generate"
    category: str = ""
    """Of the prompt bank, or `own`; empty: all."""
    level: Level = "offer"
    voters: Voters = "everyone"
    when: When = "all"
    ties: TiesChoice = "half"
    question: Question = "better"
    models: Models = "auto"
    """"auto": real ones where they have votes."""

    @property
    def is_narrowed(self) -> bool:
        """Whether votes of the board are left aside."""
        return (self.category, self.voters, self.when, self.question) != ("", "everyone", "all", "better")


FIRST = Choices()


def read_choices(told: Mapping[str, object]) -> Choices:
    """The choices among these values; others are not looked at.

    Raises:
        WrongQuery: one has a value that is not there.
    """
    given = {name: "" if (value := told.get(name)) is None else str(value) for name in NAMES}
    return Choices(
        board=chosen(given, "board", BOARDS, FIRST.board),
        category=board_query({"category": given["category"]}).category or "",
        level=chosen(given, "level", LEVELS, FIRST.level),
        voters=chosen(given, "voters", {name: name for name in VOTER_WORDS}, FIRST.voters),
        when=chosen(given, "when", {name: name for name in WHEN_WORDS}, FIRST.when),
        ties=chosen(given, "ties", {name: name for name in TIES_WORDS}, FIRST.ties),
        question=chosen(given, "question", QUESTIONS, FIRST.question),
        models=chosen(given, "models", {name: name for name in _DEMO}, FIRST.models),
    )


def query_of(choices: Choices, *, voter: str, now: datetime) -> BoardQuery:
    """What to read for these choices of `voter` at `now`."""
    query = board_query(votes_address(choices, now), METHODS[choices.ties])
    return replace(query, voter=voter if choices.voters == "me" else None)


def votes_address(choices: Choices, now: datetime) -> dict[str, str | None]:
    """The fields by which routes and commands know these votes. Whose votes they are is not among them.

    Days begin at midnight UTC, so that a link means the same all day.
    """
    told: dict[str, str | None] = {
        "board": choices.board,
        "demo": _DEMO[choices.models],
        "question": choices.question,
        "category": choices.category,
        "level": choices.level,
        "since": ""
        if choices.when == "all"
        else (now.astimezone(UTC) - timedelta(days=int(choices.when))).date().isoformat(),
    }
    return {name: value for name, value in told.items() if value}


def category_name(slug: str) -> str:
    """The category in words; the slug itself when it left the bank."""
    if slug == OWN:
        return "Own prompts"
    return next((kind.name for kind in bank.categories() if kind.slug == slug), slug)


def address(choices: Choices) -> str:
    """The choices that differ from a first visit's, as the query of an address; empty for none."""
    return urlencode({name: value for name, value in as_told(choices).items() if value != getattr(FIRST, name)})


def as_told(choices: Choices) -> dict[str, str]:
    """The choices as a browser tells them."""
    return {name: getattr(choices, name) for name in NAMES}


NAMES = tuple(one.name for one in fields(Choices))
