"""Judges requests to a self-hosted image server: from what was sent to an `Order` or to refusals."""

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.fakes.compatible_dialects import Dialect, Form, Refusal
from tests.fakes.openai_images import Upload, check_image, check_overlay
from tests.fakes.wire import Part

Values = dict[str, object]

N_MAX = 10
SIDE_MAX = 4096
_TYPES = {"model": str, "prompt": str, "n": int, "size": str, "response_format": str, "output_format": str}
_FILES = ("image", "image[]", "mask", "mask[]", "mask_image")
_URLS = ("url", "url[]")


@dataclass(frozen=True, slots=True)
class Order:
    """A request that is carried out, every default filled in."""

    model: str
    prompt: str
    n: int
    size: tuple[int, int]
    form: Form
    image_format: str
    input_images: int = 0


@dataclass(slots=True)
class Verdict:
    """Either an order, or why not; the server answers with the first refusal."""

    order: Order | None = None
    refusals: list[Refusal] = field(default_factory=list)


def judge_generation(body: object, dialect: Dialect, models: Collection[str], extra: Collection[str]) -> Verdict:
    """The verdict on a parsed JSON body of `POST /v1/images/generations`."""
    if not isinstance(body, dict):
        return Verdict(refusals=[Refusal("type", "The request body must be a JSON object.", broken=True)])
    refusals = [Refusal("value", f"'{name}' is null.", name, broken=True) for name in body if body[name] is None]
    refusals += _check_known(body, dialect, extra)
    refusals += [
        Refusal("type", f"Invalid type for '{name}': {value!r}.", name, broken=True)
        for name, value in body.items()
        if value is not None and type(value) is not _TYPES.get(name, type(value))
    ]
    if dialect.bare_references:
        refusals += _check_bare_references(body)
    return _verdict(dict(body), dialect, models, refusals, edit=False, input_images=0)


def judge_edit(parts: tuple[Part, ...], dialect: Dialect, models: Collection[str], extra: Collection[str]) -> Verdict:
    """The verdict on the form parts of `POST /v1/images/edits`."""
    if not parts:
        return Verdict(refusals=[Refusal("type", "Expected a multipart/form-data body.", broken=True)])
    files = [part for part in parts if part.name in (*dialect.image_fields, *dialect.mask_fields)]
    urls = [part for part in parts if dialect.image_urls and part.name in _URLS]
    values, refusals = _typed_form([part for part in parts if part not in files and part not in urls])
    refusals = _check_known(values, dialect, extra) + refusals
    images = [part for part in files if part.name in dialect.image_fields]
    masks = [part for part in files if part.name in dialect.mask_fields]
    if not images and not urls:
        refusals.append(Refusal("missing", "Missing required parameter: 'image'.", "image", broken=True))
    refusals += _check_image_fields(images, dialect) + _check_files(images, masks, dialect)
    refusals += [
        Refusal("value", "Expected an http, https or data URL.", part.name, broken=True)
        for part in urls
        if not re.match(rb"https?://|data:image/", part.data)
    ]
    prompt = str(values.get("prompt", ""))
    if dialect.edit_prompt_max is not None and len(prompt) > dialect.edit_prompt_max:
        refusals.append(Refusal("type", f"'prompt' has more than {dialect.edit_prompt_max} characters.", "prompt"))
    return _verdict(values, dialect, models, refusals, edit=True, input_images=len(images) + len(urls))


def _verdict(
    values: Values,
    dialect: Dialect,
    models: Collection[str],
    refusals: list[Refusal],
    *,
    edit: bool,
    input_images: int,
) -> Verdict:
    refusals += [
        Refusal("missing", f"Missing required parameter: '{name}'.", name, broken=True)
        for name in ("prompt", "model")
        if not values.get(name)
    ]
    if values.get("model") and values["model"] not in models:
        words = f"The model '{values['model']}' does not exist."
        refusals.append(Refusal("model", words, "model"))
    refusals += _check_form(values, dialect, edit=edit)
    n, found = _count(values, dialect)
    size, found_in_size = _size(values, dialect, edit=edit)
    refusals += found + found_in_size
    image_format = "png" if dialect.fields is None else str(values.get("output_format", "png"))
    if image_format not in dialect.formats:
        refusals.append(Refusal("value", f"Invalid value for 'output_format': {image_format!r}.", "output_format"))
    if refusals:
        return Verdict(refusals=refusals)
    return Verdict(
        Order(
            model=str(values["model"]),
            prompt=str(values["prompt"]),
            n=n,
            size=size,
            form=_form(values, dialect, edit=edit),
            image_format=image_format,
            input_images=input_images,
        )
    )


def _check_known(names: Collection[str], dialect: Dialect, extra: Collection[str]) -> list[Refusal]:
    if dialect.fields is None:
        return []
    return [
        Refusal("unknown", f"Unknown parameter: '{name}'.", name)
        for name in names
        if name not in dialect.fields and name not in extra
    ]


