"""Judges what is sent to Replicate's API: pure functions over the input schema of each model, kept as data.

A `Problem` is refused with 422 as the service words it; a remark is only a broken rule that the service lets pass.
Every problem is reported, not only the first, and nothing is repaired or guessed.
"""

import base64
import binascii
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, cast
from urllib.parse import urlsplit

from PIL import Image

from tests.fakes import wire
from tests.fakes.pictures import Format
from tests.fakes.wire import Part

Values = Mapping[str, object]

DATA_URI_BYTES = 256 * 1024
"""Decoded bytes up to which data URIs are advised; larger images should be uploaded."""
DATA_URIS_BYTES = 10_000_000
"""Decoded bytes of all data URIs together."""
FILE_BYTES = 100 * 1024 * 1024
TOKENS_PER_INPUT_IMAGE = 194

_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)
_EVENTS = ("start", "output", "logs", "completed")
_BODY_FIELDS = ("input", "webhook", "webhook_events_filter")
_SIZES = {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536), "auto": (1024, 1024)}
_OUTPUT_TOKENS = {
    "low": {"1:1": 272, "2:3": 408, "3:2": 400},
    "medium": {"1:1": 1056, "2:3": 1584, "3:2": 1568},
    "high": {"1:1": 4160, "2:3": 6240, "3:2": 6208},
}


@dataclass(frozen=True, slots=True)
class Text:
    """Any string."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these strings; the first is the default."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """An integer between two limits."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Images:
    """An array of addresses of images."""


Rule = Text | Choice | Number | Images


@dataclass(frozen=True, slots=True)
class Model:
    """A model and what its input may hold."""

    version: str
    fields: Mapping[str, Rule]
    required: tuple[str, ...] = ("prompt",)


