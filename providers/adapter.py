"""The contract of a wire format: build a call, read an answer. Pure on both sides; sending is `client`'s work.

A JSON body may hold three kinds of placeholders, so that plans, stored documents and X-ray hold neither keys nor files:
`SecretKey` (a person's key for another provider), `CALL_ID` (an id of our own for this call) and `Attachment` (a file).
They are filled in by `providers.bodies` when the call goes out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from providers.catalog import ModelSpec, Offer
from providers.errors import MalformedReply, ProviderError
from providers.types import (
    Answered,
    FieldHandling,
    GeneratedImage,
    ImageRequest,
    ImageResult,
    Job,
    KeyStatus,
    PartialImage,
    Pending,
)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart body."""

    name: str
    filename: str
    media_type: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a JSON body, written as data URI or bare base64, or as the address it was uploaded to."""

    data: bytes
    media_type: str
    sha256: str
    filename: str
    form: Literal["data_uri", "base64"] = "data_uri"
    upload: bool = False
    """Whether it is uploaded first, where the provider's upload address is known."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Stands for the person's key of another provider inside a body."""

    provider_id: str
    variable: str
    """Shown in its place, as `$OPENAI_API_KEY`."""


@dataclass(frozen=True, slots=True)
class CallId:
    """Stands for the id we choose for a call before it is sent: a UUID v4."""


CALL_ID = CallId()

Base = Literal["api", "origin", "upload", "jobs"]
"""Below which address a path lies: the provider's base URL, its scheme and host alone, its upload address, or where its jobs
are listed."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request, without address and key. Has a JSON body, form parts, raw content, or nothing."""

    method: str
    path: str
    """Below the base, with a leading slash; empty for the base itself. Or a whole address that the provider gave:
    it is refused unless it lies on the provider's own host."""
    json: Mapping[str, object] | list[object] | None = None
    form: tuple[tuple[str, str], ...] = ()
    files: tuple[FilePart, ...] = ()
    content: Attachment | None = None
    """Raw body of an upload."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside those of the provider; an `authorization` here is sent instead of the key."""
    base: Base = "api"
    is_stream: bool = False
    """Whether the answer comes as server-sent events."""


@dataclass(frozen=True, slots=True)
class ResultCall(HttpCall):
    """The call that has the result of a job that has ended."""

    error: ProviderError | None = None
    """What it ended with by the answer that said so; it stands where the result does not say how the job ended."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Bytes that were taken out of the body as it came, by the name that stands there in their place."""


@dataclass(frozen=True, slots=True)
class PollPace:
    """How often a job is asked for, in seconds."""

    first_s: float = 1.0
    factor: float = 1.5
    longest_s: float = 5.0


StreamItem = PartialImage | GeneratedImage | MalformedReply | Answered
"""What one server-sent event can hold. A finished image, or why it cannot be read, is followed by its `Answered`."""


class Adapter(ABC):
    """One wire format. What only some have is a class of its own, and is asked for by type: `PolledJobs` or `FetchedJobs`,
    `UploadAdapter`, `KeyCheckAdapter`, `QuoteAdapter`.
    """

    @abstractmethod
    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """The call, and what became of each asked field. Never raises for bad values; `checks` reports those.

        `request.n` is at most `spec.max_n_per_call`: more is split into several calls before.
        """

    @abstractmethod
    def parse(self, reply: Reply) -> ImageResult | Pending:
        """The images of a 2xx answer, or the job that makes them. Raises: MalformedReply, or the error it reports."""

    @abstractmethod
    def parse_error(self, reply: Reply) -> ProviderError:
        """The error of a non-2xx answer: status first, then the provider's code, words last."""

    def parse_event(self, _event: str, _reply: Reply, /) -> tuple[StreamItem, ...]:
        """What one server-sent event says, whose data is the reply's body; empty for one that says nothing, and where none are
        known. Raises: ProviderError.
        """
        return ()

    def simpler(self, _call: HttpCall, _reply: Reply, /) -> HttpCall | None:
        """A call with less in it, when the provider refused (4xx) a field that it can do without; sent once."""
        return None


