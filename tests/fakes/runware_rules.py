"""Judges Runware's tasks: pure functions from one task object to a `Job` or to refusals, and the price of an image.

Which keys a task may have, and what each may hold, is data for each model (`MODELS`). Every broken rule is
reported, nothing is repaired: what the provider reference (section 3) does not allow is refused.
"""

import base64
import binascii
import io
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from PIL import Image

from tests.fakes import openai_facts as facts
from tests.fakes.pictures import Format

TaskObject = Mapping[str, object]

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
FORMATS: Mapping[str, Format] = MappingProxyType({"JPG": "jpeg", "PNG": "png", "WEBP": "webp"})
PROMPT_MAX = 32_000
IMAGES_MAX = 16
RESULTS_MAX = 20
TTL_MIN = 60
_TEXT_MICROUSD = 125
"""What the published example (0.006005 for a small flare image) costs above its output tokens."""
_TOKEN_MICROUSD = 30
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One broken rule as the service words it."""

    code: str
    message: str
    parameter: str | tuple[str, ...]
    allowed: tuple[str, ...] = ()

    def body(self, task: TaskObject) -> dict[str, object]:
        """The error object of this task."""
        shown = self.parameter if isinstance(self.parameter, str) else list(self.parameter)
        return (
            {"code": self.code, "message": self.message, "parameter": shown}
            | {name: task[name] for name in ("taskType", "taskUUID") if name in task}
            | ({"allowedValues": list(self.allowed)} if self.allowed else {})
        )


Check = Callable[[str, object], list[Refusal]]
"""From the name and the value of a parameter to what is wrong with it."""


def invalid(path: str, words: str, *, family: str = "invalid", allowed: tuple[str, ...] = ()) -> Refusal:
    """A refusal with a code like `invalidOutputFormat`."""
    leaf = path.rpartition(".")[2]
    return Refusal(f"{family}{leaf[0].upper()}{leaf[1:]}", f"Invalid value for '{path}': {words}", path, allowed)


def integer(low: int, high: int | None = None) -> Check:
    def check(path: str, value: object) -> list[Refusal]:
        if type(value) is int and value >= low and (high is None or value <= high):
            return []
        limit = f"of at least {low}" if high is None else f"from {low} to {high}"
        return [invalid(path, f"expected an integer {limit}.")]

    return check


def choice(*allowed: str) -> Check:
    def check(path: str, value: object) -> list[Refusal]:
        return [] if value in allowed else [invalid(path, f"expected one of {', '.join(allowed)}.", allowed=allowed)]

    return check


def text(low: int, high: int) -> Check:
    def check(path: str, value: object) -> list[Refusal]:
        if not isinstance(value, str) or not low <= len(value) <= high:
            return [invalid(path, f"expected a string of {low} to {high} characters.")]
        halves = any(0xD800 <= ord(character) <= 0xDFFF for character in value)
        return [invalid(path, "expected valid Unicode.")] if halves else []

    return check


def mapping(fields: Mapping[str, Check]) -> Check:
    """An object with no keys but these."""

    def check(path: str, value: object) -> list[Refusal]:
        if not isinstance(value, dict):
            return [invalid(path, "expected an object.")]
        found = []
        for name, held in value.items():
            inner = f"{path}.{name}" if path else name
            found += fields[name](inner, held) if name in fields else [_unknown(inner)]
        return found

    return check


def boolean(path: str, value: object) -> list[Refusal]:
    return [] if isinstance(value, bool) else [invalid(path, "expected a boolean.")]


def address(path: str, value: object) -> list[Refusal]:
    good = isinstance(value, str) and re.fullmatch(r"https?://[^\s/]\S*", value)
    return [] if good else [invalid(path, "expected an HTTP address.")]


def uuid4(path: str, value: object) -> list[Refusal]:
    good = isinstance(value, str) and UUID4.fullmatch(value)
    return [] if good else [invalid(path, "expected a UUID v4.")]


def texts(path: str, value: object) -> list[Refusal]:
    if isinstance(value, list) and 1 <= len(value) <= IMAGES_MAX and all(isinstance(item, str) for item in value):
        return []
    return [invalid(path, f"expected an array of 1 to {IMAGES_MAX} strings.")]


def absent(path: str, value: object) -> list[Refusal]:
    """A parameter the service knows but this model does not take."""
    return [Refusal("unsupportedParameter", f"This model does not support '{path}'.", path)]


def _unknown(path: str) -> Refusal:
    return Refusal("unknownParameter", f"Unknown parameter '{path}'.", path)


def _missing(path: str) -> Refusal:
    return Refusal(f"missing{path[0].upper()}{path[1:]}", f"Missing required parameter '{path}'.", path)


@dataclass(frozen=True, slots=True)
class Model:
    """What one AIR id takes."""

    family: facts.Family
    fields: Mapping[str, Check]
    size_required: bool = False
    prices: Mapping[str, tuple[int, int, int]] | None = None
    """Quality to micro-dollars of a square, a portrait and a landscape; None: counted by tokens."""


_TYPE_AND_ID: dict[str, Check] = {"taskType": lambda path, value: [], "taskUUID": uuid4}
_TASK: dict[str, Check] = _TYPE_AND_ID | {
    "model": lambda path, value: [],
    "positivePrompt": text(1, PROMPT_MAX),
    "width": integer(16, facts.LONG_EDGE_MAX),
    "height": integer(16, facts.LONG_EDGE_MAX),
    "numberResults": integer(1, RESULTS_MAX),
    "outputType": choice("URL", "base64Data", "dataURI"),
    "outputFormat": choice(*FORMATS),
    "outputQuality": integer(20, 99),
    "inputs": mapping({"referenceImages": texts, "mask": absent}),
    "includeCost": boolean,
    "deliveryMethod": choice("sync", "async"),
    "ttl": integer(TTL_MIN),
    "webhookURL": address,
    "uploadEndpoint": address,
    "safety": mapping({"checkContent": boolean, "mode": choice("none", "fast")}),
}
_AUTO_TO_HIGH = choice("auto", "low", "medium", "high")
_AUTO_TO_MAX = choice("auto", "low", "medium", "high", "xhigh", "max")
_OPAQUE = choice("auto", "opaque")
_ANY_BACKGROUND = choice("auto", "opaque", "transparent")
_MODERATION = choice("auto", "low")
_OLD_SETTINGS = mapping({"quality": _AUTO_TO_HIGH, "background": _ANY_BACKGROUND, "moderation": absent})
_TWO_SETTINGS = mapping({"quality": _AUTO_TO_HIGH, "background": _OPAQUE, "moderation": _MODERATION})
_TWO_FIVE_SETTINGS = mapping({"quality": _AUTO_TO_MAX, "background": _ANY_BACKGROUND, "moderation": _MODERATION})
_OLD = _TASK | {"settings": _OLD_SETTINGS, "providerSettings": mapping({"openai": _OLD_SETTINGS})}
_TWO = _TASK | {"settings": _TWO_SETTINGS, "providerSettings": absent}
_TWO_FIVE = _TASK | {"settings": _TWO_FIVE_SETTINGS, "providerSettings": absent}
_ONE_PRICES = {
    "low": (11_000, 16_000, 16_000),
    "medium": (42_000, 63_000, 63_000),
    "high": (167_000, 250_000, 250_000),
}
_MINI_PRICES = {
    "low": (5_000, 6_000, 6_000),
    "medium": (11_000, 15_000, 15_000),
    "high": (36_000, 52_000, 52_000),
}
_ONE_FIVE_PRICES = {
    "low": (9_000, 13_000, 13_000),
    "medium": (34_000, 51_000, 50_000),
    "high": (133_000, 200_000, 199_000),
}

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "openai:1@1": Model(facts.FIXED, _OLD, size_required=True, prices=_ONE_PRICES),
        "openai:1@2": Model(facts.MINI, _OLD, size_required=True, prices=_MINI_PRICES),
        "openai:4@1": Model(facts.FIXED, _OLD | {"positivePrompt": text(2, PROMPT_MAX)}, prices=_ONE_FIVE_PRICES),
        "openai:gpt-image@2": Model(facts.TWO, _TWO),
        "openai:gpt-image@2.5-flare": Model(facts.TWO_FIVE, _TWO_FIVE),
        "openai:gpt-image@2.5-sunburst": Model(facts.TWO_FIVE, _TWO_FIVE),
    }
)

OTHER_TASKS: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        "getResponse": _TYPE_AND_ID,
        "getTaskDetails": _TYPE_AND_ID,
        "accountManagement": _TYPE_AND_ID | {"operation": choice("getDetails")},
        "mediaStorage": _TYPE_AND_ID
        | {"operation": choice("upload"), "media": lambda path, value: _media(path, value)},
    }
)
"""Task types that make no image; every one of their fields is required."""


@dataclass(frozen=True, slots=True)
class Job:
    """An imageInference task that breaks no rule, with the service's defaults filled in."""

    task_uuid: str
    model: Model
    size: tuple[int, int]
    count: int
    output_type: Literal["URL", "base64Data", "dataURI"]
    output_format: Format
    quality: str
    transparent: bool
    waits: bool
    """Whether the answer is to be fetched later (`deliveryMethod` is `async`)."""
    include_cost: bool
    check_content: bool

    def cost(self) -> float:
        """US dollars for one image. `auto` quality is priced as medium: nobody says what it becomes."""
        quality = "medium" if self.quality == "auto" else self.quality
        if self.model.prices is None:
            tokens = facts.output_tokens(self.model.family, self.size, quality)
            return (tokens * _TOKEN_MICROUSD + _TEXT_MICROUSD) / 1_000_000
        width, height = self.size
        place = 0 if width == height else 1 if width < height else 2
        return self.model.prices[quality][place] / 1_000_000


