"""What a board can be asked for, by name. Pure, and loads no maths: whoever only reads options waits for none."""

from __future__ import annotations

from typing import get_args

from arena.levels import Level
from storage.records import BoardName, Question

BOARDS: dict[str, BoardName] = {name: name for name in get_args(BoardName)}
QUESTIONS: dict[str, Question] = {name: name for name in get_args(Question)}
LEVELS: dict[str, Level] = {name: name for name in get_args(Level)}