class _Jobs(Adapter):
    """What wire formats share whose calls begin jobs."""

    pace: PollPace = PollPace()
    submit_s: float
    """Longest wait for the answer that names the job."""
    find_looks: int = 4
    """So often a list of jobs is read for one whose answer was lost."""

    def own_job(self, _call_id: str, _call: HttpCall | None = None, /) -> Job | None:
        """The job as it will be known under an id of our own, before the call is sent; `None` if the provider names it."""
        return None

    @abstractmethod
    def poll(self, job: Job) -> HttpCall:
        """Asks how the job stands; free, may be repeated at will."""

    def cancel(self, _job: Job, /) -> HttpCall | None:
        """Ends the job; `None` when the provider has no such call."""
        return None

    def is_cancelled(self, _reply: Reply, /) -> bool:
        """Whether the answer to `cancel` says that the job has ended without images, so that none is billed."""
        return False

    def has_begun(self, _reply: Reply, /) -> bool:
        """Whether a job that this answer calls cancelled may have been at work before; `False` when certainly not."""
        return True

    def find(self, _sent: Mapping[str, object], _sent_at: str, /) -> HttpCall | None:
        """Lists recent jobs, for a call whose answer was lost; `None` when the provider has no list. What was sent is told as
        to `parse_found`.
        """
        return None

    def further(self, _listing: HttpCall, _reply: Reply, /) -> HttpCall | None:
        """The next page of the list that `_listing` asked for; `None` when `_reply` was the last, or there are no pages."""
        return None

    def parse_found(self, _reply: Reply, _sent: Mapping[str, object], _sent_at: str, /) -> tuple[Job, ...]:
        """Jobs in that list which may be the lost call's, best first.

        `_sent` is its `call_document`, with its path under `path`; `_sent_at` is UTC text.
        """
        return ()


class PolledJobs(_Jobs):
    """A wire format whose polls bring the images."""

    @abstractmethod
    def parse_poll(self, reply: Reply, job: Job) -> ImageResult | Pending:
        """What a 2xx answer to `poll` says: images, or not yet. Raises: the error the job ended with."""


class FetchedJobs(_Jobs):
    """A wire format in which the images of a job that has ended are fetched by a further call."""

    @abstractmethod
    def parse_poll(self, reply: Reply, job: Job) -> Pending | HttpCall:
        """What a 2xx answer to `poll` says: not yet, or the call that has the result. Raises: the error the job ended with."""

    @abstractmethod
    def parse_result(self, reply: Reply, job: Job) -> ImageResult:
        """The images of that call's answer, whatever its status. Raises: the error the job ended with."""


JobAdapter = PolledJobs | FetchedJobs


class UploadAdapter(Adapter):
    """A wire format in which large files are uploaded before the call."""

    @abstractmethod
    def upload(self, file: Attachment) -> Generator[HttpCall, Reply, str]:
        """Yields the calls that upload the file, is sent each answer (2xx), and returns the file's address."""


class KeyCheckAdapter(Adapter):
    """A wire format with a call that tells whether the key is good and costs nothing."""

    @abstractmethod
    def check(self) -> HttpCall:
        """That call."""

    @abstractmethod
    def parse_check(self, reply: Reply) -> KeyStatus:
        """What a 2xx answer to it says."""


class QuoteAdapter(Adapter):
    """A wire format that tells beforehand what a call would cost."""

    @abstractmethod
    def quote(self, call: HttpCall) -> HttpCall | None:
        """Asks what the call would cost, without making anything; `None` when it cannot tell of this one."""

    @abstractmethod
    def parse_quote(self, reply: Reply) -> int | None:
        """Micro-dollars of a 2xx answer to `quote`."""
