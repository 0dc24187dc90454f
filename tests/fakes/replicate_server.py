"""A strict fake of Replicate's HTTP API on a loopback port: predictions that are polled, and uploaded files.

Written from the provider reference alone, so that it is an independent judge of this program. A prediction is made
and billed by the POST that creates it, whether or not its answer arrives; its images are drawn when it succeeds.
"""

import hashlib
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes import wire
from tests.fakes.faults import Fault
from tests.fakes.http_fake import Answer, HttpFake, RawReply, Request
from tests.fakes.job_faults import GoneAfterwards, NeverEnds, PollBreaks
from tests.fakes.replicate_jobs import ReplicateJob, now
from tests.fakes.replicate_rules import (
    MODELS,
    Verdict,
    judge_prediction,
    judge_upload,
    order_of,
    prefer_problem,
    refusal_body,
    strings,
)

_CREATE = re.compile(r"/v1/models/([^/]+/[^/]+)/predictions")
_PREDICTION = re.compile(r"/v1/predictions/([^/]+)(/cancel)?")
_REDACTED = "[REDACTED]"
_LOW_CREDIT_S = 10.0


@dataclass(frozen=True, slots=True)
class JobFails(Fault):
    """The prediction ends as failed with this text, after so many polls (None: as many as a good one takes)."""

    error: str
    after_polls: int | None = None


@dataclass(frozen=True, slots=True)
class OutputMissing(Fault):
    """The prediction succeeds with output null, and nothing is drawn."""


@dataclass(frozen=True, slots=True)
class ProcessingWithOutput(Fault):
    """The last poll before the end says processing although the output is there; there is at least one such poll."""


@dataclass(frozen=True, slots=True)
class Aborted(Fault):
    """The prediction ends before it has begun."""


@dataclass(frozen=True, slots=True)
class CancelledThere(Fault):
    """The prediction is cancelled at work, by nobody here."""


_CREDIT_WORDS = (
    "You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to purchase"
    " credit. Once you purchase credit, please wait a few minutes before trying again."
)


def _low_credit(seconds: int) -> RawReply:
    words = (
        "Request was throttled. Your rate limit for creating predictions is reduced to 6 requests per minute with a"
        f" burst of 1 requests while you have less than $5.0 in credit. Your rate limit resets in ~{seconds}s."
    )
    return RawReply(429, {"detail": words, "status": 429, "retry_after": seconds})


def _invalid(kind: str, place: str, words: str) -> RawReply:
    fields = [{"type": kind, "field": place, "description": words}]
    detail = f"- {place}: {words}\n"
    return RawReply(
        422, {"title": "Input validation failed", "detail": detail, "status": 422, "invalid_fields": fields}
    )


