"""A strict stand-in for Runware: one address, arrays of tasks, answers at once or fetched later.

Written from the provider reference (section 3 and fixtures W1 to W5) alone. It notes every broken rule in
`violations`; what an honest client stores is byte for byte what stands in `served`.
"""

import base64
import threading
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from tests.fakes import faults, runware_rules
from tests.fakes.faults import Fault, UnfitFault
from tests.fakes.http_fake import Answer, HttpFake, RawReply, Request
from tests.fakes.job_faults import GoneAfterwards, NeverEnds, PollBreaks
from tests.fakes.runware_faults import (
    OWN,
    AcknowledgedOnly,
    ErrorItems,
    Flagged,
    MissingImage,
    OneByOne,
    PartialFailure,
    TaskFails,
    TimedOutButRan,
)
from tests.fakes.runware_rules import Job, Refusal, TaskObject

PATH = "/v1"


_IN_TRANSPORT = (faults.Slow, faults.CutBody)
_HTML = b"<html><head><title>504 Gateway Time-out</title></head></html>"


def _error_reply(status: int, code: str, message: str, **more: object) -> RawReply:
    return RawReply(status, {"errors": [{"code": code, "message": message} | more]})


INVALID_KEY = _error_reply(
    401,
    "invalidApiKey",
    "Invalid API key. Get one at https://my.runware.ai/signup",
    parameter="apiKey",
    type="string",
    taskType="authentication",
)
BAD_DIMENSIONS = _error_reply(
    400,
    "unsupportedDimensions",
    "Invalid width/height combination for this model.",
    parameter=["width", "height"],
    taskType="imageInference",
    documentation="https://runware.ai/docs/models/openai-gpt-image-1-mini",
)
THIRD_PARTY_CREDITS = _error_reply(
    400,
    "thirdPartyInsufficientCredits",
    "External inference requires a paid invoice or at least $5 credit. Add credit at https://my.runware.ai/wallet",
    taskType="imageInference",
)
NO_CREDITS = _error_reply(
    402, "insufficientCredits", "Insufficient credits to perform this task.", taskType="imageInference"
)
RATE_LIMITED = _error_reply(429, "providerRateLimitExceeded", "Too many requests.", taskType="imageInference")
UNAVAILABLE = _error_reply(503, "serviceUnavailable", "Service temporarily unavailable.")
GATEWAY_TIMEOUT = RawReply(504, _HTML, {"content-type": "text/html"})


