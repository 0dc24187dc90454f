"""Runware: one address, a list of task objects in, a list of items out. Each task runs as a job under an id of our own.

Source: runware-sdk 1.8.0 and Runware's model pages, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from providers.adapter import CALL_ID, Attachment, HttpCall, KeyCheckAdapter, PolledJobs, PollPace, Reply
from providers.adapters.fields import converted, file_name, format_row, refused, renamed, size_rows, uncompressed_row
from providers.adapters.replies import balance_microusd, error_of_check, json_or_empty, untested, whole
from providers.adapters.runware_answers import IMAGES, account_in, outcome
from providers.adapters.runware_errors import error_of, errors_in, reported_error
from providers.catalog import ModelSpec, Offer, WireFacts
from providers.errors import ProviderError
from providers.sizes import SizeChoice, made_size, parse_size, resolve_size, size_problem
from providers.types import MADE_HERE, FieldHandling, ImageRequest, ImageResult, Job, KeyStatus, Pending

_FORMATS = {"png": "PNG", "jpeg": "JPG", "webp": "WEBP"}
_LEAST_QUALITY, _MOST_QUALITY = 20, 99
_SIZE_FIELDS = ("size", "aspect_ratio", "resolution")
_LEAST_CREDIT_MICROUSD = 5_000_000
RESULT_LIFE_S = 86_400
"""How long a result stays at its address: so long a process may be gone and still fetch it. At least 60 are allowed."""


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


class RunwareAdapter(PolledJobs, KeyCheckAdapter):
    """Speaks to Runware."""

    pace = PollPace(1.0, 1.5, 10.0)
    submit_s = 90.0  # An acknowledgement takes a second, but the references travel inside the call.

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        facts = offer.facts if isinstance(offer.facts, RunwareFacts) else RunwareFacts()
        choice = _size_choice(request, spec, facts)
        fields = tuple(_handle(request, spec, facts, choice))
        # Not sent: `outputType` other than addresses, because large images would make every poll large.
        task: dict[str, object] = {
            "taskType": "imageInference",
            "taskUUID": CALL_ID,
            "model": offer.provider_model_id,
            **_sides(choice, spec, facts),
            "outputType": "URL",
            "outputFormat": "PNG",  # Runware would take JPG.
            "includeCost": True,
        }
        for row in fields:
            if row.sent_as and row.field not in _SIZE_FIELDS:
                value = _attachments(request) if row.field == "images" else row.value
                _place(task, row.sent_as.split("."), value)
        return HttpCall("POST", "", json=[task]), fields

    def parse(self, reply: Reply) -> ImageResult | Pending:
        """See `providers.adapter.Adapter.parse`."""
        return outcome(reply, None)

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(reply)

    def own_job(self, call_id: str, call: HttpCall | None = None) -> Job:
        """See `providers.adapter.PolledJobs.own_job`. It remembers how many images were asked for: polls show them as they
        come, and do not always tell that there are more to come.
        """
        return Job(call_id, {IMAGES: str(_number_asked(call))} if call is not None else {})

    def poll(self, job: Job) -> HttpCall:
        """See `providers.adapter.PolledJobs.poll`."""
        return HttpCall("POST", "", json=[{"taskType": "getResponse", "taskUUID": job.remote_id}])

    def parse_poll(self, reply: Reply, job: Job) -> ImageResult | Pending:
        """See `providers.adapter.PolledJobs.parse_poll`."""
        return outcome(reply, job)

    def check(self) -> HttpCall:
        """See `providers.adapter.KeyCheckAdapter.check`."""
        return HttpCall(
            "POST", "", json=[{"taskType": "accountManagement", "taskUUID": CALL_ID, "operation": "getDetails"}]
        )

    def parse_check(self, reply: Reply) -> KeyStatus:
        """See `providers.adapter.KeyCheckAdapter.parse_check`."""
        body = json_or_empty(reply.body)
        errors = errors_in(body)
        if errors:
            raise error_of_check(reported_error(errors[0], reply), reply.headers)
        account = account_in(body)
        if account is None:
            raise untested("it sent no account", reply.headers)
        # That the balance stands under this name is not documented.
        balance = balance_microusd(account.get("balance"))
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
    # The id is ours and stored before the call goes out. So whatever becomes of the answer, the job is asked for by that
    # id, and never sent again. To wait for the answer costs the same, and often ends in 504 with references.
    yield converted("delivery", None, "deliveryMethod", "async", "Made as a job: the price is the same.")
    yield converted("ttl", None, "ttl", RESULT_LIFE_S, "Its address lives for a day, should the app stop meanwhile.")


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
    return SizeChoice(made_size(request, spec.sizes)) if choice.size is None and facts.needs_size else choice


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
    if asked == "auto":
        # The model's own moderation is `auto` when nothing is said; Runware's is off until it is asked for.
        return converted("moderation", asked, "safety.checkContent", value=True, note="Runware checks the images too.")
    if not spec.moderation:
        return refused("moderation", asked, "This model has no moderation setting at Runware.")
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


def _number_asked(call: HttpCall) -> int:
    task = call.json[0] if isinstance(call.json, list) and call.json else None
    return (whole(task.get("numberResults")) if isinstance(task, dict) else None) or 1
