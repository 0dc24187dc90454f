"""A request as a program tells it: JSON with the field names of the command line, read strictly. What is wrong is named.

`FIELDS` is what may be said, once for the endpoints and for the tools of agents.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from playground import uploads
from playground.engine import PlanRefused
from playground.image_hygiene import MAX_UPLOAD_BYTES, CleanImage, UploadRefused, clean_image
from playground.masks import clean_mask
from playground.services import Services
from providers.checks import Problem
from providers.types import (
    BACKGROUNDS,
    DEFAULT_TIMEOUT_S,
    FIDELITIES,
    FORMATS,
    MAX_TIMEOUT_S,
    MIN_TIMEOUT_S,
    MODERATIONS,
    OTHER_QUALITIES,
    QUALITIES,
    ImageRequest,
    InputImage,
)
from ui.arguments import DEFAULT_EDIT_SIZE, DEFAULT_SIZE
from ui.arguments import FIELDS as OPTION_NAMES

MAX_OFFERS = 20
MAX_IMAGES = 16
_MEDIA = re.compile(r"(?:media/)?([0-9a-f]{64})(?:\.[a-z]{3,4})?")
_DATA = re.compile(r"data:[\w.+/-]*;base64,", re.ASCII)

Told = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Field:
    """What may be said under one name."""

    kind: str
    """`string`, `integer`, `number`, `boolean` or `strings`."""
    words: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def schema(self) -> dict[str, object]:
        """As JSON schema."""
        if self.kind == "strings":
            return {
                "type": "array",
                "items": {"type": "string"},
                "maxItems": int(self.high or 0),
                "description": self.words,
            }
        found: dict[str, object] = {"type": self.kind, "description": self.words}
        found |= {"enum": list(self.choices)} if self.choices else {}
        found |= {"minimum": self.low} if self.low is not None else {}
        return found | ({"maximum": self.high} if self.high is not None else {})

    def fits(self, value: object) -> bool:
        """Whether the value is of its kind and within its bounds."""
        match self.kind:
            case "strings":
                return (
                    isinstance(value, list)
                    and all(isinstance(row, str) for row in value)
                    and len(value) <= (self.high or 0)
                )
            case "boolean":
                return isinstance(value, bool)
            case "string":
                return isinstance(value, str) and (not self.choices or value in self.choices)
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "integer" else int | float):
            return False
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)

    def expected(self) -> str:
        """What a value has to be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind == "strings":
            return f"a list of at most {int(self.high or 0)} texts"
        bounds = f" from {self.low:g} to {self.high:g}" if self.low is not None and self.high is not None else ""
        names = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
        return f"{names[self.kind]}{bounds}"


FIELDS: Mapping[str, Field] = {
    "offers": Field(
        "strings", "Which models, as `provider/model`; `models` lists them. One run for each.", high=MAX_OFFERS
    ),
    "prompt": Field("string", "What to make, or what to change."),
    "images": Field(
        "strings",
        "Images to edit or to go by, in the order in which the prompt names them: the sha256 of an image made here before, or "
        "a data URI. With one it is an edit.",
        high=MAX_IMAGES,
    ),
    "mask": Field("string", "Where the first image may change: transparent there, or white on black. As in `images`."),
    "n": Field("integer", "Images of each run.", low=1, high=10),
    "size": Field("string", "`WIDTHxHEIGHT` in pixels, or `auto`. Default 1024x1024, for an edit auto."),
    "aspect_ratio": Field("string", "Shape as `16:9`; a size goes before it."),
    "resolution": Field("string", "Scale as `1K`, `2K`, `4K`; a size goes before it."),
    "quality": Field("string", "Default low, the cheapest.", (*QUALITIES, *OTHER_QUALITIES)),
    "background": Field("string", "Of the image.", BACKGROUNDS),
    "output_format": Field("string", "Of the file.", FORMATS),
    "output_compression": Field("integer", "JPEG and WebP: 100 is the best quality.", low=0, high=100),
    "moderation": Field("string", "How strictly the provider looks.", MODERATIONS),
    "input_fidelity": Field("string", "How closely an edit keeps to its images.", FIDELITIES),
    "partial_images": Field("integer", "Previews on the way.", low=0, high=3),
    "user": Field("string", "Pseudonymous id of the end user."),
    "timeout_s": Field("number", "Seconds for each call.", low=MIN_TIMEOUT_S, high=MAX_TIMEOUT_S),
    "lock_outside_mask": Field("boolean", "Whether the first image is put back outside the mask; default yes."),
}
"""All fields of a request, by name."""

_OTHER_NAMES = {option: field for option, field in OPTION_NAMES.items() if option not in ("offer", "image")}
"""The names of options that differ from the field's are understood too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a program asks for."""

    request: ImageRequest
    offers: tuple[str, ...]