UNAUTHENTICATED = RawReply(
    401,
    {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token", "status": 401},
)
NO_CREDIT = RawReply(402, {"title": "Insufficient credit", "detail": _CREDIT_WORDS, "status": 402})
NOT_FOUND = RawReply(404, {"detail": "The requested resource could not be found.", "status": 404})
PROMPT_MISSING = _invalid("required", "input", "prompt is required")
BAD_ASPECT = _invalid("enum", "input.aspect_ratio", 'aspect_ratio must be one of the following: "1:1", "3:2", "2:3"')
LOW_CREDIT = _low_credit(5)
"""Says when to come back in its body only."""
THROTTLED = RawReply(
    429,
    {"detail": "Request was throttled. Expected available in 1 second.", "status": 429},
    {"retry-after": "1"},
)
SERVER_ERROR = RawReply(500, {"detail": "Internal server error", "status": 500})

_POLL_REPLIES = {
    429: THROTTLED,
    500: SERVER_ERROR,
    502: RawReply(502, b"<html><head><title>502 Bad Gateway</title></head></html>", {}),
}

BLOCKED_TEXT = (
    "Error code: 400 - {'error': {'message': 'Your request was rejected by the safety system. If you believe this is"
    " an error, contact us at help.openai.com. safety_violations=[violence].', 'type': 'image_generation_user_error',"
    " 'param': None, 'code': 'moderation_blocked'}}"
)
SENSITIVE_TEXT = "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (abc123)"
BAD_OPENAI_KEY_TEXT = (
    "Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-bad. You can find your API key at"
    " https://platform.openai.com/account/api-keys.', 'type': 'invalid_request_error', 'param': None,"
    " 'code': 'invalid_api_key'}}"
)


class FakeReplicate(HttpFake):
    """Replicate's `/v1` for the GPT Image models. Attributes may be changed at any time."""

    def __init__(
        self,
        *,
        key: str = "r8_test0123456789",
        openai_key: str = "sk-test-0123456789",
        port: int = 0,
        polls: int = 2,
        low_credit: bool = False,
    ) -> None:
        super().__init__(key=key, port=port)
        self.openai_key = openai_key
        """The only key a prediction works with; with another one it fails."""
        self.polls = polls
        """GETs of a prediction that say starting or processing before it ends; with 0 a create that waits ends it."""
        self.low_credit = low_credit
        """Whether a second create within ten seconds is throttled while another prediction is open."""
        self.takes_only: int | None = None
        """After so many predictions each further create is throttled, whatever has ended meanwhile."""
        self.violate_wrong_key = False
        """Whether a request with a wrong key breaks a rule."""
        self.logs_with_tokens = True
        self.jobs: dict[str, ReplicateJob] = {}
        """Every prediction, oldest first."""
        self.files: dict[str, dict[str, Any]] = {}
        """Uploaded files by id, as they were described to the client."""
        self.creates = 0
        """Predictions made; this is what is billed."""
        self.cancels = 0
        """Requests to cancel a prediction that exists."""
        self.uploads = 0
        self.throttled = 0
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """What a client is given as base URL: without /v1."""
        return self.origin

    def is_paid(self, request: Request) -> bool:
        return request.method == "POST" and _CREATE.fullmatch(request.path) is not None

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        with self._lock:
            self._check_keys(request)
            if request.query:
                self.violate(request, f"unknown query {dict(request.query)!r}")
            if request.headers.get("authorization") != f"Bearer {self.key}":
                if self.violate_wrong_key:
                    self.violate(request, "a wrong key, or none")
                return _answer(UNAUTHENTICATED)
            return self._routed(request, fault)

    def _routed(self, request: Request, fault: Fault | None) -> Answer:
        if request.method == "GET" and request.body:
            self.violate(request, "a GET with a body")
        if (created := _CREATE.fullmatch(request.path)) and request.method == "POST" and created[1] in MODELS:
            return self._create(request, created[1], fault)
        named = _PREDICTION.fullmatch(request.path)
        if named and request.method == ("POST" if named[2] else "GET"):
            job = self.jobs.get(named[1])
            return _answer(NOT_FOUND) if job is None else self._about(request, job, cancel=bool(named[2]))
        match request.method, request.path:
            case "GET", "/v1/predictions":
                results = [job.described(self.origin) for job in reversed(self.jobs.values())]
                return Answer(200, {"next": None, "previous": None, "results": results})
            case "POST", "/v1/files":
                return self._upload(request)
            case "GET", "/v1/account":
                github = "https://github.com/test-account"
                account = {"type": "user", "username": "test-account", "name": "Test Account", "github_url": github}
                return Answer(200, account)
        self.violate(request, "there is no such route or model")
        return _answer(NOT_FOUND)

    def _create(self, request: Request, name: str, fault: Fault | None) -> Answer:
        if wire.media_type(request.headers.get("content-type", ""))[0] != "application/json":
            self.violate(request, "the content type is not application/json")
            return Answer(415, {"detail": "Unsupported media type.", "status": 415})
        prefer = request.headers.get("prefer")
        waits = prefer is not None
        if problem := prefer_problem(prefer):
            self.violate(request, problem)
            waits = False
        body = request.json()
        if refusal := self._refusal(request, judge_prediction(body, MODELS[name], self._own_file)):
            return refusal
        if self._is_throttled():
            self.throttled += 1
            return _answer(_low_credit(1))
        job = self._new_job(name, body["input"], fault)
        if waits and job.pending == 0:
            self._end(job)
        return Answer(201, job.described(self.origin))

    def _new_job(self, name: str, values: Mapping[str, Any], fault: Fault | None) -> ReplicateJob:
        if values.get("openai_api_key", self.openai_key) != self.openai_key:
            fault = JobFails(BAD_OPENAI_KEY_TEXT)
        match fault:
            case JobFails(_, int(after)):
                pending = after
            case ProcessingWithOutput():
                pending = max(1, self.polls)
            case NeverEnds():
                pending = 1
            case _:
                pending = self.polls
        shown = {key: _REDACTED if key == "openai_api_key" else value for key, value in values.items()}
        job_id = f"g6c2x7k1e1rme0ctfix{self.next_number():02d}"
        job = ReplicateJob(job_id, name, shown, fault, pending, time.monotonic())
        self.jobs[job_id] = job
        self.creates += 1
        return job

    def _about(self, request: Request, job: ReplicateJob, *, cancel: bool) -> Answer:
        if cancel:
            if request.body:
                self.violate(request, "a cancel takes no body")
            self.cancels += 1
            if not job.ended:
                job.cancelled = True
                job.output = None
                job.finish("canceled")
            return Answer(200, job.described(self.origin))
        job.polls += 1
        if isinstance(job.fault, PollBreaks) and job.polls <= job.fault.times:
            return _answer(_POLL_REPLIES[job.fault.status])
        self._step(job)
        return Answer(200, job.described(self.origin))

    def _step(self, job: ReplicateJob) -> None:
        """Takes a prediction one poll further."""
        if job.ended:
            return
        job.steps += 1
        if job.steps > job.pending and not isinstance(job.fault, NeverEnds):
            self._end(job)
        elif not isinstance(job.fault, Aborted) and (job.steps > 1 or job.pending == 1):
            job.status = "processing"
            job.started_at = job.started_at or now()
            job.logs = "Generating image...\n"
            if isinstance(job.fault, ProcessingWithOutput) and job.steps == job.pending:
                self._draw_output(job)

    def _end(self, job: ReplicateJob) -> None:
        match job.fault:
            case JobFails(error):
                job.error = error
                job.finish("failed")
            case Aborted():
                job.finish("aborted")
            case CancelledThere():
                job.started_at = job.started_at or job.created_at
                job.finish("canceled")
            case OutputMissing():
                job.finish("succeeded")
            case _:
                if job.output is None:
                    self._draw_output(job)
                job.finish("succeeded")

    def _draw_output(self, job: ReplicateJob) -> None:
        order = order_of(job.input)
        files = [self.draw(order.size, order.image_format, alpha=order.alpha) for _ in range(order.n)]
        job.output = [self.publish(data, order.image_format) for data in files]
        job.images = order.n
        job.logs = (
            f"Generating image...\nImage size: {len(files[0]) / 1024:.1f}KB\nGenerated image in 12.4sec\n"
            f"Generated {order.n} images\n"
        )
        if self.logs_with_tokens:
            job.logs += order.token_lines()
        if isinstance(job.fault, GoneAfterwards):
            for address in job.output:
                del self.media[address.removeprefix(self.origin)]

    def _upload(self, request: Request) -> Answer:
        parts = request.parts()
        if refusal := self._refusal(request, judge_upload(parts)):
            return refusal
        content = next(part for part in parts if part.name == "content")
        metadata = next((part.data for part in parts if part.name == "metadata"), b"{}")
        file_id = f"file-fix-{self.next_number()}"
        made = datetime.now(UTC)
        self.uploads += 1
        self.files[file_id] = {
            "id": file_id,
            "name": content.filename,
            "content_type": content.content_type,
            "size": len(content.data),
            "etag": hashlib.md5(content.data, usedforsecurity=False).hexdigest(),
            "checksums": {"sha256": hashlib.sha256(content.data).hexdigest()},
            "metadata": Request("", "", {}, {}, metadata, 0).json(),
            "created_at": f"{made:%Y-%m-%dT%H:%M:%SZ}",
            "expires_at": f"{made + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
            "urls": {"get": f"{self.origin}/v1/files/{file_id}"},
        }
        return Answer(201, self.files[file_id])

    def _refusal(self, request: Request, verdict: Verdict) -> Answer | None:
        """Notes what is wrong; the 422 when it may not pass."""
        for words in [*verdict.remarks, *(problem.line for problem in verdict.problems)]:
            self.violate(request, words)
        return Answer(422, refusal_body(verdict.problems)) if verdict.problems else None

    def _is_throttled(self) -> bool:
        if self.takes_only is not None and self.creates >= self.takes_only:
            return True
        recent = time.monotonic() - _LOW_CREDIT_S
        return self.low_credit and any(not job.ended and job.made_at > recent for job in self.jobs.values())

    def _own_file(self, address: str) -> bool | None:
        if not address.startswith(f"{self.origin}/"):
            return None
        path = address.removeprefix(self.origin)
        return path in self.media or path.removeprefix("/v1/files/") in self.files

    def _check_keys(self, request: Request) -> None:
        """Notes a key that stands where it does not belong."""
        headers = [value for name, value in request.headers.items() if name != "authorization"]
        if any(key in text for key in (self.key, self.openai_key) for text in (*headers, *_addressed(request))):
            self.violate(request, "a key in the address or in a header")
        if self.openai_key in request.headers.get("authorization", ""):
            self.violate(request, "the OpenAI key was sent as the key of this provider")
        body = request.json()
        texts = list(strings(body)) or [request.body.decode("latin-1")]
        own = body["input"].get("openai_api_key") if _has_input(body) and self.is_paid(request) else None
        if any(self.key in text for text in texts):
            self.violate(request, "the key of this provider stands in the body")
        if sum(text.count(self.openai_key) for text in texts) > (own == self.openai_key):
            self.violate(request, "the OpenAI key stands in the body outside of input.openai_api_key")


def _addressed(request: Request) -> tuple[str, ...]:
    return request.path, *request.query, *request.query.values()


def _has_input(body: object) -> bool:
    return isinstance(body, dict) and isinstance(body.get("input"), dict)


def _answer(reply: RawReply) -> Answer:
    content_type = "text/html" if isinstance(reply.body, bytes) else "application/json"
    return Answer(reply.status, reply.body, reply.headers, content_type)
