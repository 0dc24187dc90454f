"""Replicate: predictions of the GPT Image models, polled until they end.

Source: Replicate's API documentation, its SDKs (Python 1.0.7 and 2.0.0b4, JavaScript 1.4.0) and model pages, read
2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from providers.adapter import (
    Attachment,
    FilePart,
    HttpCall,
    KeyCheckAdapter,
    PolledJobs,
    PollPace,
    Reply,
    SecretKey,
    UploadAdapter,
)
from providers.adapters.fields import (
    converted,
    file_name,
    format_row,
    passed,
    refused,
    renamed,
    size_rows,
    uncompressed_row,
)
from providers.adapters.openai_shape import body_of
from providers.adapters.replicate_errors import error_of, had_begun, job_error
from providers.adapters.replies import (
    inline_bytes,
    json_object,
    json_or_empty,
    malformed,
    result_of,
    state_of,
    text_or_none,
    time_or_none,
    untested,
)
from providers.catalog import ModelSpec, Offer
from providers.errors import MalformedReply, ProviderError
from providers.redact import provider_words
from providers.sizes import SizeChoice, resolve_size
from providers.types import (
    MADE_HERE,
    Answered,
    FieldHandling,
    GeneratedImage,
    ImageRequest,
    ImageResult,
    InputImage,
    Job,
    KeyStatus,
    Pending,
    RemoteImage,
    Usage,
)

_WAIT = "wait=1"
"""Short on purpose: the answer names the prediction, and until its id is known a lost answer may be a lost image."""
_SUBMIT_S = 60.0
"""The create answers after its wait; the longest wait that can be asked for is a minute."""
_LARGEST_URI = 256 * 1024
"""Characters of a data URI up to which Replicate advises one; a larger file is uploaded."""
_RATIOS = {"1024x1024": "1:1", "1536x1024": "3:2", "1024x1536": "2:3", "auto": "auto"}
_MODELS, _PREDICTIONS = "/v1/models/", "/predictions"
_JOB_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
"""A prediction's id. It becomes part of a path, so nothing that means something there will do."""
_CLOCKS_APART = timedelta(seconds=10)
"""So much may Replicate's clock be behind ours."""
_KEY, _IMAGES = "openai_api_key", "input_images"
_METRICS = ("predict_time", "total_time", "image_count")

# The wording of the logs is known from copies of the model pages alone, so it is read tolerantly.
_COUNT = r"\s+tokens?(?:\s+count)?\s*[:=]\s*(\d{1,3}(?:,\d{3})+|\d{1,9})(?![\d.,]*\d)"
_TEXT_IN = re.compile(rf"\b(?:input\s+text|text\s+input){_COUNT}", re.IGNORECASE)
_IMAGE_IN = re.compile(rf"\b(?:input\s+image|image\s+input){_COUNT}", re.IGNORECASE)
_OUTPUT = re.compile(rf"\boutput{_COUNT}", re.IGNORECASE)


