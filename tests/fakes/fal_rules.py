"""Judges requests to fal's image endpoints: what each one accepts, as data, and pure checks that report every flaw.

Written from the provider reference (sections 0.4, 5 and 7) and never from this program's own catalogue. Nothing is
repaired or guessed: what the reference does not list for an endpoint is refused there.
"""

import base64
import binascii
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from tests.fakes.openai_facts import TWO, Size, size_problem
from tests.fakes.openai_images import sniffed

Hosted = Callable[[str], tuple[bytes, str] | None]
"""Bytes and media type of the file at an address of this server (no bytes: gone); None for any other address."""

Flaw = tuple[str, str]
"""Error type and message."""

Check = Callable[[Any], Flaw | None]

DOCS = "https://docs.fal.ai/errors#"
FIXED_SIZES: Mapping[str, Size] = MappingProxyType(
    {"1024x1024": (1024, 1024), "1536x1024": (1536, 1024), "1024x1536": (1024, 1536)}
)
PRESETS: Mapping[str, Size] = MappingProxyType(
    {
        "square_hd": (1024, 1024),
        "square": (1024, 1024),
        "portrait_4_3": (768, 1024),
        "portrait_16_9": (576, 1024),
        "landscape_4_3": (1024, 768),
        "landscape_16_9": (1024, 576),
    }
)
"""Their pixels are fal's usual ones; `square` is 512 elsewhere, which is no legal size of these models."""
AUTO_SIZE = (1024, 1024)
FORMATS = ("png", "jpeg", "webp")
BACKGROUNDS = ("auto", "transparent", "opaque")
FIDELITIES = ("low", "high")
NUM_IMAGES_MAX = 4
IMAGE_URLS_MAX = 16

_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule as the service words it."""

    loc: tuple[str | int, ...]
    msg: str
    type: str

    def detail(self) -> dict[str, object]:
        """The entry of the error's `detail` list."""
        return {"loc": ["body", *self.loc], "msg": self.msg, "type": self.type, "url": DOCS + self.type}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one endpoint accepts. An edit takes `image_urls`, a text endpoint does not."""

    qualities: tuple[str, ...]
    edit: bool = False
    free_size: bool = False
    """Presets and width/height (2, 2.5), without `background`; else three fixed sizes and `background`."""
    fidelity: bool = False
    mask_field: str | None = None
    """What the mask is called here; None: no masks."""


_THREE = ("low", "medium", "high")
_FOUR = ("auto", *_THREE)
_SIX = (*_FOUR, "xhigh", "max")

ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "fal-ai/gpt-image-1/text-to-image": Endpoint(_THREE),
        "fal-ai/gpt-image-1/edit-image": Endpoint(_FOUR, edit=True, fidelity=True),
        "fal-ai/gpt-image-1-mini": Endpoint(_FOUR),
        "fal-ai/gpt-image-1-mini/edit": Endpoint(_FOUR, edit=True),
        "fal-ai/gpt-image-1.5": Endpoint(_THREE),
        "fal-ai/gpt-image-1.5/edit": Endpoint(_THREE, edit=True, fidelity=True, mask_field="mask_image_url"),
        "openai/gpt-image-2": Endpoint(_FOUR, free_size=True),
        "openai/gpt-image-2/edit": Endpoint(_FOUR, edit=True, free_size=True, mask_field="mask_url"),
        "openai/gpt-image-2.5/flare/text-to-image": Endpoint(_SIX, free_size=True),
        "openai/gpt-image-2.5/flare/edit": Endpoint(_SIX, edit=True, free_size=True, mask_field="mask_url"),
        "openai/gpt-image-2.5/sunburst/text-to-image": Endpoint(_SIX, free_size=True),
        "openai/gpt-image-2.5/sunburst/edit": Endpoint(_SIX, edit=True, free_size=True, mask_field="mask_url"),
    }
)


def judge(endpoint: Endpoint, body: object, hosted: Hosted) -> list[Problem]:
    """Every rule that this parsed JSON body breaks at the endpoint."""
    if not isinstance(body, dict):
        return [Problem((), "Input should be a valid dictionary", "model_attributes_type")]
    checks = _checks(endpoint)
    images = {name for name in ("image_urls" if endpoint.edit else None, endpoint.mask_field) if name}
    required = ("prompt", "image_urls") if endpoint.edit else ("prompt",)
    problems = [Problem((name,), "Field required", "missing") for name in required if name not in body]
    for name, value in body.items():
        if name in checks:
            problems += _problems(name, checks[name](value))
        elif name not in images:
            problems.append(Problem((name,), "Extra inputs are not permitted", "extra_forbidden"))
    if body.get("background") == "transparent" and body.get("output_format") == "jpeg":
        problems.append(_value_error("background", "jpeg has no transparency"))
    return problems + _check_images(endpoint, body, hosted)


def pixel_size(endpoint: Endpoint, body: Mapping[str, Any]) -> Size:
    """Width and height of the images that a body without flaws asks for."""
    asked = body.get("image_size", "auto" if endpoint.edit or not endpoint.free_size else "landscape_4_3")
    if isinstance(asked, dict):
        return asked["width"], asked["height"]
    return {**FIXED_SIZES, **PRESETS}.get(asked, AUTO_SIZE)


def decoded(data: bytes, content_type: str) -> Image.Image | None:
    """The picture, or None when the bytes are not a whole image of that type."""
    if sniffed(data) != content_type:
        return None
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except _UNREADABLE:
        return None
    return image


def is_good_header(name: str, value: str, *, upload: bool) -> bool:
    """Whether this x-fal-* header (name in lower case) is one of the reference's, with a value it can have."""
    match name:
        case "x-fal-file-name":
            return upload
        case "x-fal-no-retry":
            return value == "1"
        case "x-fal-store-io":
            return value in ("0", "1")
        case "x-fal-queue-priority":
            return value in ("normal", "low")
        case "x-fal-request-timeout":
            return value.replace(".", "", 1).isdecimal() and float(value) > 0
        case "x-fal-object-lifecycle-preference":
            return _is_lifecycle(value)
    return False


