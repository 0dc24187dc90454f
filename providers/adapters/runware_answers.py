"""What Runware's answers say of a task: images that came one by one, why others did not, and whether more are to come.

Source: runware-sdk 1.8.0 and Runware's model pages, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from providers.adapter import Reply
from providers.adapters.replies import (
    bytes_of_base64,
    inline_bytes,
    json_object,
    malformed,
    microusd,
    state_of,
    text_or_none,
    whole,
)
from providers.adapters.runware_errors import errors_in, is_of_another, is_of_task, reported_error
from providers.errors import JobUnknown, MalformedReply, ProviderError
from providers.types import Answered, GeneratedImage, ImageResult, Job, Json, Pending, RemoteImage

IMAGES = "images"
"""Under which name a job's tracking holds how many were asked for."""
_NSFW = "NSFWContent"
_IMAGE_FIELDS = ("imageURL", "imageDataURI", "imageBase64Data")


@dataclass(frozen=True, slots=True)
class _Told:
    """What an answer says of a task."""

    images: tuple[GeneratedImage | RemoteImage, ...]
    failed: tuple[ProviderError, ...]
    """Why single images did not come."""
    ended: tuple[ProviderError, ...]
    """What the task ended with; beside images each stands for one that did not come."""
    troubles: tuple[ProviderError, ...]
    """What is wrong with asking; a further poll may not have it."""
    bare: int
    """Items without image, error or state, as an acknowledgement."""
    is_running: bool
    """Whether something of it is said to be processed."""

    def is_whole(self, asked: int | None) -> bool:
        """Whether nothing more is to come, with images there. `asked`: how many there should be, where that is known."""
        if asked is None:
            return not self.is_running
        count = len(self.images)
        return count >= asked or (not self.is_running and count + len(self.failed) + len(self.ended) >= asked)

    def has_failed(self, asked: int | None) -> bool:
        """Whether there will be no image: the task ended with an error, or every single image did."""
        if self.images or self.is_running:
            return False
        return bool(self.ended) or len(self.failed) >= (asked or 1)


def outcome(reply: Reply, job: Job | None) -> ImageResult | Pending:
    """What an answer says of a task. `job` is the one that was asked for; `None`: the task itself is answered."""
    body = json_object(reply)
    items = list(_of_task(_items(body, reply.headers), job))
    asked = _asked(job)
    told = _told(body, items, reply, job)
    so_far = _result(told, items, job, reply) if told.images else None
    if so_far is not None and told.is_whole(asked):
        return so_far
    # A task that was taken may still make images, whatever stands beside the acknowledgement.
    is_taken = job is None and told.bare > 0
    if told.has_failed(asked) and not is_taken:
        failures = (*told.failed, *told.ended)
        failures[0].may_have_been_billed = any(failure.may_have_been_billed for failure in failures)
        raise failures[0]
    return Pending(job or _job_of(items, reply), _words(items, told, asked), so_far=so_far)


def _of_task(items: list[object], job: Job | None) -> Iterator[object]:
    """The items without those of other tasks, and each image once."""
    seen: set[str] = set()
    for item in items:
        if isinstance(item, dict):
            if job is not None and is_of_another(item, job.remote_id):
                continue
            name = text_or_none(item.get("imageUUID"))
            if name is not None and _image_field(item):
                if name in seen:
                    continue
                seen.add(name)
        yield item


def _asked(job: Job | None) -> int | None:
    """How many images a job should make; `None` for one that an earlier version began, and for an answer at once."""
    text = job.tracking.get(IMAGES, "") if job else ""
    return int(text) if text.isascii() and text.isdecimal() else None


def _told(body: Json, items: list[object], reply: Reply, job: Job | None) -> _Told:
    running = [item for item in items if state_of(item) == "processing"]
    read = [_read(item, reply) for item in items if state_of(item) != "processing"]
    ended, troubles = _errors(body, reply, job)
    return _Told(
        images=tuple(found for found in read if isinstance(found, GeneratedImage | RemoteImage)),
        failed=tuple(found for found in read if isinstance(found, ProviderError)),
        ended=tuple(ended),
        troubles=tuple(troubles),
        bare=read.count(None),
        is_running=bool(running),
    )


def _result(told: _Told, items: list[object], job: Job | None, reply: Reply) -> ImageResult:
    failures = (*told.failed, *told.ended)
    if _asked(job) is None:
        # Nothing else tells that there should be more.
        bare = [malformed("an item in it has no image", reply.headers) for _ in range(told.bare)]
        failures = (*failures, *bare, *told.troubles)
    return ImageResult(told.images, _answered(items, job), failures)