_SHARED: Mapping[str, Rule] = {
    "prompt": Text(),
    "openai_api_key": Text(),
    "aspect_ratio": Choice(("1:1", "3:2", "2:3")),
    "input_images": Images(),
    "number_of_images": Number(1, 10),
    "quality": Choice(("auto", "low", "medium", "high")),
    "background": Choice(("auto", "transparent", "opaque")),
    "moderation": Choice(("auto", "low")),
    "output_format": Choice(("webp", "png", "jpeg")),
    "output_compression": Number(0, 100),
    "user_id": Text(),
}
_FIDELITY: Mapping[str, Rule] = {"input_fidelity": Choice(("low", "high"))}
_OWN_KEY = ("prompt", "openai_api_key")
MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "openai/gpt-image-1": Model("5ac56c15446a", {**_SHARED, **_FIDELITY}, required=_OWN_KEY),
        "openai/gpt-image-1-mini": Model("5bdbb6c220da", {**_SHARED, **_FIDELITY}, required=_OWN_KEY),
        "openai/gpt-image-1.5": Model("hidden", {**_SHARED, **_FIDELITY}),
        "openai/gpt-image-2": Model(
            "hidden", {**_SHARED, "number_of_images": Number(1, 1), "background": Choice(("auto", "opaque"))}
        ),
        "openai/gpt-image-2.5-flare": Model(
            "e4564ecb",
            {
                **_SHARED,
                "aspect_ratio": Choice(("1:1", "3:2", "2:3", "auto")),
                "quality": Choice(("auto", "low", "medium", "high", "xhigh", "max")),
            },
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `invalid_fields`."""

    type: str
    field: str
    """The field itself; of a missing one its parent, which is empty at the top."""
    description: str

    @property
    def line(self) -> str:
        """Its line in `detail`, without the dash."""
        return f"{self.field}: {self.description}" if self.field else self.description


@dataclass(slots=True)
class Verdict:
    """What is wrong with a request."""

    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def refusal_body(problems: list[Problem]) -> dict[str, object]:
    """The body of a 422."""
    return {
        "title": "Input validation failed",
        "detail": "".join(f"- {problem.line}\n" for problem in problems),
        "status": 422,
        "invalid_fields": [
            {"type": problem.type, "field": problem.field, "description": problem.description} for problem in problems
        ],
    }


def judge_prediction(body: object, model: Model, own_file: Callable[[str], bool | None]) -> Verdict:
    """The verdict on the parsed body of a create.

    `own_file` says of an address whether the file is there, and None when it is none of this server's.
    """
    verdict = Verdict()
    values = body if isinstance(body, dict) else {}
    verdict.remarks += [f"unknown field {name!r} in the body" for name in values if name not in _BODY_FIELDS]
    verdict.problems += _webhook_problems(values)
    if "input" not in values:
        verdict.problems.append(_missing("", "input"))
    elif not isinstance(values["input"], dict):
        verdict.problems.append(_wrong_type("input", "object", values["input"]))
    else:
        _judge_input(values["input"], model, own_file, verdict)
    return verdict


def judge_upload(parts: tuple[Part, ...]) -> Verdict:
    """The verdict on the form of `POST /v1/files`."""
    verdict = Verdict()
    names = [part.name for part in parts]
    if names.count("content") != 1:
        verdict.problems.append(_missing("", "content"))
    if names.count("metadata") > 1:
        verdict.problems.append(Problem("duplicate", "metadata", "Sent more than once"))
    for part in parts:
        if part.name == "content":
            verdict.problems += _file_problems(part)
        elif part.name != "metadata":
            verdict.problems.append(_not_allowed(part.name, part.name))
        elif not isinstance(_json_or_none(part.data), dict):
            verdict.problems.append(Problem("invalid_type", "metadata", "metadata must be a JSON object"))
    return verdict


def prefer_problem(value: str | None) -> str | None:
    """What is wrong with a Prefer header; None: nothing."""
    if value is None or re.fullmatch(r"wait(=([1-9]|[1-5][0-9]|60))?", value):
        return None
    return f"Prefer must be wait or wait=N with N from 1 to 60, not {value!r}"


def strings(value: object) -> Iterator[str]:
    """Every string in parsed JSON, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


@dataclass(frozen=True, slots=True)
class Order:
    """What a good input asks for, defaults filled in."""

    prompt: str
    n: int
    aspect: str
    quality: str
    image_format: Format
    alpha: bool
    input_images: int

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of each image."""
        return _SIZES[self.aspect]

    def token_lines(self) -> str:
        """The lines of the logs that count tokens. For xhigh and max no table is known: they count as high."""
        quality = {"auto": "medium", "xhigh": "high", "max": "high"}.get(self.quality, self.quality)
        each = _OUTPUT_TOKENS[quality][self.aspect.replace("auto", "1:1")]
        return (
            f"Input text token count: {7 + len(self.prompt) // 4}\n"
            f"Input image token count: {TOKENS_PER_INPUT_IMAGE * self.input_images}\n"
            f"Output token count: {each * self.n}\n"
        )


def order_of(values: Values) -> Order:
    """The order in an input that has no problem."""
    images = values.get("input_images", [])
    return Order(
        prompt=str(values["prompt"]),
        n=cast("int", values.get("number_of_images", 1)),
        aspect=str(values.get("aspect_ratio", "1:1")),
        quality=str(values.get("quality", "auto")),
        image_format=cast("Format", values.get("output_format", "webp")),
        alpha=values.get("background") == "transparent",
        input_images=len(cast("list[str]", images)),
    )


def _judge_input(values: Values, model: Model, own_file: Callable[[str], bool | None], verdict: Verdict) -> None:
    verdict.problems += [_missing("input", name) for name in model.required if name not in values]
    for name, value in values.items():
        known = model.fields.get(name)
        if known is None:
            verdict.problems.append(_not_allowed(f"input.{name}", name))
        elif isinstance(known, Images):
            _judge_images(value, f"input.{name}", own_file, verdict)
        else:
            verdict.problems += _value_problems(name, value, known)
    if values.get("background") == "transparent" and values.get("output_format") == "jpeg":
        verdict.problems.append(Problem("enum", "input.background", "A transparent background needs webp or png"))


def _value_problems(name: str, value: object, rule: Text | Choice | Number) -> list[Problem]:
    place = f"input.{name}"
    match rule:
        case Number(low, high):
            if type(value) is not int:
                return [_wrong_type(place, "integer", value)]
            if value > high:
                return [Problem("number_lte", place, f"Must be less than or equal to {high}")]
            return [] if value >= low else [Problem("number_gte", place, f"Must be greater than or equal to {low}")]
        case Choice(choices):
            if value in choices:
                return []
            words = ", ".join(f'"{choice}"' for choice in choices)
            return [Problem("enum", place, f"{name} must be one of the following: {words}")]
    return [] if isinstance(value, str) else [_wrong_type(place, "string", value)]


def _judge_images(value: object, place: str, own_file: Callable[[str], bool | None], verdict: Verdict) -> None:
    if not isinstance(value, list):
        verdict.problems.append(_wrong_type(place, "array", value))
        return
    total = 0
    for number, item in enumerate(value):
        here = f"{place}.{number}"
        if not isinstance(item, str):
            verdict.problems.append(_wrong_type(here, "string", item))
        elif item.startswith("data:"):
            decoded = _data_uri_bytes(item)
            if decoded is None:
                words = "Expected a data URI with strict base64 of an image of the type it declares"
                verdict.problems.append(Problem("format", here, words))
            elif len(decoded) > DATA_URI_BYTES:
                verdict.remarks.append(f"{here}: a data URI of {len(decoded)} bytes; above 256 kB upload the file")
            total += len(decoded or b"")
        elif not _is_web_address(item):
            verdict.problems.append(Problem("format", here, "Does not match format 'uri'"))
        elif own_file(item) is False:
            verdict.problems.append(Problem("format", here, "There is no such file"))
    if total > DATA_URIS_BYTES:
        verdict.problems.append(Problem("format", place, "Data URIs of more than 10 MB in total; upload the files"))


def _is_web_address(text: str) -> bool:
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def _data_uri_bytes(text: str) -> bytes | None:
    """The bytes of an image, or None when the URI is not strictly one of the type it declares."""
    found = re.fullmatch(r"data:(image/[a-z+.-]+);base64,([A-Za-z0-9+/]+={0,2})", text)
    if found is None:
        return None
    try:
        data = base64.b64decode(found[2], validate=True)
    except binascii.Error:
        return None
    return data if image_type(data) == found[1] else None


def image_type(data: bytes) -> str | None:
    """The media type of an image that can be decoded to its end, or None."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            return Image.MIME.get((picture.format or "").replace("MPO", "JPEG"))
    except _UNREADABLE:
        return None


def _file_problems(part: Part) -> list[Problem]:
    if not part.filename:
        return [Problem("required", "content", "filename is required")]
    if len(part.data) > FILE_BYTES:
        return [Problem("number_lte", "content", f"Must be less than or equal to {FILE_BYTES} bytes")]
    declared = wire.media_type(part.content_type or "")[0]
    if image_type(part.data) != declared:
        return [Problem("format", "content", f"The file is no image of the type {declared!r}")]
    return []


def _webhook_problems(values: Values) -> list[Problem]:
    problems = []
    if "webhook" in values and not str(values["webhook"]).startswith("https://"):
        problems.append(Problem("format", "webhook", "Does not match format 'uri'"))
    events = values.get("webhook_events_filter", [])
    if not isinstance(events, list) or any(event not in _EVENTS for event in events):
        problems.append(Problem("enum", "webhook_events_filter", f"Must be among {', '.join(_EVENTS)}"))
    return problems


def _json_or_none(data: bytes) -> object:
    try:
        parsed: object = json.loads(data)
    except ValueError:
        return None
    return parsed


def _missing(parent: str, name: str) -> Problem:
    return Problem("required", parent, f"{name} is required")


def _not_allowed(place: str, name: str) -> Problem:
    return Problem("additional_property_not_allowed", place, f"Additional property {name} is not allowed")


_JsonType = Literal["string", "integer", "array", "object"]


def _wrong_type(place: str, expected: _JsonType, value: object) -> Problem:
    kinds = {str: "string", int: "integer", bool: "boolean", float: "number", list: "array", dict: "object"}
    given = kinds.get(type(value), "null")
    return Problem("invalid_type", place, f"Invalid type. Expected: {expected}, given: {given}")
