"""What the stand-in for Runware does wrong on demand, beside what any server does."""

from dataclasses import dataclass

from tests.fakes.faults import Fault
from tests.fakes.job_faults import EVERYWHERE


@dataclass(frozen=True, slots=True)
class TaskFails(Fault):
    """No image: `errors` alone, with this status; of an async task in getResponse, with 200."""

    code: str
    message: str = "The task failed."
    http_status: int = 200


@dataclass(frozen=True, slots=True)
class PartialFailure(Fault):
    """So many images of the task fail, the others succeed: `errors` beside `data` (W3)."""

    failed: int = 1
    code: str = "invalidProviderContent"


@dataclass(frozen=True, slots=True)
class MissingImage(Fault):
    """The first answer with the finished items lacks their images; getResponse then gives them."""


@dataclass(frozen=True, slots=True)
class AcknowledgedOnly(Fault):
    """A sync call is answered as an async one."""


@dataclass(frozen=True, slots=True)
class ErrorItems(Fault):
    """The task ends with items of status `error` in `data`, not in `errors`."""

    code: str
    message: str = "The image could not be made."


@dataclass(frozen=True, slots=True)
class OneByOne(Fault):
    """Each poll has one finished image more, and nothing about those to come; each is listed twice, among items of another
    task, and states are in capitals. `most`: no more than so many ever come."""

    most: int | None = None


@dataclass(frozen=True, slots=True)
class Flagged(Fault):
    """The content check, where it was asked for, finds something in the first image."""


@dataclass(frozen=True, slots=True)
class TimedOutButRan(Fault):
    """504 from a proxy, while the task goes on: getResponse finds it, `processing` at first."""


OWN = (
    *EVERYWHERE,
    TaskFails,
    PartialFailure,
    MissingImage,
    AcknowledgedOnly,
    ErrorItems,
    OneByOne,
    Flagged,
    TimedOutButRan,
)