def _items(body: Json, headers: Mapping[str, str]) -> list[object]:
    data = body.get("data")
    if data is None:
        return []
    if not isinstance(data, list):
        raise malformed("its data is no list", headers)
    return data


def _job_of(items: list[object], reply: Reply) -> Job:
    task_uuid = _task_uuid(items)
    if task_uuid is None:
        raise malformed("it names no task", reply.headers)
    return Job(task_uuid)


def _task_uuid(items: list[object]) -> str | None:
    named = (text_or_none(item.get("taskUUID")) for item in items if isinstance(item, dict))
    return next((name for name in named if name), None)


def _words(items: list[object], told: _Told, asked: int | None) -> str:
    words = [_progress(items)] if told.is_running else []
    if told.images and asked:
        words.append(f"{len(told.images)} of {asked} images ready")
    return ", ".join(words)


def _progress(items: list[object]) -> str:
    for item in items:
        progress = item.get("progress") if isinstance(item, dict) and state_of(item) == "processing" else None
        if isinstance(progress, int | float) and not isinstance(progress, bool) and 0 <= progress <= 100:
            return f"processing, {progress:g}%"
    return "processing"


def _read(item: object, reply: Reply) -> GeneratedImage | RemoteImage | ProviderError | None:
    """The image of an item, or why it has none; `None` when it says neither, as an acknowledgement."""
    if not isinstance(item, dict):
        return malformed("an item in it is no object", reply.headers)
    if state_of(item) == "error":
        return reported_error(item, reply)
    try:
        return _image(item, reply.headers)
    except MalformedReply as error:
        # One item that cannot be read must not cost the others.
        return error


def _image(item: Json, headers: Mapping[str, str]) -> GeneratedImage | RemoteImage | None:
    name = _image_field(item)
    if name is None:
        return None
    data, seed, is_flagged = inline_bytes(item[name], headers), whole(item.get("seed")), item.get(_NSFW) is True
    if data is not None:
        return GeneratedImage(data, seed, is_flagged=is_flagged)
    text = text_or_none(item[name])
    if name == "imageURL":
        if text is None:
            raise malformed("an image's address in it is no text", headers)
        return RemoteImage(text, seed, is_flagged=is_flagged)
    return GeneratedImage(bytes_of_base64(text, headers), seed, is_flagged=is_flagged)


def _image_field(item: Json) -> str | None:
    return next((name for name in _IMAGE_FIELDS if item.get(name) not in (None, "")), None)


def _errors(body: Json, reply: Reply, job: Job | None) -> tuple[list[ProviderError], list[ProviderError]]:
    """What the task ended with, and troubles with asking for it that a further poll may not have."""
    ended: list[ProviderError] = []
    troubles: list[ProviderError] = []
    for raw in errors_in(body):
        if job is not None and is_of_another(raw, job.remote_id):
            continue
        error = reported_error(raw, reply)
        if job is not None and not is_of_task(raw, job.remote_id):
            # Asking failed, not the task: it goes on, and is billed.
            error.may_have_been_billed = True
            if error.retryable and not isinstance(error, JobUnknown):
                troubles.append(error)
                continue
        ended.append(error)
    return ended, troubles


def _answered(items: list[object], job: Job | None) -> Answered:
    """Runware repeats neither size nor quality nor format: what is got is what its content check says, and the cost."""
    checked = [item[_NSFW] for item in items if isinstance(item, dict) and isinstance(item.get(_NSFW), bool)]
    got = {"nsfw_content": any(checked)} if checked else {}
    return Answered(got, cost_microusd=_cost(items), request_id=job.remote_id if job else _task_uuid(items))


def _cost(items: list[object]) -> int | None:
    """The sum over all items; `None` as soon as one image has no cost, because then nobody knows."""
    total = Decimal(0)
    for item in items:
        if not isinstance(item, dict):
            continue
        if microusd(item.get("cost")) is not None:
            total += Decimal(str(item["cost"]))
        elif _image_field(item):
            return None
    return microusd(str(total))


def account_in(body: Json) -> Json | None:
    """The item that answers to a key check; `None` in an answer that is not Runware's."""
    data = body.get("data")
    items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    return next((item for item in items if item.get("taskType") == "accountManagement"), None)