async def read_asked(services: Services, owner: str | None, told: object) -> Asked:
    """The request, with its images loaded; nothing is stored. Without an owner no image of the store can be named.

    Raises: PlanRefused with every field that is wrong.
    """
    said = _said(told)
    problems = tuple(_problems(said))
    if problems:
        raise PlanRefused(problems)
    names = said.get("images", [])
    images = [await _image(services, owner, name) for name in names] if isinstance(names, list) else []
    mask_name = said.get("mask")
    if mask_name is not None and not images:
        raise PlanRefused((Problem("mask", "A mask needs an image to edit. Add it to images."),))
    mask = await _mask(services, owner, str(mask_name), images[0]) if mask_name is not None else None
    return Asked(_request(said, tuple(images), mask), tuple(_texts(said.get("offers"))))


def _said(told: object) -> dict[str, object]:
    """By the fields' own names, without those that are left empty."""
    if not isinstance(told, Mapping):
        raise PlanRefused((Problem("request", "The request must be a JSON object with a prompt and offers."),))
    named = {_OTHER_NAMES.get(str(name), str(name)): value for name, value in told.items()}
    return {name: value for name, value in named.items() if value is not None}


def _problems(said: Told) -> Iterator[Problem]:
    for name, value in said.items():
        field = FIELDS.get(name)
        if field is None:
            yield Problem(name[:40], f"There is no field {name[:40]!r}. Fields: {', '.join(FIELDS)}.")
        elif not field.fits(value):
            yield Problem(name, f"{name} must be {field.expected()}.")
    if "prompt" not in said:
        yield Problem("prompt", "The prompt is missing. Say what to make.")
    if not said.get("offers"):
        yield Problem("offers", "No model is named. Name at least one, as provider/model; `models` lists them.")


def _request(said: Told, images: tuple[InputImage, ...], mask: InputImage | None) -> ImageRequest:
    def text(name: str) -> str | None:
        value = said.get(name)
        return value if isinstance(value, str) else None

    def whole(name: str) -> int | None:
        value = said.get(name)
        return value if isinstance(value, int) else None

    timeout_s, lock = said.get("timeout_s"), said.get("lock_outside_mask")
    shape = text("aspect_ratio") or text("resolution")
    return ImageRequest(
        prompt=text("prompt") or "",
        n=whole("n") or 1,
        size=text("size") or (None if shape else DEFAULT_EDIT_SIZE if images else DEFAULT_SIZE),
        aspect_ratio=text("aspect_ratio"),
        resolution=text("resolution"),
        quality=text("quality"),
        background=text("background"),
        output_format=text("output_format"),
        output_compression=whole("output_compression"),
        moderation=text("moderation"),
        input_fidelity=text("input_fidelity"),
        partial_images=whole("partial_images"),
        user=text("user"),
        timeout_s=float(timeout_s) if isinstance(timeout_s, int | float) else DEFAULT_TIMEOUT_S,
        images=images,
        mask=mask,
        lock_outside_mask=(True if lock is None else bool(lock)) if mask else (lock is True or None),
    )


async def _image(services: Services, owner: str | None, name: str) -> InputImage:
    try:
        found = _MEDIA.fullmatch(name)
        if found:
            return await _of_the_store(services, owner, found[1])
        return await _cleaned(name, "The image", clean_image)
    except UploadRefused as error:
        raise PlanRefused((Problem("images", str(error)),)) from error


async def _mask(services: Services, owner: str | None, name: str, base: InputImage) -> InputImage:
    def clean(data: bytes, shown: str) -> CleanImage:
        return clean_mask(data, shown, (base.width, base.height))

    try:
        found = _MEDIA.fullmatch(name)
        if found:
            data = (await _of_the_store(services, owner, found[1])).data
            return await uploads.in_image_thread(lambda: _as_input(clean(data, "The mask")))
        return await _cleaned(name, "The mask", clean)
    except UploadRefused as error:
        raise PlanRefused((Problem("mask", str(error)),)) from error


async def _of_the_store(services: Services, owner: str | None, sha256: str) -> InputImage:
    if owner is None:
        raise UploadRefused("An image of the store is its owner's alone: say who you are.")
    return await uploads.load_input(services, owner, sha256)


async def _cleaned(uri: str, name: str, clean: Callable[[bytes, str], CleanImage]) -> InputImage:
    head = _DATA.match(uri)
    if head is None:
        # An address would have to be fetched, from wherever anybody likes.
        raise UploadRefused(
            f"{name} must be the sha256 of an image made here, or a data URI (data:image/png;base64,…)."
        )
    if len(uri) > MAX_UPLOAD_BYTES * 4 // 3 + 100:
        raise UploadRefused(f"{name} is too large; at most {MAX_UPLOAD_BYTES // 1_000_000} MB can be sent.")
    try:
        data = base64.b64decode(uri[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise UploadRefused(f"{name} is no base64.") from None
    return await uploads.in_image_thread(lambda: _as_input(clean(data, name)))


def _as_input(cleaned: CleanImage) -> InputImage:
    sha256 = hashlib.sha256(cleaned.data).hexdigest()
    return InputImage(cleaned.data, cleaned.media_type, cleaned.width, cleaned.height, sha256)


def _texts(value: object) -> list[str]:
    return [row for row in value if isinstance(row, str)] if isinstance(value, list) else []