@dataclass(slots=True)
class Task:
    """An accepted imageInference task."""

    job: Job
    request: TaskObject
    fault: Fault | None
    status: Literal["processing", "success", "error"] = "processing"
    """Of a task with some failed images: `success`."""
    polls: int = 0
    """getResponse calls for it."""
    waits: int = 0
    """How many more of them say `processing`."""
    breaks: int = 0
    """How many more of them break."""
    hidden: bool = False
    """Whether the next answer lacks the images."""
    flagged: bool = False
    """Whether the content check had its finding."""
    items: list[dict[str, object]] | None = None
    """None: not made yet."""
    errors: list[dict[str, object]] = field(default_factory=list)

    @property
    def ids(self) -> dict[str, object]:
        """What every object about the task begins with."""
        return {"taskType": "imageInference", "taskUUID": self.job.task_uuid}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one task object of a request adds to the answer."""

    data: list[dict[str, object]] = field(default_factory=list)
    errors: list[dict[str, object]] = field(default_factory=list)
    status: int = 200
    """Of the answer, when no task in it has data."""


class FakeRunware(HttpFake):
    """Context manager: a running fake. Attributes may be changed at any time."""

    def __init__(self, *, key: str = "rw-test-0123456789", port: int = 0, polls: int = 2) -> None:
        super().__init__(key=key, port=port)
        self.polls = polls
        """How many getResponse answers say `processing` before a task ends that is fetched later."""
        self.creates = 0
        """Accepted imageInference tasks: what is billed."""
        self.polls_seen = 0
        """getResponse tasks received, for unknown tasks too."""
        self.tasks: dict[str, Task] = {}
        self.uploads: dict[str, str] = {}
        """Media UUID -> address of each uploaded image."""
        self.balance = 12.34
        self._spent: set[str] = set()
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """The one address everything is posted to."""
        return self.origin + PATH

    def is_paid(self, request: Request) -> bool:
        return False

    def is_paid_body(self, request: Request) -> bool:
        return any(task.get("taskType") == "imageInference" for task in _task_objects(request))

    def answer(self, request: Request, fault: Fault | None) -> Answer:
        if fault is not None and not isinstance(fault, OWN + _IN_TRANSPORT):
            raise UnfitFault(f"this fake has no fault {fault!r}")
        with self._lock:
            refused = self._refused_at_the_door(request)
            if refused is not None:
                return refused
            before = self.creates
            outcomes = [self._carry_out(request, task, fault) for task in _task_objects(request)]
            if isinstance(fault, TimedOutButRan) and self.creates > before:
                return Answer(504, _HTML, content_type="text/html")
            return _joined(outcomes)

    def _refused_at_the_door(self, request: Request) -> Answer | None:
        if (request.method, request.path) != ("POST", PATH):
            self.violate(request, "there is no such address")
            return _refusal_answer(404, "resourceNotFound", "Not found.")
        given = request.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            self.violate(request, "no Authorization: Bearer <key>")
        if given != f"Bearer {self.key}":
            return Answer(INVALID_KEY.status, INVALID_KEY.body)
        if self.key.encode() in request.body or self.key in str(request.query):
            self.violate(request, "the key is not only in its header")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            self.violate(request, "Content-Type is not application/json")
            return _refusal_answer(400, "invalidContentType", "Expected application/json.")
        if not _task_objects(request):
            self.violate(request, "the body is no JSON array of task objects")
            return _refusal_answer(400, "invalidRequestBody", "Expected a JSON array of task objects.")
        return None

    def _carry_out(self, request: Request, task: TaskObject, fault: Fault | None) -> Outcome:
        kind = task.get("taskType")
        if kind == "imageInference":
            return self._create(request, task, fault)
        if not isinstance(kind, str) or kind not in runware_rules.OTHER_TASKS:
            allowed = ("imageInference", *runware_rules.OTHER_TASKS)
            code = "invalidTaskType" if "taskType" in task else "missingTaskType"
            return self._refuse(request, task, [Refusal(code, "Expected a known taskType.", "taskType", allowed)])
        refusals = runware_rules.judge_other(task)
        looks_up = kind in ("getResponse", "getTaskDetails")
        if not refusals and not looks_up:
            refusals = self._spend(task)
        if refusals:
            return self._refuse(request, task, refusals)
        if looks_up:
            return self._look_up(task, details=kind == "getTaskDetails")
        ids = {"taskType": kind, "taskUUID": task["taskUUID"], "operation": task["operation"]}
        return Outcome([ids | ({"balance": self.balance} if kind == "accountManagement" else self._uploaded(task))])

    def _refuse(self, request: Request, task: TaskObject, refusals: list[Refusal]) -> Outcome:
        for refusal in refusals:
            self.violate(request, f"{refusal.code}: {refusal.message}")
        return Outcome(errors=[refusal.body(task) for refusal in refusals], status=400)

    def _spend(self, task: TaskObject) -> list[Refusal]:
        """Uses the task's UUID up, or says that it was."""
        task_uuid = str(task["taskUUID"]).lower()
        if task_uuid in self._spent:
            return [Refusal("conflictTaskUUID", f"The taskUUID {task_uuid} was used before.", "taskUUID")]
        self._spent.add(task_uuid)
        return []

    def _uploaded(self, task: TaskObject) -> dict[str, object]:
        head, _, encoded = str(task["media"]).partition(";base64,")
        media_uuid = str(uuid4())
        self.uploads[media_uuid] = self.publish(base64.b64decode(encoded), head.removeprefix("data:image/"))
        return {"mediaUUID": media_uuid, "mediaURL": self.uploads[media_uuid]}

    def _create(self, request: Request, task: TaskObject, fault: Fault | None) -> Outcome:
        known = {*self.uploads, *self.uploads.values()}
        job = runware_rules.judge_inference(task, known=known)
        refusals = job if isinstance(job, list) else self._spend(task)
        if isinstance(job, list) or refusals:
            return self._refuse(request, task, refusals)
        self.creates += 1
        made = self.tasks[job.task_uuid.lower()] = Task(job, dict(task), fault)
        made.hidden = isinstance(fault, MissingImage)
        made.breaks = fault.times if isinstance(fault, PollBreaks) else 0
        if job.waits or isinstance(fault, AcknowledgedOnly | NeverEnds | TimedOutButRan):
            made.waits = self.polls
            return Outcome([made.ids])
        status = fault.http_status if isinstance(fault, TaskFails) else 200
        return self._finished(made, polled=False, status=status)

    def _look_up(self, task: TaskObject, *, details: bool) -> Outcome:
        self.polls_seen += not details
        found = self.tasks.get(str(task["taskUUID"]).lower())
        if found is None:
            error = {"code": "taskNotFound", "message": "No task has this taskUUID.", "parameter": "taskUUID"}
            return Outcome(errors=[error | {name: task[name] for name in ("taskType", "taskUUID")}], status=400)
        return Outcome([_details(found)]) if details else self._poll(found)

    def _poll(self, task: Task) -> Outcome:
        task.polls += 1
        if task.breaks and isinstance(task.fault, PollBreaks):
            task.breaks -= 1
            error: dict[str, object] = {"code": "internalServerError", "message": "An unexpected error occurred."}
            return Outcome(errors=[error], status=task.fault.status)
        if isinstance(task.fault, OneByOne):
            return self._one_more(task, task.fault.most)
        never = isinstance(task.fault, NeverEnds)
        if not never and not task.waits:
            return self._finished(task, polled=True)
        task.waits -= not never
        # The reference promises `progress` only sometimes.
        pending = task.ids | {"status": "processing"} | ({"progress": 40} if task.polls % 2 else {})
        if never or task.waits or task.job.count == 1 or isinstance(task.fault, TaskFails | ErrorItems):
            return Outcome([pending])
        self._make(task)
        return Outcome([item | {"status": "success"} for item in (task.items or ())[:1]] + [pending])

    def _one_more(self, task: Task, most: int | None) -> Outcome:
        self._make(task)
        ready = (task.items or [])[: min(task.polls, most or task.job.count)]
        other = {"taskUUID": str(uuid4()), "imageUUID": str(uuid4()), "imageURL": self.origin + "/of-somebody-else.png"}
        listed = [
            one for item in ready for one in (item | {"status": "SUCCESS"}, item | other, item | {"status": "SUCCESS"})
        ]
        return Outcome(listed or [task.ids])

    def _finished(self, task: Task, *, polled: bool, status: int = 200) -> Outcome:
        self._make(task)
        items = list(task.items or ())
        if task.hidden:
            task.hidden = False
            items = [{name: item[name] for name in item if name not in _IMAGE_FIELDS} for item in items]
        task.status = "success" if any("imageUUID" in item for item in items) else "error"
        if not polled:
            return Outcome(items, task.errors, status)
        items = [{"status": "success"} | item for item in items]
        return Outcome(items, [{"status": "error"} | error for error in task.errors])

    def _make(self, task: Task) -> None:
        """Makes what the task ends with. Items come last first: their order is not promised."""
        if task.items is not None:
            return
        count, ids = task.job.count, task.ids
        match task.fault:
            case TaskFails(code, message):
                task.items, task.errors = [], [{"code": code, "message": message} | ids]
            case ErrorItems(code, message):
                task.items = [ids | {"status": "error", "code": code, "message": message}] * count
            case PartialFailure(failed, code):
                words = "The provider rejected the request because of its content policy."
                task.errors = [{"code": code, "message": words} | ids] * min(failed, count)
                task.items = [self._item(task) for _ in range(count - len(task.errors))][::-1]
            case _:
                task.items = [self._item(task) for _ in range(count)][::-1]

    def _item(self, task: Task) -> dict[str, object]:
        job = task.job
        data = self.draw(job.size, job.output_format, alpha=job.transparent)
        item = task.ids | {"imageUUID": str(uuid4()), "seed": 1_234_567 + len(self.served)}
        match job.output_type:
            case "URL":
                item["imageURL"] = self.publish(data, job.output_format)
                if isinstance(task.fault, GoneAfterwards):
                    del self.media[str(item["imageURL"]).removeprefix(self.origin)]
            case "base64Data":
                item["imageBase64Data"] = base64.b64encode(data).decode()
            case "dataURI":
                item["imageDataURI"] = f"data:image/{job.output_format};base64,{base64.b64encode(data).decode()}"
        finding = isinstance(task.fault, Flagged) and not task.flagged
        task.flagged = True
        checked: dict[str, object] = {"NSFWContent": finding} if job.check_content else {}
        return item | checked | ({"cost": job.cost()} if job.include_cost else {})


_IMAGE_FIELDS = ("imageURL", "imageBase64Data", "imageDataURI")


def _task_objects(request: Request) -> list[dict[str, object]]:
    """The tasks of the body; none when it is anything but an array of objects."""
    body = request.json()
    return body if isinstance(body, list) and all(isinstance(task, dict) for task in body) else []


def _joined(outcomes: list[Outcome]) -> Answer:
    data = [item for outcome in outcomes for item in outcome.data]
    errors = [error for outcome in outcomes for error in outcome.errors]
    status = 200 if data else next(outcome.status for outcome in outcomes if outcome.errors)
    return Answer(status, ({"data": data} if data else {}) | ({"errors": errors} if errors else {}))


def _refusal_answer(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"errors": [{"code": code, "message": message}]})


def _details(task: Task) -> dict[str, object]:
    """The past request and what it came to; no items while it is processing."""
    ended = task.status != "processing"
    response = {"data": (task.items or []) if ended else []} | (
        {"errors": task.errors} if ended and task.errors else {}
    )
    return task.ids | {"taskType": "getTaskDetails", "request": task.request, "response": response}
