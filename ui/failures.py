"""Every way a command can fail, as one shape: exit code, words, problems by field, and the error document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playground.addresses import SettingsError
from playground.archive import ArchiveRefused
from playground.engine import EngineStopping
from playground.image_hygiene import UploadRefused
from playground.limits import LimitReached
from playground.recall import NotRecalled
from playground.refusals import PlanRefused
from playground.taking import NotTakenAlong
from providers.checks import Problem
from providers.errors import MissingKey, ProviderError
from providers.redact import without_keys
from storage.anchors import AnchorRefused
from storage.errors import StoreError
from storage.records import RunError
from ui.arguments import FIELDS, WrongArguments
from ui.serving import CannotListen

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


def failure_of(error: BaseException) -> Failure:
    """What the error means to whoever called; one that is not ours becomes a fixed sentence."""
    match error:
        case WrongArguments():
            problems = (Problem(problem.field, without_keys(problem.message)) for problem in error.problems)
            return refused(problems, usage=error.usage)
        case SettingsError():
            return refused([Problem(error.variable or "settings", str(error))])
        case LimitReached():
            return refused(error.problems, kind="quota")
        case PlanRefused():
            return refused(error.problems)
        case UploadRefused():
            return refused([Problem(FIELDS["image"], str(error))])
        case ArchiveRefused() | NotTakenAlong() | NotRecalled() | AnchorRefused():
            return refused([Problem("file", str(error))])
        case MissingKey():
            return refused([Problem("key", error.message)], kind=error.kind)
        case KeyboardInterrupt():
            return interrupted()
    return _not_the_requests(error)


def _not_the_requests(error: BaseException) -> Failure:
    match error:
        case ProviderError():
            return Failure(SOMETHING_FAILED, _provider_error(error))
        case CannotListen():
            return Failure(SOMETHING_FAILED, RunError("network", str(error)))
        case StoreError() | EngineStopping():
            return Failure(SOMETHING_FAILED, RunError("unknown", str(error)))
    words = "A fault in this program ended the command; the log above has the details."
    return Failure(SOMETHING_FAILED, RunError("unknown", words), is_fault=True)


def _provider_error(error: ProviderError) -> RunError:
    return RunError(
        kind=error.kind,
        message=error.message,
        param=error.param,
        status=error.status,
        retryable=error.retryable,
        retry_after_s=error.retry_after_s,
        may_have_been_billed=error.may_have_been_billed,
    )
