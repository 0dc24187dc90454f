"""What a call to the image routes asks, checked as OpenAI checks it: unknown fields and bad values are refused by name.

Source: providers reference, section 1, and 0.4 for the sizes (read 2026-11).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, get_args

from PIL import Image, ImageOps, UnidentifiedImageError

from providers.demo.multipart import Part, form_parts
from providers.demo.studio import Format, Model, Quality
from providers.demo.wire_errors import (
    USER_ERROR,
    WireError,
    invalid_type,
    invalid_value,
    missing_parameter,
    unknown_parameter,
)

Background = Literal["auto", "opaque", "transparent"]
Choice = TypeVar("Choice", bound=str)
_QUALITIES: tuple[Literal["auto"] | Quality, ...] = ("auto", "low", "medium", "high")
_FORMATS: tuple[Format, ...] = ("png", "jpeg", "webp")
_BACKGROUNDS: tuple[Background, ...] = ("auto", "opaque", "transparent")

MODELS: Final[tuple[Model, ...]] = get_args(Model)
"""Model ids, best first."""

FIELDS: Final = frozenset(
    {
        "prompt",
        "model",
        "n",
        "size",
        "quality",
        "background",
        "moderation",
        "output_format",
        "output_compression",
        "stream",
        "partial_images",
        "safety_identifier",
        "user",
    }
)
EDIT_FIELDS: Final = (FIELDS - {"moderation"}) | {"input_fidelity"}
MAX_PROMPT: Final = 32_000
MAX_IMAGES: Final = 16
MAX_IMAGE_BYTES: Final = 50_000_000
MAX_MASK_BYTES: Final = 4_000_000
MIN_AREA, MAX_AREA, MAX_EDGE, MAX_RATIO = 655_360, 8_294_400, 3840, 3
MIMES: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
INTEGER_FIELDS: Final = frozenset({"n", "output_compression", "partial_images"})


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A checked call; `None` stands for `auto`."""

    prompt: str
    model: Model
    n: int
    size: tuple[int, int] | None
    quality: Quality | None
    background: Background
    output_format: Format
    output_compression: int | None
    stream: bool
    partial_images: int
    images: tuple[Image.Image, ...] = ()
    """Input images, RGB, upright; empty for a generation."""
    mask: Image.Image | None = None
    """Alpha of the mask, mode L: 0 is repainted; `None` without one."""
    is_faithful: bool = False
    """`input_fidelity` is high."""