def judge_other(task: TaskObject) -> list[Refusal]:
    """What is wrong with a task that makes no image."""
    fields = OTHER_TASKS[str(task["taskType"])]
    return [_missing(name) for name in fields if name not in task] + mapping(fields)("", task)


def judge_inference(task: TaskObject, *, known: Collection[str]) -> Job | list[Refusal]:
    """The job, or what is wrong with an imageInference task. `known`: ids and addresses of uploaded images."""
    name = task.get("model")
    refusals = [_missing(field) for field in ("taskUUID", "model", "positivePrompt") if field not in task]
    model = MODELS.get(name) if isinstance(name, str) else None
    if model is None:
        if "model" in task:
            refusals.append(Refusal("unknownModel", f"Unknown model {name!r}.", "model", tuple(MODELS)))
        return refusals
    refusals += mapping(model.fields)("", task)
    refusals += _check_size(task, model) + _check_settings(task) + _check_references(task, known)
    if "ttl" in task and task.get("outputType", "URL") != "URL":
        refusals.append(invalid("ttl", "only allowed with outputType URL.", family="unsupported"))
    return refusals or _job(task, model)


def _job(task: TaskObject, model: Model) -> Job:
    settings, safety = _settings(task), task.get("safety")
    output_type: Literal["URL", "base64Data", "dataURI"] = "URL"
    if task.get("outputType") in ("base64Data", "dataURI"):
        output_type = "base64Data" if task["outputType"] == "base64Data" else "dataURI"
    return Job(
        task_uuid=str(task["taskUUID"]),
        model=model,
        size=(_number(task, "width", 1024), _number(task, "height", 1024)),
        count=_number(task, "numberResults", 1),
        output_type=output_type,
        output_format=FORMATS[str(task.get("outputFormat", "JPG"))],
        quality=str(settings.get("quality", "auto")),
        transparent=settings.get("background") == "transparent",
        waits=task.get("deliveryMethod") == "async",
        include_cost=task.get("includeCost") is True,
        check_content=isinstance(safety, dict) and safety.get("checkContent") is True,
    )