class ReplicateAdapter(PolledJobs, UploadAdapter, KeyCheckAdapter):
    """Speaks to Replicate."""

    pace = PollPace(1.0, 1.5, 3.0)
    submit_s = _SUBMIT_S

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        fields = tuple(_handle(request, spec))
        # Replicate's default is WebP, with loss; ours is the whole image.
        sent: dict[str, object] = {"output_format": "png"} | body_of(fields)
        if "openai" in offer.needs_key_of:
            sent[_KEY] = SecretKey("openai", "OPENAI_API_KEY")
        if request.images:
            sent[_IMAGES] = [_attachment(position, image) for position, image in enumerate(request.images)]
        path = f"{_MODELS}{offer.provider_model_id}{_PREDICTIONS}"
        return HttpCall("POST", path, json={"input": sent}, headers={"Prefer": _WAIT}), fields

    def parse(self, reply: Reply) -> ImageResult | Pending:
        """See `providers.adapter.Adapter.parse`."""
        return _reading(reply, None)

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(reply)

    def poll(self, job: Job) -> HttpCall:
        """See `providers.adapter.PolledJobs.poll`."""
        return HttpCall("GET", f"/v1/predictions/{job.remote_id}")

    def parse_poll(self, reply: Reply, job: Job) -> ImageResult | Pending:
        """See `providers.adapter.PolledJobs.parse_poll`."""
        return _reading(reply, job)

    def cancel(self, job: Job) -> HttpCall:
        """See `providers.adapter.PolledJobs.cancel`."""
        return HttpCall("POST", f"/v1/predictions/{job.remote_id}/cancel")

    def is_cancelled(self, reply: Reply) -> bool:
        """See `providers.adapter.PolledJobs.is_cancelled`."""
        return state_of(json_or_empty(reply.body)) in ("canceled", "aborted")

    def has_begun(self, reply: Reply) -> bool:
        """See `providers.adapter.PolledJobs.has_begun`."""
        return had_begun(json_or_empty(reply.body))

    def find(self, _sent: Mapping[str, object], _sent_at: str) -> HttpCall:
        """See `providers.adapter.PolledJobs.find`."""
        return HttpCall("GET", "/v1/predictions")

    def parse_found(self, reply: Reply, sent: Mapping[str, object], sent_at: str) -> tuple[Job, ...]:
        """See `providers.adapter.PolledJobs.parse_found`."""
        return _matching_jobs(json_or_empty(reply.body), sent, sent_at)

    def upload(self, file: Attachment) -> Generator[HttpCall, Reply, str]:
        """See `providers.adapter.UploadAdapter.upload`."""
        part = FilePart("content", file.filename, file.media_type, file.data, file.sha256)
        reply = yield HttpCall("POST", "/v1/files", files=(part,))
        urls = json_or_empty(reply.body).get("urls")
        address = text_or_none(urls.get("get")) if isinstance(urls, dict) else None
        if address is None:
            raise MalformedReply("{provider} did not say where it put the uploaded file.", may_have_been_billed=False)
        return address

    def check(self) -> HttpCall:
        """See `providers.adapter.KeyCheckAdapter.check`."""
        return HttpCall("GET", "/v1/account")

    def parse_check(self, reply: Reply) -> KeyStatus:
        """See `providers.adapter.KeyCheckAdapter.parse_check`."""
        account = json_or_empty(reply.body)
        username = text_or_none(account.get("username"))
        # A problem object has a `type` as well, with a status beside it.
        if username is None and ("status" in account or not text_or_none(account.get("type"))):
            raise untested("it sent no account", reply.headers)
        return KeyStatus(f"Signed in as {provider_words(username)}." if username else "The key is good.")


# Asking


