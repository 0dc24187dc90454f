"""Judges requests to Lumenfall's image API and prices them: from what was sent to an `Order` or to problems.

Written from the provider reference (sections 4, 1 and 7) and never from this program's own catalogue or adapter.
Whatever the reference does not list is refused, because the gateway hands it to an upstream that refuses it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import log, sqrt
from types import MappingProxyType
from typing import Literal

from tests.fakes import openai_facts as facts
from tests.fakes.openai_facts import Family, Size
from tests.fakes.openai_images import Upload, check_image, check_overlay
from tests.fakes.wire import Part

Operation = Literal["generate", "edit"]
Values = dict[str, object]

TEXT_TOKENS = 13
"""What every prompt is billed as: the figure behind the worked example of the reference."""
FLAT_EDIT_USD = Decimal("0.020")
"""The route fal/gpt-image-1-mini-edit, for each image."""
FLAT_ROUTE = "fal/gpt-image-1-mini-edit"
IMAGES_MAX = 10
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the gateway; rates are USD for a million tokens."""

    family: Family
    text_rate: Decimal
    image_rate: Decimal
    transparent: bool = True


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "gpt-image-1": Model(facts.FIXED, Decimal(5), Decimal(40)),
        "gpt-image-1-mini": Model(facts.MINI, Decimal(2), Decimal(8)),
        "gpt-image-1.5": Model(facts.FIXED, Decimal(5), Decimal(32)),
        "gpt-image-2": Model(facts.TWO, Decimal(5), Decimal(30), transparent=False),
    }
)
FLARE = Model(facts.TWO_FIVE, Decimal(5), Decimal(30))
"""For a test that adds a 2.5 model: the reference does not know whether the gateway has one."""

PROVIDERS: Mapping[str, str] = MappingProxyType({"openai": "OpenAI", "fal": "fal", "replicate": "Replicate"})

FIELDS: Mapping[str, type] = MappingProxyType(
    {
        "prompt": str,
        "model": str,
        "n": int,
        "size": str,
        "aspect_ratio": str,
        "resolution": str,
        "quality": str,
        "response_format": str,
        "output_format": str,
        "output_compression": int,
        "background": str,
        "moderation": str,
        "user": str,
        "input_fidelity": str,
    }
)
_FILES = ("image", "image[]", "mask")
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "quality": ("low", "medium", "high", "xhigh", "max", "hd", "standard"),
        "response_format": ("url", "b64_json"),
        "output_format": ("png", "jpeg", "gif", "webp", "avif"),
        "background": ("opaque", "transparent", "auto"),
        "moderation": ("low",),
        "input_fidelity": ("low", "high"),
    }
)
_ALIASES = MappingProxyType({"hd": "high", "standard": "medium"})
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "size": r"[1-9]\d{0,4}x[1-9]\d{0,4}|[1-9]\d{0,3}:[1-9]\d{0,3}",
        "aspect_ratio": r"[1-9]\d{0,3}:[1-9]\d{0,3}",
        "resolution": r"[1-9]\d?K|[1-9]\d{2,3}",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused."""

    message: str
    code: str = "INVALID_REQUEST"
    status: int = 400
    broken: bool = True
    """Whether the reference forbids it. Asking for a model that is gone breaks no rule."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request that breaks no rule, every default filled in."""

    operation: Operation
    provider: str
    model_id: str
    """Without the prefix of a route."""
    model: Model
    prompt: str
    n: int
    size: Size
    quality: str
    response_format: str
    output_format: str
    transparent: bool
    input_images: int

    @property
    def executed_model(self) -> str:
        """The model with the route that ran it."""
        return f"{self.provider}/{self.model_id}"

    @property
    def flat(self) -> bool:
        """Whether an image has one price, whatever its tokens."""
        return self.executed_model == FLAT_ROUTE

    @property
    def image_tokens(self) -> int:
        """Output tokens of all images."""
        return self.n * facts.output_tokens(self.model.family, self.size, self.quality)

    @property
    def image_usd(self) -> Decimal:
        """Price of the images alone."""
        return self.n * FLAT_EDIT_USD if self.flat else self.image_tokens * self.model.image_rate / _MILLION

    @property
    def micros(self) -> int:
        """The whole charge in millionths of a dollar; the gateway asks once for each image, so text counts n times."""
        text = Decimal(0) if self.flat else self.n * TEXT_TOKENS * self.model.text_rate / _MILLION
        return round((self.image_usd + text) * _MILLION)


@dataclass(slots=True)
class Verdict:
    """Either an order, or why not; the service answers with the first problem."""

    order: Order | None = None
    problems: list[Problem] = field(default_factory=list)


