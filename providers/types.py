"""What goes into a provider and what comes out, in our own words.

An `ImageRequest` is what a person asked for, with canonical field names; adapters translate it. An `ImageResult` holds
the provider's bytes untouched. `None` always means "not said", never a default that somebody guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from providers.errors import ProviderError

Operation = Literal["generate", "edit"]
Handling = Literal["passthrough", "renamed", "converted", "emulated", "refused"]
CostSource = Literal["reported", "computed", "estimated", "unknown"]
StopEnd = Literal["free", "begun", "unsure"]
"""How a job ended that was told to, without images: it costs nothing; the provider bills nothing, but it had begun, so
whoever else bills its tokens may; or nobody knows."""

QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")
OTHER_QUALITIES = ("standard", "hd")
"""Names that only some providers take for one of them."""
BACKGROUNDS = ("auto", "opaque", "transparent")
FORMATS = ("png", "jpeg", "webp", "gif", "avif")
MADE_HERE = ("gif", "avif")
"""Formats that are made on this machine from the provider's image, where the provider does not make them."""
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
    """`auto`, `WIDTHxHEIGHT` in pixels, or `W:H`, which is an aspect ratio."""
    aspect_ratio: str | None = None
    """Shape as `W:H`; a size in pixels goes before it. See `providers.sizes.resolve_size`."""
    resolution: str | None = None
    """Scale as `1K`, `2K`, `4K` (edge of a square in units of 1024 px); a size in pixels goes before it."""
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
    lock_outside_mask: bool | None = None
    """Whether the first image is put back outside the mask afterwards, on this machine. `None`: yes, where there is a mask."""

    @property
    def operation(self) -> Operation:
        """`edit` when there are input images, else `generate`."""
        return "edit" if self.images else "generate"

    @property
    def is_locked(self) -> bool:
        """Whether what lies outside the mask is put back: then a mask protects also where the model does not see it."""
        return self.mask is not None and self.lock_outside_mask is not False


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
    is_flagged: bool = False
    """Whether the provider's content check found something in it."""
    said_type: str | None = None
    """Media type that its sender gives it, as `image/png`; `None` where it does not say."""


_SAID_TYPES = {form: f"image/{form}" for form in FORMATS} | {"jpg": "image/jpeg"}


def said_type_of(words: object) -> str | None:
    """The media type of an image that a sender names, as `png`, `image/jpg` or `image/webp; q=1`; `None` for anything else."""
    if not isinstance(words, str):
        return None
    return _SAID_TYPES.get(words.partition(";")[0].strip().lower().removeprefix("image/"))


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """A finished image that lies at an address for a while; it is fetched at once."""

    url: str
    """As the provider wrote it: absolute, or relative to its base URL."""
    seed: int | None = None
    revised_prompt: str | None = None
    is_flagged: bool = False


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
    """`size`, `quality`, `background`, `output_format` as the provider reports them, `nsfw_content` by its content check;
    only what it reports."""
    usage: Usage | None = None
    cost_microusd: int | None = None
    """The provider's own figure, where it states one."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImageResult:
    """The answer to one call."""

    images: tuple[GeneratedImage | RemoteImage, ...]
    """Those that were not told on the way, as a stream's and fetched ones are."""
    answered: Answered
    failures: tuple[ProviderError, ...] = ()
    """Why some of the images asked for did not come, where others did."""
    job: Job | None = None
    """The job that made them, where the answer that named it brought its end too."""
    made: int = 0
    """Images that the provider made, whether or not they could be fetched; 0 where all of them are in `images`."""


@dataclass(frozen=True, slots=True)
class Job:
    """An asynchronous job at a provider: enough to ask for it again after a restart."""

    remote_id: str
    tracking: Mapping[str, str] = field(default_factory=dict)
    """Addresses the provider gave for it, by the adapter's own names."""


@dataclass(frozen=True, slots=True)
class Pending:
    """The job has not ended yet."""

    job: Job
    words: str = ""
    """What the provider says about it, as `in line, place 3`."""
    has_begun: bool = False
    """Whether the provider says that it is being worked on."""
    so_far: ImageResult | None = None
    """Images that are there already, with what is wrong with others: what is kept when the rest never comes."""


NO_LIST = "The server answers, but has no list of models. Type the model's id in the Playground."


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What a free call tells about a key."""

    words: str
    """A sentence to show."""
    balance_microusd: int | None = None
    """Money left in the account, where the provider tells; below zero where it is owed."""
    models: tuple[str, ...] = ()
    """Model ids the provider lists for this key."""
    is_tested: bool = True
    """Whether the answer shows that the key is good; `False`: it leaves that open."""
