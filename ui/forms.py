"""Component values <-> image requests, and which controls the ticked offers call for. Pure.

`FormValues` is what the form holds, whether or not a control is in sight. A request takes only what some ticked model
has; for the rest the field stays `None`, "not said".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from playground.preferences import Preferences
from playground.sweeps import Vary
from playground.variables import Row, literal
from providers.catalog import ModelSpec
from providers.sizes import parse_ratio, parse_size
from providers.types import (
    BACKGROUNDS,
    DEFAULT_TIMEOUT_S,
    FIDELITIES,
    FORMATS,
    MADE_HERE,
    MODERATIONS,
    QUALITIES,
    ImageRequest,
    InputImage,
)

SQUARE, LANDSCAPE, PORTRAIT, OTHER = "1024x1024", "1536x1024", "1024x1536", "other"
AUTO, CUSTOM, RATIO = "auto", "custom", "ratio"
RATIOS = ("1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "21:9")
TIERS = ("1K", "2K", "4K")
ANY_TIER = "any"
"""Choice of resolution that leaves the field out of the request."""
NO_RATIO = ":"
"""What an empty field for a ratio is read as: it is refused in words."""
MAX_REFERENCES = 16
COMPRESSIBLE = ("jpeg", "webp")
DEFAULT_COMPRESSION = 90
MODEL_DECIDES = "model"
"""Choice of input fidelity that leaves the field out of the request."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image of the store in the tray, or a mask: what the page needs to show and price it, without its bytes."""

    sha256: str
    media_type: str
    width: int
    height: int
    name: str = ""

    def document(self) -> dict[str, object]:
        """As JSON for the tray and the draft."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class SweepText:
    """Both axes of a sweep as they are typed: what is varied, and its values one per line."""

    x_vary: Vary = "quality"
    x_values: str = ""
    y_vary: Vary = "size"
    y_values: str = ""


@dataclass(frozen=True, slots=True)
class FormValues:
    """What the form holds. Money is never spent by a default: quality starts at low."""

    prompt: str = ""
    offers: tuple[str, ...] = ()
    size: str = SQUARE
    """`auto` or `WIDTHxHEIGHT`; a custom size that is half typed is kept as typed."""
    is_custom_size: bool = False
    """Whether width and height are typed, even where they come to a size that has a button."""
    aspect_ratio: str = ""
    """`W:H`, as typed; empty: not used. With it or a resolution no size is asked for."""
    resolution: str = ""
    """`1K`, `2K`, `4K`; empty: not used."""
    quality: str = "low"
    n: int = 1
    background: str = AUTO
    output_format: str = "png"
    output_compression: int = DEFAULT_COMPRESSION
    moderation: str = AUTO
    input_fidelity: str = MODEL_DECIDES
    partial_images: int = 0
    user: str = ""
    timeout_s: float = DEFAULT_TIMEOUT_S
    references: tuple[Reference, ...] = ()
    mask: Reference | None = None
    variables: tuple[Row, ...] = ()
    """Rows of the table that fills the prompt's `{name}`s in."""
    lock_outside_mask: bool = True
    """Whether the original is put back outside the mask."""
    sweep: SweepText = SweepText()

    @property
    def is_by_ratio(self) -> bool:
        """Whether the shape is asked for by aspect ratio and resolution instead of pixels."""
        return bool(self.aspect_ratio or self.resolution)


@dataclass(frozen=True, slots=True)
class Controls:
    """Which controls show for the ticked offers, and with which choices."""

    qualities: tuple[str, ...]
    sizes: tuple[str, ...]
    """Sizes under Other, beside `auto` and a custom one."""
    backgrounds: tuple[str, ...]
    formats: tuple[str, ...]
    made_here: frozenset[str]
    """Those of the formats that no ticked model makes."""
    moderations: tuple[str, ...]
    fidelities: tuple[str, ...]
    compression: bool
    custom_size: bool
    """Whether some model takes a size typed by hand."""
    mask: bool
    user: bool
    max_n: int
    max_partials: int
    max_references: int
    some_only: frozenset[str]
    """Fields that only some of the ticked models have, or have in full."""