def _checks(endpoint: Endpoint) -> dict[str, Check]:
    """The fields of the endpoint whose value can be judged alone."""
    sizes = ("auto", *FIXED_SIZES) if endpoint.edit else tuple(FIXED_SIZES)
    checks: dict[str, Check] = {
        "prompt": _prompt_flaw,
        "image_size": _free_size_flaw if endpoint.free_size else partial(_choice_flaw, sizes),
        "quality": partial(_choice_flaw, endpoint.qualities),
        "num_images": _count_flaw,
        "output_format": partial(_choice_flaw, FORMATS),
        "sync_mode": _flag_flaw,
    }
    if not endpoint.free_size:
        checks["background"] = partial(_choice_flaw, BACKGROUNDS)
    if endpoint.fidelity:
        checks["input_fidelity"] = partial(_choice_flaw, FIDELITIES)
    return checks


def _problems(name: str, flaw: Flaw | None) -> list[Problem]:
    return [Problem((name,), flaw[1], flaw[0])] if flaw else []


def _value_error(name: str | int, words: str, *more: str | int) -> Problem:
    return Problem((name, *more), f"Value error, {words}", "value_error")


def _prompt_flaw(value: object) -> Flaw | None:
    if not isinstance(value, str):
        return "string_type", "Input should be a valid string"
    return None if value else ("string_too_short", "String should have at least 1 character")


def _choice_flaw(choices: tuple[str, ...], value: object) -> Flaw | None:
    if isinstance(value, str) and value in choices:
        return None
    return "literal_error", f"Input should be one of {', '.join(choices)}"


def _count_flaw(value: object) -> Flaw | None:
    if type(value) is not int:
        return "int_type", "Input should be a valid integer"
    if value < 1:
        return "greater_than_equal", "Input should be greater than or equal to 1"
    return ("less_than_equal", f"Input should be at most {NUM_IMAGES_MAX}") if value > NUM_IMAGES_MAX else None


def _flag_flaw(value: object) -> Flaw | None:
    return None if isinstance(value, bool) else ("bool_type", "Input should be a valid boolean")


def _free_size_flaw(value: object) -> Flaw | None:
    if not isinstance(value, dict):
        return _choice_flaw((*PRESETS, "auto"), value)
    if set(value) != {"width", "height"} or any(type(side) is not int for side in value.values()):
        return "value_error", "Value error, a size is an object of exactly width and height, both integers"
    problem = size_problem(f"{value['width']}x{value['height']}", TWO)
    return ("value_error", f"Value error, {problem}") if problem else None


def _check_images(endpoint: Endpoint, body: Mapping[str, object], hosted: Hosted) -> list[Problem]:
    if not endpoint.edit or "image_urls" not in body:
        return []
    urls = body["image_urls"]
    if not isinstance(urls, list):
        return [Problem(("image_urls",), "Input should be a valid list", "list_type")]
    if not 1 <= len(urls) <= IMAGE_URLS_MAX:
        return [_value_error("image_urls", f"expected 1 to {IMAGE_URLS_MAX} images, got {len(urls)}")]
    found = [_image(url, ("image_urls", number), hosted) for number, url in enumerate(urls)]
    problems = [one for one in found if isinstance(one, Problem)]
    name = endpoint.mask_field
    if name and name in body:
        first = found[0] if isinstance(found[0], Image.Image) else None
        problems += _check_mask(name, _image(body[name], (name,), hosted), first)
    return problems


def _check_mask(name: str, mask: Image.Image | Problem | None, first: Image.Image | None) -> list[Problem]:
    """Flaws of a mask; one that lies elsewhere (None), or whose image does, is not compared."""
    if isinstance(mask, Problem):
        return [mask]
    if mask is None:
        return []
    if mask.format != "PNG" or not mask.has_transparency_data:
        return [_value_error(name, "the mask must be a PNG with an alpha channel")]
    if first is not None and mask.size != first.size:
        return [_value_error(name, f"the mask is {mask.size}, but the first image is {first.size}")]
    return []


def _image(url: object, loc: tuple[str | int, ...], hosted: Hosted) -> Image.Image | Problem | None:
    """The image at an address, or what is wrong with it; None when it lies elsewhere: nothing is fetched."""
    if not isinstance(url, str):
        return Problem(loc, "Input should be a valid string", "string_type")
    file = _data_uri(url) if url.startswith("data:") else hosted(url)
    if file is None:
        if _is_https(url):
            return None
        return _value_error(loc[0], "expected a data URI in base64 or an https URL", *loc[1:])
    if not file[1]:
        return Problem(loc, "Failed to download the file.", "file_download_error")
    return decoded(*file) or Problem(loc, f"Failed to load the image as {file[1]}.", "image_load_error")


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and url.isascii() and not any(map(str.isspace, url))


def _data_uri(url: str) -> tuple[bytes, str] | None:
    head, comma, text = url.partition(",")
    content_type = head.removeprefix("data:").removesuffix(";base64")
    if not comma or head != f"data:{content_type};base64":
        return None
    try:
        return base64.b64decode(text, validate=True), content_type
    except (binascii.Error, ValueError):
        return None


def _is_lifecycle(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if not isinstance(value, dict) or set(value) != {"expiration_duration_seconds"}:
        return False
    seconds = value["expiration_duration_seconds"]
    return type(seconds) in (int, float) and seconds > 0