def _handle(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    """What becomes of each field that was asked for."""
    choice = resolve_size(request, spec.sizes)
    yield passed("prompt", request.prompt)
    yield _count(request, spec)
    yield from size_rows(request, choice, lambda name, asked: _shape(name, asked, choice, spec))
    yield from _tuned(request, spec)
    if request.partial_images is not None:
        yield refused("partial_images", request.partial_images, "Replicate sends no previews.")
    if request.images:
        yield _images(request)
    if request.mask is not None:
        yield refused("mask", request.mask.sha256, "Replicate takes no mask.")


def _tuned(request: ImageRequest, spec: ModelSpec) -> Iterator[FieldHandling]:
    """The settings of how it is made and written."""
    for name, allowed in (("quality", spec.qualities), ("moderation", spec.moderation)):
        value = getattr(request, name)
        if value is not None:
            yield (
                passed(name, value) if value in allowed else refused(name, value, f"{spec.name} has no {value} {name}.")
            )
    if request.background is not None:
        yield _background(request, spec)
    if request.output_format is not None:
        yield _format(request, spec)
    if request.output_compression is not None:
        yield _compression(request)
    if request.input_fidelity is not None:
        yield _fidelity(request, spec)
    if request.user is not None:
        yield renamed("user", request.user, "user_id")


def _count(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if 1 <= request.n <= spec.max_n_per_call:
        return renamed("n", request.n, "number_of_images")
    return refused("n", request.n, f"One call makes 1 to {spec.max_n_per_call}.")


def _shape(name: str, asked: object, choice: SizeChoice, spec: ModelSpec) -> FieldHandling:
    """The row of a field that decides the shape: pixels cannot be said, only one of three ratios."""
    ratio = _RATIOS.get(choice.size or "")
    if ratio is None or (ratio == "auto" and not spec.sizes.has_auto):
        return refused(name, asked, "It makes only 1:1, 3:2 and 2:3.")
    if asked != ratio:
        return converted(name, asked, "aspect_ratio", ratio, choice.note)
    return passed(name, asked) if name == "aspect_ratio" else renamed(name, asked, "aspect_ratio")


def _background(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if request.background not in spec.backgrounds:
        return refused("background", request.background, f"{spec.name} has no {request.background} background here.")
    if request.background == "transparent" and request.output_format == "jpeg":
        return refused("background", request.background, "JPEG cannot be transparent.")
    return passed("background", request.background)


def _format(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if request.output_format in spec.formats:
        return passed("output_format", request.output_format)
    if request.output_format in MADE_HERE:
        return format_row(request, "output_format", "png")
    return refused("output_format", request.output_format, "It makes no such format.")


def _compression(request: ImageRequest) -> FieldHandling:
    value = request.output_compression
    if request.output_format not in ("jpeg", "webp"):
        return uncompressed_row(request)
    if value is None or not 0 <= value <= 100:
        return refused("output_compression", value, "It must lie between 0 and 100.")
    return passed("output_compression", value)


def _fidelity(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    value = request.input_fidelity
    if not request.images:
        return refused("input_fidelity", value, "Only an edit has input images.")
    if value not in spec.input_fidelity:
        words = f"takes only {' and '.join(spec.input_fidelity)}" if spec.input_fidelity else "has no such setting"
        return refused("input_fidelity", value, f"{spec.name} {words}.")
    return passed("input_fidelity", value)


def _images(request: ImageRequest) -> FieldHandling:
    shas = [image.sha256 for image in request.images]
    return FieldHandling("images", shas, "renamed", _IMAGES, f"{len(shas)} file{'s' if len(shas) > 1 else ''}")


def _attachment(position: int, image: InputImage) -> Attachment:
    """The image as a data URI, or to be uploaded when that would be large. Base64 writes 3 bytes as 4 characters."""
    length = len(f"data:{image.media_type};base64,") + 4 * -(-len(image.data) // 3)
    name = file_name(position, image)
    return Attachment(image.data, image.media_type, image.sha256, name, upload=length > _LARGEST_URI)


# Reading


def _reading(reply: Reply, job: Job | None) -> ImageResult | Pending:
    """What a prediction says. `job` is the one that was asked for; `None` when the prediction is new."""
    body = json_object(reply, _named(job.remote_id) if job else reply.headers)
    raw_id = body.get("id")
    new_id = raw_id if isinstance(raw_id, str) and _JOB_ID.fullmatch(raw_id) else None
    request_id = job.remote_id if job else new_id
    status = state_of(body)
    if status == "succeeded":
        ended = Job(new_id) if job is None and new_id else None
        result = result_of(_outputs(body, request_id), _answered(body, request_id), _named(request_id), _image)
        return replace(result, job=ended)
    if status in ("starting", "processing"):
        # A prediction that is still processing may show its output already; only its end makes it whole.
        if request_id is None:
            raise malformed("it does not name the prediction", reply.headers)
        return Pending(job or Job(request_id), status, has_begun=status == "processing")
    error = job_error(body, request_id)
    raise error or malformed(f"a prediction's status is {provider_words(body.get('status'))!r}", _named(request_id))


def _named(request_id: str | None) -> dict[str, str]:
    """The prediction's id as the header in which others send theirs, for the helpers that read it there."""
    return {"x-request-id": request_id} if request_id else {}


def _outputs(body: Mapping[str, object], request_id: str | None) -> list[object]:
    """The images of a prediction: a list, or one of them bare. Raises: MalformedReply when they are deleted."""
    output = body.get("output")
    items = output if isinstance(output, list) else [output] if isinstance(output, str | bytes) else []
    if not items and body.get("data_removed") is True:
        raise malformed("its images are deleted already; the provider keeps them for an hour", _named(request_id))
    return items


def _image(item: object, headers: Mapping[str, str]) -> GeneratedImage | RemoteImage:
    data = inline_bytes(item, headers)
    if data is not None:
        return GeneratedImage(data)
    if not isinstance(item, str) or not item:
        raise malformed("an image in it has no address", headers)
    return RemoteImage(item)


def _answered(body: Mapping[str, object], request_id: str | None) -> Answered:
    raw = body.get("metrics")
    known = {name: raw[name] for name in _METRICS if _is_number(raw.get(name))} if isinstance(raw, dict) else {}
    return Answered(got={"metrics": known} if known else {}, usage=_usage(body), request_id=request_id)


def _is_number(value: object) -> bool:
    # JSON has no infinities, and the parser refuses numbers that would become one.
    return isinstance(value, int | float) and not isinstance(value, bool)


def _usage(body: Mapping[str, object]) -> Usage | None:
    """The tokens that OpenAI counted, as the model's log tells them.

    `None` when it tells none, or not all that a price needs: a figure that stands there twice, since nobody says whether
    such figures add up, or none for input images that were sent.
    """
    logs, asked = body.get("logs"), body.get("input")
    if not isinstance(logs, str):
        return None
    found = [rule.findall(logs) for rule in (_TEXT_IN, _IMAGE_IN, _OUTPUT)]
    if not any(found) or any(len(figures) > 1 for figures in found):
        return None
    text, image, output = (int(figures[0].replace(",", "")) if figures else None for figures in found)
    if image is None and isinstance(asked, dict) and asked.get(_IMAGES):
        return None
    return Usage(text_input_tokens=text, image_input_tokens=image, output_tokens=output)


# Finding


def _matching_jobs(body: Mapping[str, object], sent: Mapping[str, object], sent_at: str) -> tuple[Job, ...]:
    """Predictions of the same model made since `sent_at` with the same input, oldest first."""
    results, wanted, since = body.get("results"), _comparable(sent.get("input")), time_or_none(sent_at)
    if not isinstance(results, list) or wanted is None or since is None:
        return ()
    model = str(sent.get("path", "")).removeprefix(_MODELS).removesuffix(_PREDICTIONS)
    found = []
    for item in results:
        made_at = time_or_none(item.get("created_at")) if isinstance(item, dict) else None
        if made_at is None or made_at - since < -_CLOCKS_APART or _comparable(item.get("input")) != wanted:
            continue
        if item.get("model") == model:
            found.append((made_at, item))
    ids = [item.get("id") for _, item in sorted(found, key=lambda pair: pair[0])]
    return tuple(Job(name) for name in ids if isinstance(name, str) and _JOB_ID.fullmatch(name))


def _comparable(raw: object) -> dict[str, object] | None:
    """An input as both sides tell it alike: the key by its being there, images by their number; addresses differ."""
    if not isinstance(raw, Mapping):
        return None
    images = raw.get(_IMAGES)
    plain = {name: value for name, value in raw.items() if name not in (_KEY, _IMAGES)}
    return plain | {_KEY: _KEY in raw, _IMAGES: len(images) if isinstance(images, list) else 0}
