"""fal's queue: submit, poll, read the result, cancel; text and edit are two endpoints of a model.

The addresses of a job are used as fal returned them: they hold owner and app only, not the endpoint.

Source: fal's API reference and model pages, fal-client 1.0.3, @fal-ai/client 1.10.1, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from providers.adapter import Attachment, FetchedJobs, HttpCall, PollPace, Reply, ResultCall, UploadAdapter
from providers.adapters import fal_history
from providers.adapters.fal_errors import completed_error, error_of, job_error, known_as
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
from providers.adapters.openai_shape import body_of, image_of, usage_of
from providers.adapters.replies import json_object, malformed, result_of, state_of, text_or_none, whole
from providers.catalog import ModelSpec, Offer, WireFacts
from providers.errors import MalformedReply, ProviderError
from providers.sizes import SizeChoice, parse_size, resolve_size, size_problem
from providers.types import (
    MADE_HERE,
    Answered,
    FieldHandling,
    ImageRequest,
    ImageResult,
    InputImage,
    Job,
    Pending,
    Usage,
)

INLINE_BYTES = 2 * 2**20
"""Larger files are uploaded first; fal asks for data URIs to stay below a few megabytes."""

_LOW = "low"
_GRANT_PATH = "/storage/auth/token?storage_type=fal-cdn-v3"

_NO_SETTING = {
    "output_compression": "fal has no compression setting.",
    "moderation": "fal has no moderation setting for this model.",
    "partial_images": "fal's previews are not documented, so none are asked for.",
    "user": "fal has no field for the end user.",
}


@dataclass(frozen=True, slots=True)
class FalFacts(WireFacts):
    """What the endpoints of one model take. The text endpoint is the offer's `provider_model_id`."""

    edit: str
    """Endpoint of edits."""
    sizes: Literal["names", "dimensions"]
    """Whether `image_size` is text, as `1536x1024`, or an object of width and height."""
    mask_field: str | None = None
    """What the mask is called; `None`: there are no masks."""
    has_background: bool = False
    fidelity_field: str | None = None
    """What input fidelity is called on edits; `None`: there is no such setting."""


class FalAdapter(FetchedJobs, UploadAdapter):
    """Speaks to fal's queue.

    `is_cancelled` stays as inherited, never certain: fal only passes the wish on (`CANCELLATION_REQUESTED`).
    """

    pace = PollPace(0.5, 1.4, 2.0)
    submit_s = 120.0
    """A job whose answer is missed is found only where its list says enough, so a slow line gets its time. fal-client waits
    as long."""
    find_looks = fal_history.LOOKS

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """See `providers.adapter.Adapter.build`."""
        facts = _facts(offer)
        fields = tuple(_handle(request, spec, facts))
        body = body_of(fields) | _files(request, facts)
        # Left out, it would be `high`, the dearest. A quality that is refused is never sent, and not even then as that.
        body.setdefault("quality", _LOW)
        endpoint = facts.edit if request.images else offer.provider_model_id
        # No `x-fal-no-retry`: the queue repeats only what failed on fal's side, and bills no failure.
        return HttpCall("POST", f"/{endpoint}", json=body), fields

    def parse(self, reply: Reply) -> Pending:
        """See `providers.adapter.Adapter.parse`."""
        reply = known_as(reply, reply.headers.get("x-fal-request-id"))
        body = json_object(reply)
        remote_id = text_or_none(body.get("request_id"))
        if remote_id is None:
            raise malformed("it names no job", reply.headers)
        tracking = _addresses(body, remote_id)
        if "status" not in tracking or "result" not in tracking:
            raise malformed("an address in it is missing", known_as(reply, remote_id).headers)
        return Pending(Job(remote_id, tracking), _place_in_line(body))

    def parse_error(self, reply: Reply) -> ProviderError:
        """See `providers.adapter.Adapter.parse_error`."""
        return error_of(reply)

    def poll(self, job: Job) -> HttpCall:
        """See `providers.adapter.FetchedJobs.poll`."""
        return HttpCall("GET", job.tracking["status"])

    def parse_poll(self, reply: Reply, job: Job) -> Pending | HttpCall:
        """See `providers.adapter.FetchedJobs.parse_poll`."""
        reply = known_as(reply, job.remote_id)
        body = json_object(reply)
        match state_of(body):
            case "in_queue":
                return Pending(job, _place_in_line(body))
            case "in_progress":
                return Pending(job, "in progress")
            case "completed":
                # An `error` may stand here as well; the result says the same with its status and its field, if it does.
                error = completed_error(body, reply)
                path = job.tracking["result"]
                return HttpCall("GET", path) if error is None else ResultCall("GET", path, error=error)
        raise malformed("it names no known status of the job", reply.headers)

    def parse_result(self, reply: Reply, job: Job) -> ImageResult:
        """See `providers.adapter.FetchedJobs.parse_result`."""
        reply = known_as(reply, job.remote_id)
        if not 200 <= reply.status < 300:
            error = job_error(reply)
            error.request_id = job.remote_id
            raise error
        body = json_object(reply)
        items = body.get("images")
        listed = items if isinstance(items, list) else []
        if not listed and (body.get("detail") or body.get("error") or body.get("error_type")):
            raise job_error(reply)
        answered = Answered(_got(listed), _usage(body), request_id=job.remote_id)
        return result_of(listed, answered, reply.headers, image_of)

    def cancel(self, job: Job) -> HttpCall | None:
        """See `providers.adapter.FetchedJobs.cancel`."""
        return HttpCall("PUT", job.tracking["cancel"]) if "cancel" in job.tracking else None

    def find(self, sent: Mapping[str, object], sent_at: str) -> HttpCall | None:
        """See `providers.adapter.FetchedJobs.find`."""
        return fal_history.listing(sent, sent_at)

    def further(self, listing: HttpCall, reply: Reply) -> HttpCall | None:
        """See `providers.adapter.FetchedJobs.further`."""
        return fal_history.further(listing, reply)

    def parse_found(self, reply: Reply, sent: Mapping[str, object], sent_at: str) -> tuple[Job, ...]:
        """See `providers.adapter.FetchedJobs.parse_found`."""
        return fal_history.matching_jobs(reply, sent, sent_at)

    def upload(self, file: Attachment) -> Generator[HttpCall, Reply, str]:
        """See `providers.adapter.UploadAdapter.upload`. The file goes to fal's CDN under a token of its own, not the key."""
        reply = yield HttpCall("POST", _GRANT_PATH, json={}, base="upload")
        try:
            given = json_object(reply)
            base_url = _address(given.get("base_url"), reply)
            headers = {
                "authorization": f"{_header_text(given.get('token_type'))} {_header_text(given.get('token'))}",
                "content-type": file.media_type,
                "x-fal-file-name": file.filename,
            }
            reply = yield HttpCall("POST", f"{base_url.rstrip('/')}/files/upload", content=file, headers=headers)
            return _address(json_object(reply).get("access_url"), reply)
        except MalformedReply as error:
            # Storing a file is free, and the paid call has not been sent yet.
            error.may_have_been_billed = False
            raise


