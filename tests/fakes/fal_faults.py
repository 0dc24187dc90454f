"""What can go wrong at fal's queue, as values to queue on its fake: whole answers to a submit, and fates of a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes import faults
from tests.fakes.fal_rules import DOCS
from tests.fakes.faults import Fault
from tests.fakes.http_fake import RawReply
from tests.fakes.job_faults import EVERYWHERE

_CONTENT_CHECK = "The content could not be processed because it contained material flagged by a content checker."
ERROR_TYPES = {
    500: "internal_error",
    502: "runner_incomplete_response",
    503: "runner_scheduling_failure",
    504: "request_timeout",
}


@dataclass(frozen=True, slots=True)
class ResultFails(Fault):
    """The job completes, and this is what stands at its result."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompletedWithError(Fault):
    """The status says COMPLETED and carries an error; the result is a 500 of the same words, unless it is given."""

    error: str = "The runner failed."
    error_type: str = "runner_server_error"
    result: RawReply | None = None


@dataclass(frozen=True, slots=True)
class AddressesMissing(Fault):
    """The submit's answer has null for these addresses; the job is there all the same."""

    names: tuple[str, ...] = ("cancel_url",)


@dataclass(frozen=True, slots=True)
class SmallLetters(Fault):
    """All status words come in small letters."""


@dataclass(frozen=True, slots=True)
class NoImages(Fault):
    """A good result whose list of images is empty."""


@dataclass(frozen=True, slots=True)
class NullSizes(Fault):
    """A good result whose widths, heights and file sizes are null."""


OWN = (
    *EVERYWHERE,
    ResultFails,
    CompletedWithError,
    AddressesMissing,
    SmallLetters,
    NoImages,
    NullSizes,
)
PASSED = (faults.Slow, faults.CutBody)
"""Faults of the connection, which leave the answer as it is."""


def platform(status: int, detail: str, error_type: str) -> tuple[int, object, dict[str, str]]:
    """Status, body and headers of an error that is not the model's."""
    headers = {"x-fal-request-id": "d9bd3a3b-0000-4000-8000-6f1f2a3b4c5d", "X-Fal-Error-Type": error_type}
    return status, {"detail": detail, "error_type": error_type}, headers


BLOCKED = ResultFails(
    422,
    {
        "detail": [
            {
                "loc": ["body", "prompt"],
                "msg": _CONTENT_CHECK,
                "type": "content_policy_violation",
                "url": DOCS + "content_policy_violation",
                "input": "…",
            }
        ]
    },
    {"X-Fal-Retryable": "false"},
)
BAD_VALUE = ResultFails(
    422,
    {
        "detail": [
            {
                "loc": ["body", "image_size"],
                "msg": "Value error, width must be a multiple of 16",
                "type": "value_error",
                "url": DOCS + "value_error",
            }
        ]
    },
)
TIMED_OUT = ResultFails(*platform(504, "Request timed out", "request_timeout"))
RUNNER = ResultFails(*platform(500, "Internal server error", "internal_error"))

UNAUTHORIZED = RawReply(401, {"detail": "Authentication is required to access this application"})
EXHAUSTED = RawReply(
    403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}
)
FORBIDDEN = RawReply(403, {"detail": "Access to this application is denied."})
NOT_FOUND = RawReply(404, {"detail": "Application not found"})
RATE_LIMITED = RawReply(429, {"detail": "Too many requests"})
SERVER_ERROR = RawReply(*platform(500, "Internal server error", "internal_error"))
UNAVAILABLE = RawReply(*platform(503, "No runner could be scheduled", "runner_scheduling_failure"))
INGRESS = RawReply(
    502, b"<html><body><center><h1>502 Bad Gateway</h1></center><hr>nginx</body></html>", {"content-type": "text/html"}
)
"""From the proxy before fal: no JSON and no x-fal-request-id."""
