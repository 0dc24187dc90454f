"""Runware: one address, a list of task objects in, a list of items out. Each task runs as a job under an id of our own.

Source: runware-sdk 1.8.0 and Runware's model pages, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from providers.adapter import CALL_ID, Attachment, HttpCall, PollPace, Reply, SynchronousAdapter
from providers.adapters.fields import converted, file_name, format_row, refused, renamed, size_rows, uncompressed_row
from providers.adapters.replies import (
    bytes_of_base64,
    inline_bytes,
    json_object,
    malformed,
    microusd,
    text_or_none,
    whole,
)
from providers.adapters.runware_errors import error_of, errors_in, is_of_task, reported_error
from providers.catalog import ModelSpec, Offer, WireFacts
from providers.errors import JobUnknown, MalformedReply, ProviderError
from providers.sizes import SizeChoice, parse_size, resolve_size, size_problem
from providers.types import (
    MADE_HERE,
    Answered,
    FieldHandling,
    GeneratedImage,
    ImageRequest,
    ImageResult,
    Job,
    Json,
    KeyStatus,
    Pending,
    RemoteImage,
)

_FORMATS = {"png": "PNG", "jpeg": "JPG", "webp": "WEBP"}
_LEAST_QUALITY, _MOST_QUALITY = 20, 99
_IMAGE_FIELDS = ("imageURL", "imageDataURI", "imageBase64Data")
_SIZE_FIELDS = ("size", "aspect_ratio", "resolution")
_LEAST_CREDIT_MICROUSD = 5_000_000
_MOST_BALANCE_USD = 10**9
"""No account holds more; a larger figure is a fault of whoever reports it."""


@dataclass(frozen=True, slots=True)
class RunwareFacts(WireFacts):
    """What the wire format needs to know about one of Runware's models."""

    settings: Literal["settings", "providerSettings.openai"] = "settings"
    """Where quality and background stand."""
    needs_size: bool = False
    """Whether a call without width and height is refused."""
    min_prompt_chars: int = 1
    takes_auto_background: bool = True
    """Whether `auto` may be said as the background, where leaving it out means the same."""


class RunwareAdapter(SynchronousAdapter):
    """Speaks to Runware."""

    pace = PollPace(1.0, 1.5, 10.0)
    submit_s: float | None = 90.0  # An acknowledgement takes a second, but the references travel inside the call.

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        facts = offer.facts if isinstance(offer.facts, RunwareFacts) else RunwareFacts()
        choice = _size_choice(request, spec, facts)
        fields = tuple(_handle(request, spec, facts, choice))
        # Not sent: `ttl`, because images are fetched as soon as they are ready; `safety`, because the check is off by
        # default; `outputType` other than addresses, because large images would make every poll large.
        task: dict[str, object] = {
            "taskType": "imageInference",
            "taskUUID": CALL_ID,
            "model": offer.provider_model_id,
            **_sides(choice, spec, facts),
            "outputType": "URL",
            "outputFormat": "PNG",  # Runware would take JPG.
            "includeCost": True,
            # The id is ours and stored before the call goes out. So whatever becomes of the answer, the job is asked
            # for by that id, and never sent again.
            "deliveryMethod": "async",
        }
        for row in fields:
            if row.sent_as and row.field not in _SIZE_FIELDS:
                value = _attachments(request) if row.field == "images" else row.value
                _place(task, row.sent_as.split("."), value)
        return HttpCall("POST", "", json=[task]), fields

    def parse(self, reply: Reply) -> ImageResult | Pending:
        """See `providers.adapter.Adapter.parse`."""
        return _outcome(reply, None)

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(reply)

    def own_job(self, call_id: str) -> Job:
        """See `providers.adapter.Adapter.own_job`."""
        return Job(call_id)

    def poll(self, job: Job) -> HttpCall:
        """See `providers.adapter.Adapter.poll`."""
        return HttpCall("POST", "", json=[{"taskType": "getResponse", "taskUUID": job.remote_id}])

    def parse_poll(self, reply: Reply, job: Job) -> ImageResult | Pending:
        """See `providers.adapter.Adapter.parse_poll`."""
        return _outcome(reply, job)

    def check(self) -> HttpCall:
        """See `providers.adapter.Adapter.check`."""
        return HttpCall(
            "POST", "", json=[{"taskType": "accountManagement", "taskUUID": CALL_ID, "operation": "getDetails"}]
        )

    def parse_check(self, reply: Reply) -> KeyStatus:
        """See `providers.adapter.Adapter.parse_check`."""
        body = json_object(reply)
        errors = errors_in(body)
        if errors:
            raise reported_error(errors[0], reply)
        # That the balance stands under this name is not documented.
        found = [_balance(item.get("balance")) for item in _items(body, reply.headers) if isinstance(item, dict)]
        balance = next((amount for amount in found if amount is not None), None)
        words = "The key is good."
        if balance is not None and balance < _LEAST_CREDIT_MICROUSD:
            words += " OpenAI's models need a paid invoice or at least $5 of credit there."
        return KeyStatus(words, balance_microusd=balance)