def controls_of(specs: Sequence[ModelSpec], values: FormValues) -> Controls:
    """The controls these models call for. With no model ticked, what any model has: quality, size and format."""
    is_edit = bool(values.references)
    fixed = {size for spec in specs for size in spec.sizes.fixed}
    suggested = {size for spec in specs for size in (*spec.sizes.suggested, *spec.sizes.fixed)}
    fidelities = _among(FIDELITIES, [spec.input_fidelity for spec in specs]) if is_edit else ()
    made = _among(FORMATS, [spec.formats for spec in specs])
    return Controls(
        qualities=_among(QUALITIES, [spec.qualities for spec in specs]) or ("auto", "low", "medium", "high"),
        sizes=tuple(sorted(suggested - {SQUARE, LANDSCAPE, PORTRAIT}, key=_area)),
        backgrounds=_among(BACKGROUNDS, [spec.backgrounds for spec in specs]),
        formats=_among(FORMATS, [made, MADE_HERE]) if made else (),
        made_here=frozenset(MADE_HERE).difference(made) if made else frozenset(),
        moderations=_among(MODERATIONS, [spec.moderation for spec in specs]),
        fidelities=fidelities,
        compression=any(_is_compressed(values.output_format, spec) for spec in specs),
        custom_size=not specs or not fixed or any(not spec.sizes.fixed for spec in specs),
        mask=is_edit,
        user=any(spec.takes_user for spec in specs),
        max_n=max((spec.max_n for spec in specs), default=1),
        max_partials=max((spec.max_partials for spec in specs), default=0),
        max_references=max((spec.max_images for spec in specs), default=MAX_REFERENCES),
        some_only=frozenset(_some_only(specs)),
    )


def _is_compressed(output_format: str, spec: ModelSpec) -> bool:
    """Whether compression counts: the provider's, or that of an AVIF which is made here."""
    return output_format in COMPRESSIBLE or (output_format == "avif" and "avif" not in spec.formats)


