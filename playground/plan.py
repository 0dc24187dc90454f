"""From what a person asked to what would be sent, and what it would cost. Pure: nothing is sent or stored here.

The Run button, the command line, and later X-ray, sweeps and the API all read the same `Plan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from playground.masks import is_same_shape
from providers.adapter import Adapter, HttpCall
from providers.adapters import ADAPTERS
from providers.adapters.fields import converted, emulated, refused
from providers.catalog import Catalog, ModelSpec, Offer, Provider, UnknownOffer
from providers.checks import Problem, problems_of
from providers.pricing import Estimate, estimate
from providers.sizes import made_size, parse_size
from providers.types import MADE_HERE, FieldHandling, ImageRequest, Operation

_MOST_CALLS = 20
"""A number of images beyond that is refused by the checks anyway."""
_SHAPE = ("size", "aspect_ratio", "resolution")
LOCKED_HERE = "Done here: the original is put back outside the mask."
"""What is said of a lock that nothing stands in the way of."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One of a run's calls; more than one where the provider makes fewer images per call than were asked."""

    call: HttpCall
    """The literal request, without keys; exactly this is sent."""
    images: int
    """Images it asks for."""
    first_position: int
    """Place of its first image among those of the run."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run as it would go out, with everything that stands in its way."""

    offer: Offer
    provider: Provider
    spec: ModelSpec
    request: ImageRequest
    problems: tuple[Problem, ...]
    """Empty when it can be sent."""
    fields: tuple[FieldHandling, ...]
    calls: tuple[PlannedCall, ...]
    """At least one; sent at once, as far as the provider's places go."""
    estimate: Estimate

    @property
    def call(self) -> HttpCall:
        """The first call, which stands for all: the others differ in the number of images only."""
        return self.calls[0].call

    @property
    def notices(self) -> tuple[str, ...]:
        """What is not sent or not as asked, in sentences that name the field."""
        return tuple(
            f"{row.field.replace('_', ' ')}: {row.note}"
            for row in self.fields
            if row.note not in ("", LOCKED_HERE)
            and (row.handling in ("refused", "emulated") or row.sent_as is None or row.field in _SHAPE)
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of one press of Run."""

    runs: tuple[PlannedRun, ...]
    operation: Operation
    prompt: str
    problems: tuple[Problem, ...] = ()
    """Problems of the press as a whole, such as no offer ticked."""
    layout: Mapping[str, object] | None = None
    """How the runs of a sweep lie in its grid; see `playground.sweeps`."""

    @property
    def is_sendable(self) -> bool:
        """Whether every run can be sent."""
        return bool(self.runs) and not self.all_problems

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Problems of the press and of its runs, each said once."""
        found = [*self.problems, *(problem for run in self.runs for problem in run.problems)]
        return tuple(dict.fromkeys(found))

    @property
    def high_microusd(self) -> int | None:
        """The most the press is expected to cost; `None` when a run's price is unknown."""
        amounts = [run.estimate.high_microusd for run in self.runs]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)

    @property
    def low_microusd(self) -> int | None:
        """The least the press is expected to cost; `None` when a run's price is unknown."""
        amounts = [run.estimate.low_microusd for run in self.runs]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def make_plan(
    request: ImageRequest,
    offers: Sequence[str],
    catalog: Catalog,
    *,
    default_quality: str | None = None,
    only_listed: bool = False,
) -> Plan:
    """A run for each offer named. A name that is no offer becomes a problem of the plan.

    `default_quality` is asked of the models whose row has it when the request says none. With `only_listed` a server without
    a row is asked for nothing but the basics, as a form does that shows more controls for the sake of other models.
    """
    planned: list[PlannedRun] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(offers):
        try:
            offer = catalog.offer(name)
        except UnknownOffer as error:
            problems.append(Problem("offers", str(error)))
            continue
        fitted = _fitted(request, catalog.spec(offer), default_quality, only_listed=only_listed)
        planned.append(plan_run(fitted, offer, catalog))
    if not offers:
        problems.append(Problem("offers", "No model is chosen. Tick at least one."))
    return Plan(tuple(planned), request.operation, request.prompt, tuple(problems))