def generation(body: bytes) -> WireRequest:
    """The call of `POST /images/generations`.

    Raises:
        WireError: 400 or 404 as OpenAI answers.
    """
    try:
        fields: object = json.loads(body)
    except ValueError as error:
        raise WireError(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(fields, dict):
        raise WireError(400, "We could not parse the JSON body of your request: it is no object.")
    return _checked({str(name): value for name, value in fields.items() if value is not None}, FIELDS)


def edit(content_type: str, body: bytes) -> WireRequest:
    """The call of `POST /images/edits`, a multipart form.

    Raises:
        WireError: 400 or 404 as OpenAI answers.
    """
    parts = form_parts(content_type, body)
    texts: dict[str, object] = {}
    for part in parts:
        if part.name in {"image", "image[]", "mask"}:
            continue
        if part.name in texts:
            raise _duplicate(part.name)
        texts[part.name] = _from_text(part.name, part.content.decode("utf-8", "replace"))
    request = _checked(texts, EDIT_FIELDS)
    images = _input_images(parts)
    return WireRequest(
        prompt=request.prompt,
        model=request.model,
        n=request.n,
        size=request.size,
        quality=request.quality,
        background=request.background,
        output_format=request.output_format,
        output_compression=request.output_compression,
        stream=request.stream,
        partial_images=request.partial_images,
        images=images,
        mask=_mask(parts, images[0]),
        is_faithful=texts.get("input_fidelity") == "high",
    )


def _checked(fields: Mapping[str, object], known: frozenset[str]) -> WireRequest:
    for name in fields:
        if name not in known:
            raise unknown_parameter(name)
    prompt = _prompt(fields)
    _choice(fields, "moderation", ("auto", "low"))
    _choice(fields, "input_fidelity", ("low", "high"))
    for name in ("user", "safety_identifier"):
        _text(fields, name, "")
    quality = _choice(fields, "quality", _QUALITIES) or "auto"
    output_format = _choice(fields, "output_format", _FORMATS) or "png"
    background = _choice(fields, "background", _BACKGROUNDS) or "auto"
    if background == "transparent" and output_format == "jpeg":
        raise invalid_value("background", "Transparent background is not supported for JPEG output format.")
    compression = _integer(fields, "output_compression", 0, 100)
    if compression is not None and compression < 100 and output_format == "png":
        raise invalid_value("output_compression", "Compression less than 100 is not supported for PNG output format")
    stream = fields.get("stream", False)
    if not isinstance(stream, bool):
        raise invalid_type("stream", "a boolean", stream)
    partials = _integer(fields, "partial_images", 0, 3)
    if partials and not stream:
        raise invalid_value("partial_images", "The partial_images parameter is only supported when stream is true.")
    return WireRequest(
        prompt=prompt,
        model=_model(fields),
        n=_integer(fields, "n", 1, 10) or 1,
        size=_size(_text(fields, "size", "auto")),
        quality=None if quality == "auto" else quality,
        background=background,
        output_format=output_format,
        output_compression=compression,
        stream=stream,
        partial_images=partials or 0,
    )


def _prompt(fields: Mapping[str, object]) -> str:
    if "prompt" not in fields:
        raise missing_parameter("prompt")
    prompt = _text(fields, "prompt", "")
    if not prompt.strip():
        raise WireError(
            400,
            "Invalid 'prompt': empty string. Expected a string with minimum length 1, but got an empty string instead.",
            param="prompt",
            code="empty_string",
        )
    if len(prompt) > MAX_PROMPT:
        raise WireError(
            400,
            f"Invalid 'prompt': string too long. Expected a string with maximum length {MAX_PROMPT}, but "
            f"got a string with length {len(prompt)} instead.",
            param="prompt",
            code="string_above_max_length",
        )
    return prompt


def _model(fields: Mapping[str, object]) -> Model:
    if "model" not in fields:
        raise missing_parameter("model")
    name = _text(fields, "model", "")
    if name not in MODELS:
        message = f"The model '{name}' does not exist or you do not have access to it."
        raise WireError(404, message, param="model", code="model_not_found")
    return name


def _text(fields: Mapping[str, object], name: str, default: str) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise invalid_type(name, "a string", value)
    return value


def _choice(fields: Mapping[str, object], name: str, choices: tuple[Choice, ...]) -> Choice | None:
    if name not in fields:
        return None
    value = _text(fields, name, "")
    for choice in choices:
        if choice == value:
            return choice
    listed = ", ".join(f"'{choice}'" for choice in choices[:-1]) + f", and '{choices[-1]}'"
    raise invalid_value(name, f"Invalid value: '{value}'. Supported values are: {listed}.")


def _integer(fields: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid_type(name, "an integer", value)
    if value < low:
        message = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}, but got {value} instead."
        raise WireError(400, message, param=name, code="integer_below_min_value")
    if value > high:
        message = f"Invalid '{name}': integer above maximum value. Expected a value <= {high}, but got {value} instead."
        raise WireError(400, message, param=name, code="integer_above_max_value")
    return value


def size_problem(width: int, height: int) -> str | None:
    """Why OpenAI refuses a size in pixels, `None` when it is legal."""
    short, long = sorted((width, height))
    if short < 1 or width % 16 or height % 16:
        return "Width and height must be divisible by 16."
    if long > MAX_EDGE:
        return f"The longest edge must be less than or equal to {MAX_EDGE}."
    if long > MAX_RATIO * short:
        return "The ratio of the longest to the shortest edge must be at most 3:1."
    if width * height < MIN_AREA:
        return f"The image must have at least {MIN_AREA} pixels."
    if width * height > MAX_AREA:
        return f"The image must have at most {MAX_AREA} pixels."
    return None


def _size(text: str) -> tuple[int, int] | None:
    if text == "auto":
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text, re.ASCII)
    if match is None:
        raise invalid_value("size", f"Invalid size '{text}'. Expected 'auto' or WIDTHxHEIGHT, as in '1024x1024'.")
    width, height = int(match[1]), int(match[2])
    problem = size_problem(width, height)
    if problem is not None:
        raise invalid_value("size", f"Invalid size '{text}'. {problem}")
    return width, height


