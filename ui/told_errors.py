"""Every error as the failure it is told as. Knows the errors of all parts, so whoever met none need not load it."""

from __future__ import annotations

from playground.addresses import SettingsError
from playground.archive import ArchiveRefused
from playground.engine import EngineStopping
from playground.image_hygiene import UploadRefused
from playground.limits import LimitReached
from playground.outcome import run_error
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
from ui.failures import SOMETHING_FAILED, Failure, interrupted, refused
from ui.serving import CannotListen


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
            return Failure(SOMETHING_FAILED, run_error(error))
        case CannotListen():
            return Failure(SOMETHING_FAILED, RunError("network", str(error)))
        case StoreError() | EngineStopping():
            return Failure(SOMETHING_FAILED, RunError("unknown", str(error)))
    words = "A fault in this program ended the command; the log above has the details."
    return Failure(SOMETHING_FAILED, RunError("unknown", words), is_fault=True)