def _fitted(request: ImageRequest, spec: ModelSpec, default_quality: str | None, *, only_listed: bool) -> ImageRequest:
    if request.quality is None and default_quality in spec.qualities and not spec.passes_unlisted:
        request = replace(request, quality=default_quality)
    if only_listed:
        # Previews cost nothing to go without.
        request = replace(request, partial_images=min(request.partial_images or 0, spec.max_partials) or None)
    if not (only_listed and spec.passes_unlisted):
        return request
    return replace(
        request,
        quality=request.quality if spec.qualities else None,
        background=request.background if spec.backgrounds else None,
        output_format=request.output_format if spec.formats or request.output_format in MADE_HERE else None,
        output_compression=request.output_compression if spec.formats else None,
        moderation=request.moderation if spec.moderation else None,
        input_fidelity=request.input_fidelity if spec.input_fidelity else None,
        user=request.user if spec.takes_user else None,
    )


def plan_run(request: ImageRequest, offer: Offer, catalog: Catalog) -> PlannedRun:
    """What this offer would be sent for the request, and at what price."""
    provider, spec = catalog.provider(offer.provider_id), catalog.spec(offer)
    calls, fields = _calls(request, offer, spec, ADAPTERS[provider.adapter])
    fields = (*(_protected(row, request, spec) for row in fields), *_lock_rows(request, spec))
    return PlannedRun(
        offer=offer,
        provider=provider,
        spec=spec,
        request=request,
        problems=tuple(problems_of(request, spec, provider)),
        fields=fields,
        calls=calls,
        estimate=estimate(request, spec, offer),
    )


def _calls(
    request: ImageRequest, offer: Offer, spec: ModelSpec, adapter: Adapter
) -> tuple[tuple[PlannedCall, ...], tuple[FieldHandling, ...]]:
    """The run's calls, and the account of its fields: that of the first call, with the split told under `n`."""
    counts = split(request.n, spec.max_n_per_call)
    built = {count: adapter.build(replace(request, n=count), offer, spec) for count in set(counts)}
    starts = [sum(counts[:position]) for position in range(len(counts))]
    calls = tuple(PlannedCall(built[count][0], count, start) for count, start in zip(counts, starts, strict=True))
    fields = built[counts[0]][1]
    if len(counts) > 1:
        fields = tuple(_split_row(row, request.n, counts) if row.field == "n" else row for row in fields)
    return calls, fields


def _protected(row: FieldHandling, request: ImageRequest, spec: ModelSpec) -> FieldHandling:
    """The row of a mask that is not sent, with what that means where the lock protects."""
    if row.field != "mask" or row.handling != "refused" or not request.is_locked:
        return row
    words = "The model does not see the mask and may change anything; the lock still protects what lies outside it."
    return replace(row, note=" ".join(filter(None, (row.note, words, spec.mask_hint))))


def _lock_rows(request: ImageRequest, spec: ModelSpec) -> tuple[FieldHandling, ...]:
    """What becomes of the lock, which no provider is told of."""
    name, asked = "lock_outside_mask", request.lock_outside_mask
    if request.is_locked:
        return (emulated(name, request.is_locked, None, None, _lock_note(request, spec)),)
    if request.mask is not None:
        return (converted(name, asked, None, None, "The image stays as it comes, outside the mask too."),)
    return (refused(name, asked, "There is no mask."),) if asked is not None else ()


def _lock_note(request: ImageRequest, spec: ModelSpec) -> str:
    """That the original is put back; and that it cannot be where an image of another shape is asked for."""
    size = parse_size(made_size(request, spec.sizes) or "")
    if not size or not request.images or is_same_shape(size, (request.images[0].width, request.images[0].height)):
        return LOCKED_HERE
    base = request.images[0]
    return (
        f"The lock needs an image in the shape of image 1, {base.width} x {base.height} px, and {size[0]} x {size[1]} px is "
        "asked for: the original cannot be put back into that."
    )


def split(wanted: int, most: int) -> tuple[int, ...]:
    """How many images each call asks for: as many as it may, and the rest in the last one."""
    if not most < wanted <= most * _MOST_CALLS:
        return (wanted,)
    full, rest = divmod(wanted, most)
    return (most,) * full + ((rest,) if rest else ())


def _split_row(row: FieldHandling, wanted: int, counts: Sequence[int]) -> FieldHandling:
    each = ", ".join(str(count) for count in counts)
    note = f"The provider makes at most {counts[0]} per call, so {len(counts)} calls go out at once ({each})."
    return replace(row, asked=wanted, handling="emulated", value=counts[0], note=note)