def judge_generation(body: object, models: Mapping[str, Model]) -> Verdict:
    """The verdict on a parsed JSON body of `POST /images/generations`."""
    if not isinstance(body, dict):
        return Verdict(problems=[Problem("The request body must be a JSON object.")])
    values: Values = {}
    problems = []
    for name, value in body.items():
        if name not in FIELDS:
            problems.append(Problem(f"Unknown parameter: '{name}'."))
        elif type(value) is not FIELDS[name]:
            problems.append(Problem(f"Invalid type for '{name}': {value!r}."))
        else:
            values[name] = value
    return _verdict("generate", values, models, problems, input_images=0)


def judge_edit(parts: tuple[Part, ...], models: Mapping[str, Model]) -> Verdict:
    """The verdict on the form parts of `POST /images/edits`."""
    values, problems = _typed_form(parts)
    images = [part for part in parts if part.name in ("image", "image[]")]
    masks = [part for part in parts if part.name == "mask"]
    problems += _check_files(images, masks)
    if masks and str(values.get("model")).startswith("fal/"):
        problems.append(Problem("This route takes no mask."))
    return _verdict("edit", values, models, problems, input_images=len(images))


def _verdict(
    operation: Operation, values: Values, models: Mapping[str, Model], problems: list[Problem], *, input_images: int
) -> Verdict:
    for check in _CHECKS:
        problems += check(values)
    provider, model_id, model = _routed(_text(values, "model"), models)
    if "model" not in values:
        problems.append(Problem("Missing required parameter: 'model'."))
    elif model is None:
        problems.append(Problem(f"Model '{values['model']}' not found", "MODEL_NOT_FOUND", 404, broken=False))
    else:
        problems += _check_for_model(operation, provider, model_id, model, values)
    if problems or model is None:
        return Verdict(problems=problems)
    quality = _text(values, "quality", "medium")
    return Verdict(
        Order(
            operation=operation,
            provider=provider,
            model_id=model_id,
            model=model,
            prompt=_text(values, "prompt"),
            n=_number(values, "n", 1),
            size=made_size(values, model.family),
            quality=_ALIASES.get(quality, quality),
            response_format=_text(values, "response_format", "url"),
            output_format=_text(values, "output_format", "png"),
            transparent=values.get("background") == "transparent",
            input_images=input_images,
        )
    )


def _routed(name: str, models: Mapping[str, Model]) -> tuple[str, str, Model | None]:
    """Provider, id without prefix, and the model; None when there is no such route."""
    prefix, slash, rest = name.partition("/")
    if not slash:
        return "openai", name, models.get(name)
    if name == FLAT_ROUTE:
        return prefix, rest, MODELS["gpt-image-1-mini"]
    return prefix, rest, models.get(rest) if prefix in ("openai", "replicate") else None


def _text(values: Values, name: str, default: str = "") -> str:
    return str(values.get(name, default))


def _number(values: Values, name: str, default: int) -> int:
    value = values.get(name, default)
    return value if isinstance(value, int) else default


def _typed_form(parts: tuple[Part, ...]) -> tuple[Values, list[Problem]]:
    """The text fields of a form as values of their type, and a problem for each that cannot be read."""
    if not parts:
        return {}, [Problem("Expected a multipart/form-data body.")]
    values: Values = {}
    problems = []
    for part in parts:
        if part.name in _FILES:
            continue
        text = part.data.decode("utf-8", "replace")
        if part.name not in FIELDS:
            problems.append(Problem(f"Unknown parameter: '{part.name}'."))
        elif part.name in values:
            problems.append(Problem(f"Duplicate parameter: '{part.name}'."))
        elif part.filename is not None or "\ufffd" in text:
            problems.append(Problem(f"Expected '{part.name}' to be a plain text field."))
        elif FIELDS[part.name] is int and not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
            problems.append(Problem(f"Invalid type for '{part.name}': {text!r}."))
        else:
            values[part.name] = int(text) if FIELDS[part.name] is int else text
    return values, problems


def _check_files(images: list[Part], masks: list[Part]) -> list[Problem]:
    problems = []
    names = [part.name for part in images]
    if not images:
        problems.append(Problem("Missing required parameter: 'image'."))
    if "image" in names and len(names) > 1:
        problems.append(Problem("Send one 'image', or several 'image[]', never both and 'image' never twice."))
    if len(images) > IMAGES_MAX:
        problems.append(Problem(f"Expected at most {IMAGES_MAX} images, but got {len(images)}."))
    if len(masks) > 1:
        problems.append(Problem("Expected one mask."))
    problems += [Problem(f"Expected '{part.name}' to have a filename.") for part in images + masks if not part.filename]
    uploads = [Upload(part.data, part.content_type) for part in images]
    for number, upload in enumerate(uploads, start=1):
        problems += [Problem(found.message) for found in check_image(upload, number)[1]]
    for mask in masks[: len(uploads)]:
        found_in_mask = check_overlay("mask", Upload(mask.data, mask.content_type), uploads[0])
        problems += [Problem(found.message) for found in found_in_mask]
    return problems


