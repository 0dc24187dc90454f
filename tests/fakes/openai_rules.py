"""Judges requests to OpenAI's image API: pure functions from what was sent to a `Job` or to refusals.

Every broken rule is reported, not only the first, and nothing is repaired or guessed: what the provider
reference does not allow is refused. Codes and messages are those of the reference where it has them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from tests.fakes import openai_facts as facts
from tests.fakes.openai_images import Upload, check_image, check_overlay, references
from tests.fakes.pictures import Format
from tests.fakes.refusals import Refusal, bad_value, duplicate, missing, unknown, user_error, wrong_type
from tests.fakes.wire import Part

Operation = Literal["generate", "edit"]
Values = dict[str, object]

_SHARED = {
    "prompt": str,
    "model": str,
    "n": int,
    "size": str,
    "quality": str,
    "background": str,
    "output_format": str,
    "output_compression": int,
    "stream": bool,
    "partial_images": int,
    "user": str,
}
_PREVIEW = {"complexity": str, "frame_count": int, "frame_duration_ms": int}
GENERATION_FIELDS: Mapping[str, type] = _SHARED | _PREVIEW | {"moderation": str, "safety_identifier": str, "svg": dict}
FORM_FIELDS: Mapping[str, type] = (
    _SHARED
    | _PREVIEW
    | {"input_fidelity": str, "safety_identifier": str, "svg[model]": str, "svg[reasoning][effort]": str}
)
EDIT_JSON_FIELDS: Mapping[str, type] = _SHARED | {
    "input_fidelity": str,
    "moderation": str,
    "images": list,
    "mask": dict,
}
_FILE_FIELDS = ("image", "image[]", "mask", "markup")
_TYPE_WORDS = {str: "a string", int: "an integer", bool: "a boolean", list: "an array", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Job:
    """A request that breaks no rule. `auto` values are still `auto`."""

    operation: Operation
    model: str
    family: facts.Family
    prompt: str
    n: int
    size: str
    quality: str
    background: str
    output_format: Format
    output_compression: int
    stream: bool
    partial_images: int
    identifier: str | None
    """The safety identifier to echo; `user` when that is all there is."""
    high_fidelity: bool
    input_sizes: tuple[facts.Size, ...]


@dataclass(slots=True)
class Verdict:
    """Either a job, or why not; the service answers with the first refusal."""

    job: Job | None = None
    refusals: list[Refusal] = field(default_factory=list)


def judge_generation(body: object, models: Mapping[str, facts.Family]) -> Verdict:
    """The verdict on a parsed JSON body of `POST /images/generations`."""
    values, refusals = _typed_json(body, GENERATION_FIELDS)
    refusals += _check_values(values, models)
    return _verdict("generate", values, refusals, (), models)


def judge_edit_form(parts: tuple[Part, ...], models: Mapping[str, facts.Family]) -> Verdict:
    """The verdict on the form parts of `POST /images/edits`."""
    values, refusals = _typed_form(parts)
    refusals += _check_values(values, models) + _check_fidelity(values, models)
    files = [part for part in parts if part.name in _FILE_FIELDS]
    refusals += _check_file_fields(files)
    images = [Upload(part.data, part.content_type) for part in files if part.name.startswith("image")]
    overlays = {part.name: Upload(part.data, part.content_type) for part in files if not part.name.startswith("image")}
    sizes, found = _check_inputs(images, overlays)
    family = models.get(str(values.get("model")))
    if "markup" in overlays and family is not None and not family.markup:
        found.append(bad_value("markup", "The model does not support 'markup'."))
    return _verdict("edit", values, refusals + found, sizes, models)


def judge_edit_json(body: object, models: Mapping[str, facts.Family]) -> Verdict:
    """The verdict on the JSON variant of `POST /images/edits`."""
    values, refusals = _typed_json(body, EDIT_JSON_FIELDS)
    refusals += _check_values(values, models) + _check_fidelity(values, models)
    if values.get("size", "auto") not in (*facts.FIXED_SIZES, "auto"):
        refusals.append(bad_value("size", f"Invalid size {values['size']!r} for a JSON edit."))
    images, found = references(values.get("images"), "images")
    refusals += found
    overlays: dict[str, Upload | None] = {}
    if "mask" in values:
        masks, found = references([values["mask"]], "mask")
        refusals += found
        overlays = {"mask": masks[0]} if masks else {}
    sizes, found = _check_inputs(images, overlays)
    return _verdict("edit", values, refusals + found, sizes, models)


def _verdict(
    operation: Operation,
    values: Values,
    refusals: list[Refusal],
    sizes: tuple[facts.Size, ...],
    models: Mapping[str, facts.Family],
) -> Verdict:
    if refusals:
        return Verdict(refusals=refusals)
    return Verdict(
        Job(
            operation=operation,
            model=_text(values, "model"),
            family=models[_text(values, "model")],
            prompt=_text(values, "prompt"),
            n=_number(values, "n", 1),
            size=_text(values, "size", "auto"),
            quality=_text(values, "quality", "auto"),
            background=_text(values, "background", "auto"),
            output_format=cast("Format", _text(values, "output_format", "png")),
            output_compression=_number(values, "output_compression", 100),
            stream=values.get("stream") is True,
            partial_images=_number(values, "partial_images", 0),
            identifier=_text(values, "safety_identifier") or _text(values, "user") or None,
            high_fidelity=values.get("input_fidelity") == "high",
            input_sizes=sizes,
        )
    )


def _text(values: Values, name: str, default: str = "") -> str:
    return str(values.get(name, default))


def _number(values: Values, name: str, default: int) -> int:
    value = values.get(name, default)
    return value if isinstance(value, int) else default


def _typed_json(body: object, fields: Mapping[str, type]) -> tuple[Values, list[Refusal]]:
    """The fields of the right type (a null counts as not sent), and a refusal for every other."""
    if not isinstance(body, dict):
        return {}, [Refusal("The request body must be a JSON object.", code="invalid_type")]
    values: Values = {}
    refusals = []
    for name, value in body.items():
        if name not in fields:
            refusals.append(unknown(name))
        elif value is None and name not in ("prompt", "user"):
            continue
        elif type(value) is not fields[name]:
            refusals.append(wrong_type(name, _TYPE_WORDS[fields[name]], value))
        else:
            values[name] = value
    return values, refusals


def _typed_form(parts: tuple[Part, ...]) -> tuple[Values, list[Refusal]]:
    """The text fields of a form as values of their type, and a refusal for each that cannot be read."""
    values: Values = {}
    refusals = []
    seen: set[str] = set()
    for part in parts:
        if part.name in _FILE_FIELDS:
            continue
        if part.name not in FORM_FIELDS:
            refusals.append(unknown(part.name))
        elif part.name in seen:
            refusals.append(duplicate(part.name))
        elif part.filename is not None or part.content_type not in (None, "text/plain", "text/plain; charset=utf-8"):
            refusals.append(wrong_type(part.name, "a plain text field", part.data))
        else:
            value = _form_value(part.data, FORM_FIELDS[part.name])
            if value is None:
                refusals.append(wrong_type(part.name, _TYPE_WORDS[FORM_FIELDS[part.name]], part.data))
            else:
                values[part.name] = value
        seen.add(part.name)
    return values, refusals


def _form_value(data: bytes, kind: type) -> object | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if kind is int:
        return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None
    if kind is bool:
        return {"true": True, "false": False}.get(text)
    return text


def _check_values(values: Values, models: Mapping[str, facts.Family]) -> list[Refusal]:
    refusals = _check_prompt(values) + _check_model(values, models)
    family = models.get(str(values.get("model")))
    if family is not None:
        refusals += _check_for_family(values, family)
    refusals += _check_choice(values, "background", facts.BACKGROUNDS)
    refusals += _check_choice(values, "moderation", facts.MODERATIONS)
    refusals += _check_range(values, "n", 1, facts.N_MAX)
    identifier = values.get("safety_identifier", "")
    if isinstance(identifier, str) and len(identifier) > facts.IDENTIFIER_MAX:
        refusals.append(bad_value("safety_identifier", f"Expected at most {facts.IDENTIFIER_MAX} characters."))
    return refusals + _check_output(values) + _check_stream(values)


def _check_prompt(values: Values) -> list[Refusal]:
    prompt = values.get("prompt")
    if not isinstance(prompt, str):
        return [missing("prompt")]
    if not 1 <= len(prompt) <= facts.PROMPT_MAX:
        return [bad_value("prompt", f"Expected 1 to {facts.PROMPT_MAX} characters, but got {len(prompt)}.")]
    if any(0xD800 <= ord(character) <= 0xDFFF for character in prompt):
        return [bad_value("prompt", "The prompt is not valid Unicode.")]
    return []


def _check_model(values: Values, models: Mapping[str, facts.Family]) -> list[Refusal]:
    if "model" not in values:
        return [missing("model")]
    if values["model"] in models:
        return []
    words = f"The model '{values['model']}' does not exist or you do not have access to it."
    return [Refusal(words, code="model_not_found", status=404)]


def _check_for_family(values: Values, family: facts.Family) -> list[Refusal]:
    refusals = _check_choice(values, "quality", family.qualities)
    size = str(values.get("size", "auto"))
    if problem := facts.size_problem(size, family):
        refusals.append(user_error("size", f"Invalid size {size!r}. {problem}"))
    if "complexity" in values and not family.complexity:
        refusals.append(bad_value("complexity", "The model does not support 'complexity'."))
    return refusals + _check_choice(values, "complexity", facts.COMPLEXITIES)


def _check_fidelity(values: Values, models: Mapping[str, facts.Family]) -> list[Refusal]:
    family = models.get(str(values.get("model")))
    if family is None or "input_fidelity" not in values:
        return []
    if not family.fidelities:
        words = f"The model '{values['model']}' does not support the 'input_fidelity' parameter."
        return [user_error("input_fidelity", words, code="invalid_input_fidelity_model")]
    return _check_choice(values, "input_fidelity", family.fidelities)


def _check_output(values: Values) -> list[Refusal]:
    output_format = values.get("output_format", "png")
    if output_format in facts.GATED_FORMATS:
        return [bad_value("output_format", f"This project has no access to the {output_format} preview.")]
    refusals = _check_choice(values, "output_format", facts.FORMATS)
    refusals += [
        bad_value(name, f"'{name}' needs a gif or svg output_format.")
        for name in values
        if name.startswith(("frame_", "svg"))
    ]
    if values.get("background") == "transparent" and output_format == "jpeg":
        refusals.append(bad_value("background", "Transparent background is not supported for jpeg."))
    if "output_compression" in values and output_format not in ("jpeg", "webp"):
        refusals.append(bad_value("output_compression", "Compression needs jpeg or webp output."))
    return refusals + _check_range(values, "output_compression", 0, 100)


def _check_stream(values: Values) -> list[Refusal]:
    refusals = _check_range(values, "partial_images", 0, facts.PARTIALS_MAX)
    if "partial_images" in values and values.get("stream") is not True:
        refusals.append(bad_value("partial_images", "'partial_images' needs stream=true."))
    return refusals


def _check_choice(values: Values, name: str, choices: tuple[str, ...]) -> list[Refusal]:
    if name not in values or values[name] in choices:
        return []
    return [bad_value(name, f"Invalid value: {values[name]!r}. Supported values are: {', '.join(choices)}.")]


def _check_range(values: Values, name: str, low: int, high: int) -> list[Refusal]:
    value = values.get(name, low)
    if isinstance(value, int) and low <= value <= high:
        return []
    return [bad_value(name, f"Expected an integer from {low} to {high}, but got {value}.")]


def _check_file_fields(files: list[Part]) -> list[Refusal]:
    names = [part.name for part in files]
    refusals = [duplicate(name) for name in ("image", "mask", "markup") if names.count(name) > 1]
    if "image" in names and "image[]" in names:
        refusals.append(duplicate("image"))
    if "mask" in names and "markup" in names:
        refusals.append(bad_value("markup", "'markup' cannot be combined with 'mask'."))
    refusals += [bad_value(part.name, "Expected a file with a filename.") for part in files if not part.filename]
    return refusals


def _check_inputs(
    images: Sequence[Upload | None], overlays: Mapping[str, Upload | None]
) -> tuple[tuple[facts.Size, ...], list[Refusal]]:
    """Pixel sizes of the input images, and what is wrong with them, with the mask and with the markup.

    None stands for a reference whose bytes are elsewhere: it is taken as 1024x1024 and not checked.
    """
    if not images:
        return (), [missing("image")]
    refusals = []
    if len(images) > facts.IMAGES_MAX:
        refusals.append(bad_value("image", f"Expected at most {facts.IMAGES_MAX} images, but got {len(images)}."))
    sizes = []
    for number, image in enumerate(images, start=1):
        size, found = check_image(image, number) if image else ((1024, 1024), [])
        refusals += found
        sizes.append(size)
    for name, overlay in overlays.items():
        if overlay and images[0]:
            refusals += check_overlay(name, overlay, images[0])
    return tuple(sizes), refusals
