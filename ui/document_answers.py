"""Where errors become answers for programs: a refusal is the error document of the command line; nothing passes this edge."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from arena.bank import BankError
from arena.battle import VoteRefused
from arena.opening import BattleOff
from providers.checks import Problem
from storage.records import RunError
from ui import guard
from ui.board_queries import WrongQuery
from ui.edges import Told, at_edge
from ui.pace import TooOften
from ui.plain_documents import Document, failure_document
from ui.told_errors import failure_of

NOBODY = "Say who you are: send the token that POST visitor gives as the header X-Diptych-Visitor."


async def answered(work: Awaitable[Document]) -> Document:
    """The answer, or why there is none."""
    return await at_edge(work, refusal)


def refusal(error: Exception) -> Told[Document]:
    """Why there is no other answer."""
    foreseen = _refused_here(error)
    if foreseen is not None:
        return Told(foreseen)
    failure = failure_of(error)
    return Told(failure_document(failure.error, failure.problems), failure.is_fault)


def _refused_here(error: Exception) -> Document | None:
    """The refusals that only programs meet."""
    match error:
        case guard.UnknownVisitor():
            return failure_document(RunError("permission", NOBODY), [])
        case TooOften():
            found = RunError("rate_limit", str(error))
            return failure_document(replace(found, retryable=True, retry_after_s=error.wait_s), [])
        case WrongQuery():
            return _wrong(error.field, str(error))
        case VoteRefused(kind="unknown_outcome"):
            return _wrong("outcome", str(error))
        case VoteRefused(kind="unknown_battle"):
            return failure_document(RunError("not_found", str(error)), [Problem("battle_id", str(error))])
        case VoteRefused():
            return _wrong("battle_id", str(error))
        case BankError():
            return _wrong("category", str(error))
        case BattleOff():
            # Its reasons name makers, whose images may still meet.
            return failure_document(RunError("not_found", str(error)), [])
    return None


def _wrong(field: str, words: str) -> Document:
    return failure_document(RunError("validation", words), [Problem(field, words)])