def _check_prompt(values: Values) -> list[Problem]:
    if not values.get("prompt"):
        return [Problem("Missing required parameter: 'prompt'.")]
    if len(_text(values, "prompt")) > facts.PROMPT_MAX:
        return [Problem(f"Too big: expected string to have <={facts.PROMPT_MAX} characters", broken=False)]
    return []


def _check_choices(values: Values) -> list[Problem]:
    return [
        Problem(f"Invalid value for '{name}': {values[name]!r}. Expected one of {', '.join(choices)}.")
        for name, choices in _CHOICES.items()
        if name in values and values[name] not in choices
    ]


def _check_patterns(values: Values) -> list[Problem]:
    return [
        Problem(f"Invalid value for '{name}': {values[name]!r}.")
        for name, pattern in _PATTERNS.items()
        if name in values and not re.fullmatch(pattern, _text(values, name), re.ASCII)
    ]


def _check_ranges(values: Values) -> list[Problem]:
    ranges = {"n": (1, facts.N_MAX), "output_compression": (0, 100)}
    return [
        Problem(f"Expected '{name}' to be from {low} to {high}, but got {values[name]}.")
        for name, (low, high) in ranges.items()
        if name in values and not low <= _number(values, name, low) <= high
    ]


def _check_transparent(values: Values) -> list[Problem]:
    if values.get("background") == "transparent" and values.get("output_format", "png") not in ("png", "webp"):
        return [Problem("A transparent background needs png or webp.")]
    return []


_CHECKS: tuple[Callable[[Values], list[Problem]], ...] = (
    _check_prompt,
    _check_choices,
    _check_patterns,
    _check_ranges,
    _check_transparent,
)


def _check_for_model(operation: Operation, provider: str, model_id: str, model: Model, values: Values) -> list[Problem]:
    problems = []
    if operation == "generate" and provider == "fal":
        problems.append(Problem("This route is for edits only."))
    if values.get("quality") in ("xhigh", "max") and "2.5" not in model_id:
        problems.append(Problem(f"Invalid value for 'quality': {values['quality']!r}."))
    if values.get("background") == "transparent" and not model.transparent:
        problems.append(Problem("Transparent background is not supported for this model."))
    if "input_fidelity" in values and values["input_fidelity"] not in model.family.fidelities:
        problems.append(Problem(f"Model '{model_id}' does not support this 'input_fidelity'."))
    if provider != "openai":
        problems += [
            Problem(f"'{name}' is for OpenAI routes only.") for name in ("moderation", "user") if name in values
        ]
    return problems


def made_size(values: Mapping[str, object], family: Family) -> Size:
    """What is drawn for `size`, or without it for `aspect_ratio` and `resolution`: the nearest size of the family."""
    size = str(values.get("size", ""))
    if "x" in size:
        width, height = (int(side) for side in size.split("x"))
        return nearest_size(family, width / height, area=width * height, exact=(width, height))
    if not size and "aspect_ratio" not in values and "resolution" not in values:
        return 1024, 1024
    ratio = size or str(values.get("aspect_ratio", "1:1"))
    resolution = "1K" if size else str(values.get("resolution", "1K"))
    side = int(resolution[:-1]) * 1024 if resolution.endswith("K") else int(resolution)
    across, down = (int(side) for side in ratio.split(":"))
    return nearest_size(family, across / down, area=side * side)


def nearest_size(family: Family, ratio: float, *, area: int, exact: Size | None = None) -> Size:
    """One of three sizes by ratio, or for free sizes a legal one near the ratio and area, or near `exact`."""
    if not family.free_size:
        fixed = [(int(width), int(height)) for width, height in (size.split("x") for size in facts.FIXED_SIZES)]
        return min(fixed, key=lambda size: abs(log(size[0] / size[1]) - log(ratio)))
    if exact is not None:
        rounded = (_round16(exact[0]), _round16(exact[1]))
        if _legal(rounded, family):
            return rounded
    ratio = max(1 / 3, min(3.0, ratio))
    area = max(facts.AREA_MIN, min(facts.AREA_MAX, area))
    long, short = _round16(sqrt(area * max(ratio, 1 / ratio))), _round16(sqrt(area / max(ratio, 1 / ratio)))
    while not _legal((long, short), family):
        if long * short < facts.AREA_MIN:
            short += 16
        else:
            long -= 16
    return (long, short) if ratio >= 1 else (short, long)


def _round16(side: float) -> int:
    return max(16, round(side / 16) * 16)


def _legal(size: Size, family: Family) -> bool:
    return facts.size_problem(f"{size[0]}x{size[1]}", family) is None