def _facts(offer: Offer) -> FalFacts:
    if not isinstance(offer.facts, FalFacts):
        raise TypeError(f"the row of {offer.offer_id!r} holds no FalFacts")
    return offer.facts


# What becomes of each field that was asked for


def _handle(request: ImageRequest, spec: ModelSpec, facts: FalFacts) -> Iterator[FieldHandling]:
    choice = resolve_size(request, spec.sizes)
    yield passed("prompt", request.prompt)
    yield renamed("n", request.n, "num_images")
    yield from size_rows(request, choice, lambda name, asked: _size(name, asked, choice, spec, facts))
    yield _quality(request, spec)
    if request.background is not None:
        yield _background(request, spec, facts)
    if request.output_format is not None:
        yield _format(request, spec)
    for name, note in _NO_SETTING.items():
        value = getattr(request, name)
        if value is not None:
            yield uncompressed_row(request, note) if name == "output_compression" else refused(name, value, note)
    if request.input_fidelity is not None or (request.images and facts.fidelity_field):
        yield _fidelity(request, spec, facts)
    if request.images:
        count = len(request.images)
        row = renamed("images", [image.sha256 for image in request.images], "image_urls")
        yield replace(row, value=f"{count} file{'s' if count > 1 else ''}")
    if request.mask is not None:
        yield _mask(request, request.mask, facts)


def _size(name: str, asked: object, choice: SizeChoice, spec: ModelSpec, facts: FalFacts) -> FieldHandling:
    if choice.size is None or size_problem(choice.size, spec.sizes):
        return refused(name, asked, f"{spec.name} does not make this size.")
    sides = parse_size(choice.size)
    if facts.sizes == "dimensions" and sides:
        return converted(name, asked, "image_size", {"width": sides[0], "height": sides[1]}, choice.note)
    if name == "size" and asked == choice.size:
        return renamed(name, asked, "image_size")
    return converted(name, asked, "image_size", choice.size, choice.note)