def _from_text(name: str, text: str) -> object:
    """A form's text as the JSON value it stands for; what does not convert is left for the check to refuse."""
    if name in INTEGER_FIELDS and re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        return int(text)
    if name == "stream" and text in {"true", "false"}:
        return text == "true"
    return text


def _duplicate(name: str) -> WireError:
    message = (
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas only one is allowed. "
        f"If you are trying to provide a list of values, use the array syntax instead e.g. '{name}[]=<value>'."
    )
    return WireError(400, message, param=name, code="duplicate_parameter")


def _input_images(parts: list[Part]) -> tuple[Image.Image, ...]:
    single = [part for part in parts if part.name == "image"]
    listed = [part for part in parts if part.name == "image[]"]
    if len(single) > 1:
        raise _duplicate("image")
    files = single + listed
    if not files:
        raise missing_parameter("image")
    if len(files) > MAX_IMAGES:
        message = (
            f"Invalid 'image': array too long. Expected an array with maximum length {MAX_IMAGES}, but got an array "
            f"with length {len(files)} instead."
        )
        raise WireError(400, message, param="image", code="array_above_max_length")
    opened = (_opened(part, place, MAX_IMAGE_BYTES) for place, part in enumerate(files, start=1))
    return tuple(_on_white(picture) for picture in opened)


def _opened(part: Part, place: int, max_bytes: int) -> Image.Image:
    name = part.name.removesuffix("[]")
    if part.content_type not in MIMES:
        message = (
            f"Invalid file '{name}': unsupported mimetype ('{part.content_type}'). Supported file formats are "
            "'image/jpeg', 'image/png', and 'image/webp'."
        )
        raise WireError(400, message, param=name, code="unsupported_file_mimetype")
    if len(part.content) > max_bytes:
        raise WireError(400, f"Invalid file '{name}': file too large.", param=name, code="file_too_large")
    bad = WireError(
        400,
        f"Invalid image file or mode for {name} {place}, please check your image file.",
        kind=USER_ERROR,
        param=name,
        code="invalid_image_file",
    )
    try:
        with Image.open(io.BytesIO(part.content), formats=list(MIMES.values())) as picture:
            picture.load()
            return ImageOps.exif_transpose(picture)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise bad from error


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    sheet = Image.new("RGB", layers.size, "white")
    sheet.paste(layers, mask=layers.getchannel("A"))
    return sheet


def _mask(parts: list[Part], base: Image.Image) -> Image.Image | None:
    masks = [part for part in parts if part.name == "mask"]
    if not masks:
        return None
    if len(masks) > 1:
        raise _duplicate("mask")
    picture = _opened(masks[0], 1, MAX_MASK_BYTES)
    if picture.size != base.size:
        message = (
            f"Invalid mask image size: the mask ({picture.width}x{picture.height}) must have the same size as the "
            f"image ({base.width}x{base.height})."
        )
        raise WireError(400, message, kind=USER_ERROR, param="mask", code="invalid_image_file")
    if masks[0].content_type != "image/png" or not picture.has_transparency_data:
        message = "Invalid mask image format: the mask must be a PNG with an alpha channel."
        raise WireError(400, message, kind=USER_ERROR, param="mask", code="invalid_image_file")
    return picture.convert("RGBA").getchannel("A")
