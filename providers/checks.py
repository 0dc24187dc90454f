"""Every problem of a request at once, each with its field, before anything is sent. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from providers.catalog import ModelSpec, Provider
from providers.sizes import parse_ratio, parse_tier, size_problem
from providers.types import FORMATS, MADE_HERE, MAX_TIMEOUT_S, MIN_TIMEOUT_S, ImageRequest


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request cannot be sent: which field, and in words what to do."""

    field: str
    message: str


def problems_of(request: ImageRequest, spec: ModelSpec, provider: Provider) -> Iterator[Problem]:
    """What stands in the way of sending this request to this model at this provider."""
    yield from _prompt_problems(request, spec)
    yield from _number_problems(request, spec)
    yield from _choice_problems(request, spec)
    yield from _input_problems(request, spec, provider)


def retirement_note(spec: ModelSpec, today: date) -> str | None:
    """`Retires 1 Dec 2026` or `Retired 23 Oct 2026`, where the maker has named a day."""
    if spec.retires_on is None:
        return None
    day = f"{spec.retires_on.day} {spec.retires_on:%b %Y}"
    return f"Retired {day}" if spec.is_retired(today) else f"Retires {day}"


def _prompt_problems(request: ImageRequest, spec: ModelSpec) -> Iterator[Problem]:
    if not request.prompt.strip():
        yield Problem("prompt", "The prompt is empty. Describe the image first.")
    if any("\ud800" <= character <= "\udfff" for character in request.prompt):
        yield Problem("prompt", "The prompt holds bytes that are no text. Type or paste it once more.")
    length = len(request.prompt)
    if length > spec.max_prompt_chars:
        over = length - spec.max_prompt_chars
        yield Problem(
            "prompt",
            f"The prompt has {length:,} characters; {spec.name} takes {spec.max_prompt_chars:,}. Shorten it by {over:,}.",
        )


def _number_problems(request: ImageRequest, spec: ModelSpec) -> Iterator[Problem]:
    if not 1 <= request.n <= spec.max_n:
        yield Problem("n", f"{request.n} images per run: {spec.name} makes 1 to {spec.max_n}.")
    if request.partial_images is not None and not 0 <= request.partial_images <= spec.max_partials:
        yield Problem(
            "partial_images", f"{request.partial_images} previews: {spec.name} sends 0 to {spec.max_partials}."
        )
    if request.output_compression is not None and not 0 <= request.output_compression <= 100:
        yield Problem(
            "output_compression", f"Compression is {request.output_compression}; it must lie between 0 and 100."
        )
    if not MIN_TIMEOUT_S <= request.timeout_s <= MAX_TIMEOUT_S:
        yield Problem(
            "timeout_s",
            f"The time limit is {request.timeout_s:g} s; it must lie between {MIN_TIMEOUT_S:g} and {MAX_TIMEOUT_S:g} s.",
        )


def _choice_problems(request: ImageRequest, spec: ModelSpec) -> Iterator[Problem]:
    yield from _shape_problems(request, spec)
    qualities = spec.qualities + (spec.edit_qualities if request.images else ())
    quality = spec.quality_aliases.get(request.quality or "", request.quality)
    yield from _not_among("quality", quality, qualities, spec)
    yield from _background_problems(request, spec)
    if request.output_format is not None and request.output_format not in FORMATS:
        yield Problem("output_format", f"{request.output_format!r} is no format. Formats: {', '.join(FORMATS)}.")
    elif request.output_format not in MADE_HERE:
        yield from _not_among("output_format", request.output_format, spec.formats, spec)
    if spec.moderation and request.moderation != "auto":
        yield from _not_among("moderation", request.moderation, spec.moderation, spec)
    if spec.input_fidelity:
        yield from _not_among("input_fidelity", request.input_fidelity, spec.input_fidelity, spec)


def _background_problems(request: ImageRequest, spec: ModelSpec) -> Iterator[Problem]:
    # `auto` is what every provider does when nothing is said. Where a background cannot be said at all, only a
    # transparent one would come out as something else than was asked.
    if request.background != "auto" and (spec.backgrounds or request.background == "transparent"):
        yield from _not_among("background", request.background, spec.backgrounds, spec)
    if request.background == "transparent" and request.output_format == "jpeg":
        yield Problem("background", "JPEG cannot be transparent. Choose PNG or WebP, or another background.")


def _shape_problems(request: ImageRequest, spec: ModelSpec) -> Iterator[Problem]:
    if request.size is not None and not parse_ratio(request.size):
        message = size_problem(request.size, spec.sizes)
        if message:
            yield Problem("size", f"{spec.name}: {message}")
    if request.aspect_ratio is not None and not parse_ratio(request.aspect_ratio):
        yield Problem("aspect_ratio", f"{request.aspect_ratio!r} is no aspect ratio. Write width:height, as 16:9.")
    if request.resolution is not None and not parse_tier(request.resolution):
        yield Problem("resolution", f"{request.resolution!r} is no resolution. Write 1K, 2K or 4K.")


def _not_among(field: str, value: str | None, allowed: tuple[str, ...], spec: ModelSpec) -> Iterator[Problem]:
    if value is not None and value not in allowed and not spec.passes_unlisted:
        word = field.replace("_", " ")
        has = f" It has: {', '.join(allowed)}." if allowed else ""
        yield Problem(field, f"{spec.name} has no {word} {value!r}.{has}")


def _input_problems(request: ImageRequest, spec: ModelSpec, provider: Provider) -> Iterator[Problem]:
    count = len(request.images)
    if count and not spec.max_images:
        yield Problem(
            "images", f"{provider.name} makes no edits. Remove the reference images, or choose another model."
        )
    elif count > spec.max_images:
        yield Problem(
            "images",
            f"{count} reference images; {spec.name} takes {spec.max_images} at {provider.name}. "
            f"Remove {count - spec.max_images}.",
        )
    if count < spec.min_images:
        yield Problem("images", f"{spec.name} only edits: add a reference image, or choose another model.")
    yield from _mask_problems(request, spec, provider)


def _mask_problems(request: ImageRequest, spec: ModelSpec, provider: Provider) -> Iterator[Problem]:
    if request.mask is None:
        if request.lock_outside_mask:
            yield Problem("lock_outside_mask", "There is no mask to lock outside of. Add one, or leave the lock out.")
        return
    # A lock protects what lies outside also where the model does not see the mask; the plan's notices say that it does not.
    if not spec.mask and not request.is_locked:
        way = spec.mask_hint or "Remove the mask, lock what lies outside it, or choose another model."
        yield Problem("mask", f"{spec.name} takes no mask at {provider.name}. {way}")
    if not request.images:
        yield Problem("mask", "A mask needs an image to edit. Add a reference image, or remove the mask.")
        return
    base = request.images[0]
    if (request.mask.width, request.mask.height) != (base.width, base.height):
        yield Problem(
            "mask",
            f"The mask is {request.mask.width} x {request.mask.height} px and image 1 is {base.width} x {base.height} px. "
            "They must have the same size.",
        )
