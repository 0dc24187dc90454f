"""The contract of a wire format: build a call, read an answer. Pure on both sides; sending is `client`'s work.

A JSON body may hold three kinds of placeholders, so that plans, stored documents and X-ray hold neither keys nor files:
`SecretKey` (a person's key for another provider), `CALL_ID` (an id of our own for this call) and `Attachment` (a file).
They are filled in by `providers.bodies` when the call goes out.
"""

# ruff: noqa: ARG002 - the defaults of `SynchronousAdapter` answer without looking
from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

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

Base = Literal["api", "origin", "upload"]
"""Below which address a path lies: the provider's base URL, its scheme and host alone, or its upload address."""


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


class Adapter(Protocol):
    """One wire format. A format without jobs, uploads or price checks derives from `SynchronousAdapter`."""

    pace: PollPace
    submit_s: float | None
    """Longest wait for the answer that names the job; `None`: the answer holds the images and may take the whole time."""

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """The call, and what became of each asked field. Never raises for bad values; `checks` reports those.

        `request.n` is at most `spec.max_n_per_call`: more is split into several calls before.
        """
        ...

    def parse(self, reply: Reply) -> ImageResult | Pending:
        """The images of a 2xx answer, or the job that makes them. Raises: MalformedReply, or the error it reports."""
        ...

    def parse_event(self, event: str, data: bytes, headers: Mapping[str, str]) -> tuple[StreamItem, ...]:
        """What one server-sent event says; empty for one that says nothing. Raises: ProviderError."""
        ...

    def parse_error(self, reply: Reply) -> ProviderError:
        """The error of a non-2xx answer: status first, then the provider's code, words last."""
        ...

    def simpler(self, call: HttpCall, reply: Reply) -> HttpCall | None:
        """A call with less in it, when the provider refused (4xx) a field that it can do without; sent once."""
        ...

    def own_job(self, call_id: str, call: HttpCall | None = None) -> Job | None:
        """The job as it will be known under an id of our own, before `call` is sent; `None` if the provider names it."""
        ...

    def poll(self, job: Job) -> HttpCall:
        """Asks how the job stands; free, may be repeated at will."""
        ...

    def parse_poll(self, reply: Reply, job: Job) -> ImageResult | Pending | HttpCall:
        """What a 2xx answer to `poll` says: images, not yet, or a further call that has the result.

        Raises: the error the job ended with.
        """
        ...

    def parse_result(self, reply: Reply, job: Job) -> ImageResult:
        """The images of the further call's answer, whatever its status. Raises: the error the job ended with."""
        ...

    def cancel(self, job: Job) -> HttpCall | None:
        """Ends the job; `None` when the provider has no such call."""
        ...

    def is_cancelled(self, reply: Reply) -> bool:
        """Whether the answer to `cancel` says that the job has ended without images, so that none is billed."""
        ...

    def has_begun(self, reply: Reply) -> bool:
        """Whether a job that this answer calls cancelled may have been at work before; `False` when certainly not."""
        ...

    def find(self, call: HttpCall) -> HttpCall | None:
        """Lists recent jobs, for a call whose answer was lost; `None` when the provider has no list."""
        ...

    def parse_found(self, reply: Reply, sent: Mapping[str, object], sent_at: str) -> tuple[Job, ...]:
        """Jobs in that list which may be the lost call's, best first.

        `sent` is its `call_document`, with its path under `path`; `sent_at` is UTC text.
        """
        ...

    def upload(self, file: Attachment) -> Generator[HttpCall, Reply, str]:
        """Yields the calls that upload the file, is sent each answer (2xx), and returns the file's address."""
        ...

    def check(self) -> HttpCall | None:
        """A call that tells whether the key is good and costs nothing; `None` when the provider has none."""
        ...

    def parse_check(self, reply: Reply) -> KeyStatus:
        """What a 2xx answer to `check` says."""
        ...

    def quote(self, call: HttpCall) -> HttpCall | None:
        """Asks what the call would cost, without making anything; `None` when the provider cannot tell."""
        ...

    def parse_quote(self, reply: Reply) -> int | None:
        """Micro-dollars of a 2xx answer to `quote`."""
        ...


class SynchronousAdapter:
    """What a wire format says that answers at once: no jobs, no uploads, no price check."""

    pace = PollPace()
    submit_s: float | None = None

    def parse_event(self, event: str, data: bytes, headers: Mapping[str, str]) -> tuple[StreamItem, ...]:
        """Nothing: the format has no streams."""
        return ()

    def simpler(self, call: HttpCall, reply: Reply) -> HttpCall | None:
        """Nothing to leave out."""
        return None

    def own_job(self, call_id: str, call: HttpCall | None = None) -> Job | None:
        """No jobs."""
        return None

    def poll(self, job: Job) -> HttpCall:
        """Never called: there are no jobs."""
        raise NotImplementedError

    def parse_poll(self, reply: Reply, job: Job) -> ImageResult | Pending | HttpCall:
        """Never called: there are no jobs."""
        raise NotImplementedError

    def parse_result(self, reply: Reply, job: Job) -> ImageResult:
        """Never called: there are no jobs."""
        raise NotImplementedError

    def cancel(self, job: Job) -> HttpCall | None:
        """No jobs."""
        return None

    def is_cancelled(self, reply: Reply) -> bool:
        """No jobs."""
        return False

    def has_begun(self, reply: Reply) -> bool:
        """Nobody says that it had not."""
        return True

    def find(self, call: HttpCall) -> HttpCall | None:
        """No jobs."""
        return None

    def parse_found(self, reply: Reply, sent: Mapping[str, object], sent_at: str) -> tuple[Job, ...]:
        """No jobs."""
        return ()

    def upload(self, file: Attachment) -> Generator[HttpCall, Reply, str]:
        """Never called: files travel inside the call."""
        raise NotImplementedError

    def check(self) -> HttpCall | None:
        """No free call."""
        return None

    def parse_check(self, reply: Reply) -> KeyStatus:
        """Never called: there is no free call."""
        raise NotImplementedError

    def quote(self, call: HttpCall) -> HttpCall | None:
        """No price check."""
        return None

    def parse_quote(self, reply: Reply) -> int | None:
        """No price check."""
        return None
