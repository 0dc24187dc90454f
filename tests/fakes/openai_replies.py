"""The answers of the fake: images, JSON objects, stream events and usage, as a job and a fault ask for."""

import base64
import email.utils
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tests.fakes import faults
from tests.fakes import openai_facts as facts
from tests.fakes.openai_door import masked
from tests.fakes.openai_rules import Job
from tests.fakes.pictures import bomb_png, picture
from tests.fakes.refusals import Refusal

Object = dict[str, object]
StreamUsage = Literal["sum", "total"]
"""How usage is spread over the `completed` events of a stream of several images, which no source tells.

sum: each event counts its own image, and the first one the input, so that adding up gives the bill;
total: each event counts everything so far, so that the last one is the bill.
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """One final image: the text put into `b64_json` (not always text, see `WrongShape`) and the bytes it stands for."""

    b64: object
    data: bytes | None
    """None when the text stands for no bytes at all."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event, and the final image it completes."""

    kind: Literal["partial", "completed", "error", "done"]
    text: str
    image: bytes | None = None


def resolved(job: Job, *, auto_size: str, auto_quality: str) -> Job:
    """The job with every `auto` replaced by what the service chose."""
    return replace(
        job,
        size=auto_size if job.size == "auto" else job.size,
        quality=auto_quality if job.quality == "auto" else job.quality,
        background="opaque" if job.background == "auto" else job.background,
    )


def pixels(job: Job) -> facts.Size:
    """Width and height of a resolved job."""
    width, _, height = job.size.partition("x")
    return int(width), int(height)


def draw(job: Job, *, number: int, size: facts.Size | None = None) -> bytes:
    """An image as the resolved job asks for it."""
    return picture(
        size or pixels(job),
        job.output_format,
        number=number,
        alpha=job.background == "transparent",
        quality=job.output_compression,
    )


def final_images(job: Job, fault: faults.Fault | None, next_number: Callable[[], int]) -> list[Sent]:
    """The final images of a job, spoilt as the fault says."""
    count = max(0, job.n - fault.missing) if isinstance(fault, faults.FewerImages) else job.n
    return [_final_image(job, fault, next_number()) for _ in range(count)]