def _among(order: Sequence[str], lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    found = {value for values in lists for value in values}
    return tuple(value for value in order if value in found)


def _some_only(specs: Sequence[ModelSpec]) -> Iterable[str]:
    has: dict[str, list[object]] = {
        "quality": [frozenset(spec.qualities) for spec in specs],
        "size": [frozenset(spec.sizes.fixed) for spec in specs],
        "background": [frozenset(spec.backgrounds) for spec in specs],
        "output_format": [frozenset(spec.formats).difference(MADE_HERE) for spec in specs],
        "moderation": [frozenset(spec.moderation) for spec in specs],
        "input_fidelity": [frozenset(spec.input_fidelity) for spec in specs],
        "mask": [spec.mask for spec in specs],
        "user": [spec.takes_user for spec in specs],
        "partial_images": [spec.max_partials for spec in specs],
        "n": [spec.max_n for spec in specs],
    }
    return [name for name, values in has.items() if len(set(values)) > 1]


def request_of(
    values: FormValues, controls: Controls, images: Sequence[InputImage] = (), mask: InputImage | None = None
) -> ImageRequest:
    """What the form asks for. `images` are the references with their bytes, or stand-ins where only a price is wanted."""
    return ImageRequest(
        prompt=values.prompt,
        n=values.n,
        size=None if values.is_by_ratio else values.size,
        aspect_ratio=values.aspect_ratio.strip() or None,
        resolution=values.resolution or None,
        quality=values.quality,
        background=values.background if controls.backgrounds else None,
        output_format=values.output_format if controls.formats else None,
        output_compression=values.output_compression if controls.compression else None,
        moderation=values.moderation if controls.moderations else None,
        input_fidelity=_said(values.input_fidelity, controls.fidelities),
        partial_images=min(values.partial_images, controls.max_partials) or None,
        user=values.user.strip() or None if controls.user else None,
        timeout_s=values.timeout_s,
        images=tuple(images),
        mask=mask if controls.mask else None,
        lock_outside_mask=values.lock_outside_mask if mask and controls.mask else None,
    )


def _said(value: str, allowed: Sequence[str]) -> str | None:
    return value if value in allowed else None


def stand_in(reference: Reference) -> InputImage:
    """The reference as an input without its bytes: enough for checks and prices."""
    return InputImage(b"", reference.media_type, reference.width, reference.height, reference.sha256)


def as_reference(image: InputImage, name: str = "") -> Reference:
    """The input as the tray keeps it."""
    return Reference(image.sha256, image.media_type, image.width, image.height, name)


def from_request(
    asked: ImageRequest, offers: Sequence[str], references: Sequence[Reference] = (), mask: Reference | None = None
) -> FormValues:
    """The form as it stood when this was asked (Remix); a field that was not said takes its default."""
    start = FormValues()
    size, ratio, resolution = _asked_shape(asked, start.size)
    return FormValues(
        prompt=literal(asked.prompt),
        offers=tuple(offers),
        size=size,
        aspect_ratio=ratio,
        resolution=resolution,
        quality=asked.quality or start.quality,
        n=asked.n,
        background=asked.background or start.background,
        output_format=asked.output_format or start.output_format,
        output_compression=start.output_compression if asked.output_compression is None else asked.output_compression,
        moderation=asked.moderation or start.moderation,
        input_fidelity=asked.input_fidelity or start.input_fidelity,
        partial_images=asked.partial_images or 0,
        user=asked.user or "",
        timeout_s=asked.timeout_s,
        references=tuple(references),
        mask=mask,
        lock_outside_mask=asked.lock_outside_mask is not False,
    )


def _asked_shape(asked: ImageRequest, otherwise: str) -> tuple[str, str, str]:
    """Size, aspect ratio and resolution for the form; a size in pixels goes before the others."""
    if asked.size is not None and not parse_ratio(asked.size):
        return asked.size, "", ""
    ratio, resolution = asked.size or asked.aspect_ratio or "", asked.resolution or ""
    return (AUTO if ratio or resolution else otherwise), ratio, resolution


def first_visit(free_offers: Sequence[str], default_offer: str | None = None) -> FormValues:
    """The form nobody has touched: the default offer ticked where it has a key, without previews, which cost.

    Else two free offers, with previews.
    """
    if default_offer is not None:
        return FormValues(offers=(default_offer,))
    ticked = tuple(free_offers[:2])
    return FormValues(offers=ticked, partial_images=2 if ticked else 0)


def begun_with(values: FormValues, liked: Preferences) -> FormValues:
    """The form with the settings that somebody prefers to begin with."""
    return replace(
        values,
        quality=liked.quality,
        size=liked.size,
        output_format=liked.output_format,
        n=liked.n,
        timeout_s=liked.timeout_s,
    )


def add_references(values: FormValues, added: Sequence[Reference], *, as_base: bool = False) -> FormValues:
    """The form with more references, each image once. The first one makes it an edit, whose size the model takes from it."""
    new = list(dict.fromkeys(added))
    if as_base:
        kept = [reference for reference in values.references if reference.sha256 not in {item.sha256 for item in new}]
        joined = [*new, *kept]
    else:
        known = {reference.sha256 for reference in values.references}
        joined = [*values.references, *(reference for reference in new if reference.sha256 not in known)]
    is_untouched = values.size == SQUARE and not values.is_by_ratio
    size = AUTO if joined and not values.references and is_untouched else values.size
    changed = replace(values, references=tuple(joined[:MAX_REFERENCES]), size=size)
    return drop_foreign_mask(changed, values)


def drop_foreign_mask(values: FormValues, before: FormValues) -> FormValues:
    """The form without its mask when the base image is another one than the mask was made for."""
    base = values.references[0].sha256 if values.references else None
    base_before = before.references[0].sha256 if before.references else None
    return values if base == base_before else replace(values, mask=None)


# Size: one value in the request, or a ratio and a tier; up to seven controls on the page.


def chosen_size(segment: str | None, other: str | None, width: float | None, height: float | None) -> str:
    """The size the controls say together."""
    if segment in (SQUARE, LANDSCAPE, PORTRAIT):
        return str(segment)
    if other == CUSTOM:
        return f"{int(width or 0)}x{int(height or 0)}"
    return AUTO if other in (None, "", RATIO) else str(other)


def chosen_ratio(choice: str | None, typed: str | None, tier: str | None) -> tuple[str, str]:
    """The aspect ratio and the resolution the controls say together."""
    ratio = (typed or "").strip() or NO_RATIO if choice == CUSTOM else choice or RATIOS[0]
    return ratio, tier if tier in TIERS else ""


def ratio_controls(values: FormValues) -> tuple[str, str, str]:
    """Choice of ratio, the typed one, and choice of resolution that say the form's shape."""
    tier = values.resolution if values.resolution in TIERS else ANY_TIER if values.is_by_ratio else TIERS[0]
    ratio = values.aspect_ratio or RATIOS[0]
    return (ratio, "5:4", tier) if ratio in RATIOS else (CUSTOM, ratio, tier)


def size_controls(values: FormValues, offered: Sequence[str]) -> tuple[str, str, int, int]:
    """Segment, choice under Other, width and height that say the form's size."""
    size = values.size
    width, height = parse_size(size) or (1024, 1024)
    if values.is_by_ratio:
        return OTHER, RATIO, width, height
    if values.is_custom_size:
        return OTHER, CUSTOM, width, height
    if size in (SQUARE, LANDSCAPE, PORTRAIT):
        return size, AUTO, width, height
    return OTHER, size if size == AUTO or size in offered else CUSTOM, width, height


def _area(size: str) -> tuple[int, int]:
    width, height = parse_size(size) or (0, 0)
    return width * height, width