def _typed_form(parts: list[Part]) -> tuple[Values, list[Refusal]]:
    """The text fields of a form as values of their type, and a refusal for each that cannot be read."""
    values: Values = {}
    refusals = []
    for part in parts:
        text = part.data.decode("utf-8", "replace")
        if part.name in _FILES:
            refusals.append(Refusal("unknown", f"Unknown parameter: '{part.name}'.", part.name))
        elif part.name in values:
            refusals.append(Refusal("both", f"Duplicate parameter: '{part.name}'.", part.name, broken=True))
        elif part.filename is not None or "\ufffd" in text:
            refusals.append(Refusal("type", f"'{part.name}' is no plain text field.", part.name, broken=True))
        elif part.name == "n" and not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
            refusals.append(Refusal("type", f"Invalid type for 'n': {text!r}.", "n", broken=True))
        else:
            values[part.name] = int(text) if part.name == "n" else text
    return values, refusals


def _check_image_fields(images: list[Part], dialect: Dialect) -> list[Refusal]:
    """Whether the field names are combined as this dialect takes them."""
    names = [part.name for part in images]
    refusals = []
    if not dialect.both_images and len(set(names)) > 1:
        refusals.append(Refusal("both", "Cannot specify both 'image' and 'image[]'.", "image", broken=True))
    if not dialect.repeats_image and names.count("image") > 1:
        refusals.append(Refusal("both", "Duplicate parameter: 'image'.", "image", broken=True))
    if len(names) > dialect.images_max:
        words = f"Expected at most {dialect.images_max} images, but got {len(names)}."
        refusals.append(Refusal("value", words, "image"))
    return refusals


def _check_files(images: list[Part], masks: list[Part], dialect: Dialect) -> list[Refusal]:
    refusals = [
        Refusal("type", f"Expected UploadFile, received text in '{part.name}'.", part.name, broken=True)
        for part in images + masks
        if not part.filename
    ]
    uploads = [Upload(part.data, part.content_type) for part in images]
    for number, upload in enumerate(uploads, start=1):
        found = [refusal.message for refusal in check_image(upload, number)[1]]
        if not found and upload.content_type not in dialect.image_types:
            found.append(f"Unsupported type {upload.content_type!r}.")
        refusals += [Refusal("value", words, "image", broken=True) for words in found]
    if len(masks) > 1:
        refusals.append(Refusal("both", "Expected one mask.", masks[1].name, broken=True))
    for mask in masks[:1] if uploads else []:
        found_in_mask = check_overlay("mask", Upload(mask.data, mask.content_type), uploads[0])
        refusals += [Refusal("value", found.message, mask.name, broken=True) for found in found_in_mask]
    return refusals


def _check_bare_references(body: Values) -> list[Refusal]:
    """References of LocalAI are URLs or bare base64, without a data URI's prefix."""
    many = [body[name] for name in ("files", "ref_images") if name in body]
    found = [body["file"]] if "file" in body else []
    for value in many:
        found += value if isinstance(value, list) else [value]
    return [
        Refusal("value", "A reference image must be a URL or bare base64.", broken=True)
        for item in found
        if not (isinstance(item, str) and (re.match(r"https?://", item) or _is_base64(item)))
    ]


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False


def _check_form(values: Values, dialect: Dialect, *, edit: bool) -> list[Refusal]:
    """`response_format`: SGLang's own default, url, fails on generations; on edits its default is base64."""
    if dialect.fields is not None and "response_format" not in dialect.fields:
        return []
    asked = values.get("response_format", _form({}, dialect, edit=edit))
    if asked == "url" and not dialect.takes_url:
        words = "response_format 'url' is not supported by this server, use 'b64_json'."
        return [Refusal("value", words, "response_format")]
    if asked not in ("url", "b64_json"):
        return [Refusal("value", f"Invalid value for 'response_format': {asked!r}.", "response_format", broken=True)]
    return []


def _form(values: Values, dialect: Dialect, *, edit: bool) -> Form:
    default: Form = "b64_json" if edit and not dialect.takes_url else dialect.default_form
    return "url" if values.get("response_format", default) == "url" else "b64_json"


def _count(values: Values, dialect: Dialect) -> tuple[int, list[Refusal]]:
    n = values.get("n", 1)
    if not isinstance(n, int):
        return 1, []
    if n < 1:
        return 1, [Refusal("value", f"Expected 'n' to be at least 1, but got {n}.", "n", broken=True)]
    if n > N_MAX and not dialect.clamps_n:
        return 1, [Refusal("value", f"Expected 'n' to be at most {N_MAX}, but got {n}.", "n")]
    return min(n, N_MAX), []


def _size(values: Values, dialect: Dialect, *, edit: bool) -> tuple[tuple[int, int], list[Refusal]]:
    size = values.get("size")
    if size is None or (size == "auto" and edit and dialect.image_urls):
        return (1024, 1024), []
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", str(size), re.ASCII)
    if found is None:
        return (512, 512), [] if dialect.free_size else [Refusal("value", f"Invalid size {size!r}.", "size")]
    width, height = int(found[1]), int(found[2])
    if max(width, height) > SIDE_MAX:
        return (512, 512), [Refusal("value", f"No side may be longer than {SIDE_MAX}.", "size")]
    return (width, height), []