def _number(task: TaskObject, name: str, default: int) -> int:
    value = task.get(name, default)
    return value if isinstance(value, int) else default


def _settings(task: TaskObject) -> Mapping[str, object]:
    """Quality and background, wherever they stand."""
    holder = task.get("providerSettings")
    found = holder.get("openai") if isinstance(holder, dict) else task.get("settings")
    return found if isinstance(found, dict) else {}


def _check_size(task: TaskObject, model: Model) -> list[Refusal]:
    both = ("width", "height")
    given = [name for name in both if name in task]
    if len(given) == 1 or (model.size_required and not given):
        return [Refusal("missingDimensionParameters", "Both 'width' and 'height' are required.", both)]
    if not given or any(type(task[name]) is not int for name in both):
        return []
    size = f"{task['width']}x{task['height']}"
    problem = facts.size_problem(size, model.family)
    if problem is None:
        return []
    words = f"Invalid width/height combination {size} for this model."
    allowed = () if model.family.free_size else facts.FIXED_SIZES
    return [Refusal("unsupportedDimensions", f"{words} {problem}" if not allowed else words, both, allowed)]


def _check_settings(task: TaskObject) -> list[Refusal]:
    refusals = []
    if "settings" in task and "providerSettings" in task:
        words = "'settings' and 'providerSettings' cannot be combined."
        refusals.append(Refusal("invalidSettings", words, ("settings", "providerSettings")))
    places = (_settings(task), task.get("settings"))
    clear = any(isinstance(place, dict) and place.get("background") == "transparent" for place in places)
    if clear and task.get("outputFormat", "JPG") == "JPG":
        words = "A transparent background needs the output format PNG or WEBP."
        refusals.append(Refusal("unsupportedBackground", words, ("background", "outputFormat")))
    return refusals


def _check_references(task: TaskObject, known: Collection[str]) -> list[Refusal]:
    inputs = task.get("inputs")
    images = inputs.get("referenceImages") if isinstance(inputs, dict) else None
    if not isinstance(images, list):
        return []
    problems = [_reference_problem(image, known) for image in images if isinstance(image, str)]
    return [invalid("inputs.referenceImages", problem) for problem in problems if problem]


def _reference_problem(image: str, known: Collection[str]) -> str | None:
    if image in known or re.fullmatch(r"https://[^\s/]\S*", image):
        return None
    if UUID4.fullmatch(image):
        return "no uploaded image has this UUID."
    if "://" in image[:16]:
        return "expected an https address."
    return data_uri_problem(image) if image.startswith("data:") else _image_problem(image, None)


def data_uri_problem(uri: str) -> str | None:
    """Why this is no data URI of an image of the type it names; None when it is."""
    found = re.fullmatch(r"data:(image/[a-z.+-]+);base64,(.*)", uri, re.DOTALL)
    return _image_problem(found[2], found[1]) if found else "expected a base64 data URI of an image."


def _image_problem(encoded: str, named: str | None) -> str | None:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return "expected an https address, the UUID of an uploaded image, a data URI or base64."
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            kind = Image.MIME.get(picture.format or "")
    except _UNREADABLE:
        return "the data is no readable image."
    return None if named in (None, kind) else f"the data URI says {named} but the image is {kind}."


def _media(path: str, value: object) -> list[Refusal]:
    problem = data_uri_problem(value) if isinstance(value, str) else "expected a string."
    return [invalid(path, problem)] if problem else []