# What is sent


def _handle(request: ImageRequest, spec: ModelSpec, facts: RunwareFacts, choice: SizeChoice) -> Iterator[FieldHandling]:
    """What becomes of each field that was asked for."""
    yield _prompt(request, facts)
    yield renamed("n", request.n, "numberResults")
    yield from size_rows(request, choice, lambda name, asked: _size(name, asked, choice, spec))
    if request.quality is not None:
        yield _quality(request.quality, spec, facts)
    if request.background is not None:
        yield _background(request, request.background, spec, facts)
    if request.output_format is not None:
        yield _format(request, spec)
    if request.output_compression is not None:
        yield _compression(request, request.output_compression)
    if request.moderation is not None:
        yield _moderation(request.moderation, spec, facts)
    if request.images:
        yield _images(request, spec)
    yield from _not_known(request)


def _not_known(request: ImageRequest) -> Iterator[FieldHandling]:
    if request.input_fidelity is not None:
        yield refused("input_fidelity", request.input_fidelity, "Runware has no such setting.")
    if request.partial_images is not None:
        yield refused("partial_images", request.partial_images, "Runware sends no previews.")
    if request.user is not None:
        yield refused("user", request.user, "Runware takes no id of the end user.")
    if request.mask is not None:
        yield refused("mask", request.mask.sha256, "No mask is documented for this model at Runware.")


def _prompt(request: ImageRequest, facts: RunwareFacts) -> FieldHandling:
    prompt = request.prompt
    if len(prompt) >= facts.min_prompt_chars:
        return renamed("prompt", prompt, "positivePrompt")
    longer = prompt.ljust(facts.min_prompt_chars)
    note = f"Runware wants at least {facts.min_prompt_chars} characters here; a space is added."
    return converted("prompt", prompt, "positivePrompt", longer, note)


def _size_choice(request: ImageRequest, spec: ModelSpec, facts: RunwareFacts) -> SizeChoice:
    choice = resolve_size(request, spec.sizes)
    if choice.size is None and facts.needs_size:
        return replace(resolve_size(replace(request, size="auto"), spec.sizes), decided_by=())
    return choice


def _sides(choice: SizeChoice, spec: ModelSpec, facts: RunwareFacts) -> dict[str, object]:
    """Both sides or neither: one alone is refused. Neither means that the model chooses."""
    size = None if choice.size is None or size_problem(choice.size, spec.sizes) else parse_size(choice.size)
    if size is None and facts.needs_size:
        size = 1024, 1024
    return {"width": size[0], "height": size[1]} if size else {}


def _size(name: str, asked: object, choice: SizeChoice, spec: ModelSpec) -> FieldHandling:
    if choice.size == "auto":
        return converted(name, asked, None, None, "Said by leaving width and height out.")
    size = parse_size(choice.size or "")
    if size is None or size_problem(choice.size or "", spec.sizes):
        return refused(name, asked, f"{spec.name} does not make this size.")
    return converted(name, asked, "width, height", f"{size[0]}, {size[1]}", choice.note)


def _quality(asked: str, spec: ModelSpec, facts: RunwareFacts) -> FieldHandling:
    if asked not in spec.qualities:
        return refused("quality", asked, f"{spec.name} has no such quality.")
    return renamed("quality", asked, f"{facts.settings}.quality")


def _background(request: ImageRequest, asked: str, spec: ModelSpec, facts: RunwareFacts) -> FieldHandling:
    if asked not in spec.backgrounds:
        return refused("background", asked, f"{spec.name} has no such background at Runware.")
    if asked == "transparent" and request.output_format == "jpeg":
        return refused("background", asked, "JPEG cannot be transparent.")
    if asked == "auto" and not facts.takes_auto_background:
        return converted("background", asked, None, None, "Nothing is sent: it is the default.")
    return renamed("background", asked, f"{facts.settings}.background")


