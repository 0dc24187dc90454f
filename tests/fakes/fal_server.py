"""A strict fake of fal's queue: submit, status, result and cancel, uploads to its CDN, and the list of past requests.

Nothing here takes time: a job moves on each time its status is read, and is complete once a status said so. The
addresses of a job are not those one could put together from its endpoint and id, so a client must use the ones it got.
Only a job that the list has told answers at the documented ones as well.
"""

import base64
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.fakes import fal_faults as fates
from tests.fakes import fal_history as history
from tests.fakes import fal_rules as rules
from tests.fakes.faults import Fault, UnfitFault
from tests.fakes.http_fake import Answer, HttpFake, Request
from tests.fakes.job_faults import GoneAfterwards, NeverEnds, PollBreaks
from tests.fakes.wire import Socket, media_type

Status = Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]

_TOKEN = "/rest/storage/auth/token"
_UPLOAD = "/cdn/files/upload"
_LIST = "/platform/models/requests/by-endpoint"
_FREE = ("/rest/", "/cdn/", "/q/", "/platform/")
"""Below these nothing is paid for. `/q/` stands in no endpoint: a client can only have read it in an answer."""


@dataclass(slots=True)
class Job:
    """An accepted submit and what became of it."""

    request_id: str
    endpoint: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    """Of the submit, names in lower case."""
    fault: Fault | None = None
    status: Status = "IN_QUEUE"
    """What the last status read said."""
    polls: int = 0
    """Status reads, failed ones too."""
    cancelled: bool = False
    broken: int = 0
    """Status reads that `PollBreaks` let fail."""
    result: Answer | None = None
    """Made by the first read of the result, the same ever after."""
    sent_at: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file put on the CDN."""

    data: bytes
    content_type: str
    file_name: str
    url: str


class FakeFal(HttpFake):
    """The queue, the REST host and the CDN on one port."""

    def __init__(self, *, key: str = "fal-id-0123:fal-secret-4567", port: int = 0, polls: int = 2) -> None:
        super().__init__(key=key, port=port)
        self.polls = polls
        """Status reads before the one that says COMPLETED: the first half in the queue, the others in progress."""
        self.creates = 0
        """Submits accepted: what is billed."""
        self.jobs: dict[str, Job] = {}
        self.cancels: list[str] = []
        """Request ids of the cancellations asked for, in vain or not."""
        self.uploads: list[Upload] = []
        self.list_lag = 0
        """Reads of the list of past requests that do not tell a job yet."""
        self.list_page_items: int | None = None
        """Items on its pages at most, whatever is asked."""
        self.list_reply: Answer | None = None
        """Its answer instead of the good one."""
        self.list_reads = 0
        self.keeps_addresses = False
        """Whether files in the inputs that it tells became addresses."""
        self._tokens: set[str] = set()
        self._routes: dict[tuple[str, str], tuple[Callable[[Request, Job], Answer], Job]] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """Stands for https://queue.fal.run."""
        return self.origin

    @property
    def rest_url(self) -> str:
        """Stands for https://rest.fal.ai."""
        return self.origin + "/rest"

    @property
    def platform_url(self) -> str:
        """Stands for https://api.fal.ai/v1."""
        return self.origin + "/platform"

    def is_paid(self, request: Request) -> bool:
        return request.method == "POST" and not request.path.startswith(_FREE)

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        if fault is not None and not isinstance(fault, (*fates.OWN, *fates.PASSED)):
            raise UnfitFault(f"not a fault of fal's queue: {fault!r}")
        self._check_headers(request)
        if (request.method, request.path) == ("POST", _TOKEN):
            return self._refused(request) or self._give_token(request)
        if (request.method, request.path) == ("POST", _UPLOAD):
            return self._take_upload(request)
        if refusal := self._refused(request):
            return refusal
        if (request.method, request.path) == ("GET", _LIST):
            return self._list_requests(request)
        if self.is_paid(request):
            return self._submit(request, fault)
        return self._follow(request)

    def _refused(self, request: Request) -> Answer | None:
        """The answer to a wrong key. A key of the wrong value is no broken rule, one in the wrong form is."""
        sent = request.headers.get("authorization", "")
        if sent == f"Key {self.key}":
            return None
        if not sent.startswith("Key ") or not sent.removeprefix("Key ").strip():
            self.violate(request, "expected the header Authorization: Key <key>")
        return Answer(fates.UNAUTHORIZED.status, fates.UNAUTHORIZED.body)

    def _unknown(self, request: Request) -> Answer:
        self.violate(request, "there is no such address")
        return Answer(fates.NOT_FOUND.status, fates.NOT_FOUND.body)

    def _check_headers(self, request: Request) -> None:
        for name, value in request.headers.items():
            if name.startswith("x-fal-") and not rules.is_good_header(name, value, upload=request.path == _UPLOAD):
                self.violate(request, f"unknown header or value: {name}: {value}")
        elsewhere = [*request.query.values(), *(v for k, v in request.headers.items() if k != "authorization")]
        if self.key.encode() in request.body or any(self.key in value for value in elsewhere):
            self.violate(request, "the key stands outside of Authorization")

    def _check_query(self, request: Request, allowed: Mapping[str, str]) -> None:
        for name, value in request.query.items():
            if allowed.get(name) != value:
                self.violate(request, f"unknown query parameter or value: {name}={value}")

    def _submit(self, request: Request, fault: Fault | None) -> Answer:
        name = request.path[1:]
        if name not in rules.ENDPOINTS:
            return self._unknown(request)
        self._check_query(request, {})
        body = request.json()
        problems = rules.judge(rules.ENDPOINTS[name], body, self._hosted)
        if media_type(request.headers.get("content-type", ""))[0] != "application/json":
            problems.append(rules.Problem((), "The content type must be application/json", "bad_request"))
        if isinstance(body, dict) and "quality" not in body:
            self.violate(request, "quality is missing, so the dearest would be made and billed")
        for problem in problems:
            self.violate(request, f"{problem.type} at {problem.loc}: {problem.msg}")
        if problems:
            return Answer(422, {"detail": [problem.detail() for problem in problems]})
        return self._enqueue(Job(str(uuid.uuid4()), name, body, request.headers, fault))

    def _enqueue(self, job: Job) -> Answer:
        path = f"/q{_documented_path(job)}"
        with self._lock:
            self.creates += 1
            self.jobs[job.request_id] = job
            self._routes |= self._routes_of(job, path)
        body = {
            "status": "IN_QUEUE",
            "request_id": job.request_id,
            "response_url": self.origin + path,
            "status_url": f"{self.origin}{path}/status",
            "cancel_url": f"{self.origin}{path}/cancel",
            "queue_position": 0,
        }
        missing = job.fault.names if isinstance(job.fault, fates.AddressesMissing) else ()
        return Answer(200, body | dict.fromkeys(missing), {"x-fal-request-id": job.request_id})

    def _routes_of(self, job: Job, path: str) -> dict[tuple[str, str], tuple[Callable[[Request, Job], Answer], Job]]:
        return {
            ("GET", path): (self._read_result, job),
            ("GET", f"{path}/status"): (self._read_status, job),
            ("PUT", f"{path}/cancel"): (self._cancel, job),
        }

    def _list_requests(self, request: Request) -> Answer:
        if problems := history.query_problems(request.query):
            for words in problems:
                self.violate(request, words)
            return Answer(422, {"detail": problems})
        with self._lock:
            self.list_reads += 1
            jobs = list(self.jobs.values()) if self.list_reads > self.list_lag else []
            told = history.page([self._told(job) for job in jobs], request.query, self.list_page_items)
            for item in told["items"]:
                job = self.jobs[item["request_id"]]
                self._routes |= self._routes_of(job, _documented_path(job))
        return self.list_reply or Answer(200, told)

    def _told(self, job: Job) -> dict[str, Any]:
        """The job as the list tells it; what is open lacks its end, as the schema allows."""
        item: dict[str, Any] = {
            "request_id": job.request_id,
            "endpoint_id": job.endpoint,
            "sent_at": job.sent_at,
            "started_at": job.sent_at,
        }
        if job.status == "COMPLETED":
            item |= {"ended_at": job.sent_at, "status_code": 200, "duration": 7.8, "json_output": {}}
        if job.headers.get("x-fal-store-io") == "0":
            return item
        files = ("image_urls", "mask_url", "mask_image_url")
        kept = {name: self._addressed(value) if name in files else value for name, value in job.body.items()}
        return item | {"json_input": kept if self.keeps_addresses else job.body}

    def _addressed(self, value: object) -> object:
        if isinstance(value, list):
            return [self._addressed(item) for item in value]
        return value if str(value).startswith("http") else f"{self.origin}/kept.png"

    def _follow(self, request: Request) -> Answer:
        """Answers about a job, at one of the addresses given out for it."""
        with self._lock:
            route = self._routes.get((request.method, request.path))
        if route is None:
            return self._unknown(request)
        handler, job = route
        if request.body not in (b"", b"{}") or (request.body and request.method == "GET"):
            self.violate(request, "a body was sent")
        self._check_query(request, {"logs": "1"} if handler == self._read_status else {})
        with job.lock:
            answer = handler(request, job)
        if isinstance(job.fault, fates.SmallLetters) and isinstance(answer.body, dict) and "status" in answer.body:
            answer = Answer(answer.status, answer.body | {"status": str(answer.body["status"]).lower()}, answer.headers)
        return Answer(answer.status, answer.body, {**answer.headers, "x-fal-request-id": job.request_id})

    def _read_status(self, request: Request, job: Job) -> Answer:
        job.polls += 1
        if isinstance(job.fault, PollBreaks) and job.broken < job.fault.times:
            job.broken += 1
            status = job.fault.status
            return Answer(
                *fates.platform(status, "The status could not be read.", fates.ERROR_TYPES.get(status, "bad_request"))
            )
        number = job.polls - job.broken
        in_queue = -(-self.polls // 2)
        if job.cancelled or (number > self.polls and not isinstance(job.fault, NeverEnds)):
            job.status = "COMPLETED"
            return Answer(200, {"status": job.status, "logs": [], "metrics": {"inference_time": 14.2}} | _error_of(job))
        if number <= in_queue:
            place = in_queue - number + 1
            return Answer(202, {"status": "IN_QUEUE", "request_id": job.request_id, "queue_position": place})
        job.status = "IN_PROGRESS"
        entry = {"message": "generating", "level": "INFO", "source": "USER", "timestamp": "2026-11-21T10:00:01Z"}
        return Answer(202, {"status": job.status, "logs": [entry] if "logs" in request.query else []})

    def _read_result(self, request: Request, job: Job) -> Answer:
        if job.status != "COMPLETED":
            return Answer(400, {"detail": "Request is still in progress"})
        if job.result is None:
            job.result = self._result_of(job)
        return job.result

    def _cancel(self, request: Request, job: Job) -> Answer:
        self.cancels.append(job.request_id)
        if job.status == "COMPLETED":
            return Answer(400, {"status": "ALREADY_COMPLETED"})
        job.cancelled = True
        return Answer(202, {"status": "CANCELLATION_REQUESTED"})

    def _result_of(self, job: Job) -> Answer:
        if isinstance(job.fault, fates.CompletedWithError) and job.fault.result and not job.cancelled:
            given = job.fault.result
            return Answer(given.status, given.body, given.headers)
        if error := _error_of(job):
            status = 499 if job.cancelled else 500
            return Answer(*fates.platform(status, error["error"], error["error_type"]))
        if isinstance(job.fault, fates.ResultFails):
            return Answer(job.fault.status, job.fault.body, job.fault.headers)
        count = 0 if isinstance(job.fault, fates.NoImages) else job.body.get("num_images", 1)
        return Answer(200, {"images": [self._make_image(job) for _ in range(count)]})

    def _make_image(self, job: Job) -> dict[str, object]:
        image_format = job.body.get("output_format", "png")
        width, height = rules.pixel_size(rules.ENDPOINTS[job.endpoint], job.body)
        data = self.draw((width, height), image_format, alpha=job.body.get("background") == "transparent")
        if job.body.get("sync_mode"):
            url = f"data:image/{image_format};base64,{base64.b64encode(data).decode()}"
        else:
            url = self.publish(data, image_format)
        if isinstance(job.fault, GoneAfterwards):
            self.media.pop(url.removeprefix(self.origin), None)
        image: dict[str, object] = {
            "url": url,
            "content_type": f"image/{image_format}",
            "file_name": url.rpartition("/")[2] if url.startswith(self.origin) else f"out.{image_format}",
            "file_size": len(data),
            "width": width,
            "height": height,
        }
        nulls = ("file_size", "width", "height") if isinstance(job.fault, fates.NullSizes) else ()
        return image | dict.fromkeys(nulls)

    def _hosted(self, url: str) -> tuple[bytes, str] | None:
        if not url.startswith(self.origin + "/"):
            return None
        return self.media.get(url.removeprefix(self.origin), (b"", ""))

    def _give_token(self, request: Request) -> Answer:
        if dict(request.query) != {"storage_type": "fal-cdn-v3"} or request.json() != {}:
            self.violate(request, "expected storage_type=fal-cdn-v3 and the body {}")
        token = f"cdn-{uuid.uuid4().hex}"
        with self._lock:
            self._tokens.add(token)
        expires_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        base_url = self.origin + "/cdn"
        return Answer(200, {"token": token, "token_type": "Bearer", "base_url": base_url, "expires_at": expires_at})

    def _take_upload(self, request: Request) -> Answer:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            known = scheme == "Bearer" and token in self._tokens
        if not known:
            words = "the key was sent to the CDN" if self.key in token else "expected the Bearer token just given"
            self.violate(request, words)
            return Answer(fates.UNAUTHORIZED.status, fates.UNAUTHORIZED.body)
        self._check_query(request, {})
        name, content_type = request.headers.get("x-fal-file-name", ""), request.headers.get("content-type", "")
        if not name or rules.decoded(request.body, content_type) is None:
            self.violate(request, f"expected X-Fal-File-Name and an image of the declared type {content_type!r}")
            return Answer(400, {"detail": "Bad upload", "error_type": "bad_request"})
        url = self.publish(request.body, content_type.removeprefix("image/"))
        with self._lock:
            self.uploads.append(Upload(request.body, content_type, name, url))
        return Answer(200, {"access_url": url})

    async def _send(self, sock: Socket, answer: Answer) -> bool:
        if answer.status != 499:
            return await super()._send(sock, answer)
        # Of a cancelled job. The code is nobody's standard, so the shared writer has no phrase for it.
        body = json.dumps(answer.body).encode()
        headers = {"content-type": answer.content_type, "content-length": str(len(body)), **answer.headers}
        lines = ["HTTP/1.1 499 Client Closed Request", *(f"{name}: {value}" for name, value in headers.items())]
        await sock.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        return True


def _documented_path(job: Job) -> str:
    """Below the queue's address: owner and app, without what else the endpoint's name has."""
    return f"/{'/'.join(job.endpoint.split('/')[:2])}/requests/{job.request_id}"


def _error_of(job: Job) -> dict[str, str]:
    """The error that stands in the status of a completed job; empty when none does."""
    if job.cancelled:
        return {"error": "Request was cancelled", "error_type": "client_cancelled"}
    if isinstance(job.fault, fates.CompletedWithError):
        return {"error": job.fault.error, "error_type": job.fault.error_type}
    return {}