def _final_image(job: Job, fault: faults.Fault | None, number: int) -> Sent:
    match fault:
        case faults.NotAnImage(data):
            image = data
        case faults.ImageBomb():
            image = bomb_png()
        case faults.WrongSize(width, height):
            image = draw(job, number=number, size=(width, height))
        case _:
            image = draw(job, number=number)
    if isinstance(fault, faults.TruncatedImage):
        image = image[: len(image) // 2]
    text = base64.b64encode(image).decode()
    match fault:
        case faults.BadBase64(hidden=False):
            return Sent("!!! not base64 !!!", None)
        case faults.BadBase64(hidden=True):
            return Sent(text[:200] + "*~!?" + text[204:], None)
        case faults.WrongShape("null_b64"):
            return Sent(None, None)
        case faults.WrongShape("number_b64"):
            return Sent(42, None)
        case _:
            return Sent(text, image)


def usage(job: Job, *, images: int, partials: int = 0, with_input: bool = True) -> Object:
    """Token counts of so many final and partial images."""
    family, size = job.family, pixels(job)
    text = facts.text_tokens(job.prompt, images=len(job.input_sizes)) if with_input else 0
    inputs = job.input_sizes if with_input else ()
    seen = sum(facts.image_tokens(family, each, high_fidelity=job.high_fidelity) for each in inputs)
    made = facts.output_tokens(family, size, job.quality) * images + facts.PARTIAL_TOKENS * partials
    return {
        "input_tokens": text + seen,
        "input_tokens_details": {"text_tokens": text, "image_tokens": seen},
        "output_tokens": made,
        "total_tokens": text + seen + made,
    }


def answer(job: Job, images: list[Sent], fault: faults.Fault | None, *, created: int) -> str:
    """The JSON body of an answer that is no stream."""
    if isinstance(fault, faults.InvalidJson):
        return fault.text
    usage_all = usage(job, images=len(images))
    usage_all["output_tokens_details"] = {"image_tokens": usage_all["output_tokens"], "text_tokens": 0}
    no_b64 = fault == faults.WrongShape("no_b64")
    data: list[Object] = [{} if no_b64 else {"b64_json": image.b64} for image in images]
    body: Object = {"created": created, **_described(job), "data": data, "usage": usage_all}
    return json.dumps(_misshapen(body, fault), ensure_ascii=False)


def _described(job: Job) -> Object:
    described: Object = {
        "background": job.background,
        "output_format": job.output_format,
        "quality": job.quality,
        "size": job.size,
    }
    return described | {"safety_identifier": job.identifier} if job.identifier else described


def _misshapen(body: Object, fault: faults.Fault | None) -> object:
    match fault:
        case faults.WrongShape("list"):
            return [body]
        case faults.WrongShape("no_data"):
            return {name: value for name, value in body.items() if name != "data"}
        case faults.WrongShape("null_data"):
            return body | {"data": None}
        case faults.WrongShape("empty_data"):
            return body | {"data": []}
        case faults.WrongShape("text_data"):
            return body | {"data": "iVBORw0KGgo="}
        case _:
            return body


def frames(
    job: Job,
    images: list[Sent],
    fault: faults.Fault | None,
    next_number: Callable[[], int],
    *,
    created: int,
    request_id: str,
    stream_usage: StreamUsage,
    done: bool,
) -> Iterator[Frame]:
    """The events of a stream in order: for each image its partial images, then the completed one."""
    prefix = "image_generation" if job.operation == "generate" else "image_edit"
    for index, image in enumerate(images):
        for partial in range(job.partial_images):
            yield Frame("partial", _event(f"{prefix}.partial_image", _partial(job, partial, next_number(), created)))
            if isinstance(fault, faults.StreamError):
                break
        if isinstance(fault, faults.StreamError):
            yield _error_frame(fault, request_id)
            return
        if isinstance(fault, faults.StreamWithoutCompleted):
            return
        if stream_usage == "sum":
            counted = usage(job, images=1, partials=job.partial_images, with_input=index == 0)
        else:
            counted = usage(job, images=index + 1, partials=job.partial_images * (index + 1))
        data = {"b64_json": image.b64, "created_at": created, **_described(job), "usage": counted}
        yield Frame("completed", _event(f"{prefix}.completed", data, fault), image.data)
    if done:
        yield Frame("done", "data: [DONE]\n\n")


def _partial(job: Job, index: int, number: int, created: int) -> Object:
    text = base64.b64encode(draw(job, number=number)).decode()
    described = {name: value for name, value in _described(job).items() if name != "safety_identifier"}
    return {"b64_json": text, "partial_image_index": index, "created_at": created, **described}


def _event(name: str, data: Object, fault: faults.Fault | None = None) -> str:
    body: object = {"type": name, **data}
    if isinstance(fault, faults.InvalidJson):
        return f"event: {name}\ndata: {fault.text}\n\n"
    if isinstance(fault, faults.WrongShape) and fault.kind not in ("null_b64", "number_b64"):
        stripped = {"type": name, **{key: value for key, value in data.items() if key != "b64_json"}}
        body = [body] if fault.kind == "list" else stripped
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"


def _error_frame(fault: faults.StreamError, request_id: str) -> Frame:
    error: Object = {
        "type": "image_generation_user_error",
        "code": "moderation_blocked",
        "message": faults.MODERATION_BLOCKED.message.replace("{request_id}", request_id) + " (refusé – 拒绝)",
        "param": None,
    }
    if fault.form == "bare":
        return Frame("error", f"data: {json.dumps({'error': error}, ensure_ascii=False)}\n\n")
    body = json.dumps({"type": "error", "error": error}, ensure_ascii=False)
    return Frame("error", f"event: error\ndata: {body}\n\n")


def error(fault: faults.ErrorReply, *, key: str, model: str, request_id: str) -> Refusal:
    """The error object of a fault, its placeholders filled in."""
    message = fault.message.replace("{masked_key}", masked(key)).replace("{key}", key)
    message = message.replace("{model}", model).replace("{request_id}", request_id)
    return Refusal(message, fault.code, type=fault.type)


def retry_after(fault: faults.ErrorReply, *, now: float) -> list[tuple[str, str]]:
    """The header that says when to come back, in the form the fault asks for; `now` is in seconds since 1970."""
    if fault.retry_after_s is None:
        return []
    if fault.retry_after_form == "ms":
        return [("retry-after-ms", f"{fault.retry_after_s * 1000:.0f}")]
    if fault.retry_after_form == "http_date":
        return [("retry-after", email.utils.formatdate(now + fault.retry_after_s, usegmt=True))]
    return [("retry-after", f"{fault.retry_after_s:g}")]