def _format(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    asked = request.output_format
    if asked in MADE_HERE and asked not in spec.formats:
        return format_row(request, "outputFormat", _FORMATS["png"])
    if asked not in _FORMATS:
        return refused("output_format", asked, "Runware makes no such format.")
    return converted("output_format", asked, "outputFormat", _FORMATS[asked])


def _compression(request: ImageRequest, asked: int) -> FieldHandling:
    if request.output_format not in ("jpeg", "webp"):
        return uncompressed_row(request)
    sent = min(max(asked, _LEAST_QUALITY), _MOST_QUALITY)
    if sent == asked:
        return renamed("output_compression", asked, "outputQuality")
    note = f"Runware takes {_LEAST_QUALITY} to {_MOST_QUALITY}."
    return converted("output_compression", asked, "outputQuality", sent, note)


def _moderation(asked: str, spec: ModelSpec, facts: RunwareFacts) -> FieldHandling:
    if not spec.moderation:
        return refused("moderation", asked, "This model has no moderation setting at Runware.")
    if asked == "auto":
        return converted("moderation", asked, None, None, "Nothing is sent: it is the default.")
    if asked not in spec.moderation:
        return refused("moderation", asked, f"{spec.name} has no such moderation.")
    # Not documented: other clients send it. So it goes out only when a person asked for it.
    return renamed("moderation", asked, f"{facts.settings}.moderation", "Not documented by Runware.")


def _images(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    shas = [image.sha256 for image in request.images]
    if len(shas) > spec.max_images:
        return refused("images", shas, f"{spec.name} takes {spec.max_images} at Runware.")
    row = renamed("images", shas, "inputs.referenceImages")
    return replace(row, value=f"{len(shas)} file{'s' if len(shas) > 1 else ''}")


def _attachments(request: ImageRequest) -> list[object]:
    return [
        Attachment(image.data, image.media_type, image.sha256, file_name(position, image))
        for position, image in enumerate(request.images)
    ]


def _place(task: dict[str, object], path: list[str], value: object) -> None:
    """Puts the value into the task at `settings.quality` or the like."""
    *outer, name = path
    place = task
    for step in outer:
        inner = place.get(step)
        if not isinstance(inner, dict):
            inner = place[step] = {}
        place = inner
    place[name] = value


# What comes back


def _outcome(reply: Reply, job: Job | None) -> ImageResult | Pending:
    """What an answer says of a task. `job` is the one that was asked for; `None`: the task itself is answered."""
    body = json_object(reply)
    items = _items(body, reply.headers)
    running = [item for item in items if isinstance(item, dict) and item.get("status") == "processing"]
    if running:
        return Pending(job or _job_of(items, reply), _words(running))
    read = [_read(item, reply) for item in items]
    images = tuple(found for found in read if isinstance(found, GeneratedImage | RemoteImage))
    failures = [found for found in read if isinstance(found, ProviderError)]
    ended, troubles = _errors(body, reply, job)
    failures += ended
    if images:
        bare = [malformed("an item in it has no image", reply.headers) for found in read if found is None]
        return ImageResult(images, _answered(items, job), (*failures, *bare, *troubles))
    # A task that was taken may still make images, whatever stands beside the acknowledgement.
    is_taken = job is None and None in read
    if failures and not is_taken:
        failures[0].may_have_been_billed = any(failure.may_have_been_billed for failure in failures)
        raise failures[0]
    return Pending(job or _job_of(items, reply))


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


def _words(running: list[dict[str, object]]) -> str:
    for item in running:
        progress = item.get("progress")
        if isinstance(progress, int | float) and not isinstance(progress, bool) and 0 <= progress <= 100:
            return f"processing, {progress:g}%"
    return "processing"


def _read(item: object, reply: Reply) -> GeneratedImage | RemoteImage | ProviderError | None:
    """The image of an item, or why it has none; `None` when it says neither, as an acknowledgement."""
    if not isinstance(item, dict):
        return malformed("an item in it is no object", reply.headers)
    if item.get("status") == "error":
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
    data, seed = inline_bytes(item[name], headers), whole(item.get("seed"))
    if data is not None:
        return GeneratedImage(data, seed=seed)
    text = text_or_none(item[name])
    if name == "imageURL":
        if text is None:
            raise malformed("an image's address in it is no text", headers)
        return RemoteImage(text, seed=seed)
    return GeneratedImage(bytes_of_base64(text, headers), seed=seed)


def _image_field(item: Json) -> str | None:
    return next((name for name in _IMAGE_FIELDS if item.get(name) not in (None, "")), None)


def _errors(body: Json, reply: Reply, job: Job | None) -> tuple[list[ProviderError], list[ProviderError]]:
    """What the task ended with, and troubles with asking for it that a further poll may not have."""
    ended: list[ProviderError] = []
    troubles: list[ProviderError] = []
    for raw in errors_in(body):
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
    """Runware repeats neither size nor quality nor format, so nothing is got beside the cost."""
    return Answered(got={}, cost_microusd=_cost(items), request_id=job.remote_id if job else _task_uuid(items))


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


def _balance(usd: object) -> int | None:
    if isinstance(usd, bool) or not isinstance(usd, int | float) or abs(usd) > _MOST_BALANCE_USD:
        return None
    return int((Decimal(str(usd)) * 10**6).to_integral_value())
