"""Every way a command can fail, as one shape: exit code, words, problems by field, and the error document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from providers.checks import Problem
from storage.records import RunError

ALL_WELL, SOMETHING_FAILED, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command ends without its answer."""

    code: int
    """The exit code."""
    error: RunError
    problems: tuple[Problem, ...] = ()
    """What is wrong with the request, by field."""
    usage: str = ""
    """How the arguments are written; for the person, not for the document."""
    is_fault: bool = False
    """Whether this program is to blame, so that the traceback belongs in the log."""


def refused(problems: Iterable[Problem], *, kind: str = "validation", usage: str = "") -> Failure:
    """The request is wrong; nothing was sent or stored."""
    found = tuple(problems)
    words = " ".join(dict.fromkeys(problem.message for problem in found))
    return Failure(WRONG_REQUEST, RunError(kind, words), found, usage)


def interrupted(words: str = "Interrupted.") -> Failure:
    """Ctrl-C came before there was anything else to tell."""
    return Failure(INTERRUPTED, RunError("cancelled", words))
