"""What goes into a provider and what comes out, in our own words.

An `ImageRequest` is what a person asked for, with canonical field names; adapters translate it. An `ImageResult` holds
the provider's bytes untouched. `None` always means "not said", never a default that somebody guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Operation = Literal["generate", "edit"]
Handling = Literal["passthrough", "renamed", "converted", "emulated", "refused"]
CostSource = Literal["reported", "computed", "estimated", "unknown"]

QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")
BACKGROUNDS = ("auto", "opaque", "transparent")
FORMATS = ("png", "jpeg", "webp", "gif", "avif")
MODERATIONS = ("auto", "low")
FIDELITIES = ("low", "high")

DEFAULT_TIMEOUT_S = 300.0
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 30.0, 1800.0

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class InputImage:
    """A reference image or mask, already cleaned: upright, bare of metadata, PNG, JPEG or WebP."""

    data: bytes
    media_type: str
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What one run asks of a model. With `images` it is an edit."""

    prompt: str
    n: int = 1
    """Images wanted, at least 1."""
    size: str | None = None
    """`auto` or `WIDTHxHEIGHT` in pixels."""
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    output_compression: int | None = None
    """0 to 100, JPEG and WebP only; 100 is the best quality."""
    moderation: str | None = None
    input_fidelity: str | None = None
    partial_images: int | None = None
    """Previews while the image is made, 0 to 3. `None` asks for a plain answer instead of a stream."""
    user: str | None = None
    """Pseudonymous id of the end user, passed on for abuse detection."""
    timeout_s: float = DEFAULT_TIMEOUT_S
    """Limit for the whole call, waiting included."""
    images: tuple[InputImage, ...] = ()
    mask: InputImage | None = None
    """Alpha 0 marks what to repaint; belongs to the first image and has its size."""

    @property
    def operation(self) -> Operation:
        """`edit` when there are input images, else `generate`."""
        return "edit" if self.images else "generate"


@dataclass(frozen=True, slots=True)
class FieldHandling:
    """What became of one asked field on its way to one offer."""

    field: str
    """Canonical name, as in `ImageRequest`."""
    asked: object
    handling: Handling
    sent_as: str | None
    """Name of the field on the wire, where it was sent."""
    value: object
    """Value on the wire; `None` where nothing is sent."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a provider reports for one call; a part it does not report is `None`."""

    text_input_tokens: int | None = None
    image_input_tokens: int | None = None
    output_tokens: int | None = None
    """All output tokens, text and image."""
    text_output_tokens: int | None = None
    """The share of `output_tokens` that is text; the rest is image."""
    input_tokens: int | None = None
    """All input tokens, where the provider states the sum beside its parts."""


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """One image as the provider sent it."""

    data: bytes
    seed: int | None = None
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True)
class PartialImage:
    """A preview of an image that is still being made."""

    data: bytes
    image_position: int
    partial_position: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What a provider says beside the images: enough to price the call and to hold it against what was asked."""

    got: Json
    """`size`, `quality`, `background`, `output_format` as the provider reports them; only what it reports."""
    usage: Usage | None = None
    cost_microusd: int | None = None
    """The provider's own figure, where it states one."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImageResult:
    """The answer to one call."""

    images: tuple[GeneratedImage, ...]
    """Those that were not told on the way, as a stream's are."""
    answered: Answered