def _quality(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if request.quality is None:
        return converted(
            "quality", None, "quality", _LOW, "Nothing was asked; fal itself would take high, the dearest."
        )
    if request.quality in spec.qualities or (request.images and request.quality in spec.edit_qualities):
        return passed("quality", request.quality)
    return refused("quality", request.quality, f"{spec.name} has no such quality at fal.")


def _background(request: ImageRequest, spec: ModelSpec, facts: FalFacts) -> FieldHandling:
    asked = request.background
    if not facts.has_background:
        if asked in ("auto", "opaque"):
            return converted("background", asked, None, None, "There is no such setting; images come opaque.")
        return refused("background", asked, "There is no such setting; images come opaque.")
    if asked == "transparent" and request.output_format == "jpeg":
        return refused("background", asked, "JPEG cannot be transparent.")
    if asked in spec.backgrounds:
        return passed("background", asked)
    return refused("background", asked, f"{spec.name} has no such background.")


def _format(request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    if request.output_format in spec.formats:
        return passed("output_format", request.output_format)
    if request.output_format in MADE_HERE:
        return format_row(request, "output_format", "png")
    return refused("output_format", request.output_format, f"{spec.name} makes no such format.")


def _fidelity(request: ImageRequest, spec: ModelSpec, facts: FalFacts) -> FieldHandling:
    asked, name = request.input_fidelity, facts.fidelity_field
    if not request.images:
        return refused("input_fidelity", asked, "Only an edit has input images.")
    if name is None:
        return refused("input_fidelity", asked, f"{spec.name} has no such setting at fal.")
    if asked is None:
        words = "Nothing was asked; fal itself would take high, the dearest."
        return converted("input_fidelity", None, name, _LOW, words)
    if asked in spec.input_fidelity:
        return passed("input_fidelity", asked) if name == "input_fidelity" else renamed("input_fidelity", asked, name)
    return refused("input_fidelity", asked, f"{spec.name} has no such fidelity.")


def _mask(request: ImageRequest, mask: InputImage, facts: FalFacts) -> FieldHandling:
    if facts.mask_field is None:
        return refused("mask", mask.sha256, "This model takes no mask at fal.")
    if not request.images:
        return refused("mask", mask.sha256, "A mask needs an image to edit.")
    return replace(renamed("mask", mask.sha256, facts.mask_field), value="1 file")


def _files(request: ImageRequest, facts: FalFacts) -> dict[str, object]:
    if not request.images:
        return {}
    files: dict[str, object] = {
        "image_urls": [_attached(image, file_name(position, image)) for position, image in enumerate(request.images)]
    }
    if request.mask is not None and facts.mask_field:
        files[facts.mask_field] = _attached(request.mask, "mask.png")
    return files


def _attached(image: InputImage, filename: str) -> Attachment:
    return Attachment(
        image.data, image.media_type, image.sha256, filename, "data_uri", upload=len(image.data) > INLINE_BYTES
    )


# Reading answers


def _place_in_line(body: Mapping[str, object]) -> str:
    place = whole(body.get("queue_position"))
    return f"in line, place {place}" if place else "in line"


_ADDRESSES = (("status", "status_url", "/status"), ("result", "response_url", ""), ("cancel", "cancel_url", "/cancel"))
"""Our name for an address of a job, fal's, and what it adds to the job's own address."""


def _addresses(body: Mapping[str, object], remote_id: str) -> dict[str, str]:
    """The job's addresses. One that is missing is put together from another, if that is built as fal documents it: then it
    lies at the same host, which is the provider's own or is never called.
    """
    given = {ours: url for ours, theirs, _ in _ADDRESSES if (url := _url(body.get(theirs)))}
    roots = (
        given[ours].partition("?")[0].removesuffix(tail)
        for ours, _, tail in _ADDRESSES
        if ours in given and given[ours].partition("?")[0].endswith(f"/requests/{remote_id}{tail}")
    )
    root = next(roots, None)
    return ({ours: root + tail for ours, _, tail in _ADDRESSES} if root else {}) | given


def _url(value: object) -> str | None:
    url = text_or_none(value)
    return url if url is not None and url.startswith(("https://", "http://")) else None


def _address(value: object, reply: Reply) -> str:
    url = _url(value)
    if url is None:
        raise malformed("an address in it is missing", reply.headers)
    return url


def _header_text(value: object) -> str:
    """A text that can stand in a header. Raises: MalformedReply."""
    text = text_or_none(value)
    if text is None or not (text.isascii() and text.isprintable()):
        raise malformed("it holds no token", {})
    return text


def _got(items: list[object]) -> dict[str, object]:
    """Size and format where fal tells the same for all images; each may be null."""
    told = {"size": {_size_told(item) for item in items}, "output_format": {_format_told(item) for item in items}}
    return {name: value for name, values in told.items() if len(values) == 1 for value in values if value is not None}


def _size_told(item: object) -> str | None:
    if not isinstance(item, dict):
        return None
    width, height = whole(item.get("width")), whole(item.get("height"))
    return f"{width}x{height}" if width and height else None


def _format_told(item: object) -> str | None:
    kind = text_or_none(item.get("content_type")) if isinstance(item, dict) else None
    return kind.removeprefix("image/") if kind and kind.startswith("image/") else None


def _usage(body: Mapping[str, object]) -> Usage | None:
    """Tokens in OpenAI's shape, should fal pass them on; not documented, so anything else is nothing."""
    usage = usage_of(body.get("usage"))
    return usage if usage is not None and usage.output_tokens is not None else None
